"""How good predictions are: counts by class, and what follows from them.

`counts` is everywhere the confusion matrix of `confusion`; examples of weight k count as k copies.
A ratio is NaN where there was nothing
to divide by, and means leave such classes out, as scikit-learn's do.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]
Weights = NDArray[np.float64] | None
Counts = NDArray[Any]
"""int64, or float64 where examples have weights."""
Ratios = NDArray[np.float64]


def confusion(labels: Labels, predicted: Labels, n_classes: int, weights: Weights = None) -> Counts:
    """Count examples by class: entry [i, j] are those of class i predicted as j.

    Args:
        labels: true classes, (n,), in 0..n_classes-1.
        predicted: predicted classes, (n,), in the same range.
        n_classes: number of classes.
        weights: (n,) what each example counts; None for 1.

    Returns:
        Counts, (n_classes, n_classes).
    """
    pairs = labels.astype(np.int64) * n_classes + predicted
    return np.bincount(pairs, weights, n_classes**2).reshape(n_classes, n_classes)


def number(count: Any) -> float:
    """Return a count as Python's int, or as its float where examples have weights."""
    found: float = count.item()
    return found


def accuracy(counts: Counts) -> float:
    """Return correct / total (the article's erratum 1) of at least one example."""
    return float(counts.trace() / counts.sum())


def support(counts: Counts) -> Counts:
    """Return how many examples each class has, (n_classes,)."""
    return np.asarray(counts.sum(axis=1))


def recall(counts: Counts) -> Ratios:
    """Return, of the examples of each class, the share predicted as it, (n_classes,)."""
    return _ratio(counts.diagonal(), counts.sum(axis=1))


def precision(counts: Counts) -> Ratios:
    """Return, of the examples predicted as each class, the share that is of it, (n_classes,)."""
    return _ratio(counts.diagonal(), counts.sum(axis=0))


def f1(counts: Counts) -> Ratios:
    """Return the harmonic mean of each class's precision and recall, (n_classes,).

    It is 2·correct / (examples + predictions): 0, not NaN, for a class that is there and is never
    predicted, or the other way round.
    """
    return _ratio(2 * counts.diagonal(), counts.sum(axis=0) + counts.sum(axis=1))


def balanced_accuracy(counts: Counts) -> float:
    """Return the mean recall of the classes that have examples."""
    return float(np.nanmean(recall(counts)))


def macro_f1(counts: Counts) -> float:
    """Return the mean F1 of the classes that have examples or predictions."""
    return float(np.nanmean(f1(counts)))


def in_top_k(labels: Labels, outputs: NDArray[np.floating], k: int) -> NDArray[np.bool]:
    """Return whether each example's class is among those with the k largest outputs, (n,).

    Of equal outputs the earlier class counts as larger, as in `argmax`.

    Args:
        labels: true classes, (n,).
        outputs: a^(L), (n, n_classes).
        k: from 1 to n_classes.
    """
    own = np.take_along_axis(outputs, labels[:, np.newaxis].astype(np.intp), axis=1)
    earlier = np.arange(outputs.shape[1]) < labels[:, np.newaxis]
    ahead = (outputs > own) | ((outputs == own) & earlier)
    return np.asarray(ahead.sum(axis=1) < k)


def _ratio(part: Counts, whole: Counts) -> Ratios:
    ratios = np.full(len(whole), np.nan)
    np.divide(part, whole, out=ratios, where=whole > 0)
    return ratios
