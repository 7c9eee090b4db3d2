"""Examples in an encoding: the numbers that a network takes of a table's rows."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dates import date_features
from mlpcli.data.encoding import FITTED_SCALES, ROBUST_LIMIT, SCALES, Encoding
from mlpcli.data.readers.table import Table, blocks
from mlpcli.errors import DataError, join_names


def encode(encoding: Encoding, table: Table, dtype: str) -> NDArray[np.generic]:
    """Return the features of a table that was read for this encoding, (n, n_1).

    Args:
        encoding: what was learned in training.
        table: examples.
        dtype: the precision of the network's arithmetic: that of features which are computed here.
            Others stay as they are in the table.

    Raises:
        DataError: naming the place, if the width is wrong, a category was not seen in training, or
            a number is too large for the arithmetic.
    """
    width = len(encoding.input_columns) or encoding.features
    if table.values.shape[1] != width:
        raise DataError(
            table.where,
            f"has {table.values.shape[1]} features, and the network takes {width}",
            f"give {width} in each example",
        )
    expand = expander(encoding, table)
    fitted, is_number = encoding.scale in FITTED_SCALES, encoding.is_number
    means, deviations = np.array(encoding.means), np.array(encoding.deviations)
    if not fitted and expand is None:
        if table.values.dtype.kind == "f":
            for part, values in blocks(table.values):
                _check_range(encoding, table, part, values, dtype)
        return np.ascontiguousarray(table.values)
    features = np.empty((len(table.values), encoding.features), dtype)
    for part, values in blocks(table.values, width=encoding.features):
        numbers = values.astype(np.float64) if expand is None else expand(values)
        # What is too large for these is so for the network, and is refused below.
        with np.errstate(over="ignore", invalid="ignore"):
            if fitted:
                numbers -= means
                numbers /= deviations
            if encoding.scale == "robust":
                bend = np.sqrt(1 + (numbers / ROBUST_LIMIT) ** 2)
                np.divide(numbers, bend, out=numbers, where=is_number)
        _check_range(encoding, table, part, numbers, dtype)
        features[part] = numbers
    return features


def _check_range(
    encoding: Encoding, table: Table, part: slice, numbers: NDArray[np.floating], dtype: str
) -> None:
    """Refuse features, those of some rows of a table, that the arithmetic cannot hold.

    Raises:
        DataError: naming the place of the first.
    """
    limit = np.finfo(dtype).max
    # NaN is on neither side of anything.
    if -limit <= numbers.min(initial=0) and numbers.max(initial=0) <= limit:
        return
    fits = np.abs(numbers) <= limit
    row, feature = np.argwhere(~fits)[0].tolist()
    j = encoding.column_of(feature)
    value = table.values[part][row, j]
    problem = f"{value:g} is too large for the network's {dtype} arithmetic"
    remedy = "give it in the units of the training data"
    if np.isnan(value):
        problem, remedy = "is missing, and no value was in training", "fill it in"
    column = table.reference(j) if table.selection else None
    raise DataError(
        table.row(part.start + row), f"{table.column(j)}: {problem}", remedy, column=column
    )


def expander(
    encoding: Encoding, table: Table
) -> Callable[[NDArray[np.generic]], NDArray[np.float64]] | None:
    """Return what fills in missing values, makes categories one-hot, takes dates apart, and embeds.

    None if there is nothing of the kind.

    It takes some rows of the table's values, (m, d), and returns (m, n_1) before standardising.

    Raises:
        DataError: naming the place, if a category was not seen in training.
    """
    columns = encoding.input_columns
    if not any(c.categories or c.parts or c.filling or c.bins for c in columns):
        return None
    # `unit` multiplies in the arithmetic, where it meets these, too.
    hot = 1 / SCALES[encoding.scale]
    recoded = {
        j: _recode(encoding, table, j) for j, column in enumerate(columns) if column.categories
    }
    # Scaled, an unknown category is 0: before that, what is subtracted.
    nothing = encoding.means or (0.0,) * encoding.features

    def expand(values: NDArray[np.generic]) -> NDArray[np.float64]:
        numbers = np.zeros((len(values), encoding.features))
        start = 0
        for j, column in enumerate(columns):
            # A NaN may be a signalling one.
            with np.errstate(invalid="ignore"):
                given = values[:, j].astype(np.float64)
            missing = np.isnan(given)
            part = slice(start, start + column.width)
            into = numbers[:, part]
            start += column.width
            if column.categories:
                present = np.flatnonzero(~missing)
                codes = recoded[j][given[present].astype(np.intp)]
                known = codes >= 0
                one_hot = np.zeros((len(values), 2)) if column.signed else into
                one_hot[present[known], codes[known]] = hot
                one_hot[present[~known]] = nothing[part]
                one_hot[missing] = np.multiply(column.filling or 0, hot)
                if column.signed:
                    into[:, 0] = one_hot[:, 1] - one_hot[:, 0]
            elif column.parts:
                into[~missing] = date_features(given[~missing], column.parts)
                into[missing] = column.filling or np.nan
            else:
                given[missing] = column.filling[0] if column.filling else np.nan
                into[:] = embed(given, column.bins) * hot if column.bins else given[:, np.newaxis]
        return numbers

    return expand


def embed(values: NDArray[np.float64], bins: Sequence[float]) -> NDArray[np.float64]:
    """Return the piecewise-linear embedding of numbers, (m, T), as `data.bins` has it.

    Args:
        values: (m,) numbers.
        bins: T + 1 ends of bins, increasing.
    """
    low, high = np.array(bins[:-1]), np.array(bins[1:])
    # What is too large for these is so for the network, and is refused there.
    with np.errstate(over="ignore", invalid="ignore"):
        embedded: NDArray[np.float64] = (values[:, np.newaxis] - low) / (high - low)
    np.maximum(embedded[:, 1:], 0, out=embedded[:, 1:])
    np.minimum(embedded[:, :-1], 1, out=embedded[:, :-1])
    return embedded


def category_codes(encoding: Encoding, table: Table, j: int) -> NDArray[np.intp]:
    """Return which category each text code of a column is, -1 for none seen in training."""
    categories = encoding.input_columns[j].categories
    positions = {text: i for i, text in enumerate(categories)}
    return np.array([positions.get(text, -1) for text in table.texts[j]], np.intp)


def _recode(encoding: Encoding, table: Table, j: int) -> NDArray[np.intp]:
    """Return which category each text code of a column is; refuse unknown ones unless ignored."""
    codes, categories = category_codes(encoding, table, j), encoding.input_columns[j].categories
    if encoding.unknown == "error":
        rows = np.flatnonzero(np.isin(table.values[:, j], np.flatnonzero(codes < 0)))
        if len(rows):
            text = table.texts[j][int(table.values[rows[0], j])]
            more = f", nor are {len(rows) - 1} or more after it" if len(rows) > 1 else ""
            raise DataError(
                table.row(int(rows[0])),
                f"{table.column(j)}: {text!r} is no category seen in training{more}",
                f"the categories are {join_names(categories)}; mlp predict or evaluate --unknown "
                "ignore, or unknown: ignore under data, takes others for none",
            )
    return codes
