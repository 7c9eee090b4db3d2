"""Learning an encoding from training examples: classes, columns, scaling."""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encoding import Column, Encoding, as_number, expander
from mlpcli.data.readers.table import Labels, Table, Values, blocks, column_name
from mlpcli.errors import DataError

# So many features, none negative, may be the pixels of an image although nothing says so.
PIXELS = 64
# A column of more different texts than this, and in half of the rows, is taken for names.
MANY_TEXTS = 20
# Classes that are numbers are taken for quantities if there are more than so many and each has few
# examples.
MANY_CLASSES = 20
EXAMPLES_PER_CLASS = 10


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
                _refuse(table, np.isinf(values), part.start)
    drop = policy == "drop" and table.labels is not None
    if gaps.any() and policy != "mean" and not drop:
        row = int(gaps.argmax())
        _refuse(table, np.isnan(table.values[row : row + 1]), row)
    if table.labels is not None:
        unlabelled = table.labels.codes < 0
        if unlabelled.any() and not drop:
            position = table.plan.target if table.plan else None
            name = "" if position is None else f"{column_name(table.names, position)}: "
            raise DataError(
                table.row(int(unlabelled.argmax())),
                f"{name}the class is missing",
                "fill it in, or train with missing: drop",
            )
        gaps |= unlabelled
    if not drop or not gaps.any():
        return table
    if gaps.all():
        raise DataError(table.where, "every example lacks a value", "use missing: mean")
    return table.take(np.flatnonzero(~gaps))


def _refuse(table: Table, bad: NDArray[np.bool], start: int) -> None:
    """Refuse the first of some bad values, if there is any."""
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


def fit_encoding(table: Table, missing: str) -> Encoding:
    """Learn classes, columns and categories from labelled examples; `fit_scaling` adds the rest.

    Args:
        table: all examples of the training file.
        missing: what to do about missing values: `mean` learns what to fill in.

    Raises:
        DataError: if the classes or a column make no sense.
    """
    if table.labels is None:
        raise DataError(table.where, "has no classes", "say where they are with target")
    class_names = fit_classes(table.labels, table.where)
    if table.plan is None:
        gaps = missing == "mean" and table.values.dtype.kind == "f"
        filled = _filled_columns(table) if gaps else ()
        return Encoding(table.values.shape[1], "none", class_names, table.image_shape, filled)
    columns = []
    for position in range(table.plan.width):
        name = table.names[position] if table.names else ""
        if position in table.plan.features:
            j = table.plan.features.index(position)
            columns.append(_learn_column(table, j, name, missing))
        else:
            role = "target" if position == table.plan.target else "ignored"
            columns.append(Column(name, role))
    features = sum(column.width for column in columns)
    return Encoding(features, "none", class_names, columns=tuple(columns))


