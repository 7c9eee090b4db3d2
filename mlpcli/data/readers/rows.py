"""Rows that a program holds, not a file: data frames, mappings and lists, as tables."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.csv_cells import coder
from mlpcli.data.readers.csv_dialect import CsvOptions
from mlpcli.data.readers.json_lines import flatten
from mlpcli.data.readers.notation import parse_number
from mlpcli.data.readers.npy import NUMBERS
from mlpcli.data.readers.table import TRUTHS, Selector, Table, column_name, label_text
from mlpcli.errors import DataError

WHERE = "features"
Cells = NDArray[Any]


def are_numbers(rows: Any) -> bool:
    """Return whether rows are numbers alone, without names of their columns."""
    return _named(rows) is None and np.asarray(rows).dtype.kind in NUMBERS


def read_rows(rows: Any, select: Selector, options: CsvOptions) -> Table:
    """Make a table of rows that a program holds.

    Args:
        rows: a data frame; a mapping from names to columns, or to the cells of one row; a sequence
            of such rows; or rows without names: lists, or an array, (n, columns) or (columns,).
        select: decides which columns are read.
        options: how numbers are written, where they are texts, and what stands for a missing one.

    Raises:
        DataError: naming row and column, if something in it is no table, or no number.
    """
    columns = _named(rows)
    names = None if columns is None else tuple(columns)
    cells = _by_position(rows) if columns is None else [*map(_cells, columns.values())]
    if len({len(column) for column in cells}) > 1:
        raise DataError(WHERE, "has columns of different lengths", "give each a cell per row")
    selection = select(names, len(cells), WHERE)
    values = np.empty((len(cells[0]), len(selection.features)))
    texts: dict[int, tuple[str, ...]] = {}
    for j, i in enumerate(selection.features):
        if i in selection.text:
            codes: dict[str, int] = {}
            values[:, j] = [*map(coder(codes), map(_text, cells[i].tolist()))]
            texts[j] = tuple(codes)
        else:
            values[:, j] = _numbers(cells[i], column_name(names, i), options)
    return Table(WHERE, values, None, names, selection, texts)


def _named(rows: Any) -> dict[str, Any] | None:
    """Return the columns of rows by name, None if they have no names.

    Raises:
        DataError: if two have the same name.
    """
    if hasattr(rows, "to_dict") and not hasattr(rows, "columns"):
        rows = rows.to_dict()  # a row of pandas
    columns: dict[Any, Any]
    if isinstance(rows, Mapping):
        is_row = not any(_is_column(cells) for cells in rows.values())
        columns = _of_mappings([rows]) if is_row else dict(rows)
    elif isinstance(rows, Sequence) and rows and all(isinstance(row, Mapping) for row in rows):
        columns = _of_mappings(rows)
    else:
        of_records: Any = getattr(getattr(rows, "dtype", None), "names", None)
        names = [*(of_records or getattr(rows, "columns", ()))]
        if not names or not all(isinstance(name, str) for name in names):
            return None
        if len(set(names)) < len(names):
            raise DataError(WHERE, "two columns have the same name", "give each a name of its own")
        columns = {name: rows[name] for name in names}
    return columns if all(isinstance(name, str) for name in columns) else None


def _of_mappings(rows: Sequence[Mapping[Any, Any]]) -> dict[str, list[Any]]:
    """Return the columns of rows that name their cells; what a row leaves out is missing."""
    flat = [flatten(dict(row), WHERE, i) for i, row in enumerate(rows)]
    names = dict.fromkeys(name for row in flat for name in row)
    return {name: [row.get(name) for row in flat] for name in names}


def _is_column(cells: Any) -> bool:
    return hasattr(cells, "__len__") and not isinstance(cells, str | bytes | Mapping)


def _by_position(rows: Any) -> list[Cells]:
    """Return the columns of rows without names.

    Raises:
        DataError: if they are no rows.
    """
    array = np.array(rows, object)
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or not array.size:
        remedy = "give rows of cells, or columns by name"
        raise DataError(WHERE, f"has shape {array.shape}, and is no table", remedy)
    return [*array.T]


def _cells(column: Any) -> Cells:
    """Return the cells of a column, (n,); dates as Python has them."""
    array = np.asarray(column)
    if array.ndim != 1:
        problem = f"has a column of shape {array.shape}"
        raise DataError(WHERE, problem, "give each row a number or a text")
    return array.astype("datetime64[us]").astype(object) if array.dtype.kind == "M" else array


def _is_missing(cell: Any) -> bool:
    # NaN and NaT do not equal themselves; pandas' NA has no answer to that.
    return cell is None or type(cell).__name__ == "NAType" or bool(cell != cell)  # noqa: PLR0124


def _text(cell: Any) -> str:
    return "" if _is_missing(cell) else label_text(cell)


def _numbers(cells: Cells, name: str, options: CsvOptions) -> NDArray[np.float64]:
    """Return the numbers of a column, NaN for missing ones.

    Raises:
        DataError: naming the row of the first cell that is none.
    """
    if cells.dtype.kind in NUMBERS:
        return cells.astype(np.float64)
    numbers = [_number(cell, options) for cell in cells.tolist()]
    if None in numbers:
        row = numbers.index(None)
        problem = f"{name}: {str(cells[row])[:40]!r} is not a finite number"
        raise DataError(f"{WHERE}: row {row}", problem, "correct it")
    return np.array(numbers, np.float64)


def _number(cell: Any, options: CsvOptions) -> float | None:
    if _is_missing(cell):
        return math.nan
    if isinstance(cell, str):
        word = cell.strip().lower()
        if word in options.words:
            return math.nan
        return TRUTHS.get(word, parse_number(cell, options.notation))
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
