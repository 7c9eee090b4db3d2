"""How good outputs are as probabilities of classes: what scikit-learn measures, and calibration.

Everywhere `labels` are true classes, (n,), and `probabilities` (n, n_L), whose rows add up to 1;
`weights`, (n,), are what each example counts, None for 1.
"""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]
Numbers = NDArray[np.float64]
Weights = Numbers | None
# Confidences are put into so many bins of one width.
BINS = 15


def as_probabilities(outputs: NDArray[np.floating]) -> Numbers:
    """Return outputs with rows that add up to 1: those of sigmoids are divided by their sum."""
    numbers = outputs.astype(np.float64)
    total = numbers.sum(axis=1, keepdims=True)
    shares = np.full_like(numbers, 1 / numbers.shape[1])
    np.divide(numbers, total, out=shares, where=total > 0)
    return shares


def log_loss(labels: Labels, probabilities: Numbers, weights: Weights = None) -> float:
    """Return the mean of -log of the true class's probability, which counts as 2.2e-16 at least."""
    own = probabilities[np.arange(len(labels)), labels]
    epsilon = np.finfo(np.float64).eps
    return float(np.average(-np.log(np.clip(own, epsilon, 1 - epsilon)), weights=weights))


def brier_score(labels: Labels, probabilities: Numbers, weights: Weights = None) -> float:
    """Return the mean over examples of the squared differences to 0 and 1, summed over classes.

    It lies between 0 and 2; of two classes it is twice what is measured of one of them.
    """
    differences = probabilities.copy()
    differences[np.arange(len(labels)), labels] -= 1
    return float(np.average(np.square(differences).sum(axis=1), weights=weights))


def calibration_error(labels: Labels, probabilities: Numbers, weights: Weights = None) -> float:
    """Return the expected calibration error (Guo et al., 2017), with 15 bins.

    It is the mean difference between how sure predictions in a bin are and how often they are
    right, weighted by how many there are.
    """
    is_right = probabilities.argmax(axis=1) == labels
    counts, sure, right = reliability(probabilities.max(axis=1), is_right, weights)
    return float(np.abs(sure - right).sum() / counts.sum())


def reliability(
    confidence: Numbers, right: NDArray[np.bool], weights: Weights = None
) -> tuple[Numbers, Numbers, Numbers]:
    """Put predictions into 15 bins of one width by how sure they are.

    Args:
        confidence: (n,) probabilities.
        right: (n,) whether what was predicted with them is so.
        weights: (n,) what each counts; None for 1.

    Returns:
        Of each bin the number of predictions, the sum of their probabilities, and how many were
        right, (15,) each.
    """
    bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    each = np.ones(len(bins)) if weights is None else weights
    sums = (
        np.bincount(bins, part * each, BINS).astype(np.float64) for part in (1, confidence, right)
    )
    counts, sure, correct = sums
    return counts, sure, correct


def roc_auc(labels: Labels, probabilities: Numbers, weights: Weights = None) -> Numbers:
    """Return, for each class against the rest, the area under its ROC curve, (n_L,).

    It is how often an example of the class has a larger output than one of another, ties counting
    half; NaN where there are none of either.
    """
    ranks = enumerate(map(output_ranks, probabilities.T))
    return np.array([area_under_roc(of_one, labels == j, weights) for j, of_one in ranks])


def output_ranks(outputs: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the ranks of outputs, (n,), from 0 for the smallest; equal ones have one rank."""
    ranks: NDArray[np.intp] = np.unique(outputs, return_inverse=True)[1].reshape(-1)
    return ranks


def area_under_roc(
    ranks: NDArray[np.intp], of_class: NDArray[np.bool], weights: Weights = None
) -> float:
    """Return the area under a ROC curve, as `roc_auc` does of one class.

    Args:
        ranks: (n,) of outputs, as `output_ranks` gives them, or of some of these.
        of_class: (n,) which examples are of the class.
        weights: (n,) what each counts; None for 1.
    """
    own = weights if weights is None else weights[of_class]
    others = weights if weights is None else weights[~of_class]
    inside = np.bincount(ranks[of_class], own, ranks.max() + 1)
    outside = np.bincount(ranks[~of_class], others, len(inside))
    pairs = inside.sum() * outside.sum()
    if not pairs:
        return np.nan
    below = np.cumsum(outside) - outside / 2
    return float((inside * below).sum() / pairs)


def mean_area(areas: Numbers) -> float:
    """Return the mean of the classes' areas under ROC curves that have a value; NaN if none has."""
    known = areas[~np.isnan(areas)]
    return float(known.mean()) if len(known) else np.nan
