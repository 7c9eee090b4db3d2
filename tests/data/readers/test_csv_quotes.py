"""Quotes that cells do not need."""

import pytest

from mlpcli.data.readers.csv_quotes import without_quotes


@pytest.mark.parametrize(
    ("lines", "plain"),
    [
        ('"a","b c"\n1,""\n', "a,b c\n1,\n"),
        ("a,b\n", "a,b\n"),
        ('"a,b",c\nd,","\n', "a,b\x1fc\nd\x1f,\n"),
        ('"a,b",\x1f\n', None),
        ('"a\nb"\n', None),
        ('"a""b"\n', None),
        ('"a"x\n', None),
        ('x"a"\n', None),
        ('"a\n', None),
    ],
)
def test_quotes_around_cells(lines, plain):
    """They are taken away where they are around cells alone, and no line feed needs them."""
    delimiter = "\x1f" if plain and "\x1f" in plain else ","
    found = without_quotes(lines.encode(), ",")
    assert found == (plain and (plain.encode(), delimiter))
