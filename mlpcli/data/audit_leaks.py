"""What tells more of the target than it should, or tells classes apart that are one."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import Experiment
from mlpcli.data.audit import Finding, feature_name
from mlpcli.data.dataset import Dataset
from mlpcli.data.encoding import TARGETS_CALLED, Encoding
from mlpcli.errors import join_names

# With fewer examples, or fewer of each category, chance does the same.
MANY_EXAMPLES, EXAMPLES_EACH = 20, 10
# A quantity is determined by a column from this correlation on.
CORRELATION = 1 - 1e-9
# Rows are nearly equal if no feature differs by more of its standard deviations; chance makes
# such rows where fewer features have different values in most rows.
NEAR, VARIED_FEATURES = 1e-3, 3
# So many training rows are compared with a test row, on either side of it along a line.
NEIGHBOURS = 8
# Of more values, no copies are made.
MOST_VALUES = 1 << 26


def inspect_leaks(experiment: Experiment, dataset: Dataset) -> Iterator[Finding]:
    """Yield what gives the target of a user's own data away, in n log n of the examples."""
    if not experiment.data.files:
        return
    encoding = dataset.encoding
    if encoding.task != "regression":
        yield from similar_names(encoding.class_names, TARGETS_CALLED[encoding.task])
    if encoding.image_shape is None:
        yield from columns_that_tell(dataset)
        yield from near_duplicates(dataset)


def similar_names(names: tuple[str, ...], called: str) -> Iterator[Finding]:
    """Find classes, or labels, whose names differ in case or spaces only."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(" ".join(name.casefold().split()), []).append(repr(name))
    same = [" and ".join(group) for group in groups.values() if len(group) > 1]
    if same:
        yield Finding(
            f"similar-{called}",
            f"{called} differ in case or spaces only: {join_names(same, 5)}",
            "write them alike, if they are one",
        )


def columns_that_tell(dataset: Dataset) -> Iterator[Finding]:
    """Find columns each of which tells the target of all training examples."""
    encoding, (features, targets) = dataset.encoding, dataset.train[:2]
    if len(targets) < MANY_EXAMPLES or encoding.task == "multilabel":
        return
    for first, width, is_category in _columns(encoding):
        part = np.asarray(features[:, first : first + width], np.float64)
        if encoding.task == "regression":
            tells = width == 1 and _is_linear(part[:, 0], targets)
            how = "is the target, or a multiple of it"
        elif width > 1 or is_category:
            codes = part.argmax(axis=1) if width > 1 else (part[:, 0] > 0).astype(np.intp)
            tells = is_category and _is_function(codes, targets)
            how = "tells the class: each of its categories has examples of one class only"
        else:
            tells, how = _tells_class(part[:, 0], targets)
        if tells:
            name = feature_name(encoding, first).partition("=")[0]
            yield Finding(
                "gives-away",
                f"{name} alone {how}, in all {len(targets)} training examples",
                "list it under ignore if it numbers the rows, or is known only with the target",
            )


def _columns(encoding: Encoding) -> Iterator[tuple[int, int, bool]]:
    """Yield where the features of each column begin, how many they are, and if of a category."""
    if not encoding.columns:
        yield from ((i, 1, False) for i in range(encoding.features))
    first = 0
    for column in encoding.input_columns:
        yield first, column.width, bool(column.categories)
        first += column.width


def _is_linear(values: NDArray[np.float64], targets: NDArray[np.float64]) -> bool:
    """Return whether one of the quantities, (n, k), is a multiple of the values and a constant."""
    centered = values - values.mean()
    others = targets - targets.mean(axis=0)
    scale = np.sqrt(np.square(centered).sum() * np.square(others).sum(axis=0))
    return bool((np.abs(centered @ others) >= CORRELATION * np.where(scale > 0, scale, 1)).any())


def _is_function(categories: NDArray[np.intp], classes: NDArray[np.integer]) -> bool:
    """Return whether each of not too many categories has examples of one class alone."""
    counts = np.bincount(categories)
    class_of = np.zeros(len(counts), classes.dtype)
    class_of[categories] = classes
    alone, several = class_of[categories] == classes, classes != classes[0]
    many = len(classes) >= EXAMPLES_EACH * np.count_nonzero(counts)
    return bool(many and alone.all() and several.any())


def _tells_class(values: NDArray[np.float64], classes: NDArray[np.integer]) -> tuple[bool, str]:
    """Return whether a number is known only with the class, and how it tells it.

    A measurement may well have a range of values for each class. But a value for each class, or
    many that each come with one class though classes alternate, are names of it, and numbers
    that count up without a gap number rows.
    """
    different, codes = np.unique(values, return_inverse=True)
    separates = _separates(values, classes)
    if len(different) == len(values):
        return separates and _counts(different), "numbers rows that are sorted by class"
    names = len(different) == len(np.unique(classes)) or not separates
    how = f"tells the class: each of its {len(different)} values has examples of one class only"
    return names and _is_function(codes.reshape(-1), classes), how


def _separates(values: NDArray[np.float64], classes: NDArray[np.integer]) -> bool:
    """Return whether each class stands together where examples are sorted by the values."""
    order = np.argsort(values, kind="stable")
    ordered, sorted_classes = values[order], classes[order]
    changes = sorted_classes[1:] != sorted_classes[:-1]
    ties = changes & (ordered[1:] == ordered[:-1])
    present, counts = np.unique(classes, return_counts=True)
    return bool(
        len(present) > 1
        and counts.min() > 1
        and changes.sum() == len(present) - 1
        and not ties.any()
    )


def _counts(ascending: NDArray[np.float64]) -> bool:
    """Return whether different numbers are whole ones, scaled, with hardly more gaps than numbers.

    Some rows may have been set aside.
    """
    steps = np.diff(ascending)
    gaps = steps / steps.min()
    return bool((np.abs(gaps - np.rint(gaps)) < 0.05).all() and gaps.sum() < 2 * len(ascending))


def near_duplicates(dataset: Dataset) -> Iterator[Finding]:
    """Find test examples that are training examples, too, but for a little noise or rounding."""
    if dataset.test is None or dataset.train.features.size > MOST_VALUES:
        return
    train = np.asarray(dataset.train.features, np.float64)
    varied = [len(np.unique(column)) > len(train) / 2 for column in train.T]
    stds = train.std(axis=0)
    if sum(varied) < VARIED_FEATURES or not np.isfinite(stds).all():
        return
    stds[stds == 0] = 1
    test = np.asarray(dataset.test.features, np.float64) / stds
    near = np.flatnonzero(_nearest(train / stds, test))
    if len(near):
        yield Finding(
            "near-duplicates",
            f"{len(near)} of {len(test)} test examples are almost equal to training examples, the "
            f"first in row {near[0]}",
            "keep copies of an example on one side: test results are too good with them",
        )


def _nearest(train: NDArray[np.float64], test: NDArray[np.float64]) -> NDArray[np.bool]:
    """Return which test rows have a training row that is near, and not equal, (m,).

    What is near is near along any line: only the nearest along one are compared.
    """
    line = np.random.default_rng(0).normal(size=train.shape[1])
    along = train @ line
    order = np.argsort(along)
    position = np.searchsorted(along[order], test @ line)
    found, equal = np.zeros(len(test), bool), np.zeros(len(test), bool)
    for offset in range(-NEIGHBOURS, NEIGHBOURS):
        other = train[order[np.clip(position + offset, 0, len(train) - 1)]]
        difference = np.abs(other - test).max(axis=1)
        found |= difference <= NEAR
        equal |= difference == 0
    return found & ~equal
