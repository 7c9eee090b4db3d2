"""How good predicted quantities are: what follows from the differences to the true ones.

Every metric takes the true and the predicted quantities, (n, k) each, and what each example counts,
(n,), None for 1; it returns one number for each of the k, as scikit-learn's do.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Weights = Numbers | None


def rmse(truth: Numbers, predicted: Numbers, weights: Weights = None) -> Numbers:
    """Return the roots of the mean squared differences, (k,)."""
    return np.asarray(np.sqrt(np.average(np.square(truth - predicted), axis=0, weights=weights)))


def mae(truth: Numbers, predicted: Numbers, weights: Weights = None) -> Numbers:
    """Return the means of the absolute differences, (k,)."""
    return np.asarray(np.average(np.abs(truth - predicted), axis=0, weights=weights))


def median_absolute_error(truth: Numbers, predicted: Numbers, weights: Weights = None) -> Numbers:
    """Return the medians of the absolute differences, (k,)."""
    differences = np.abs(truth - predicted)
    if weights is None:
        return np.asarray(np.median(differences, axis=0))
    order = np.argsort(differences, axis=0)
    ordered, below = np.take_along_axis(differences, order, 0), np.cumsum(weights[order], axis=0)
    middle = weights.sum() / 2
    # The last below the middle, and the first above: of an even number of copies they differ.
    both = [np.argmax(below >= middle, axis=0), np.argmax(below > middle, axis=0)]
    return np.asarray(np.take_along_axis(ordered, np.array(both), 0).mean(axis=0))


def r2(truth: Numbers, predicted: Numbers, weights: Weights = None) -> Numbers:
    """Return 1 - sum of squared differences / that of the differences to the true mean, (k,).

    It is 1 for right predictions, 0 for those no better than the mean, and NaN where all true
    quantities are equal.
    """
    mean = np.average(truth, axis=0, weights=weights)
    left = np.average(np.square(truth - predicted), axis=0, weights=weights)
    total = np.average(np.square(truth - mean), axis=0, weights=weights)
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
    weights: Weights = None
    """(n,) how much each example counts; None where all count the same."""

    @property
    def examples(self) -> float:
        """Number of examples, by weight."""
        return len(self.truth) if self.weights is None else float(self.weights.sum())

    def metrics(self) -> dict[str, Numbers]:
        """Return every metric by its name, one number for each quantity."""
        given = (self.truth, self.predicted, self.weights)
        return {name: metric(*given) for name, metric in METRICS.items()}

    def summary(self) -> dict[str, Any]:
        """Return the means of the metrics over the quantities, None for NaN, and the count."""
        return {**means(self.metrics()), "examples": self.examples}

    def row(self) -> dict[str, float]:
        """Return what the history says of it."""
        found = rmse(self.truth, self.predicted, self.weights).mean()
        return {"error": self.error, "rmse": float(found)}


def means(found: dict[str, Numbers]) -> dict[str, float | None]:
    """Return the mean of each metric over the quantities; None where one has no value."""
    averages = {name: float(values.mean()) for name, values in found.items()}
    return {name: None if np.isnan(value) else value for name, value in averages.items()}
