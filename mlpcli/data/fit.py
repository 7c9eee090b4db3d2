"""Fitting an encoding to training examples: what columns mean, and how features are scaled."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dates import date_features, fit_parts
from mlpcli.data.encoding import FITTED_SCALES, TARGETS_CALLED, Column, Encoding, expander
from mlpcli.data.quantities import target_names
from mlpcli.data.readers.table import Labels, Table, Values, blocks
from mlpcli.data.targets import fit_classes
from mlpcli.errors import DataError, join_names

# Which rows of a table to learn from; None for all.
Rows = NDArray[np.integer] | None
# So many features, none negative, may be the pixels of an image although nothing says so.
PIXELS = 64
# A column of more different texts than this, and in half of the rows, is taken for names.
MANY_TEXTS = 20


def fit_encoding(
    table: Table,
    missing: str,
    task: str = "classification",
    given: bool = False,
    embeddings: str | None = None,
) -> Encoding:
    """Return the classes, columns and categories of examples: their names.

    `fit_filling` and `fit_scaling` add what is learned from numbers.

    Args:
        table: all examples of the training file, those that are set aside included.
        missing: what to do about missing values: `mean` needs the columns of arrays, too.
        task: what the targets are.
        given: whether the configuration says so, and it is not guessed.
        embeddings: how numbers are embedded, for which they are columns in arrays, too.

    Raises:
        DataError: if the targets or a column make no sense.
    """
    if table.labels is None:
        raise DataError(
            table.where, f"has no {TARGETS_CALLED[task]}", "say where they are with target"
        )
    if task == "classification":
        class_names = fit_classes(table.labels, table.where, given)
    else:
        if task == "regression" and not given:
            _check_not_classes(table.labels, table.where)
        class_names = target_names(table)
    if table.selection is None:
        gaps = missing == "mean" and table.values.dtype.kind == "f"
        width = table.values.shape[1]
        columns = (Column("", "number"),) * width if gaps or embeddings else ()
        return Encoding(width, "none", class_names, table.image_shape, columns, task=task)
    fitted = []
    numbers = {position: j for j, position in enumerate(table.selection.features)}
    for position in range(table.selection.width):
        name = table.names[position] if table.names else ""
        if (j := numbers.get(position)) is not None:
            fitted.append(_fit_column(table, j, name))
        else:
            role = "target" if position in table.selection.targets else "ignored"
            fitted.append(Column(name, role))
    features = sum(column.width for column in fitted)
    return Encoding(features, "none", class_names, columns=tuple(fitted), task=task)


def _check_not_classes(labels: Labels, where: object) -> None:
    """Make sure that a target which is guessed to be a quantity does not look like classes.

    Raises:
        DataError: if it does.
    """
    try:
        names = fit_classes(labels, where)
    except DataError:
        return
    problem = f"the target looks like {len(names)} classes: {join_names(names, 5)}"
    remedy = f"end structure with {len(names)}, or write task: regression"
    raise DataError(where, problem, remedy, "structure")


def too_many_texts(different: int, rows: int) -> bool:
    """Return whether a column of texts looks like names of the examples, not like categories."""
    return different > MANY_TEXTS and different > rows / 2


def _fit_column(table: Table, j: int, name: str) -> Column:
    given = given_values(table, j)
    if j in table.dates:
        return Column(name, "date", parts=fit_parts(given), day_first=table.dates[j])
    if j not in table.texts:
        return Column(name, "number")
    counts = np.bincount(given.astype(np.intp), minlength=len(table.texts[j]))
    texts = [text for text, count in zip(table.texts[j], counts, strict=True) if count]
    if too_many_texts(len(texts), len(given)):
        raise DataError(
            table.where,
            f"{table.column(j)} has {len(texts)} different texts in {len(given)} rows",
            f"write ignore: [{table.reference(j)}]",
            column=table.reference(j),
        )
    return Column(name, "category", tuple(sorted(texts)))


def given_values(table: Table, j: int, rows: Rows = None) -> Values:
    """Return the values of a column that are not missing, in some rows or in all.

    Raises:
        DataError: if there is none.
    """
    given = table.given(j, rows)
    if len(given) == 0:
        raise _no_values(table, j, rows)
    return given


def _no_values(table: Table, j: int, rows: Rows) -> DataError:
    among = "" if rows is None else " in the rows to train on"
    remedy = f"write ignore: [{table.reference(j)}]" if table.selection else "leave it out"
    problem = f"{table.column(j)} has no values{among}"
    column = table.reference(j) if table.selection else None
    return DataError(table.where, problem, remedy, column=column)


def fit_filling(encoding: Encoding, table: Table, rows: Rows = None) -> Encoding:
    """Add to an encoding what stands for missing values: means, and the shares of categories.

    Args:
        encoding: what `fit_encoding` returned.
        table: training examples.
        rows: those to learn from; None for all.

    Raises:
        DataError: if a column has no values there.
    """
    if table.selection is None:
        fillings = _means(table, rows) if encoding.columns else []
    else:
        fillings = [
            _column_filling(column, table, j, rows)
            for j, column in enumerate(encoding.input_columns)
        ]
    left = iter(fillings)
    columns = (
        column._replace(filling=next(left)) if column.width else column
        for column in encoding.columns
    )
    return encoding._replace(columns=tuple(columns))


def _means(table: Table, rows: Rows) -> list[tuple[float, ...]]:
    """Return the mean of each column of an array, which may be larger than memory."""
    total, given = np.zeros(table.values.shape[1]), np.zeros(table.values.shape[1], np.intp)
    for _, values in blocks(table.values, rows):
        total += np.nansum(values, axis=0, dtype=np.float64)
        given += np.count_nonzero(~np.isnan(values), axis=0)
    if not given.all():
        raise _no_values(table, int(given.argmin()), rows)
    return [(mean,) for mean in (total / given).tolist()]


def _column_filling(column: Column, table: Table, j: int, rows: Rows) -> tuple[float, ...]:
    """Return the mean of a column, of each part of a date, or the share of every category."""
    given, weights = given_values(table, j, rows), _weights(table, rows)
    if weights is not None:
        column_values = table.values[:, j] if rows is None else table.values[rows, j]
        weights = weights[~np.isnan(column_values)] if len(weights) > len(given) else weights
        if not weights.any():
            raise _no_values(table, j, rows)
    if column.parts:
        features = date_features(given, column.parts)
        return tuple(np.average(features, axis=0, weights=weights).tolist())
    if not column.categories:
        if weights is not None:
            return (float(np.average(given, weights=weights)),)
        return (float(given.mean(dtype=np.float64)),)
    counts = np.bincount(given.astype(np.intp), weights, minlength=len(table.texts[j]))
    counts = counts / counts.sum()
    shares = dict(zip(table.texts[j], counts.tolist(), strict=True))
    return tuple(shares[text] for text in column.categories)


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
    """
    scale = scale or default_scale(encoding, table, rows)
    if scale not in FITTED_SCALES:
        return encoding._replace(scale=scale)
    if scale == "robust":
        encoding = _with_signs(encoding)
    expand = expander(encoding, table)

    def numbers(values: Values) -> NDArray[np.float64]:
        return values.astype(np.float64) if expand is None else expand(values)

    fit = _mean_and_std if scale == "standardize" else _median_and_range
    with np.errstate(over="ignore", invalid="ignore"):
        centers, spreads = fit(table, numbers, rows)
        if merge:
            n = len(table.values) if rows is None else len(rows)
            centers, spreads = merge(n, (centers, spreads))
    if not np.isfinite(spreads).all():
        j = encoding.column_of(int((~np.isfinite(spreads)).argmax()))
        problem = f"{table.column(j)} has values too large"
        concerned = table.reference(j) if table.selection else None
        raise DataError(table.where, problem, "scale them down", column=concerned)
    # A constant becomes 0.
    spreads[spreads == 0] = 1
    start = 0
    for column in encoding.input_columns:
        if column.categories or column.bins:
            part = slice(start, start + column.width)
            # What is 0 or 1, or -1 or 1, stays so.
            centers[part], spreads[part] = 0, 1
        start += column.width
    return encoding._replace(
        scale=scale, means=tuple(centers.tolist()), deviations=tuple(spreads.tolist())
    )


