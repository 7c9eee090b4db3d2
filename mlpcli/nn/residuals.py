"""How good predicted quantities are: what follows from the differences to the true ones.

Every metric takes the true and the predicted quantities, (n, k) each, and returns one number for
each of the k, as scikit-learn's do.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def rmse(truth: Numbers, predicted: Numbers) -> Numbers:
    """Return the roots of the mean squared differences, (k,)."""
    return np.asarray(np.sqrt(np.square(truth - predicted).mean(axis=0)))


def mae(truth: Numbers, predicted: Numbers) -> Numbers:
    """Return the means of the absolute differences, (k,)."""
    return np.asarray(np.abs(truth - predicted).mean(axis=0))


def median_absolute_error(truth: Numbers, predicted: Numbers) -> Numbers:
    """Return the medians of the absolute differences, (k,)."""
    return np.asarray(np.median(np.abs(truth - predicted), axis=0))


def r2(truth: Numbers, predicted: Numbers) -> Numbers:
    """Return 1 - sum of squared differences / that of the differences to the true mean, (k,).

    It is 1 for right predictions, 0 for those no better than the mean, and NaN where all true
    quantities are equal.
    """
    left = np.square(truth - predicted).sum(axis=0)
    total = np.square(truth - truth.mean(axis=0)).sum(axis=0)
    shares = np.full(len(total), np.nan)
    np.divide(left, total, out=shares, where=total > 0)
    return 1 - shares


METRICS = {"rmse": rmse, "mae": mae, "median_absolute_error": median_absolute_error, "r2": r2}


class QuantityEvaluation(NamedTuple):
    """How a network did on examples with quantities."""

    truth: Numbers
    """(n, k) in their own units."""
    predicted: Numbers
    """(n, k) in the same units."""
    error: float
    """Mean of E over the examples, of standardised quantities; weighted if they have weights."""
    weights: Numbers | None = None
    """(n,) how much each example counts; None where all count the same."""

    @property
    def examples(self) -> int:
        """Number of examples."""
        return len(self.truth)

    def metrics(self) -> dict[str, Numbers]:
        """Return every metric by its name, one number for each quantity."""
        return {name: metric(self.truth, self.predicted) for name, metric in METRICS.items()}

    def summary(self) -> dict[str, Any]:
        """Return the means of the metrics over the quantities, None for NaN, and the count."""
        return {**means(self.metrics()), "examples": self.examples}

    def row(self) -> dict[str, float]:
        """Return what the history says of it."""
        weighted = self.weighted_rmse
        found = float(rmse(self.truth, self.predicted).mean()) if weighted is None else weighted
        return {"error": self.error, "rmse": found}

    @property
    def weighted_rmse(self) -> float | None:
        """The root of the weighted mean squared difference, the mean over the quantities."""
        if self.weights is None:
            return None
        squares = np.square(self.truth - self.predicted)
        return float(np.sqrt(np.average(squares, axis=0, weights=self.weights)).mean())


def means(found: dict[str, Numbers]) -> dict[str, float | None]:
    """Return the mean of each metric over the quantities; None where one has no value."""
    averages = {name: float(values.mean()) for name, values in found.items()}
    return {name: None if np.isnan(value) else value for name, value in averages.items()}
