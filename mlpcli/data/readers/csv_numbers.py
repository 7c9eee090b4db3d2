"""Tables of numbers in any notation, most of which are plain decimals: these many at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.blocks import Block
from mlpcli.data.readers.csv_cells import Columns, parse_cell, set_codes
from mlpcli.data.readers.csv_decimals import Decimals, ends_of_cells, parse_decimals
from mlpcli.data.readers.csv_dialect import Dialect, split_line
from mlpcli.data.readers.csv_quotes import without_quotes
from mlpcli.data.readers.csv_texts import cells_of, code_texts
from mlpcli.data.readers.csv_units import bounds_of, parse_alike, without_groups
from mlpcli.data.readers.notation import Notation

Parse = Callable[..., Decimals | None]
"""`parse_decimals`, or what does the same."""
# Of the numbers, how many may have to be parsed one by one before NumPy's parser is faster.
MOST_OTHERS = 0.25


def parse_plain(
    block: Block, dialect: Dialect, columns: Columns, parse: Parse = parse_decimals
) -> NDArray[np.float64] | None:
    """Parse lines as `parse_numbers` does; None, too, if there is too little in them that is plain.

    Raises:
        DataError: as `parse_cells` does.
    """
    return parse_numbers(block, dialect, columns, MOST_OTHERS, parse)


def parse_numbers(
    block: Block,
    dialect: Dialect,
    columns: Columns,
    most: float = 1,
    parse: Parse = parse_decimals,
) -> NDArray[np.float64] | None:
    """Parse lines whose quotes are around plain cells; None if there are others.

    Args:
        block: the lines.
        dialect: how they are written.
        columns: what they are parsed as.
        most: of the numbers, how many may be neither plain nor missing.
        parse: what parses the plain ones.

    Raises:
        DataError: as `parse_cells` does.
    """
    unquoted = without_quotes(block.data, dialect.delimiter)
    if unquoted is None:
        return None
    (text, delimiter), numeric = unquoted, columns.numeric
    notation = columns.options.notation
    found = _parse_plain_cells(text, delimiter, dialect.width, numeric, notation, parse)
    if found is None:
        return None
    values, others, ends = found
    if others.any():
        _fill_gaps(found, block, dialect, columns)
    doubtful = _doubtful(found, columns) if notation else ([], [])
    if notation:
        parse_alike(found, text, columns.units, notation)
    if np.count_nonzero(others) > most * len(values) * len(numeric):
        return None
    others[doubtful] = True
    for column in np.flatnonzero(others.any(axis=0)).tolist() if others.any() else ():
        rows = np.flatnonzero(others[:, column])
        cells, numbers = cells_of(text, ends, column, rows), dict[str, float]()
        for i, cell in zip(rows.tolist(), cells, strict=True):
            if cell not in numbers:
                numbers[cell] = parse_cell(cell, block.numbers[i], column, dialect, columns)
        values[rows, column] = [numbers[cell] for cell in cells]
    set_codes(values, code_texts(text, ends, columns), columns)
    return values


def cells_that_are_not_plain(
    block: Block, dialect: Dialect, columns: Sequence[int], notation: Notation | None
) -> Iterator[tuple[int, Iterable[str]]]:
    """Yield some columns, each with all its cells that are no plain decimals, if not with more.

    Raises:
        DataError: as `split_line` does.
    """
    unquoted = without_quotes(block.data, dialect.delimiter)
    found = unquoted and _parse_plain_cells(*unquoted, dialect.width, columns, notation)
    if not unquoted or not found:
        rows = [split_line(line, dialect) for line in block.lines]
        yield from ((column, {row[column] for row in rows}) for column in columns)
        return
    for column in np.flatnonzero(found.others.any(axis=0)).tolist():
        rows_there = np.flatnonzero(found.others[:, column])
        yield column, cells_of(unquoted[0], found.ends, column, rows_there)


def _parse_plain_cells(
    text: bytes,
    delimiter: str,
    width: int,
    numeric: Sequence[int],
    notation: Notation | None,
    parse: Parse = parse_decimals,
) -> Decimals | None:
    """Parse the plain decimals of columns of numbers; flag their other cells."""
    notation = notation or Notation()
    plain = without_groups(text, delimiter, notation)
    found = parse(plain, delimiter, notation.decimal, width, columns=numeric)
    if found is None:
        return None
    found.others[:, list({*range(width)}.difference(numeric))] = False
    if plain is text:
        return found
    ends = ends_of_cells(np.frombuffer(text, np.uint8), delimiter, width)
    return None if ends is None else found._replace(ends=ends)


def _fill_gaps(found: Decimals, block: Block, dialect: Dialect, columns: Columns) -> None:
    """Parse the empty cells, all of a column at once, and take their flags away.

    Raises:
        DataError: as `parse_cell` does of the first.
    """
    values, others, _ = found
    cells = np.flatnonzero(others)
    starts, stops = bounds_of(found.ends, cells)
    empty = cells[starts == stops]
    rows, which = np.divmod(empty, dialect.width)
    for column in sorted({*which.tolist()}):
        there = rows[which == column]
        first = block.numbers[int(there[0])]
        values[there, column] = parse_cell("", first, column, dialect, columns)
    others[rows, which] = False


def _doubtful(found: Decimals, columns: Columns) -> tuple[list[int], list[int]]:
    """Return the first plain number of each column that may be one of %, since it is none itself.

    Returns:
        Their rows, and their columns.
    """
    doubtful = [i for i in columns.numeric if columns.units.get(i, ("%",))[0] == "%"]
    # Neither zeros nor gaps, which are NaN, tell anything.
    is_plain = ~found.others[:, doubtful] & (np.abs(found.values[:, doubtful]) > 0)
    which = np.flatnonzero(is_plain.any(axis=0)).tolist()
    return is_plain.argmax(axis=0)[which].tolist(), [doubtful[i] for i in which]
