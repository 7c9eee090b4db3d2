"""Piecewise-linear embeddings: a number becomes one feature for each of a column's bins.

Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular Deep Learning,
NeurIPS 2022, section 3.2: with bins b_0 < ... < b_T, which are quantiles of the training examples,
e_t(x) = (x - b_{t-1}) / (b_t - b_{t-1}), but 0 below a bin that is not the first, and 1 above one
that is not the last. A network can then bend at each b_t what it makes of a number.
"""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encoding import INPUT_ROLES, Encoding
from mlpcli.data.fit import given_values
from mlpcli.data.readers.table import Table
from mlpcli.errors import DataError

# The most bins of a column. Equal quantiles are one.
BINS = 16


def check_embeddable(encoding: Encoding, table: Table) -> None:
    """Refuse to embed what has no columns.

    Raises:
        DataError: if examples are images.
    """
    if encoding.image_shape:
        problem = "holds images, whose pixels are no columns"
        raise DataError(table.where, problem, "remove embeddings", "embeddings")


def fit_bins(encoding: Encoding, table: Table, rows: NDArray[np.integer] | None = None) -> Encoding:
    """Add to an encoding the bins of its columns of numbers; of a constant there are none.

    Args:
        encoding: what `fit_encoding` or `fit_filling` returned, with columns.
        table: training examples.
        rows: those to learn from; None for all.

    Raises:
        DataError: if a column has no values there.
    """
    quantiles = np.linspace(0, 1, BINS + 1)
    fitted, j = [], 0
    for column in encoding.columns:
        if column.role == "number":
            values = given_values(table, j, rows).astype(np.float64)
            # Numbers that are there, so that of a few different ones each is an end.
            ends = np.quantile(values, quantiles, method="inverted_cdf")
            bins = np.unique(ends).tolist()
            fitted.append(column._replace(bins=tuple(bins) if len(bins) > 1 else ()))
        else:
            fitted.append(column)
        j += column.role in INPUT_ROLES
    features = sum(column.width for column in fitted)
    return encoding._replace(features=features, columns=tuple(fitted))
