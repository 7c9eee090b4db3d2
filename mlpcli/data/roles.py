"""Columns that are no features: weights of examples, and what splits go by."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import Files
from mlpcli.data.dates import read_dates
from mlpcli.data.readers.dates import read_date
from mlpcli.data.readers.table import Table
from mlpcli.errors import DataError


def take_roles(table: Table, files: Files) -> Table:
    """Return a table whose columns of weights, groups and times are beside its features.

    Args:
        table: as it was read.
        files: how it says that dates are written.

    Raises:
        DataError: naming the place of a value that is none, or a weight below 0.
    """
    selection = table.selection
    if selection is None or not selection.roles:
        return table
    width = len(selection.features) - len({position for _, position in selection.roles})
    found: dict[str, Any] = {}
    for part, position in selection.roles:
        j = selection.features.index(position)
        read, field = READ[part]
        found[field] = read(table, j, files)
    return table._replace(
        values=np.ascontiguousarray(table.values[:, :width]),
        selection=selection._replace(features=selection.features[:width], roles=()),
        texts={j: texts for j, texts in table.texts.items() if j < width},
        **found,
    )


def _read_weights(table: Table, j: int, _: Files) -> NDArray[np.float64]:
    """Return the weight of each example, (n,)."""
    if j in table.texts:
        raise _wrong(table, j, 0, "give a number from 0 as weight")
    weights = table.values[:, j].astype(np.float64)
    right = np.isfinite(weights) & (weights >= 0)
    if not right.all():
        raise _wrong(table, j, int((~right).argmax()), "give a number from 0 as weight")
    if not weights.any():
        remedy = "give some a weight above 0"
        raise DataError(table.where, f"{table.column(j)}: all weights are 0", remedy)
    # Whole numbers are numbers of copies; others say only how much more one counts than another.
    return weights if (weights == np.rint(weights)).all() else weights / weights.mean()


def _read_groups(table: Table, j: int, _: Files) -> NDArray[np.intp]:
    """Return which group each example is of, (n,)."""
    column = table.values[:, j]
    missing = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), bool)
    if missing.any():
        raise _wrong(table, j, int(missing.argmax()), "fill in its group")
    return np.unique(column, return_inverse=True)[1].reshape(-1)


def _read_times(table: Table, j: int, files: Files) -> NDArray[np.float64]:
    """Return a number that grows with the time of each example, (n,)."""
    known = [bool(read_date(text)) for text in table.texts.get(j, ())]
    missing = np.isnan(table.values[:, j].astype(np.float64))
    bad = missing | np.isin(table.values[:, j], np.flatnonzero(np.logical_not(known)))
    if not bad.any():
        table = read_dates(table, {j: files.day_first}, files.point == ",")
        bad = ~np.isfinite(table.values[:, j])
    if bad.any():
        remedy = "give numbers, or dates and times such as 2024-05-31 or 2024-05-31T12:30"
        raise _wrong(table, j, int(bad.argmax()), remedy)
    return table.values[:, j].astype(np.float64)


def _wrong(table: Table, j: int, row: int, remedy: str) -> DataError:
    value = table.values[row, j]
    text = table.texts[j][int(value)] if j in table.texts and not np.isnan(value) else f"{value:g}"
    problem = "is missing" if text == "nan" else f"{text[:40]!r} will not do"
    return DataError(table.row(row), f"{table.column(j)}: {problem}", remedy)


Read = Callable[[Table, int, Files], NDArray[np.generic]]
# By part of `data`: what reads its column, and the field of a table that holds it.
READ: dict[str, tuple[Read, str]] = {
    "weight": (_read_weights, "weights"),
    "group": (_read_groups, "groups"),
    "time": (_read_times, "times"),
}
