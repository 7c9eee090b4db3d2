"""Splitting examples into two parts that look alike."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Dataset, Examples, Fold, Preparation
from mlpcli.data.readers.table import Table
from mlpcli.rng import KeyedStreams

# Examples with quantities are divided by size into so many parts, if each is large enough.
QUANTILES = 10


class Division(NamedTuple):
    """What the training examples are for."""

    learned: NDArray[np.intp] | None
    """Rows to learn from; None for all."""
    held_out: NDArray[np.intp] | None = None
    """Rows of a fold; None without one. What is neither is for validation."""


def strata(task: str, targets: NDArray[Any], fraction: float) -> NDArray[np.integer]:
    """Return what both parts of a split shall have in the proportion of the whole, (n,).

    Args:
        task: what the targets are.
        targets: (n,) classes, or (n, k) quantities or labels.
        fraction: what is to be chosen of the examples.
    """
    if task == "regression":
        return strata_of_quantities(targets, fraction)
    return strata_of_labels(targets, fraction) if task == "multilabel" else targets


def strata_of_quantities(numbers: NDArray[np.floating], fraction: float) -> NDArray[np.intp]:
    """Return which part, from the smallest quantities to the largest, each example is in, (n,).

    Args:
        numbers: (n, k); of several quantities the mean rank counts.
        fraction: what is to be chosen of each part, of which there are at most so many that one
            example of each can be.
    """
    n = len(numbers)
    ranks = np.argsort(np.argsort(numbers, axis=0, kind="stable"), axis=0, kind="stable")
    order = np.argsort(ranks.mean(axis=1), kind="stable")
    parts = min(QUANTILES, max(1, int(n * min(fraction, 1 - fraction))))
    strata = np.empty(n, np.intp)
    strata[order] = np.arange(n) * parts // n
    return strata


def strata_of_labels(labels: NDArray[np.integer], fraction: float) -> NDArray[np.intp]:
    """Return which combination of labels each example has, (n,); rare ones are one together.

    Args:
        labels: (n, k) of 0 and 1.
        fraction: what is to be chosen; combinations that this is no example of are rare.
    """
    _, strata, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    strata = strata.reshape(-1)
    rare = counts * fraction < 1
    return np.where(rare[strata], len(counts), strata)


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


def choose(
    table: Table | None, alike: NDArray[np.integer], fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose a part of the examples: the newest, or whole groups, or as `stratified` does.

    Args:
        table: the examples; None where nothing is known but `alike`.
        alike: (n,) what both parts shall have in the proportion of the whole.
        fraction: what is to be chosen.
        rng: what to draw from.

    Returns:
        Indices of the examples that remain, and of those in the part, each in ascending order; one
        of both is empty if there are too few groups or times.
    """
    if table is not None and table.times is not None:
        return newest(table.times, fraction)
    if table is not None and table.groups is not None:
        return whole_groups(table.groups, alike, fraction, rng)
    return stratified(alike, fraction, rng)


def too_few(task: str, fraction: float, files: Files | None) -> str:
    """Return what is to be said where a split takes no example, or all.

    Args:
        task: what the targets are.
        fraction: what was to be chosen.
        files: what the examples are in, which may have groups or times; None for a dataset known by
            name.
    """
    each = " of each class" if task == "classification" else ""
    if files and files.group is not None:
        each = " of different groups"
    elif files and files.time is not None:
        each = " of different times"
    return f"too few examples{each} to set {fraction:g} of them aside"


