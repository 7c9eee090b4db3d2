"""How good outputs are as probabilities of classes: what scikit-learn measures, and calibration.

Everywhere `labels` are true classes, (n,), and `probabilities` (n, n_L), whose rows add up to 1.
"""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]
Numbers = NDArray[np.float64]
# Confidences are put into so many bins of one width.
BINS = 15


def as_probabilities(outputs: NDArray[np.floating]) -> Numbers:
    """Return outputs with rows that add up to 1: those of sigmoids are divided by their sum."""
    numbers = outputs.astype(np.float64)
    total = numbers.sum(axis=1, keepdims=True)
    shares = np.full_like(numbers, 1 / numbers.shape[1])
    np.divide(numbers, total, out=shares, where=total > 0)
    return shares


def log_loss(labels: Labels, probabilities: Numbers) -> float:
    """Return the mean of -log of the true class's probability, which counts as 2.2e-16 at least."""
    own = probabilities[np.arange(len(labels)), labels]
    epsilon = np.finfo(np.float64).eps
    return float(-np.log(np.clip(own, epsilon, 1 - epsilon)).mean())


def brier_score(labels: Labels, probabilities: Numbers) -> float:
    """Return the mean over examples of the squared differences to 0 and 1, summed over classes.

    It lies between 0 and 2; of two classes it is twice what is measured of one of them.
    """
    differences = probabilities.copy()
    differences[np.arange(len(labels)), labels] -= 1
    return float(np.square(differences).sum(axis=1).mean())


def calibration_error(labels: Labels, probabilities: Numbers) -> float:
    """Return the expected calibration error (Guo et al., 2017), with 15 bins.

    It is the mean difference between how sure predictions in a bin are and how often they are
    right, weighted by how many there are.
    """
    _, sure, right = reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)
    return float(np.abs(sure - right).sum() / len(labels))


def reliability(
    confidence: Numbers, right: NDArray[np.bool]
) -> tuple[NDArray[np.intp], Numbers, NDArray[np.intp]]:
    """Put predictions into 15 bins of one width by how sure they are.

    Args:
        confidence: (n,) probabilities.
        right: (n,) whether what was predicted with them is so.

    Returns:
        Of each bin the number of predictions, the sum of their probabilities, and how many were
        right, (15,) each.
    """
    bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    return (
        np.bincount(bins, minlength=BINS),
        np.bincount(bins, confidence, BINS).astype(np.float64),
        np.bincount(bins[right], minlength=BINS),
    )


def roc_auc(labels: Labels, probabilities: Numbers) -> Numbers:
    """Return, for each class against the rest, the area under its ROC curve, (n_L,).

    It is how often an example of the class has a larger output than one of another, ties counting
    half; NaN where there are none of either.
    """
    columns = enumerate(probabilities.T)
    return np.array([area_under_roc(output_ranks(column), labels == j) for j, column in columns])


def output_ranks(outputs: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the ranks of outputs, (n,), from 0 for the smallest; equal ones have one rank."""
    ranks: NDArray[np.intp] = np.unique(outputs, return_inverse=True)[1].reshape(-1)
    return ranks


def area_under_roc(ranks: NDArray[np.intp], of_class: NDArray[np.bool]) -> float:
    """Return the area under a ROC curve, as `roc_auc` does of one class.

    Args:
        ranks: (n,) of outputs, as `output_ranks` gives them, or of some of these.
        of_class: (n,) which examples are of the class.
    """
    inside = np.bincount(ranks[of_class], minlength=ranks.max() + 1)
    outside = np.bincount(ranks, minlength=len(inside)) - inside
    pairs = inside.sum() * outside.sum()
    if not pairs:
        return np.nan
    below = np.cumsum(outside) - outside / 2
    return float((inside * below).sum() / pairs)


def mean_area(areas: Numbers) -> float:
    """Return the mean of the classes' areas under ROC curves that have a value; NaN if none has."""
    known = areas[~np.isnan(areas)]
    return float(known.mean()) if len(known) else np.nan