def fit_classes(labels: Labels, where: object) -> tuple[str, ...]:
    """Return the names of the classes that occur, in the order of their numbers or letters.

    Raises:
        DataError: if there are no classes to tell apart, or they look like quantities.
    """
    counts = np.bincount(labels.codes, minlength=len(labels.names))
    names = [name for name, count in zip(labels.names, counts, strict=True) if count]
    n = len(labels.codes)
    if len(names) < 2:
        raise DataError(
            where, f"all {n} examples are of class {names[0]}", "give examples of two or more"
        )
    numbers = [number for number in map(as_number, names) if number is not None]
    if len(numbers) < len(names):
        numbers = []
    whole = all(number.is_integer() for number in numbers)
    few = n < EXAMPLES_PER_CLASS * len(names)
    if numbers and (
        (whole and few and len(names) > MANY_CLASSES)
        or (not whole and len(names) > MANY_CLASSES // 2)
    ):
        raise DataError(
            where,
            f"the target is a number with {len(names)} different values in {n} examples, and mlp "
            "learns classes",
            "name another target, or put the numbers into classes",
        )
    if len(names) == n:
        raise DataError(
            where,
            f"each of the {n} examples has a class of its own",
            "name the column with the classes as target",
        )
    if numbers:
        return tuple(name for _, name in sorted(zip(numbers, names, strict=True)))
    return tuple(sorted(names))


def _filled_columns(table: Table) -> tuple[Column, ...]:
    """Return the columns of an array, with the mean that stands for what is missing in each."""
    total, given = np.zeros(table.values.shape[1]), np.zeros(table.values.shape[1], np.intp)
    for _, values in blocks(table.values):
        total += np.nansum(values, axis=0, dtype=np.float64)
        given += np.count_nonzero(~np.isnan(values), axis=0)
    if not given.all():
        problem = f"{table.column(int(given.argmin()))} has no values"
        raise DataError(table.where, problem, "leave it out")
    return tuple(Column("", "number", (), (mean,)) for mean in (total / given).tolist())


def too_many_texts(different: int, rows: int) -> bool:
    """Return whether a column of texts looks like names of the examples, not like categories."""
    return different > MANY_TEXTS and different > rows / 2


def _learn_column(table: Table, j: int, name: str, missing: str) -> Column:
    column = table.values[:, j]
    given = column[~np.isnan(column)] if column.dtype.kind == "f" else column
    if len(given) == 0:
        raise DataError(
            table.where, f"{table.column(j)} has no values", f"write ignore: [{table.reference(j)}]"
        )
    if j not in table.texts:
        filling = (float(given.mean(dtype=np.float64)),) if missing == "mean" else ()
        return Column(name, "number", (), filling)
    counts = np.bincount(given.astype(np.intp), minlength=len(table.texts[j])) / len(given)
    shares = {
        text: share for text, share in zip(table.texts[j], counts.tolist(), strict=True) if share
    }
    if too_many_texts(len(shares), len(given)):
        raise DataError(
            table.where,
            f"{table.column(j)} has {len(shares)} different texts in {len(given)} rows",
            f"write ignore: [{table.reference(j)}]",
        )
    categories = tuple(sorted(shares))
    filling = tuple(shares[text] for text in categories) if missing == "mean" else ()
    return Column(name, "category", categories, filling)


def fit_scaling(encoding: Encoding, table: Table, scale: str | None) -> Encoding:
    """Add to an encoding how features are scaled.

    Args:
        encoding: what `fit_encoding` returned.
        table: the examples to train on.
        scale: a name in `SCALES`; None for `default_scale`.
    """
    scale = scale or default_scale(encoding, table)
    if scale != "standardize":
        return encoding._replace(scale=scale)
    expand = expander(encoding, table)

    def numbers(values: Values) -> NDArray[np.float64]:
        return values.astype(np.float64) if expand is None else expand(values)

    # Measured from the first example on, so that a constant has no deviation at all.
    first = numbers(table.values[:1])[0]
    total, squares = np.zeros_like(first), np.zeros_like(first)
    with np.errstate(over="ignore", invalid="ignore"):
        for _, values in blocks(table.values):
            total += (numbers(values) - first).sum(axis=0)
        shift = total / len(table.values)
        for _, values in blocks(table.values):
            squares += np.square(numbers(values) - first - shift).sum(axis=0)
    means, deviations = first + shift, np.sqrt(squares / len(table.values))
    if not np.isfinite(deviations).all():
        feature = int((~np.isfinite(deviations)).argmax())
        raise DataError(table.where, f"feature {feature} has values too large", "scale them down")
    # A constant becomes 0.
    deviations[deviations == 0] = 1
    start = 0
    for column in encoding.input_columns:
        if column.categories:
            # What is 0 or 1 stays so.
            means[start : start + column.width] = 0
            deviations[start : start + column.width] = 1
        start += column.width
    return encoding._replace(
        scale=scale, means=tuple(means.tolist()), deviations=tuple(deviations.tolist())
    )


def default_scale(encoding: Encoding, table: Table) -> str:
    """Return `unit` for what looks like pixels from 0 to 255, `none` for pixels from 0 to 1.

    Anything else is to be standardised.
    """
    low, high = 0.0, 0.0
    for _, values in blocks(table.values):
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    pixels = encoding.image_shape or encoding.features >= PIXELS
    if not pixels or table.texts or low < 0 or not high <= 255:
        return "standardize"
    return "unit" if high > 127 else "none" if high <= 1 else "standardize"
