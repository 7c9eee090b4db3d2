"""Splitting examples into two parts that look alike."""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dataset import Dataset, Examples, Preparation
from mlpcli.rng import KeyedStreams


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


def training_rows(labels: NDArray[np.integer], preparation: Preparation) -> NDArray[np.intp] | None:
    """Choose the training examples that remain when those for validation are set aside.

    Args:
        labels: (n,) the classes of all training examples.
        preparation: what fraction to set aside, and the seed that chooses.

    Returns:
        Their rows, in ascending order; None if none are to be set aside.
    """
    if not preparation.validation:
        return None
    rng = KeyedStreams(preparation.seed).generator("validation")
    return stratified(labels, preparation.validation, rng)[0]


def set_aside(dataset: Dataset, rows: NDArray[np.intp] | None) -> Dataset:
    """Learn from some rows of the training examples, and validate on the others."""
    if rows is None:
        return dataset
    held_out = np.ones(len(dataset.train.labels), bool)
    held_out[rows] = False
    features, labels = dataset.train
    validation = Examples(features[held_out], labels[held_out])
    return dataset._replace(train_rows=rows, validation=validation)
