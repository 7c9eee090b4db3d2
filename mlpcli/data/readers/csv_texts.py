"""Texts given their codes many at a time: only one of each is made a text of Python.

The characters of a cell are the bytes of a few 64-bit words, and cells are told apart by the sum of
these, each times a number of its own.
"""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.csv_cells import Columns, code_cells
from mlpcli.data.readers.csv_decimals import ALL, Counts, last_bytes, words_before
from mlpcli.data.readers.csv_units import bounds_of

# Columns with longer cells are looked at cell by cell.
MOST_WORDS = 8
# Powers of the golden ratio's bits (Knuth, The Art of Computer Programming, 6.4), modulo 2^64.
FACTORS = np.cumprod(np.full(MOST_WORDS, 0x9E3779B97F4A7C15, np.uint64))


def code_texts(text: bytes, ends: Counts, columns: Columns) -> dict[int, NDArray[np.float64]]:
    """Return the codes of each column of texts, and of those of targets, (lines,).

    Args:
        text: the lines.
        ends: (lines, width) where the character after each cell is.
        columns: what cells are parsed as.
    """
    padded = np.frombuffer(b"%b%b" % (bytes(8 * MOST_WORDS), text), np.uint8)
    coded = {}
    for column, codes in columns.codes.items():
        first, which = _distinct(padded, ends, column)
        coded[column] = code_cells(cells_of(text, ends, column, first), codes)[which]
    return coded


def _distinct(
    padded: NDArray[np.uint8], ends: Counts, column: int
) -> tuple[Counts | slice, Counts | slice]:
    """Return in which rows each text of a column comes first, and which text is in each row.

    All rows, and each its own, where texts are too long.
    """
    starts, stops = bounds_of(ends, np.arange(column, ends.size, ends.shape[1]))
    sizes = stops - starts
    n = max(1, -(-int(sizes.max()) // 8))
    if n > MOST_WORDS:
        return ALL, ALL
    words = words_before(padded, 8 * MOST_WORDS, stops, n)
    words &= last_bytes(n).take(sizes).view("<u8").reshape(-1, n)
    _, first, which = np.unique(words @ FACTORS[:n], return_index=True, return_inverse=True)
    same = first[which]
    if (words != words[same]).any() or (sizes != sizes[same]).any():
        return ALL, ALL
    # Texts have codes in the order in which they come.
    order = np.argsort(first)
    return first[order], np.argsort(order)[which]


def cells_of(text: bytes, ends: Counts, column: int, rows: Counts | slice = ALL) -> list[str]:
    """Return the cells of a column, in some rows or in all.

    Args:
        text: the lines.
        ends: (lines, width) where the character after each cell is.
        column: which.
        rows: (n,) in which.
    """
    cells = np.arange(column, ends.size, ends.shape[1])[rows]
    parts = map(slice, *(bound.tolist() for bound in bounds_of(ends, cells)))
    return [*map(bytes.decode, map(text.__getitem__, parts))]
