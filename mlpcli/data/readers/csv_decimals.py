"""Decimals parsed many cells at a time, each to the very number that `float` makes of it.

Characters are taken eight at a time, as the bytes of a 64-bit word, the first of them the lowest
(Lemire, 2021, *Number parsing at a gigabyte per second*): each step is one pass over a word of
every cell.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.blocks import NEWLINE
from mlpcli.data.readers.csv_bytes import ZERO

Words = NDArray[np.uint64]
Counts = NDArray[np.intp]
Flags = NDArray[np.bool]
# Words that are looked at of each cell, and their characters.
MOST_WORDS = 3
MOST_CHARACTERS = 8 * MOST_WORDS
# Powers of ten beyond 10^22 are no numbers of 53 bits.
MOST_PLACES = 22
NO_POINT = MOST_CHARACTERS
# Of a cell's third word, what is below 2^63 with sixteen digits more.
MOST_HIGH = 921
MINUS = ord("-")
ZEROS = np.uint64(0x0101010101010101 * ZERO)
# Of a cell's last 0 to 24 characters, which bytes of its words are among them.
AMONG = np.array(
    [
        [(1 << 64) - (1 << 8 * (8 - min(max(n - 8 * i, 0), 8))) for i in (2, 1, 0)]
        for n in range(MOST_CHARACTERS + 1)
    ],
    np.uint64,
)
# Neighbours are joined: digits to numbers below 100, these to some below 10^4, and below 10^8.
JOINS = (
    (np.uint16, 8, 10 << 8 | 1),
    (np.uint32, 16, 100 << 16 | 1),
    (np.uint64, 32, 10000 << 32 | 1),
)


class Decimals(NamedTuple):
    """Cells, most of which are plain decimals: digits, a point among them, a minus before them."""

    values: NDArray[np.float64]
    """(rows, width)"""
    others: Flags
    """(rows, width) which are anything else, or need a closer look: they have no value here."""
    ends: Counts
    """(rows, width) where the character after each is."""


class Cells(NamedTuple):
    """Where cells are in a text, and what they are written with."""

    ends: Counts
    """(n,) where the character after each is."""
    digits: Counts
    """(n,) how many digits there are."""
    places: Counts
    """(n,) how many of them are after a point; 24 where there is none."""
    negative: Flags
    """(n,) which have a minus."""
    others: Flags
    """(n,) which have more digits, none, or anything else."""


def parse_decimals(
    text: bytes, delimiter: str, point: str, width: int, power: int = 0
) -> Decimals | None:
    """Return the cells of a text; None if a line has more or fewer.

    Args:
        text: lines that each end with a line feed, without quotes.
        delimiter: what stands between cells.
        point: what stands before decimals.
        width: how many cells each line has.
        power: numbers are divided by 10^power, too.
    """
    padded = np.frombuffer(b"%b%b" % (bytes(MOST_CHARACTERS), text), np.uint8)
    cells = _find_cells(padded[MOST_CHARACTERS:], delimiter, point, width)
    if cells is None:
        return None
    mantissas = _mantissas(_words_before(padded, cells), cells)
    if power:
        cells.others[(cells.places > MOST_PLACES - power) & (cells.places < NO_POINT)] = True
    divisors = _divisors(power).take(cells.places, mode="clip")
    values = _quotients(mantissas, divisors, cells.others)
    np.copysign(values, 0.5 - cells.negative, out=values)
    shape = (-1, width)
    return Decimals(values.reshape(shape), cells.others.reshape(shape), cells.ends.reshape(shape))


def _find_cells(
    characters: NDArray[np.uint8], delimiter: str, point: str, width: int
) -> Cells | None:
    """Return the cells of a text; None if a line has more or fewer."""
    # Most characters are digits; the others wrap around to 10 and more.
    marks = np.flatnonzero(characters - ZERO > 9)
    kinds = characters.take(marks)
    is_newline = kinds == NEWLINE
    which = np.flatnonzero(is_newline | (kinds == ord(delimiter)))
    rows = np.count_nonzero(is_newline)
    if len(which) != rows * width or not is_newline[which[width - 1 :: width]].all():
        return None
    ends = marks.take(which)
    starts = np.append(0, ends[:-1] + 1)
    # A mark that is in a cell is its minus, or its point, or makes it another.
    previous = which - 1
    before = marks.take(previous, mode="wrap")
    has_point = (kinds.take(previous, mode="wrap") == ord(point)) & (before >= starts)
    negative = characters.take(starts) == MINUS
    inner = previous - np.append(-1, which[:-1])
    digits = ends - starts - inner
    places = np.where(has_point, ends - before - 1, NO_POINT)
    others = inner != negative.view(np.int8) + has_point.view(np.int8)
    others |= (digits == 0) | (digits > MOST_PLACES)
    return Cells(ends, digits, places, negative, others)


def _words_before(padded: NDArray[np.uint8], cells: Cells) -> Words:
    """Return as many words as any cell needs, (n, words), that end before the ends of cells."""
    most = int(cells.digits.max(initial=0)) + 1
    size = 8 * min(MOST_WORDS, -(-most // 8))
    # Some begin at every character; all of a cell's are copied at once, as one thing.
    count = len(padded) - MOST_CHARACTERS
    there = np.ndarray(count, f"V{size}", padded.data, MOST_CHARACTERS - size, (1,))
    return there[cells.ends].view("<u8").reshape(-1, size // 8).astype(np.uint64, copy=False)


def _mantissas(words: Words, cells: Cells) -> Words:
    """Return the numbers that cells are without their points, (n,); flag those that are too large.

    Args:
        words: (n, words) with the last character in the highest byte; changed in place.
        cells: what is to be read of them.
    """
    n = words.shape[1]
    # What is before the point takes its place.
    moved = words << np.uint64(8)
    # Of a cell's first word with another's last byte, where no digit is.
    moved.reshape(-1)[1:] |= words.reshape(-1)[:-1] >> np.uint64(56)
    words ^= moved
    words &= AMONG[:, -n:].take(cells.places, axis=0, mode="clip")
    words ^= moved
    words ^= ZEROS
    words &= AMONG[:, -n:].take(cells.digits, axis=0, mode="clip")
    for size, bits, factor in JOINS:
        joined: NDArray[np.unsignedinteger] = words.view(size)
        np.multiply(joined, size(factor), out=joined)
        np.right_shift(joined, size(bits), out=joined)
    total = words[:, -1].copy()
    for i in range(1, n):
        total += words[:, -1 - i] * np.uint64(10 ** (8 * i))
    if n == MOST_WORDS:
        large = words[:, 0] > MOST_HIGH
        cells.others[large] = True
        total[large] = 0
    return total


@cache
def _divisors(power: int) -> NDArray[np.float64]:
    """Return 10^(places + power) for each number of places, or 1 if that is not exact."""
    divisors = np.ones(NO_POINT + 1)
    exact = [float(10**n) for n in range(power, MOST_PLACES + 1)]
    divisors[: len(exact)] = exact
    divisors[NO_POINT] = exact[0]
    return divisors


def _quotients(
    mantissas: Words, divisors: NDArray[np.float64], others: Flags
) -> NDArray[np.float64]:
    """Return mantissas / divisors, rounded once, (n,); flag where that is not certain.

    A quotient of two exact numbers is rounded once (Clinger, 1990). Of mantissas beyond 2^53, it is
    computed to twice the digits (Dekker, 1971), which say how it is rounded, unless it is in the
    middle between two numbers, or nearly so.
    """
    # Conversions to and from signed numbers are faster.
    signed = mantissas.view(np.int64)
    dividends = signed.astype(np.float64)
    values = dividends / divisors
    if mantissas.max(initial=0) < 1 << 53:
        return values
    low = signed - dividends.astype(np.int64)
    products = values * divisors
    (a, b), (c, d) = _halves(values), _halves(divisors)
    rest = (dividends - products) - (((a * c - products) + a * d + b * c) + b * d)
    corrections = (rest + low) / divisors
    others |= values + corrections * (1 + 1e-9) != values + corrections * (1 - 1e-9)
    values += corrections
    return values


def _halves(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two numbers of half the digits, whose sum each one is."""
    scaled = x * (2.0**27 + 1)
    high = scaled - (scaled - x)
    return high, x - high
