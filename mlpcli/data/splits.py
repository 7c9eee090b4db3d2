"""Splitting examples into two parts that look alike."""

import numpy as np
from numpy.typing import NDArray


def stratified(
    labels: NDArray[np.integer], fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose a part of the examples that has every class in the proportion of the whole.

    Args:
        labels: (n,) classes.
        fraction: of each class, rounded; at least one example of each remains outside the part.
        rng: what to draw from.

    Returns:
        Indices of the examples that remain, and of those in the part, each in ascending order.
    """
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        of_class = rng.permutation(np.flatnonzero(labels == label))
        chosen[of_class[: min(round(fraction * len(of_class)), len(of_class) - 1)]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)
