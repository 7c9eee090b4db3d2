"""Quantities and yes-or-no labels: the targets that are not one class per example."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encoding import Encoding, Quantity
from mlpcli.data.readers.table import Labels, Table, column_name
from mlpcli.data.targets import as_number, is_class_name
from mlpcli.errors import DataError

YES, NO = ("1", "true", "yes", "y"), ("0", "false", "no", "n")


def target_names(table: Table) -> tuple[str, ...]:
    """Return what the targets of a table are called: by its cells or header, `target`, or numbered.

    Raises:
        DataError: if a name in the table cannot be shown.
    """
    k = 1 if table.labels is None else _columns(table.labels).shape[1]
    names = table.labels.columns if table.labels else ()
    if not names and table.names and table.selection:
        names = tuple(table.names[i] or f"target_{i}" for i in table.selection.targets)
    for name in names:
        if not is_class_name(name):
            problem = f"target {name[:60]!r} has a control character, or is too long"
            raise DataError(table.where, problem, "name it otherwise")
    if names:
        return names
    return ("target",) if k == 1 else tuple(f"target_{i}" for i in range(1, k + 1))


def read_quantities(table: Table) -> NDArray[np.float64]:
    """Return the targets of a table as numbers, (n, k), in their own units.

    Raises:
        DataError: naming the place of a target that is no finite number.
    """
    notation = table.labels and table.labels.notation
    parse = partial(as_number, notation=notation)
    return _read(table, parse, "is not a finite number", "correct it, or name another target")


def read_labels(table: Table) -> NDArray[np.uint8]:
    """Return the targets of a table as 1 for yes and 0 for no, (n, k).

    Raises:
        DataError: naming the place of a target that is neither.
    """
    remedy = "write 1 or 0, true or false, or yes or no; cells with several labels need "
    remedy += "label_separator, and quantities are of task: regression"
    return _read(table, _as_yes_or_no, "is neither yes nor no", remedy).astype(np.uint8)


def fit_quantities(
    encoding: Encoding, table: Table, rows: NDArray[np.integer] | None = None
) -> Encoding:
    """Add to an encoding what the quantities of training examples are like.

    Args:
        encoding: of a regression.
        table: training examples.
        rows: those to learn from; None for all.

    Raises:
        DataError: if one of them is no number, or always the same.
    """
    numbers, weights = read_quantities(table), table.weights
    if rows is not None:
        numbers, weights = numbers[rows], None if weights is None else weights[rows]
    if weights is not None:
        numbers, weights = numbers[weights > 0], weights[weights > 0]
    with np.errstate(over="ignore", invalid="ignore"):
        means, stds = numbers.mean(axis=0), numbers.std(axis=0)
        if weights is not None:
            means = np.average(numbers, axis=0, weights=weights)
            stds = np.sqrt(np.average(np.square(numbers - means), axis=0, weights=weights))
    low, high = numbers.min(axis=0), numbers.max(axis=0)
    for j, name in enumerate(encoding.class_names):
        if low[j] == high[j]:
            problem = f"all {len(numbers)} examples have the same {name}, {low[j]:g}"
            raise DataError(table.where, problem, "name another target")
        if not 0 < stds[j] < np.inf:
            problem = f"{name} is from {low[j]:g} to {high[j]:g}, too far apart or too close"
            raise DataError(table.where, problem, "correct it, or rescale it")
    found = zip(means.tolist(), stds.tolist(), low.tolist(), high.tolist(), strict=True)
    return encoding._replace(quantities=tuple(Quantity(*row) for row in found))


def encode_quantities(encoding: Encoding, table: Table, dtype: str) -> NDArray[np.float64]:
    """Return the targets of a table as a network learns them, (n, n_L): (target - mean) / std.

    Raises:
        DataError: naming the place of a target that is no finite number, or so far from those of
            the training that the sum of the errors is none.
    """
    numbers = read_quantities(table)
    with np.errstate(over="ignore"):
        encoded = (numbers - encoding.target_means) / encoding.target_stds
    far = np.abs(encoded) > np.sqrt(np.finfo(dtype).max) / max(1, len(encoded))
    if far.any():
        row, j = np.argwhere(far)[0].tolist()
        problem = f"{encoding.class_names[j]} {numbers[row, j]:g} is too far from the targets "
        problem += f"in training for {dtype} arithmetic"
        raise DataError(table.row(row), problem, "correct it, or leave the example out")
    return encoded


def decode_quantities(
    encoding: Encoding, outputs: NDArray[np.floating], clamp: bool = False
) -> NDArray[np.float64]:
    """Return outputs in the targets' own units, (n, n_L).

    Args:
        encoding: that of a regression.
        outputs: (n, n_L) numbers as a network learns them.
        clamp: keep each within the range seen in training.
    """
    numbers = outputs.astype(np.float64) * encoding.target_stds + encoding.target_means
    if clamp:
        low, high = np.array([[q.low, q.high] for q in encoding.quantities]).T
        np.clip(numbers, low, high, out=numbers)
    return numbers


def _columns(labels: Labels) -> NDArray[np.intp]:
    """Return the codes as a column per target, (n, k)."""
    return labels.codes.reshape(len(labels.codes), -1)


def _read(
    table: Table, parse: Callable[[str], float | None], problem: str, remedy: str
) -> NDArray[np.float64]:
    """Return what `parse` makes of every target, (n, k); it returns None for what it refuses."""
    if table.labels is None:
        raise DataError(table.where, "has no targets", "say where they are with --target")
    codes = _columns(table.labels)
    parsed = [parse(name) for name in table.labels.names]
    numbers = np.array([np.nan if number is None else number for number in parsed], np.float64)
    found = numbers[codes]
    if np.isnan(found).any():
        row, j = np.argwhere(np.isnan(found))[0].tolist()
        text = table.labels.names[codes[row, j]]
        place = ""
        if table.selection:
            place = f"{column_name(table.names, table.selection.targets[j])}: "
        raise DataError(table.row(row), f"{place}{text[:40]!r} {problem}", remedy)
    return found


def _as_yes_or_no(text: str) -> float | None:
    word = text.strip().lower()
    return 1.0 if word in YES else 0.0 if word in NO else None
