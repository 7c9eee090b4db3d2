"""Decimals parsed many at a time: to the bit what `float` makes of each."""

import re
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlpcli.data.readers.csv_decimals import MOST_PLACES, parse_decimals

PARSERS = [parse_decimals]
if find_spec("numba"):
    from mlpcli.data.readers import csv_compiled

    PARSERS.append(csv_compiled.parse_decimals)
each_parser = pytest.mark.parametrize("parse", PARSERS, ids=["numpy", "numba"][: len(PARSERS)])
PLAIN = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)
digits = st.text("0123456789", max_size=24)
written = st.builds("{}{}{}{}".format, st.sampled_from(["", "-"]), digits, st.sampled_from("._"),
                    digits).map(lambda cell: cell.replace("_", ""))  # fmt: skip
doubles = st.floats(allow_nan=False, allow_infinity=False).map(repr)
odd = st.text("0123456789.-+eE _x\u00e9", max_size=12)
cells = st.one_of(written, doubles, odd)


@st.composite
def near_middles(draw):
    """Draw 18 digits of a number that is in the middle between two doubles, or next to it."""
    middle = Fraction(2 * draw(st.integers(2**52, 2**53 - 1)) + 1, 2 ** draw(st.integers(40, 60)))
    whole = str(int(middle))
    places = max(0, 18 - len(whole))
    shown = str(int(middle * 10**places) + draw(st.integers(-1, 1))).zfill(places + 1)
    return f"{shown[: len(shown) - places]}.{shown[len(shown) - places :]}"


def check(parse, table, point="."):
    """Compare what is parsed with what `float` makes of each cell; return how many are parsed."""
    rows = [";".join(row) for row in table]
    text = ("\n".join(rows) + "\n").replace(".", point).encode()
    found = parse(text, ";", point, len(table[0]))
    flat = [cell for row in table for cell in row]
    for cell, value, other in zip(flat, found.values.flat, found.others.flat, strict=True):
        if not other:
            assert PLAIN.fullmatch(cell), cell
            assert np.float64(float(cell)).tobytes() == value.tobytes(), cell
        elif PLAIN.fullmatch(cell):
            # Few are left to be looked at one by one: long ones, and what is near a middle.
            digits = re.sub("[^0-9]", "", cell)
            long = len(digits) > MOST_PLACES or int(digits) >= 921 * 10**16
            assert long or int(digits) > 2**53
    return np.count_nonzero(~found.others)


@each_parser
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=20), st.sampled_from(".,"))
@example([("-0", "-0.0", ".5"), ("5.", ".", "-"), ("", "1.2.3", "--1")], ",")
@example([("9007199254740993", "9223372036854775807", "9999999999999999999")] * 2, ".")
@example([("0." + "0" * 17 + "1", "1" * 20, "0" * 30)], ".")
@example([("123456.7", "1234567.12345678", "0.0000012345678901234567")] * 2, ",")
@example([("0.99999999999999994", "0.49999999999999998", "1.99999999999999989")], ".")
def test_values_are_those_of_float(parse, table, point):
    """Whatever cells hold, what is parsed is what `float` makes of them, to the bit."""
    check(parse, table, point)


@each_parser
@given(st.lists(st.tuples(near_middles()), min_size=1, max_size=50))
def test_middles_are_rounded_right(parse, table):
    """Numbers at the middle between two doubles are rounded as `float` does, or left to it."""
    check(parse, table)


@each_parser
@given(st.lists(st.tuples(written), min_size=1, max_size=20))
@example([("." + "1" * 21,), ("9007199254740993",), ("." + "1" * 23,)])
def test_hundredths_are_rounded_once(parse, table):
    """A number with % is the one that `float` makes of it with an exponent."""
    text = "".join(f"{cell}\n" for (cell,) in table).encode()
    found = parse(text, ",", ".", 1, 2)
    for (cell,), value, other in zip(table, found.values.flat, found.others.flat, strict=True):
        assert other or np.float64(float(f"{cell}e-2")).tobytes() == value.tobytes()


@each_parser
def test_columns_that_are_not_read_do_not_matter(parse):
    """Long texts beside numbers change neither their values nor what is found in them."""
    table = [("1.5", "a text of more than twenty-four characters", "-2")] * 2
    text = "".join(",".join(row) + "\n" for row in table).encode()
    found = parse(text, ",", ".", 3, columns=[0, 2])
    assert found.others.tolist() == [[False, True, False]] * 2
    assert found.values[:, [0, 2]].tolist() == [[1.5, -2]] * 2


@each_parser
def test_an_exact_middle_is_left_to_float(parse):
    """Where the second half of a quotient does not tell how to round, no value is given."""
    assert parse(b"9007199254740993,900719925474099.3\n", ",", ".", 2).others[0, 0]


@each_parser
def test_hardly_any_plain_decimal_is_left(parse):
    """Of a million digits of ordinary numbers, all are parsed, short and long ones."""
    values = np.random.default_rng(0).uniform(-1000, 1000, (2000, 5))
    assert check(parse, [[repr(x) for x in row] for row in values.tolist()]) == 10_000
    assert check(parse, [[f"{x:.3f}" for x in row] for row in values.tolist()]) == 10_000


@each_parser
def test_other_shapes_are_none(parse):
    """Lines with more cells or fewer than the first are not taken for another table."""
    assert parse(b"1,2\n3\n", ",", ".", 2) is None
    assert parse(b"1,2\n3\n4,5,6\n", ",", ".", 2) is None
    assert parse(b"1\n2,3\n", ",", ".", 2) is None