def _with_signs(encoding: Encoding) -> Encoding:
    """Make one feature, -1 and 1, of every column with two categories."""
    columns = tuple(c._replace(signed=len(c.categories) == 2) for c in encoding.columns)
    width = sum(column.width for column in columns)
    return encoding._replace(columns=columns, features=width if columns else encoding.features)


def _weights(table: Table, rows: Rows) -> NDArray[np.float64] | None:
    """Return how much each row to learn from counts, (m,); None where all count the same."""
    weights = table.weights
    return weights if weights is None or rows is None else weights[rows]


Statistics = tuple[NDArray[np.float64], NDArray[np.float64]]
Numbers = Callable[[Values], NDArray[np.float64]]


def _mean_and_std(table: Table, numbers: Numbers, rows: Rows) -> Statistics:
    """Return the mean and the standard deviation of each feature, (n_1,)."""
    # Measured from the first example on, so that a constant has standard deviation 0 exactly.
    n: float = len(table.values) if rows is None else len(rows)
    weights = _weights(table, rows)
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
    quarters = quantiles(features, np.array([0, 0.25, 0.5, 0.75, 1]), _weights(table, rows))
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
    low, high = 0.0, 0.0
    for _, values in blocks(table.values, rows):
        # A missing value is NaN, and says nothing.
        low = min(low, float(np.fmin.reduce(values, axis=None)))
        high = max(high, float(np.fmax.reduce(values, axis=None)))
    pixels = encoding.image_shape or (len(encoding.input_columns) or encoding.features) >= PIXELS
    if not pixels or table.texts or table.dates or low < 0 or not high <= 255:
        return "standardize"
    return "unit" if high > 127 else "none" if high <= 1 else "standardize"
