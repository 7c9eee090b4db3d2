"""Tables of numbers in any notation, most of which are plain decimals: these many at a time."""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.blocks import NEWLINE, Block
from mlpcli.data.readers.csv_bytes import ZERO
from mlpcli.data.readers.csv_cells import Columns, parse_cell, parse_texts
from mlpcli.data.readers.csv_decimals import MINUS, parse_decimals
from mlpcli.data.readers.csv_dialect import Dialect
from mlpcli.data.readers.notation import ALIKE, Notation

ALL = slice(None)
# Of the numbers, how many may have to be parsed one by one.
MOST_OTHERS = 0.25


def parse_numbers(block: Block, dialect: Dialect, columns: Columns) -> NDArray[np.float64] | None:
    """Parse lines without quotes; None if there are some, or too little in them is plain.

    Raises:
        DataError: as `parse_cells` does.
    """
    text, notation = block.data, columns.options.notation or Notation()
    if b'"' in text:
        return None
    plain = _without_groups(text, dialect.delimiter, notation)
    found = parse_decimals(plain, dialect.delimiter, notation.decimal, dialect.width)
    if found is None:
        return None
    values, others, ends = found
    others[:, np.delete(np.arange(dialect.width), columns.numeric)] = False
    if np.count_nonzero(others) > MOST_OTHERS * len(values) * len(columns.numeric):
        return None
    if plain is not text:
        ends = _ends_of_cells(text, dialect)
    if columns.options.notation:
        _doubt_first(values, others, columns)
    for column in np.flatnonzero(others.any(axis=0)).tolist():
        rows = np.flatnonzero(others[:, column])
        cells = _cells_of(text, ends, column, rows)
        for i, cell in zip(rows.tolist(), cells, strict=True):
            values[i, column] = parse_cell(cell, block.numbers[i], column, dialect, columns)
    parse_texts(values, {j: _cells_of(text, ends, j) for j in columns.codes}, columns)
    return values


def _doubt_first(values: NDArray[np.float64], others: NDArray[np.bool], columns: Columns) -> None:
    """Flag the first plain number of each column that may be one of %, since it is none itself."""
    for column in columns.numeric:
        if columns.units.get(column, ("%",))[0] == "%":
            is_plain = ~others[:, column] & (values[:, column] != 0)
            others[is_plain.argmax(), column] |= is_plain.any()


def _ends_of_cells(text: bytes, dialect: Dialect) -> NDArray[np.intp]:
    characters = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero((characters == ord(dialect.delimiter)) | (characters == NEWLINE))
    return ends.reshape(-1, dialect.width)


def _cells_of(
    text: bytes, ends: NDArray[np.intp], column: int, rows: NDArray[np.intp] | slice = ALL
) -> list[str]:
    """Return the cells of a column, in some rows or in all."""
    starts = ends[:, column - 1] + 1 if column else np.append(0, ends[:-1, -1] + 1)
    bounds = zip(starts[rows].tolist(), ends[rows, column].tolist(), strict=True)
    return [text[start:end].decode() for start, end in bounds]


def _without_groups(data: bytes, delimiter: str, notation: Notation) -> bytes:
    """Return lines without what stands between thousands.

    Where digits are not in groups of three, it stays, and the cell is no plain decimal.
    """
    separator = notation.thousands
    if not separator or separator == delimiter:
        return data
    for other in ALIKE.get(separator, separator):
        data = data.replace(other.encode(), separator.encode())
    characters = np.frombuffer(data, np.uint8)
    marks = np.flatnonzero(characters - ZERO > 9)
    kinds = characters[marks]
    # How many digits are before each mark, and after it.
    before = np.diff(marks, prepend=-1) - 1
    after = np.append(before[1:], 0)
    previous = np.append(NEWLINE, kinds[:-1])
    is_separator, continues = kinds == ord(separator), previous == ord(separator)
    begins = np.isin(previous, (NEWLINE, MINUS, ord(delimiter)))
    begins &= (before > 0) & (before < 4) & (characters[marks - before] != ZERO)
    kept = np.ones(len(characters), bool)
    kept[marks[is_separator & (after == 3) & (begins | (continues & (before == 3)))]] = False
    return characters[kept].tobytes()
