"""Scaling: what is subtracted from features, and what they are divided by."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encode import expander
from mlpcli.data.encoding import FITTED_SCALES, Encoding
from mlpcli.data.fit import Rows
from mlpcli.data.pixels import value_range
from mlpcli.data.readers.table import Table, Values, blocks
from mlpcli.errors import DataError

Statistics = tuple[NDArray[np.float64], NDArray[np.float64]]
Numbers = Callable[[Values], NDArray[np.float64]]
# So many features, none negative, may be the pixels of an image although nothing says so.
PIXELS = 64


def fit_scaling(
    encoding: Encoding,
    table: Table,
    scale: str | None,
    rows: Rows = None,
    merge: Callable[[int, "Statistics"], "Statistics"] | None = None,
) -> Encoding:
    """Add to an encoding how features are scaled.

    Args:
        encoding: what `fit_encoding` or `fit_filling` returned.
        table: training examples.
        scale: a name in `SCALES`; None for `default_scale`.
        rows: those to learn from; None for all.
        merge: makes the statistics of so many rows those of all, where the table has but a part.

    Raises:
        DataError: naming a column whose values are too large.
    """
    scale = scale or default_scale(encoding, table, rows)
    if scale not in FITTED_SCALES:
        return encoding._replace(scale=scale)
    if scale == "robust":
        encoding = _with_signs(encoding)
    columns, is_number = encoding.input_columns, encoding.is_number
    measured = [j for j, column in enumerate(columns) if column.is_number]
    alone = encoding._replace(columns=tuple(columns[j] for j in measured))
    alone = alone._replace(features=int(is_number.sum()))
    expand = expander(alone, table)

    def numbers(values: Values) -> NDArray[np.float64]:
        values = values[:, measured] if columns else values
        return values.astype(np.float64) if expand is None else expand(values)

    fit = _mean_and_std if scale == "standardize" else _median_and_range
    with np.errstate(over="ignore", invalid="ignore"):
        found = fit(table, numbers, rows)
        if merge:
            n = len(table.values) if rows is None else len(rows)
            found = merge(n, found)
    # What is 0 or 1, or -1 or 1, stays so.
    centers, spreads = np.zeros(encoding.features), np.ones(encoding.features)
    centers[is_number], spreads[is_number] = found
    if not np.isfinite(spreads).all():
        j = encoding.column_of(int((~np.isfinite(spreads)).argmax()))
        problem = f"{table.column(j)} has values too large"
        concerned = table.reference(j) if table.selection else None
        raise DataError(table.where, problem, "scale them down", column=concerned)
    # A constant becomes 0.
    spreads[spreads == 0] = 1
    return encoding._replace(
        scale=scale, means=tuple(centers.tolist()), deviations=tuple(spreads.tolist())
    )


def _with_signs(encoding: Encoding) -> Encoding:
    """Make one feature, -1 and 1, of every column with two categories."""
    columns = tuple(c._replace(signed=len(c.categories) == 2) for c in encoding.columns)
    width = sum(column.width for column in columns)
    return encoding._replace(columns=columns, features=width if columns else encoding.features)


def _mean_and_std(table: Table, numbers: Numbers, rows: Rows) -> Statistics:
    """Return the mean and the standard deviation of each feature, (n_1,)."""
    # Measured from the first example on, so that a constant has standard deviation 0 exactly.
    n: float = len(table.values) if rows is None else len(rows)
    weights = table.weights_of(rows)
    if weights is not None:
        n, weights = weights.sum(), weights[:, np.newaxis]
    first = numbers(table.values[:1] if rows is None else table.values[rows[:1]])[0]
    total, squares = np.zeros_like(first), np.zeros_like(first)
    for part, values in blocks(table.values, rows):
        centred = numbers(values) - first
        total += (centred if weights is None else centred * weights[part]).sum(axis=0)
    shift = total / n
    for part, values in blocks(table.values, rows):
        squared = np.square(numbers(values) - first - shift)
        squares += (squared if weights is None else squared * weights[part]).sum(axis=0)
    return first + shift, np.sqrt(squares / n)


def _median_and_range(table: Table, numbers: Numbers, rows: Rows) -> Statistics:
    """Return the median and the interquartile range of each feature, (n_1,).

    Where half of the values are equal, the range is half of that from the least to the largest
    (Holzmüller, Grinsztajn and Steinwart, Better by Default, 2024).
    """
    features = np.concatenate([numbers(values) for _, values in blocks(table.values, rows)])
    quarters = quantiles(features, np.array([0, 0.25, 0.5, 0.75, 1]), table.weights_of(rows))
    low, first, median, third, high = quarters
    spread = third - first
    return median, np.where(spread > 0, spread, (high - low) / 2)


def quantiles(
    features: NDArray[np.float64],
    shares: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the quantiles of each feature, (len(shares), n_1), interpolated between examples.

    Args:
        features: (n, n_1).
        shares: each from 0 to 1.
        weights: (n,) how many copies of each example count; None for one.
    """
    if weights is None:
        return np.quantile(features, shares, axis=0)
    order = np.argsort(features, axis=0)
    ordered, copies = np.take_along_axis(features, order, 0), np.cumsum(weights[order], axis=0)
    found = []
    for share in shares.tolist():
        before, part = divmod(share * max(0.0, weights.sum() - 1), 1)
        low, high = (
            np.minimum((copies <= position).sum(axis=0), len(ordered) - 1)
            for position in (before, before + 1)
        )
        low, high = (np.take_along_axis(ordered, i[np.newaxis], 0)[0] for i in (low, high))
        found.append(low + part * (high - low))
    return np.array(found)


def default_scale(encoding: Encoding, table: Table, rows: Rows = None) -> str:
    """Return `unit` for what looks like pixels from 0 to 255, `none` for pixels from 0 to 1.

    Anything else is to be standardised.
    """
    low, high = value_range(table.values, rows)
    pixels = encoding.image_shape or (len(encoding.input_columns) or encoding.features) >= PIXELS
    if not pixels or table.texts or table.dates or low < 0 or not high <= 255:
        return "standardize"
    return "unit" if high > 127 else "none" if high <= 1 else "standardize"
