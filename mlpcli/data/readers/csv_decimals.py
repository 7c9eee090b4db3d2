"""Decimals parsed many cells at a time, each to the very number that `float` makes of it.

Characters are taken eight at a time, as the bytes of a 64-bit word, the first of them the lowest
(Lemire, 2021, *Number parsing at a gigabyte per second*): each step is one pass over a word of
every cell.
"""

from collections.abc import Sequence
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
# Of a cell's third word, what is below 2^63 with sixteen digits more.
MOST_HIGH = 921
MINUS = ord("-")
ALL = slice(None)
ZEROS = np.uint64(0x0101010101010101 * ZERO)
# Neighbours are joined: digits to numbers below 100, these to some below 10^4, and below 10^8.
JOINS = (
    ("<u2", 8, 10 << 8 | 1),
    ("<u4", 16, 100 << 16 | 1),
    ("<u8", 32, 10000 << 32 | 1),
)
# What counts the digits before a point counts so many bits where there is none.
NO_POINT = 32
# Of a double, the bits after the leading one of its significand, and that one.
FRACTION, LEADING = np.int64((1 << 52) - 1), np.int64(1 << 52)
EXACT = np.uint64(1 << 53)


class Decimals(NamedTuple):
    """Cells, most of which are plain decimals: digits, a point among them, a minus before them."""

    values: NDArray[np.float64]
    """(rows, width)"""
    others: Flags
    """(rows, width) which are anything else, or need a closer look: they have no value here."""
    ends: Counts
    """(rows, width) where the character after each is."""


class Powers(NamedTuple):
    """For each place of a point among a cell's characters, and last for none: 10^p to divide by."""

    divisors: NDArray[np.float64]
    fives: NDArray[np.int64]
    """5^p, times 2^11 where p is less than 5."""
    shifts: NDArray[np.int64]
    """What the exponent of a quotient is subtracted from: see `_correct`."""
    before: NDArray[np.void]
    """Words with the bytes set that are the point, or before it."""


