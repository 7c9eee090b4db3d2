"""Missing values: refused, dropped with their examples, or left for their column's mean."""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.table import Table, blocks, column_name
from mlpcli.errors import DataError


def handle_missing(table: Table, policy: str) -> Table:
    """Refuse values that are not finite, and treat those that are missing as a policy says.

    Args:
        table: examples, labelled or not.
        policy: `error`; `drop` the examples, which needs labels; `mean` leaves values to `encode`.

    Raises:
        DataError: naming the place of a value that may not be.
    """
    gaps = np.zeros(len(table.values), bool)
    if table.values.dtype.kind == "f":
        for part, values in blocks(table.values):
            finite = np.isfinite(values)
            if not finite.all():
                gaps[part] = ~finite.all(axis=1)
                _check_values(table, np.isinf(values), part.start)
    drop = policy == "drop" and table.labels is not None
    if gaps.any() and policy != "mean" and not drop:
        row = int(gaps.argmax())
        _check_values(table, np.isnan(table.values[row : row + 1]), row)
    if table.labels is not None:
        unlabelled = table.labels.codes < 0
        if unlabelled.any() and not drop:
            row, *which = np.argwhere(unlabelled)[0].tolist()
            position = (
                table.selection.targets[which[0] if which else 0] if table.selection else None
            )
            name = "" if position is None else f"{column_name(table.names, position)}: "
            raise DataError(
                table.row(row),
                f"{name}the target is missing",
                "fill it in, or train with missing: drop",
            )
        gaps |= unlabelled if unlabelled.ndim == 1 else unlabelled.any(axis=1)
    if not drop or not gaps.any():
        return table
    if gaps.all():
        raise DataError(table.where, "every example lacks a value", "use missing: mean")
    return table.take(np.flatnonzero(~gaps))


def _check_values(table: Table, bad: NDArray[np.bool], start: int) -> None:
    """Report the first of some values that may not be, if there is any.

    Raises:
        DataError: naming its place.
    """
    for row, column in np.argwhere(bad)[:1].tolist():
        value = table.values[start + row, column]
        if column in table.texts:
            problem = f"{table.column(column)}: the category is missing"
            remedy = "fill it in, or train with missing: mean (or drop)"
            raise DataError(table.row(start + row), problem, remedy)
        place = f"in row {start + row}, {table.column(column)}"
        if table.lines is not None:
            place = f"on line {table.lines[start + row]}, {table.column(column)}"
        remedy = "replace it with a finite number, or train with missing: mean or drop"
        raise DataError(table.where, f"holds {value} {place}", remedy)
