"""What most training examples are: what a model must be better than."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encoding import Encoding


def fit_commonest(
    encoding: Encoding, targets: NDArray[Any], rows: NDArray[np.integer] | None = None
) -> Encoding:
    """Add to an encoding which class, or combination of labels, most training examples have.

    Args:
        encoding: of any task; a regression's mean is known otherwise.
        targets: (n,) classes, or (n, n_L) labels.
        rows: the examples to learn from; None for all.
    """
    if encoding.task == "regression":
        return encoding
    seen = targets if rows is None else targets[rows]
    return encoding._replace(commonest=commonest(seen))


def commonest(targets: NDArray[Any]) -> tuple[int, ...]:
    """Return the class or labels that most examples have, the first of those that tie."""
    found, counts = np.unique(targets, axis=0, return_counts=True)
    return tuple(np.atleast_1d(found[counts.argmax()]).tolist())
