"""Comma-separated rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlpcli.data.csv import CHUNK_LINES, read_rows
from mlpcli.errors import DataError

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(
    rows=hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=FINITE),
    separator=st.sampled_from([",", ", ", " ,", "\t,"]),
    end=st.sampled_from(["\n", "\r\n", "\n\n", ""]),
)
def test_round_trip(rows, separator, end):
    """Numbers written in Python's shortest form come back bit for bit, blank lines or not."""
    lines = [separator.join(map(repr, row.tolist())) + end for row in rows]
    np.testing.assert_array_equal(np.vstack(list(read_rows(lines, "-", rows.shape[1]))), rows)


def test_order_over_many_chunks():
    """Rows keep their order when there are more than are parsed at a time."""
    n = 2 * CHUNK_LINES + 1
    chunks = list(read_rows((f"{i}\n" for i in range(n)), "-", 1))
    assert [len(chunk) for chunk in chunks] == [CHUNK_LINES, CHUNK_LINES, 1]
    np.testing.assert_array_equal(np.concatenate(chunks)[:, 0], np.arange(n))


def test_no_lines_no_rows():
    """Nothing, or nothing but blank lines, is no example."""
    assert list(read_rows(["\n", "  \n"], "-", 3)) == []


@pytest.mark.parametrize("cell", ["1", "-.5", "+1.", "1e3", "2.5E-3"])
def test_spellings_of_a_number(cell):
    """The usual spellings of a decimal number are all read."""
    ((value,),) = next(read_rows([f"{cell}\n"], "-", 1))
    assert value == float(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "x",
        "nan",
        "inf",
        "-Infinity",
        "1e999",
        "1_000",
        "0x10",
        "١",
        "1 2",
        "1;2",
        "true",
        '"1"',
    ],
)
def test_what_is_not_a_finite_number(cell):
    """Anything else is refused with its line, column and text, though float() would take some."""
    with pytest.raises(DataError) as caught:
        list(read_rows(["1,2\n", "\n", f"1,{cell}\n"], "-", 2))
    assert str(caught.value).startswith(f"-:3: column 2: {cell!r} is not a finite number")


@pytest.mark.parametrize(("line", "count"), [("1,2\n", 2), ("1,2,3,\n", 4), ("1;2;3\n", 1)])
def test_wrong_width(line, count):
    """A row of another width than the network's is refused with both numbers."""
    with pytest.raises(DataError, match=rf"^in:1: has {count} values; the network takes 3$"):
        list(read_rows([line], "in", 3))


def test_a_long_cell_takes_linear_time():
    """A million digits and a letter are refused at once: the pattern does not backtrack.

    Quadratic, they would take 5e11 steps, and the test would not end.
    """
    with pytest.raises(DataError, match="is not a finite number"):
        list(read_rows(["1" * 1_000_000 + "x"], "-", 1))
