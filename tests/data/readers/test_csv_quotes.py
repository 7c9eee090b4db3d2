"""Quotes that cells do not need."""

import pytest

from mlpcli.data.readers.csv_quotes import without_quotes


@pytest.mark.parametrize(
    ("lines", "plain"),
    [
        ('"a","b c"\n1,""\n', "a,b c\n1,\n"),
        ("a,b\n", "a,b\n"),
        ('"a,b"\n', None),
        ('"a\nb"\n', None),
        ('"a""b"\n', None),
        ('"a"x\n', None),
        ('x"a"\n', None),
        ('"a\n', None),
    ],
)
def test_quotes_around_cells(lines, plain):
    """They are taken away where nothing in the cells needs them, and no others are there."""
    assert without_quotes(lines.encode(), ",") == (plain and plain.encode())
