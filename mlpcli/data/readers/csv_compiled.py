"""Decimals parsed by compiled code in one pass: what `csv_decimals` does with NumPy in many."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.csv_decimals import ALL, EXACT, FRACTION, LEADING, Decimals
from mlpcli.jit import compiled_in_order

ZERO, TEN = np.uint8(ord("0")), np.uint8(10)
MINUS, NEWLINE = np.uint8(ord("-")), np.uint8(ord("\n"))
# A mantissa that is too large, and the most that may be followed by any digit and not become so.
TOO_LARGE, MOST = np.uint64(2**63), np.uint64(2**63 // 10 - 1)
# Powers of ten beyond 10^22 are no numbers of 53 bits.
TENS = np.array([float(10**p) for p in range(23)])
# For each of them 5^p, times 2^11 where p is less than 5, and what an exponent is subtracted from.
FIVES = np.array([5**p << 11 * (p < 5) for p in range(23)])
SHIFTS = np.array([1075 - p + 11 * (p < 5) for p in range(23)])


def parse_decimals(
    text: bytes,
    delimiter: str,
    point: str,
    width: int,
    power: int = 0,
    columns: Sequence[int] | slice = ALL,
) -> Decimals | None:
    """Return the cells of a text as `csv_decimals.parse_decimals` does, with two processors.

    It may flag fewer: those of more than 24 characters, which are the same numbers parsed alone.
    """
    middle = text.find(b"\n", len(text) // 2) + 1
    halves = np.split(np.frombuffer(text, np.uint8), [middle])
    first, second = (int(np.count_nonzero(half == NEWLINE)) for half in halves)
    shape = first + second, width
    found = Decimals(np.empty(shape), np.empty(shape, bool), np.empty(shape, np.intp))
    is_read = np.zeros(width, bool)
    is_read[columns] = True
    how = np.array([ord(delimiter), ord(point)], np.uint8), is_read, power
    other = _helper().submit(_parse, halves[1], *how, *(array[first:] for array in found))
    is_table = _parse(halves[0], *how, *(array[:first] for array in found))
    if not (other.result() and is_table):
        return None
    found.ends[first:] += middle
    return found


@cache
def _helper() -> ThreadPoolExecutor:
    """Return a thread beside this one."""
    return ThreadPoolExecutor(1)


@compiled_in_order
def _parse(
    text: NDArray[np.uint8],
    marks: NDArray[np.uint8],
    is_read: NDArray[np.bool],
    power: int,
    values: Any,
    others: Any,
    ends: Any,
) -> bool:
    """Parse the cells of each line; return whether it has as many as there is room for.

    Args:
        text: lines that each end with a line feed.
        marks: the delimiter, and the point.
        is_read: (width,) which columns are read.
        power: numbers are divided by 10^power, too.
        values: (rows, width) float64 to write them to.
        others: (rows, width) bool, which are no plain decimals.
        ends: (rows, width) intp, where the character after each is.
    """
    delimiter, point = marks
    bits, i, last = values.view(np.int64), np.uint64(0), len(is_read) - 1
    for row in range(len(ends)):
        for column in range(len(is_read)):
            negative, is_plain = text[i] == MINUS, is_read[column]
            mantissa, tens = np.uint64(0), power
            if is_plain:
                mantissa, places, i, is_plain = _digits(text, i + np.uint64(negative), point)
                tens += places
            while text[i] != delimiter and text[i] != NEWLINE:
                is_plain = False
                i += np.uint64(1)
            if (text[i] == NEWLINE) != (column == last):
                return False
            ends[row, column] = i
            i += np.uint64(1)
            is_plain = is_plain and tens < len(TENS)
            values[row, column] = np.int64(mantissa) / TENS[tens] if is_plain else 0.0
            if is_plain and mantissa >= EXACT:
                is_plain = _correct(bits, row, column, mantissa, tens)
            if negative:
                values[row, column] = -values[row, column]
            others[row, column] = not is_plain
    return True


@compiled_in_order
def _digits(text: Any, start: Any, point: Any) -> tuple[Any, Any, Any, bool]:
    """Read the digits from a place on, and those after a point.

    Returns:
        The number that they are without the point, how many follow that, where the character after
        them is, and whether there are any and the number is not too large.
    """
    mantissa, end = _joined(text, start, np.uint64(0))
    digits, places = end - start, np.uint64(0)
    if text[end] == point:
        first = end + np.uint64(1)
        mantissa, end = _joined(text, first, mantissa)
        places = end - first
    return mantissa, np.int64(places), end, digits + places > 0 and mantissa < TOO_LARGE


@compiled_in_order
def _joined(text: Any, i: Any, number: Any) -> tuple[Any, Any]:
    """Return a number with all digits from a place on joined to it, and the place after them."""
    digit = np.uint8(text[i] - ZERO)
    while digit < TEN:
        number = number * np.uint64(10) + np.uint64(digit) if number <= MOST else TOO_LARGE
        i += np.uint64(1)
        digit = np.uint8(text[i] - ZERO)
    return number, i


@compiled_in_order
def _correct(bits: Any, row: int, column: int, mantissa: Any, power: int) -> bool:
    """Move the quotient of a mantissa from 2^53 on to the nearest double: see `csv_decimals`.

    Returns:
        Whether there is one: two may be as near.
    """
    quotient, five = bits[row, column], FIVES[power]
    fraction, shift = quotient & FRACTION, np.uint64(SHIFTS[power] - (quotient >> 52))
    rest = np.int64(mantissa << shift) - (fraction | LEADING) * five
    half, far = five >> 1, abs(rest)
    if far == half or (fraction == 0 and rest < 0):
        # Below a power of two, doubles are twice as near.
        return False
    if far > half:
        bits[row, column] += (rest >> 63) | 1
    return True
