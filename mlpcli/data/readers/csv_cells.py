"""Tables of any numbers and texts: what their cells are parsed as, and two parsers of them.

Every parser takes a block of lines, their dialect and columns, and returns an array,
(lines, width), of numbers and the codes of texts, or None if it cannot parse these lines.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from mlpcli import signals
from mlpcli.config.data_files import ColumnRef
from mlpcli.data.readers.blocks import Block
from mlpcli.data.readers.cell_forms import Form, form_of
from mlpcli.data.readers.csv_dialect import CsvOptions, Dialect, split_line
from mlpcli.data.readers.notation import WrittenNumber, parse_number, same_unit
from mlpcli.data.readers.table import TRUTHS, ColumnSelection, column_name
from mlpcli.errors import DataError, UnitError


class LateTextError(Exception):
    """A text where a column had no value among the first lines: it may be one of text."""


class ColumnUnit(NamedTuple):
    """What unit the numbers of a column have so far."""

    unit: str
    line: int
    """Where a number has it; one that is not 1, if there is any."""
    value: float
    """That number."""


class Columns(NamedTuple):
    """What the cells of a table are parsed as."""

    selection: ColumnSelection
    codes: dict[int, dict[str, int]]
    """For each column of text, and for those of targets: the code of every text seen so far."""
    options: CsvOptions
    """Whether values may be missing, and what stands for a missing number."""
    number_lines: dict[int, int]
    """Of columns that may be of numbers or of text: the line with the first number."""
    units: dict[int, ColumnUnit]
    """Of columns of numbers written with a notation."""

    @property
    def numeric(self) -> list[int]:
        """The columns of numbers that are read."""
        return [column for column in self.selection.features if column not in self.codes]


def parse_ordinary(block: Block, dialect: Dialect, columns: Columns) -> NDArray[np.float64] | None:
    """Parse ordinary lines with NumPy; None if there is anything out of the ordinary."""
    # It knows no decimal comma, and a notation only numbers without one.
    if columns.options.notation and columns.options.notation.decimal != ".":
        return None
    # NumPy takes some spaces for white that `float` of ASCII does not.
    if not block.data.isascii():
        return None
    read = {*columns.selection.features, *columns.selection.targets}
    converters: dict[int, Callable[[str], float]] = {
        column: _zero for column in range(dialect.width) if column not in read
    }
    for column, codes in columns.codes.items():
        converters[column] = coder(codes)
    try:
        parsed = np.loadtxt(
            [line.text for line in block.lines],
            delimiter=dialect.delimiter,
            quotechar='"',
            comments=None,
            converters=cast(Any, converters) or None,
            ndmin=2,
        )
    except ValueError:
        # A signal may have come in a converter.
        signals.check()
        return None
    if parsed.shape != (len(block.numbers), dialect.width) or not np.isfinite(parsed).all():
        return None
    return parsed


def parse_cells(block: Block, dialect: Dialect, columns: Columns) -> NDArray[np.float64]:
    """Parse lines cell by cell: slowly, and to the point where something is wrong.

    Raises:
        DataError: naming line and column.
    """
    lines = block.lines
    parsed = np.zeros((len(lines), dialect.width))
    rows = [split_line(line, dialect) for line in lines]
    numeric = columns.numeric
    for i, (line, cells) in enumerate(zip(lines, rows, strict=True)):
        for column in numeric:
            parsed[i, column] = parse_cell(cells[column], line.number, column, dialect, columns)
    coded = {i: code_cells([cells[i] for cells in rows], columns.codes[i]) for i in columns.codes}
    set_codes(parsed, coded, columns)
    return parsed


def code_cells(cells: Sequence[str], codes: dict[str, int]) -> NDArray[np.float64]:
    """Return the code of each cell of a column of text, (n,), NaN for empty ones."""
    code = coder(codes)
    found = {cell: code(cell) for cell in dict.fromkeys(cells)}
    return np.fromiter(map(found.__getitem__, cells), np.float64, len(cells))


def set_codes(
    parsed: NDArray[np.float64], coded: Mapping[int, NDArray[np.float64]], columns: Columns
) -> None:
    """Put the codes of columns of text, and of targets, among numbers.

    Args:
        parsed: (lines, width) where to put them.
        coded: (lines,) of each column that has codes.
        columns: what cells are parsed as.
    """
    for column, codes in coded.items():
        parsed[:, column] = codes
    # A class that is missing is no NaN: it becomes a whole number.
    for column in columns.selection.targets:
        target = parsed[:, column]
        target[np.isnan(target)] = -1


def parse_cell(cell: str, number: int, column: int, dialect: Dialect, columns: Columns) -> float:
    """Return the number that a cell is, or NaN if it is missing.

    Raises:
        DataError: naming line and column, if it is neither.
        LateTextError: if it may be the first text of a column.
    """
    notation = columns.options.notation
    written = notation and notation.read(cell)
    value = written and written.value if notation else parse_number(cell)
    if value is None or not math.isfinite(value):
        return _parse_word(cell, number, column, dialect, columns)
    if written and value:
        check_unit(written, cell, number, column, dialect, columns)
    return value


def check_unit(
    written: WrittenNumber, cell: str, number: int, column: int, dialect: Dialect, columns: Columns
) -> None:
    """Make sure that a number is in the unit of those before it; one without may be in any but %.

    Raises:
        DataError: naming line and column.
    """
    unit, value = written.unit, written.value
    before, first, of_value = columns.units.setdefault(column, ColumnUnit(unit, number, value))
    same = same_unit(WrittenNumber(of_value, before), written)
    if same is None:
        raise UnitError(
            f"{dialect.where}:{number}",
            f"{column_name(dialect.names, column)}: {cell[:40]!r} is in "
            f"{unit or 'no unit'}, but line {first} in {before or 'none'}",
            "give a column one unit, or list it under categorical or ignore",
            column=_reference(column, dialect),
        )
    line = number if same is written else first
    columns.units[column] = ColumnUnit(same.unit, line, same.value)


def _parse_word(cell: str, number: int, column: int, dialect: Dialect, columns: Columns) -> float:
    """Return what a word among numbers stands for: NaN if it is a missing one; refuse any other.

    In a column that was one of numbers in training, `true` and `false` are 1 and 0.

    Raises:
        DataError: naming line and column.
        LateTextError: if it may be the first text of a column.
    """
    word = cell.strip().lower()
    missing = word in columns.options.words
    if missing and columns.options.gaps:
        return math.nan
    if word in TRUTHS and not missing and not columns.selection.detect:
        return TRUTHS[word]
    remedy = "correct it"
    if missing:
        remedy = "fill it in, or train with missing: mean (or drop)"
    elif columns.selection.detect and parse_number(cell, columns.options.notation) is None:
        if column not in columns.number_lines:
            raise LateTextError
        first = columns.number_lines[column]
        remedy = f"correct it, or list the column under categorical: line {first} has a number"
        if dialect.names is None and number == dialect.first:
            remedy = "correct it, or write header: true if this line names the columns"
    if not missing and (form := form_of(cell)):
        remedy = _remedy_of(form, column, dialect, columns)
    raise DataError(
        f"{dialect.where}:{number}",
        f"{column_name(dialect.names, column)}: {cell[:40]!r} is not a finite number",
        remedy,
        column=_reference(column, dialect),
    )


def _remedy_of(form: Form, column: int, dialect: Dialect, columns: Columns) -> str:
    """Return what to do about a number or date in a form that is not read."""
    name = _reference(column, dialect)
    if form.kind == "date":
        return f"it looks like a date: write dates: [{name}] under data, or correct it"
    if columns.selection.detect:
        return f"write {form.keys} under data, or correct it"
    return f"give --decimal {form.notations[0].decimal} if numbers are written so, or correct it"


def _reference(column: int, dialect: Dialect) -> ColumnRef:
    """Return how a configuration refers to a column."""
    return (dialect.names and dialect.names[column]) or column


def coder(codes: dict[str, int]) -> Callable[[str], float]:
    """Return what gives every text its code, a new text the next one, and an empty cell NaN."""

    def code(cell: str) -> float:
        if not cell.strip():
            return math.nan
        return codes.setdefault(cell, len(codes))

    return code


def _zero(_: str) -> float:
    return 0.0
