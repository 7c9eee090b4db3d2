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
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    sure = np.bincount(bins, confidence, BINS)
    correct = np.bincount(bins, right, BINS)
    return float(np.abs(sure - correct).sum() / len(labels))


def roc_auc(labels: Labels, probabilities: Numbers) -> Numbers:
    """Return, for each class against the rest, the area under its ROC curve, (n_L,).

    It is how often an example of the class has a larger output than one of another, ties counting
    half; NaN where there are none of either.
    """
    areas = np.full(probabilities.shape[1], np.nan)
    for j, column in enumerate(probabilities.T):
        of_class = labels == j
        inside = int(of_class.sum())
        outside = len(labels) - inside
        if inside and outside:
            _, ties, counts = np.unique(column, return_inverse=True, return_counts=True)
            # The mean rank, from 1, of equal outputs.
            ranks = (np.cumsum(counts) - (counts - 1) / 2)[ties.reshape(-1)]
            above = ranks[of_class].sum() - inside * (inside + 1) / 2
            areas[j] = above / (inside * outside)
    return areas
