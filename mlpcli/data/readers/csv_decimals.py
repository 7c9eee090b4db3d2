"""Decimals parsed many cells at a time, each to the very number that `float` makes of it.

Characters are taken eight at a time, as the bytes of a 64-bit word, the first of them the lowest
(Lemire, 2021, *Number parsing at a gigabyte per second*): each step is one pass over a word of
every cell.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.csv_bytes import NEWLINE, ZERO

Words = NDArray[np.uint64]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool]
# 64 bits hold any number of so many digits.
MOST_DIGITS = 19
# Beyond it, rounding to 53 bits may not be a number of 64 bits with a sign any more.
LARGEST = np.uint64((1 << 63) - (1 << 10))
TENS = np.array([10**n for n in range(MOST_DIGITS + 1)], np.uint64)
DIVISORS = TENS.astype(np.float64)
# Words that are looked at of each cell, and their characters.
MOST_WORDS = 3
MOST_CHARACTERS = 8 * MOST_WORDS
MINUS = ord("-")
# A word that has one byte eight times.
EACH = 0x0101010101010101
# Of a cell's last 0 to 24 characters, which bytes of its words are among them.
AMONG = np.array(
    [
        [(1 << 64) - (1 << 8 * (8 - min(max(n - 8 * i, 0), 8))) for i in (2, 1, 0)]
        for n in range(MOST_CHARACTERS + 1)
    ],
    np.uint64,
)
# Neighbours are joined: digits to numbers below 100, these to some below 10^4, and below 10^8.
JOINS = [
    (np.uint64(10 << 8 | 1), np.uint64(8), np.uint64(0x00FF00FF00FF00FF)),
    (np.uint64(100 << 16 | 1), np.uint64(16), np.uint64(0x0000FFFF0000FFFF)),
    (np.uint64(10000 << 32 | 1), np.uint64(32), np.uint64(0x00000000FFFFFFFF)),
]


# Of the bits below the last one of a point's byte: how many bytes are above it, of 8.
AFTER = np.array([7 - bits // 8 for bits in range(64)] + [8], np.uint8)


class Decimals(NamedTuple):
    """Cells, most of which are plain decimals: digits, a point among them, a minus before them."""

    values: NDArray[np.float64]
    """(n,)"""
    others: Flags
    """(n,) which cells are anything else, or need a closer look: they have no value here."""


def parse_decimals(
    text: bytes, delimiter: str, point: str, shape: tuple[int, int]
) -> Decimals | None:
    """Return the cells of a text, row by row; None if they are not of this shape.

    Args:
        text: lines that each end with a line feed, without quotes.
        delimiter: what stands between cells.
        point: what stands before decimals.
        shape: how many lines there are, and cells in each.
    """
    rows, width = shape
    padded = np.frombuffer(b"%b%b" % (bytes(MOST_CHARACTERS), text), np.uint8)
    is_newline = padded == NEWLINE
    ends = np.flatnonzero((padded == ord(delimiter)) | is_newline)
    if (
        len(ends) != rows * width
        or not is_newline[ends[width - 1 :: width]].all()
        or np.count_nonzero(is_newline) != rows
    ):
        return None
    starts = np.concatenate([[MOST_CHARACTERS], ends[:-1] + 1])
    negative = padded.take(starts) == MINUS
    lengths = ends - starts - negative
    others = lengths > MOST_CHARACTERS
    np.minimum(lengths, MOST_CHARACTERS, out=lengths)
    n = min(MOST_WORDS, max(1, -(-int(lengths.max(initial=0)) // 8)))
    words = _words_before(padded, ends, n) & AMONG[:, -n:].take(lengths, axis=0)
    places = _places(words, ord(point))
    lengths -= places < 8 * n
    others |= (lengths == 0) | (lengths > MOST_DIGITS)
    mantissas = _mantissas(words, lengths, places, others)
    large = mantissas > LARGEST
    others |= large
    mantissas[large] = 0
    places[places == 8 * n] = 0
    values = _quotients(mantissas, np.minimum(places, MOST_DIGITS), others)
    signs = negative.astype(np.uint64) << np.uint64(63)
    return Decimals((values.view(np.uint64) ^ signs).view(np.float64), others)


def _words_before(text: NDArray[np.uint8], ends: Positions, n: int) -> Words:
    """Return the n words that end before some characters, (ends, n)."""
    # Some begin at every character; all of a cell's are copied at once, as one thing.
    there = np.ndarray(len(text) - 8 * n + 1, f"V{8 * n}", text.data, strides=(1,))
    return there[ends - 8 * n].view("<u8").reshape(-1, n).astype(np.uint64, copy=False)


def _places(words: Words, point: int) -> Positions:
    """Return how many characters stand after the last point in words, (n,); all without one."""
    # The highest bit of each byte of which the others are not all 0, or which has it itself.
    low = np.uint64(EACH * 0x7F)
    x = words ^ np.uint64(EACH * point)
    found = x & low
    found += low
    found |= x
    found |= low
    np.bitwise_not(found, out=found)
    # The bytes up to the lowest of them, or all.
    below = found - np.uint64(1)
    np.bitwise_not(found, out=found)
    below &= found
    after = AFTER.take(np.bitwise_count(below))
    places: Positions = after[:, -1].astype(np.int64)
    for i in range(1, words.shape[1]):
        places += after[:, -1 - i] * (places == 8 * i)
    return places


def _mantissas(words: Words, digits: Positions, places: Positions, others: Flags) -> Words:
    """Return the numbers that cells are without their points, (n,); flag what is none.

    Args:
        words: (n, words) the cells, the last character in the highest byte; changed in place.
        digits: (n,) how many characters they have without a point.
        places: (n,) how many of these are after it.
        others: (n,) flags to set.
    """
    n = words.shape[1]
    # What is before the point takes its place.
    moved = words << np.uint64(8)
    # Of a cell's first word with another's last byte, where no digit is.
    moved.reshape(-1)[1:] |= words.reshape(-1)[:-1] >> np.uint64(56)
    words ^= moved
    words &= AMONG[:, -n:].take(places, axis=0)
    words ^= moved
    words ^= np.uint64(EACH * ZERO)
    words &= AMONG[:, -n:].take(digits, axis=0)
    # No digit has the highest bit, alone or with 118 more.
    odd = words + np.uint64(EACH * (0x80 - 10))
    odd |= words
    odd &= np.uint64(EACH * 0x80)
    if odd.any():
        others |= odd.any(axis=1)
    for factor, bits, mask in JOINS:
        words *= factor
        words >>= bits
        words &= mask
    total = words[:, -1].copy()
    for i in range(1, n):
        total += words[:, -1 - i] * TENS[8 * i]
    return total


def _quotients(mantissas: Words, places: Positions, others: Flags) -> NDArray[np.float64]:
    """Return mantissas / 10^places, rounded once, (n,); flag where that is not certain.

    A quotient of two exact numbers is rounded once (Clinger, 1990). Of mantissas beyond 2^53, it is
    computed to twice the digits (Dekker, 1971), which say how it is rounded, unless it is in the
    middle between two numbers, or nearly so.
    """
    # Conversions to and from signed numbers are faster.
    signed, divisors = mantissas.view(np.int64), DIVISORS.take(places)
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
