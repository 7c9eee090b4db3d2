"""Fitting an encoding to training examples: what columns mean, and what fills their gaps."""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dates import date_features, fit_parts
from mlpcli.data.encoding import TARGETS_CALLED, Column, Encoding
from mlpcli.data.quantities import target_names
from mlpcli.data.readers.table import Labels, Table, Values, blocks
from mlpcli.data.targets import fit_classes
from mlpcli.data.text_columns import units_found
from mlpcli.errors import DataError, join_names

# Which rows of a table to learn from; None for all.
Rows = NDArray[np.integer] | None
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

    `fit_filling` and `scaling.fit_scaling` add what is learned from numbers.

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
        problem = f"{table.column(j)} has {len(texts)} different texts in {len(given)} rows"
        remedy = f"write ignore: [{table.reference(j)}]"
        if found := units_found(texts):
            which, how = found
            problem, remedy = f"{problem}, {which}", f"{how}, or {remedy}"
        raise DataError(table.where, problem, remedy, column=table.reference(j))
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
    """Return the mean of a column, of each part of a date, or the share of every category.

    0 where it has one value and gaps, as a box that is ticked or not: the mean would hide which.
    """
    given, weights = given_values(table, j, rows), table.weights_of(rows)
    values = table.values[:, j] if rows is None else table.values[rows, j]
    if len(values) > len(given) and not column.parts and (given == given[0]).all():
        return (0.0,) * max(1, len(column.categories))
    if weights is not None:
        weights = weights[~np.isnan(values)] if len(weights) > len(given) else weights
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
