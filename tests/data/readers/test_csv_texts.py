"""Columns of text: the codes of many cells at a time are those of one after the other."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlpcli.data.readers import csv_texts
from mlpcli.data.readers.csv_cells import Columns, code_cells
from mlpcli.data.readers.csv_decimals import ends_of_cells
from mlpcli.data.readers.csv_dialect import CsvOptions
from mlpcli.data.readers.csv_texts import code_texts
from mlpcli.data.readers.table import ColumnSelection

characters = st.characters(codec="utf-8", exclude_characters=",\n")
words = st.sampled_from(["", " ", "red", "Red", "dark green", "grün", "a" * 64, "a" * 65])
cells = st.one_of(words, words, st.text(characters, max_size=70), st.text("ab\0", max_size=17))


def coded(rows, codes):
    """Return the codes of both columns of rows, seen after others."""
    text = "".join(f"{a},{b}\n" for a, b in rows).encode()
    ends = ends_of_cells(np.frombuffer(text, np.uint8), ",", 2)
    columns = Columns(ColumnSelection(2, (0, 1)), codes, CsvOptions(), {}, {})
    return code_texts(text, ends, columns)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=30))
@example([("a", "\0a"), ("\0a", "a"), ("a\0", "a")])
@example([("x" * 8, "x" * 9), ("x" * 9, "x" * 8)])
def test_codes_of_many(rows):
    """They are given in the order in which texts come, go on from those before, blank is NaN."""
    codes = {0: {"before": 0, "red": 1}, 1: {}}
    one_by_one = {column: dict(known) for column, known in codes.items()}
    found = coded(rows, codes)
    for column, given_ in one_by_one.items():
        expected = code_cells([row[column] for row in rows], given_)
        np.testing.assert_array_equal(found[column], expected)
        assert list(codes[column].items()) == list(given_.items())


def test_only_one_of_each_becomes_a_text(monkeypatch):
    """Where texts come again and again, but for columns of very long ones."""
    counts = []
    monkeypatch.setattr(
        csv_texts,
        "code_cells",
        lambda cells, codes: (counts.append(len(cells)), code_cells(cells, codes))[1],
    )
    coded([("red", "x" * 64), ("blue", "y" * 65)] * 50, {0: {}, 1: {}})
    assert counts == [2, 100]


@pytest.mark.parametrize("factors", [0, 1 << 63])
def test_sums_that_are_equal_of_cells_that_are_not(monkeypatch, factors):
    """They are found, and such a column is looked at cell by cell."""
    monkeypatch.setattr(csv_texts, "FACTORS", np.full(8, factors, np.uint64))
    found = coded([("red", "tan"), ("tan", "red"), ("red", "tan")], {0: {}, 1: {}})
    assert [found[column].tolist() for column in (0, 1)] == [[0, 1, 0], [0, 1, 0]]
