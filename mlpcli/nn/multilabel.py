"""How good yes-or-no labels are, of which an example may have any number."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn import metrics


class LabelEvaluation(NamedTuple):
    """How a network did on examples with several labels."""

    confusion: metrics.Counts
    """(k, 2, 2) counts: of label l, entry [l, i, j] are examples that have i and are given j."""
    correct: float
    """Number of examples all of whose labels are right, by weight."""
    error: float
    """Mean of E over the examples, weighted if they have weights."""

    @property
    def examples(self) -> float:
        """Number of examples, by weight."""
        return metrics.number(self.confusion[0].sum())

    @property
    def accuracy(self) -> float:
        """Share of the examples all of whose labels are right (subset accuracy)."""
        return self.correct / self.examples

    def per_label(self, metric: str) -> NDArray[np.float64]:
        """Return precision, recall or f1 of each label, (k,), NaN where nothing is to divide by."""
        return np.array([getattr(metrics, metric)(counts)[1] for counts in self.confusion])

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the labels, 0 for one that is neither had nor given, as scikit-learn's."""
        return float(np.nan_to_num(self.per_label("f1")).mean())

    @property
    def micro_f1(self) -> float:
        """F1 of all labels of all examples as one; 0 where there are none."""
        return float(np.nan_to_num(metrics.f1(self.confusion.sum(axis=0))[1]))

    def summary(self) -> dict[str, Any]:
        """Return accuracy and counts."""
        return {"accuracy": self.accuracy, "correct": self.correct, "examples": self.examples}

    def row(self) -> dict[str, float]:
        """Return what the history says of it."""
        return {"error": self.error, "accuracy": self.accuracy}


def compare_labels(
    labels: NDArray[np.integer],
    given: NDArray[np.bool],
    error: float,
    weights: metrics.Weights = None,
) -> LabelEvaluation:
    """Compare the labels of examples, (n, k), with those that a network gives them, (n, k)."""
    counts = [
        metrics.confusion(had, got.astype(np.int64), 2, weights)
        for had, got in zip(labels.T, given.T, strict=True)
    ]
    right = (labels == given).all(axis=1)
    correct = right.sum() if weights is None else weights[right].sum()
    return LabelEvaluation(np.array(counts), metrics.number(correct), error)
