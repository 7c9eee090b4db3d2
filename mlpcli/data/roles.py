"""Columns that are no features: weights of examples, and what splits go by."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.table import Table
from mlpcli.errors import DataError


def take_roles(table: Table) -> Table:
    """Return a table whose columns of weights, groups and times are beside its features.

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
        found[field] = read(table, j)
    return table._replace(
        values=np.ascontiguousarray(table.values[:, :width]),
        selection=selection._replace(features=selection.features[:width], roles=()),
        texts={j: texts for j, texts in table.texts.items() if j < width},
        **found,
    )


def _read_weights(table: Table, j: int) -> NDArray[np.float64]:
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
    return weights


def _read_groups(table: Table, j: int) -> NDArray[np.intp]:
    """Return which group each example is of, (n,)."""
    column = table.values[:, j]
    missing = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), bool)
    if missing.any():
        raise _wrong(table, j, int(missing.argmax()), "fill in its group")
    return np.unique(column, return_inverse=True)[1].reshape(-1)


def _read_times(table: Table, j: int) -> NDArray[np.float64]:
    """Return a number that grows with the time of each example, (n,)."""
    times = table.values[:, j].astype(np.float64)
    if j in table.texts:
        read = np.array([_time(text) for text in table.texts[j]])
        given = ~np.isnan(times)
        times[given] = read[times[given].astype(np.intp)]
    if not np.isfinite(times).all():
        row = int((~np.isfinite(times)).argmax())
        raise _wrong(table, j, row, "give numbers, or dates and times such as 2024-05-31 or "
                     "2024-05-31T12:30")  # fmt: skip
    return times


def _time(text: str) -> float:
    """Return the seconds since 1970 of an ISO 8601 date or time, NaN for anything else."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return math.nan
    # Without a zone the same one is meant everywhere.
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return (found - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def _wrong(table: Table, j: int, row: int, remedy: str) -> DataError:
    value = table.values[row, j]
    text = table.texts[j][int(value)] if j in table.texts and not np.isnan(value) else f"{value:g}"
    problem = "is missing" if text == "nan" else f"{text[:40]!r} will not do"
    return DataError(table.row(row), f"{table.column(j)}: {problem}", remedy)


Read = Callable[[Table, int], NDArray[np.generic]]
# By part of `data`: what reads its column, and the field of a table that holds it.
READ: dict[str, tuple[Read, str]] = {
    "weight": (_read_weights, "weights"),
    "group": (_read_groups, "groups"),
    "time": (_read_times, "times"),
}
