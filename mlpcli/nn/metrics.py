"""How good predictions are."""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer]


def confusion(labels: Labels, predicted: Labels, n_classes: int) -> NDArray[np.int64]:
    """Count examples by class: entry [i, j] are those of class i predicted as j.

    Args:
        labels: true classes, (n,), in 0..n_classes-1.
        predicted: predicted classes, (n,), in the same range.
        n_classes: number of classes.

    Returns:
        Counts, (n_classes, n_classes).
    """
    pairs = labels.astype(np.int64) * n_classes + predicted
    return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
