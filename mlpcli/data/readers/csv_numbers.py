"""Tables of numbers in any notation, most of which are plain decimals: these many at a time."""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.csv_bytes import NEWLINE, ZERO
from mlpcli.data.readers.csv_cells import Columns, check_unit, parse_cell, parse_texts
from mlpcli.data.readers.csv_decimals import MINUS, parse_decimals
from mlpcli.data.readers.csv_dialect import Dialect, split_line
from mlpcli.data.readers.lines import Line
from mlpcli.data.readers.notation import ALIKE, Notation

# What is made of so many characters at a time stays in the processor's cache.
BLOCK_CHARACTERS = 1 << 18
# Of the numbers, how many may have to be parsed one by one.
MOST_OTHERS = 0.25


def parse_numbers(
    lines: list[Line], dialect: Dialect, columns: Columns
) -> NDArray[np.float64] | None:
    """Parse lines without quotes; None if there are some, or too little in them is plain.

    Raises:
        DataError: as `parse_cells` does.
    """
    texts, notation = [line.text for line in lines], columns.options.notation or Notation()
    rows = max(1, BLOCK_CHARACTERS * len(texts) // sum(map(len, texts)))
    values, others = (
        np.empty((len(lines), dialect.width)),
        np.ones((len(lines), dialect.width), bool),
    )
    for start in range(0, len(texts), rows):
        block = slice(start, start + rows)
        text, shape = "".join(texts[block]), values[block].shape
        if '"' in text:
            return None
        plain = _without_groups(text, dialect.delimiter, notation)
        found = parse_decimals(plain, dialect.delimiter, notation.decimal, shape)
        if found is None:
            return None
        values[block], others[block] = (part.reshape(shape) for part in found)
    numeric = columns.numeric
    others[:, np.delete(np.arange(dialect.width), numeric)] = False
    if np.count_nonzero(others) > MOST_OTHERS * len(lines) * len(numeric):
        return None
    if columns.options.notation:
        _check_units(values, others, lines, dialect, columns)
    for i in np.flatnonzero(others.any(axis=1)).tolist():
        cells = split_line(lines[i], dialect)
        for column in np.flatnonzero(others[i]).tolist():
            values[i, column] = parse_cell(cells[column], lines[i], column, dialect, columns)
    parse_texts(values, {j: _cells_of(texts, j, dialect) for j in columns.codes}, columns)
    return values


def _cells_of(texts: list[str], column: int, dialect: Dialect) -> list[str]:
    """Return the cells of a column of lines without quotes, which are split no further than it."""
    delimiter, after = dialect.delimiter, dialect.width - column
    if column < after:
        return [text.rstrip("\r\n").split(delimiter, column + 1)[column] for text in texts]
    return [text.rstrip("\r\n").rsplit(delimiter, after)[-after] for text in texts]


def _check_units(
    values: NDArray[np.float64],
    others: NDArray[np.bool],
    lines: list[Line],
    dialect: Dialect,
    columns: Columns,
) -> None:
    """Make sure that plain numbers stand in columns without %; of others, all are looked at.

    Raises:
        DataError: naming line and column.
    """
    for column in columns.numeric:
        others[:, column] |= others[:, column].any()
        first = int((values[:, column] != 0).argmax())
        if not others[first, column] and values[first, column]:
            cell = split_line(lines[first], dialect)[column]
            check_unit("", cell, lines[first], column, dialect, columns)


def _without_groups(text: str, delimiter: str, notation: Notation) -> bytes:
    """Return a text with a line feed after each line, and without what stands between thousands.

    Where digits are not in groups of three, it stays, and the cell is no plain decimal.
    """
    text = text.replace("\r\n", "\n")
    if not text.endswith("\n"):
        text += "\n"
    separator = notation.thousands
    for other in ALIKE.get(separator, separator):
        text = text.replace(other, separator)
    encoded = text.encode()
    if not separator or separator == delimiter:
        return encoded
    characters = np.frombuffer(encoded, np.uint8)
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
