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
# So many cells of a column are parsed one by one.
FEW = 8
# Of the numbers, how many may have to be parsed one by one before NumPy's parser is faster.
MOST_OTHERS = 0.25


def parse_plain(block: Block, dialect: Dialect, columns: Columns) -> NDArray[np.float64] | None:
    """Parse lines as `parse_numbers` does; None, too, if there is too little in them that is plain.

    Raises:
        DataError: as `parse_cells` does.
    """
    return parse_numbers(block, dialect, columns, MOST_OTHERS)


def parse_numbers(
    block: Block, dialect: Dialect, columns: Columns, most: float = 1
) -> NDArray[np.float64] | None:
    """Parse lines without quotes; None if there are some.

    Args:
        block: the lines.
        dialect: how they are written.
        columns: what they are parsed as.
        most: of the numbers, how many may be neither plain nor missing.

    Raises:
        DataError: as `parse_cells` does.
    """
    text, notation = block.data, columns.options.notation or Notation()
    if b'"' in text:
        return None
    plain = _without_groups(text, dialect.delimiter, notation)
    numeric, between = columns.numeric, dialect.delimiter
    found = parse_decimals(plain, between, notation.decimal, dialect.width, columns=numeric)
    if found is None:
        return None
    values, others, ends = found
    others &= np.isin(np.arange(dialect.width), numeric)
    if plain is not text:
        ends = _ends_of_cells(text, dialect)
    if others.any():
        _fill_gaps(values, others, ends, block, dialect, columns)
    if np.count_nonzero(others) > most * len(values) * len(numeric):
        return None
    if columns.options.notation:
        _doubt_first(values, others, columns)
    for column in np.flatnonzero(others.any(axis=0)).tolist() if others.any() else ():
        rows = np.flatnonzero(others[:, column])
        cells = _cells_of(text, ends, column, rows)
        numbers = _parse_alike(cells, notation) if columns.options.notation else {}
        for i, cell in zip(rows.tolist(), cells, strict=True):
            if cell not in numbers:
                numbers[cell] = parse_cell(cell, block.numbers[i], column, dialect, columns)
        values[rows, column] = [numbers[cell] for cell in cells]
    parse_texts(values, {j: _cells_of(text, ends, j) for j in columns.codes}, columns)
    return values


def _fill_gaps(
    values: NDArray[np.float64],
    others: NDArray[np.bool],
    ends: NDArray[np.intp],
    block: Block,
    dialect: Dialect,
    columns: Columns,
) -> None:
    """Parse the empty cells, all of a column at once, and take their flags away.

    Raises:
        DataError: as `parse_cell` does of the first.
    """
    cells, flat = np.flatnonzero(others), ends.reshape(-1)
    # The end before the first cell is the last one, which is no neighbour.
    empty = cells[flat[cells] - np.where(cells, flat[cells - 1], -1) == 1]
    rows, which = np.divmod(empty, dialect.width)
    for column in np.unique(which).tolist():
        there = rows[which == column]
        first = block.numbers[int(there[0])]
        values[there, column] = parse_cell("", first, column, dialect, columns)
    others[rows, which] = False


def _parse_alike(cells: list[str], notation: Notation) -> dict[str, float]:
    """Return the numbers of most cells that have the same unit, at the same place, as one of them.

    The first that is not 0 is left out, so that its unit is looked at with it.
    """
    if len(cells) < FEW:
        return {}
    around = next(filter(None, map(notation.around, cells[:FEW])), None)
    if around is None:
        return {}
    before, after, unit = around
    alike = [c for c in dict.fromkeys(cells) if c.startswith(before) and c.endswith(after)]
    digits = "".join([c.removeprefix(before).removesuffix(after) + "\n" for c in alike]).encode()
    plain, power = _without_groups(digits, "\n", notation), 2 * (unit == "%")
    decimals = parse_decimals(plain, "\n", notation.decimal, 1, power)
    if decimals is None:
        return {}
    values, others = decimals.values[:, 0].tolist(), decimals.others[:, 0].tolist()
    found = {c: v for c, v, other in zip(alike, values, others, strict=True) if not other}
    found.pop(next((c for c, value in found.items() if value), ""), None)
    return found


def _doubt_first(values: NDArray[np.float64], others: NDArray[np.bool], columns: Columns) -> None:
    """Flag the first plain number of each column that may be one of %, since it is none itself."""
    for column in columns.numeric:
        if columns.units.get(column, ("%",))[0] == "%":
            # Neither zeros nor gaps, which are NaN, tell anything.
            is_plain = ~others[:, column] & (np.abs(values[:, column]) > 0)
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
    parts = map(slice, starts[rows].tolist(), ends[rows, column].tolist())
    return [*map(bytes.decode, map(text.__getitem__, parts))]


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