def newest(
    times: NDArray[np.floating], fraction: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose the newest examples, those of one time all or none; results as `choose`.

    Args:
        times: (n,).
        fraction: of the examples, as nearly as times allow.
    """
    found, counts = np.unique(times, return_counts=True)
    later = len(times) - np.cumsum(counts)[:-1]
    if not len(later):
        return np.arange(len(times)), np.empty(0, np.intp)
    last = found[np.abs(later - fraction * len(times)).argmin()]
    return np.flatnonzero(times <= last), np.flatnonzero(times > last)


def whole_groups(
    groups: NDArray[np.integer],
    alike: NDArray[np.integer],
    fraction: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose groups at random whose examples are nearly a fraction of each stratum, as `choose`.

    A group is chosen if the part comes nearer to that by it.
    """
    _, groups = np.unique(groups, return_inverse=True)
    _, alike = np.unique(alike, return_inverse=True)
    counts = np.zeros((groups.max() + 1, alike.max() + 1))
    np.add.at(counts, (groups, alike), 1)
    lacking, chosen = fraction * counts.sum(axis=0), np.zeros(len(counts), bool)
    for group in rng.permutation(len(counts)):
        if np.abs(lacking - counts[group]).sum() < np.abs(lacking).sum():
            lacking, chosen[group] = lacking - counts[group], True
    return np.flatnonzero(~chosen[groups]), np.flatnonzero(chosen[groups])


def divide(targets: NDArray[Any], preparation: Preparation, table: Table | None = None) -> Division:
    """Hold a fold out, and set a fraction of what remains aside for validation.

    Args:
        targets: (n,) classes, or (n, k) quantities or labels, of all training examples.
        preparation: what fold and fraction, if any, and the seed that chooses.
        table: the examples, where they have groups or times.

    Returns:
        Their rows, in ascending order.
    """
    fold, fraction = preparation.fold, preparation.validation
    division = Division(None)
    if fold:
        rows = fold_rows(targets, preparation, table, fold)
        division = Division(rows, np.setdiff1d(np.arange(len(targets)), rows))
        targets, table = targets[rows], table and table.take(rows)
    if not fraction:
        return division
    rng = KeyedStreams(preparation.seed).generator("validation")
    kept, _ = choose(table, strata(preparation.task, targets, fraction), fraction, rng)
    return division._replace(learned=rows[kept] if fold else kept)


def fold_rows(
    targets: NDArray[Any], preparation: Preparation, table: Table | None, fold: Fold
) -> NDArray[np.intp]:
    """Choose the training examples that remain when one of so many parts that look alike is aside.

    With times, parts are ever older, and only what is older than a part remains.
    """
    rng = KeyedStreams(preparation.seed).generator("folds", fold.division)
    part, parts = fold.part, fold.parts
    alike = strata(preparation.task, targets, 1 / parts)
    ordered = table is not None and table.times is not None
    rest = np.arange(len(targets))
    # The oldest part has nothing to learn from.
    most = parts + 1 if ordered else parts
    for left in range(most, most - part - 1, -1):
        of_rest = table.take(rest) if table and left < most else table
        kept, chosen = choose(of_rest, alike[rest], 1 / left, rng)
        if left == 1:
            kept, chosen = kept[:0], np.arange(len(rest))
        out, rest = rest[chosen], rest[kept]
    return rest if ordered else np.setdiff1d(np.arange(len(targets)), out)


def set_aside(dataset: Dataset, division: Division) -> Dataset:
    """Learn from some of the training examples, and validate on others; test on a fold."""
    learned, held_out = division
    if learned is None:
        return dataset
    dataset = dataset._replace(train_rows=learned)
    used = learned
    if held_out is not None:
        test, weights = _rows_of(dataset, held_out)
        dataset = dataset._replace(test=test, test_weights=weights)
        used = np.concatenate([learned, held_out])
    aside = np.setdiff1d(np.arange(len(dataset.train.labels)), used)
    if held_out is not None and not len(aside):
        return dataset
    validation, weights = _rows_of(dataset, aside)
    return dataset._replace(validation=validation, validation_weights=weights)


def _rows_of(
    dataset: Dataset, rows: NDArray[np.intp]
) -> tuple[Examples, NDArray[np.float64] | None]:
    """Return some of the training examples, and their weights."""
    features, labels = dataset.train
    weights = None if dataset.weights is None else dataset.weights[rows]
    return Examples(features[rows], labels[rows]), weights