def parse_decimals(
    text: bytes,
    delimiter: str,
    point: str,
    width: int,
    power: int = 0,
    columns: Sequence[int] | slice = ALL,
) -> Decimals | None:
    """Return the cells of a text; None if a line has more or fewer.

    Args:
        text: lines that each end with a line feed, without quotes.
        delimiter: what stands between cells.
        point: what stands before decimals.
        width: how many cells each line has.
        power: numbers are divided by 10^power, too.
        columns: those that are read; of all others nothing but the ends is told.
    """
    padded = np.frombuffer(b"%b%b" % (bytes(MOST_CHARACTERS), text), np.uint8)
    characters = padded[MOST_CHARACTERS:]
    found = ends_of_cells(characters, delimiter, width)
    if found is None:
        return None
    ends = found.reshape(-1)
    starts = np.append(0, ends[:-1] + 1)
    negative = characters.take(starts, mode="clip") == MINUS
    sizes = ends - starts - negative
    longest = sizes.reshape(-1, width).max(axis=0, initial=1)[columns].max(initial=1)
    n = min(MOST_WORDS, -(-int(longest) // 8))
    words = _digits_before(padded, ends, sizes, n)
    where, others = _find_points(words, sizes)
    has_point = where < NO_POINT
    others |= has_point & (characters.take(ends + (where - 8 * n), mode="clip") != ord(point))
    if n == MOST_WORDS:
        others |= where < MOST_CHARACTERS - 1 - MOST_PLACES + power
    powers = _powers(n, power)
    mantissas = _mantissas(words, powers.before.take(where, mode="clip"), has_point, others)
    values = _quotients(mantissas, where, powers, others)
    values.view(np.int64)[:] |= negative.astype(np.int64) << 63
    shape = (-1, width)
    return Decimals(values.reshape(shape), others.reshape(shape), found)


def ends_of_cells(characters: NDArray[np.uint8], delimiter: str, width: int) -> Counts | None:
    """Return where the character after each cell is, (rows, width).

    None if a line has more cells, or fewer.
    """
    is_newline = characters == NEWLINE
    rows = np.count_nonzero(is_newline)
    is_newline |= characters == ord(delimiter)
    ends = np.flatnonzero(is_newline)
    if len(ends) != rows * width or (characters[ends[width - 1 :: width]] != NEWLINE).any():
        return None
    return ends.reshape(-1, width)


def _digits_before(padded: NDArray[np.uint8], ends: Counts, sizes: Counts, n: int) -> Words:
    """Return the last characters of cells less '0', (cells, n), and 0 before them."""
    words = words_before(padded, MOST_CHARACTERS, ends, n)
    words ^= ZEROS
    words &= last_bytes(n).take(sizes, mode="clip").view("<u8").reshape(-1, n)
    return words


def words_before(padded: NDArray[np.uint8], padding: int, ends: Counts, n: int) -> Words:
    """Return the 8n characters before each of some places in a text, (places, n).

    Args:
        padded: a text, with at least 8n characters before it.
        padding: how many.
        ends: (places,) in the text.
        n: words.
    """
    # Some begin at every character; all before a place are copied at once, as one thing.
    there = np.ndarray(len(padded) - padding, f"V{8 * n}", padded.data, padding - 8 * n, (1,))
    return there[ends].view("<u8").reshape(-1, n)


def _find_points(words: Words, sizes: Counts) -> tuple[Counts, Flags]:
    """Return which character of each cell's words is no digit, 32 where all are.

    Cells are flagged that have more such characters, no digit, or more characters than words have.
    """
    n = words.shape[1]
    bits = np.packbits(words.view(np.uint8) > 9, bitorder="little")
    bits = np.append(bits, np.zeros(4, np.uint8))
    marks = np.ndarray(len(words), "<u4", bits.data, 0, (n,)) & np.uint32((1 << 8 * n) - 1)
    lower = marks - np.uint32(1)
    where = np.bitwise_count(lower).astype(np.intp)
    others = (marks & lower != 0) | (sizes <= (where < NO_POINT)) | (sizes > 8 * n)
    return where, others


def _mantissas(words: Words, before: NDArray[np.void], has_point: Flags, others: Flags) -> Words:
    """Return the numbers that cells are without their points, (n,); flag those that are too large.

    Args:
        words: (cells, n) with the last character in the highest byte; changed in place.
        before: which bytes of them are a point, or before it.
        has_point: which cells have one.
        others: flags.
    """
    n = words.shape[1]
    characters = words.view(np.uint8).reshape(-1)
    # What is before the point takes its place.
    moved = characters[1:] ^ characters[:-1]
    moved &= before.view(np.uint8)[1:]
    characters[1:] ^= moved
    np.copyto(characters[:: 8 * n], 0, where=has_point)
    for size, bits, factor in JOINS:
        joined: NDArray[np.unsignedinteger] = words.view(size)
        np.multiply(joined, joined.dtype.type(factor), out=joined)
        np.right_shift(joined, joined.dtype.type(bits), out=joined)
    total = words[:, -1].copy()
    for i in range(1, n):
        total += words[:, -1 - i] * np.uint64(10 ** (8 * i))
    if n == MOST_WORDS:
        large = words[:, 0] > MOST_HIGH
        others |= large
        total[large] = 0
    return total


@cache
def last_bytes(n: int) -> NDArray[np.void]:
    """Return n words with none of their bytes set, with the last one, and so on."""
    count = 8 * n
    masks = [bytes(count - i) + b"\xff" * i for i in range(count + 1)]
    return np.frombuffer(b"".join(masks), f"V{count}")


@cache
def _powers(n: int, power: int) -> Powers:
    """Return what a point stands for at each place among the characters of n words."""
    places = np.arange(8 * n - 1, 8 * n - 2 - NO_POINT, -1).clip(0)
    before = np.zeros((NO_POINT + 1, 8 * n), np.uint8)
    before[:NO_POINT] = 255 * np.tri(NO_POINT, 8 * n, dtype=np.uint8)
    tens = (places + power).clip(0, MOST_PLACES)
    more = 11 * (tens < 5)
    fives = np.array([5**p for p in tens.tolist()], np.int64) << more
    divisors = np.array([float(10**p) for p in tens.tolist()])
    return Powers(divisors, fives, 1075 - tens + more, before.view(last_bytes(n).dtype)[:, 0])


def _quotients(
    mantissas: Words, where: Counts, powers: Powers, others: Flags
) -> NDArray[np.float64]:
    """Return mantissas / 10^p, rounded once, (n,); flag where that takes a closer look.

    A quotient of two exact numbers is rounded once (Clinger, 1990).
    """
    # Conversions from signed numbers are faster.
    values = mantissas.view(np.int64).astype(np.float64)
    values /= powers.divisors.take(where, mode="clip")
    if mantissas.max(initial=0) >= EXACT:
        _correct(values, mantissas, where, powers, others)
    return values


def _correct(
    values: NDArray[np.float64], mantissas: Words, where: Counts, powers: Powers, others: Flags
) -> None:
    """Move quotients of mantissas from 2^53 on to the nearest double; flag where two are as near.

    A quotient q = V 2^e is off by less than 1.5 V's unit. What is left of the mantissa,
    M 2^(-e-p) - V 5^p, is less than 2^63, and computed modulo 2^64 without an error.
    """
    bits = values.view(np.int64)
    fives = powers.fives.take(where, mode="clip")
    shifts = powers.shifts.take(where, mode="clip") - (bits >> 52)
    fractions = bits & FRACTION
    rest = (mantissas << shifts.view(np.uint64)).view(np.int64) - (fractions | LEADING) * fives
    half, far, large = fives >> 1, np.abs(rest), mantissas >= EXACT
    # Below a power of two, doubles are twice as near.
    others |= large & ((far == half) | ((fractions == 0) & (rest < 0)))
    off = np.flatnonzero(large & (far > half))
    bits[off] += rest[off] >> 63 | 1
