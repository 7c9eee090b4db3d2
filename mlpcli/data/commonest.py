"""What most training examples are: what a model must be better than."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encoding import Encoding


def fit_commonest(
    encoding: Encoding,
    targets: NDArray[Any],
    rows: NDArray[np.integer] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Encoding:
    """Add to an encoding which class, or combination of labels, most training examples have.

    Args:
        encoding: of any task; a regression's mean is known otherwise.
        targets: (n,) classes, or (n, n_L) labels.
        rows: the examples to learn from; None for all.
        weights: (n,) what each example counts; None for 1.
    """
    if encoding.task == "regression":
        return encoding
    if rows is not None:
        targets, weights = targets[rows], None if weights is None else weights[rows]
    return encoding._replace(commonest=commonest(targets, weights))


def commonest(targets: NDArray[Any], weights: NDArray[np.float64] | None = None) -> tuple[int, ...]:
    """Return the class or labels that most examples have, the first of those that tie."""
    found, which = np.unique(targets, axis=0, return_inverse=True)
    counts = np.bincount(which.reshape(-1), weights)
    return tuple(np.atleast_1d(found[counts.argmax()]).tolist())
