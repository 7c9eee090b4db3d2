"""What a dataset's numbers say before anything is trained, and what may be wrong with them.

A finding is one function of what it looks at, which returns None where all is well.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import Experiment
from mlpcli.data.builtin.registry import DATASETS
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.dates import feature_names
from mlpcli.data.encoding import SCALES, Column, Encoding
from mlpcli.errors import join_names

# The largest class may have so many times the examples of the smallest.
IMBALANCE = 10
# Inputs beyond this, once scaled, saturate sigmoids and make steps too long.
LARGE_INPUT = 30
# What share of a published test split may be in its training split, too: the user cannot help it.
PUBLISHED_DUPLICATES = 0.01
# Where fewer of a file's rows are different, they are expected in both parts of a split of it.
DIFFERENT_ROWS = 0.5
ROWS_AT_A_TIME = 4096
# So many features are named in a finding.
SHOWN = 5
SCALE_MEANS = {
    "unit": "inputs are multiplied by 1/255",
    "standardize": "each feature is brought to mean 0 and standard deviation 1",
    "robust": "each feature is brought to median 0 and interquartile range 1, within -3 and 3",
    "none": "inputs stay as they are",
}


class Fact(NamedTuple):
    """Something seen, as a JSON value and as text."""

    name: str
    value: Any
    text: str


class Finding(NamedTuple):
    """Something that may be wrong, and what to do about it."""

    name: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


class SplitStatistics(NamedTuple):
    """What one pass over examples saw."""

    split: str
    examples: int
    dtype: str
    low: NDArray[np.float64]
    """Each feature's smallest finite value, (n_1,); NaN where it has none."""
    high: NDArray[np.float64]
    """Each feature's largest finite value, (n_1,)."""
    not_finite: int
    """How many values are NaN or infinite."""
    first: tuple[int, int] | None
    """Row and feature of the first of them."""
    counts: NDArray[np.int64]
    """Examples of each class, (n_L,); none where targets are no classes, (0,)."""


def summarise(split: str, examples: Examples, n_classes: int) -> SplitStatistics:
    """Look at examples once, some rows at a time."""
    width = examples.features.shape[1]
    low, high = np.full(width, np.nan), np.full(width, np.nan)
    not_finite, first = 0, None
    for start in range(0, len(examples.features), ROWS_AT_A_TIME):
        chunk = examples.features[start : start + ROWS_AT_A_TIME]
        if chunk.dtype.kind == "f" and not (finite := np.isfinite(chunk)).all():
            row, column = np.argwhere(~finite)[0]
            first = first or (start + int(row), int(column))
            not_finite += int((~finite).sum())
            chunk = np.where(finite, chunk, np.nan)
        low = np.fmin(low, np.fmin.reduce(chunk, axis=0))
        high = np.fmax(high, np.fmax.reduce(chunk, axis=0))
    counts = np.empty(0, np.int64)
    if examples.labels.ndim == 1:
        counts = np.bincount(examples.labels, minlength=n_classes)
    n, dtype = len(examples.labels), str(examples.features.dtype)
    return SplitStatistics(split, n, dtype, low, high, not_finite, first, counts)


def inspect(experiment: Experiment, dataset: Dataset) -> Iterator[Fact | Finding]:
    """Yield what there is to know about a dataset, and what may be wrong with it."""
    names = dataset.encoding.class_names
    seen = [summarise("train", dataset.train, len(names))]
    if dataset.test is not None:
        seen.append(summarise("test", dataset.test, len(names)))
    for split in seen:
        yield _split_fact(split)
    if dataset.test is None:
        yield Fact("test", None, "no test split")
    if dataset.encoding.columns:
        yield _columns_fact(dataset.encoding.columns)
    scale = dataset.encoding.scale
    yield Fact("scale", scale, f"{scale}: {SCALE_MEANS[scale]}")
    classes = dataset.encoding.task == "classification"
    if classes:
        yield _classes_fact(seen[0].counts, names)
        yield _majority_fact(seen, names)

    found: list[Finding | None] = []
    for split in seen:
        found.append(not_finite(split, dataset.encoding))
        found.append(missing_classes(split, names) if classes else None)
    found += [
        imbalance(seen[0], names) if classes else None,
        constant_features(seen[0], dataset.encoding),
        large_inputs(seen[0], experiment, dataset.encoding),
        duplicates(experiment, dataset),
    ]
    yield from (finding for finding in found if finding)


def _split_fact(seen: SplitStatistics) -> Fact:
    low, high = _bounds(seen)
    n, width = seen.examples, len(seen.low)
    value: dict[str, Any] = {
        "examples": n,
        "features": width,
        "dtype": seen.dtype,
        "low": low,
        "high": high,
    }
    if len(seen.counts):
        value["class_counts"] = seen.counts.tolist()
    span = "no finite value" if low is None else f"from {low:g} to {high:g}"
    return Fact(seen.split, value, f"{n} examples, {width} features, {seen.dtype} {span}")


def _bounds(seen: SplitStatistics) -> tuple[float | None, float | None]:
    low, high = float(np.fmin.reduce(seen.low)), float(np.fmax.reduce(seen.high))
    return (None, None) if np.isnan(low) else (low, high)


def _columns_fact(columns: Sequence[Column]) -> Fact:
    names = [column.name for column in columns]
    if not any(names):
        return Fact("columns", len(names), f"{len(names)}, without a header")
    return Fact("columns", names, f"{len(names)}, named by the header: {join_names(names, 5)}")


def _classes_fact(counts: NDArray[np.int64], names: Sequence[str]) -> Fact:
    smallest, largest = int(counts.argmin()), int(counts.argmax())
    text = (
        f"{len(names)}, from {counts[smallest]} training examples ({names[smallest]}) "
        f"to {counts[largest]} ({names[largest]})"
    )
    if counts[smallest] == counts[largest]:
        text = f"{len(names)}, {counts[smallest]} training examples of each"
    return Fact("classes", list(names), text)


def _majority_fact(seen: Sequence[SplitStatistics], names: Sequence[str]) -> Fact:
    last, best = seen[-1], int(seen[0].counts.argmax())
    accuracy = float(last.counts[best] / last.counts.sum())
    text = f"always saying {names[best]} has {last.split} accuracy {accuracy:.4f}"
    return Fact("majority", {"class": names[best], "accuracy": accuracy}, text)


def feature_name(encoding: Encoding, feature: int) -> str:
    """Return what a feature is in the user's data: a column, one of its categories, or a number."""
    first = 0
    for position, column in enumerate(encoding.columns):
        if feature < first + column.width:
            i, called = feature - first, f"column {column.name or position}"
            if column.parts:
                return f"{feature_names(column.parts)[i]} of {called}"
            which = ""
            if column.categories and not column.signed:
                which = f"={column.categories[i]}"
            elif column.bins:
                which = f" from {column.bins[i]:g} to {column.bins[i + 1]:g}"
            return f"{called}{which}"
        first += column.width
    return f"feature {feature}"


def not_finite(seen: SplitStatistics, encoding: Encoding) -> Finding | None:
    """Find NaN and infinity."""
    if seen.first is None:
        return None
    row, column = seen.first
    return Finding(
        "not-finite",
        f"{seen.not_finite} values of the {seen.split} split are NaN or infinite, the first in "
        f"row {row}, {feature_name(encoding, column)}",
        "replace them, or leave these examples out",
    )


def missing_classes(seen: SplitStatistics, names: Sequence[str]) -> Finding | None:
    """Find classes without examples."""
    absent = [name for name, n in zip(names, seen.counts, strict=True) if n == 0]
    if not absent:
        return None
    purpose = "learned" if seen.split == "train" else "evaluated"
    return Finding(
        "missing-classes",
        f"the {seen.split} split has no example of {join_names(absent, 5)}, "
        f"which cannot be {purpose}",
        "add examples, or leave the class out",
    )


def imbalance(seen: SplitStatistics, names: Sequence[str]) -> Finding | None:
    """Find classes with far fewer training examples than others."""
    counts = np.where(seen.counts > 0, seen.counts, seen.counts.max())
    smallest, largest = int(counts.argmin()), int(counts.argmax())
    ratio = counts[largest] / counts[smallest]
    if ratio < IMBALANCE:
        return None
    return Finding(
        "imbalance",
        f"class {names[largest]} has {ratio:.0f} times the training examples of class "
        f"{names[smallest]} ({counts[largest]} and {counts[smallest]})",
        "watch balanced accuracy, and add examples of the rare class",
    )


def constant_features(seen: SplitStatistics, encoding: Encoding) -> Finding | None:
    """Find features that never change; an image's margin may be blank."""
    constant = np.flatnonzero(seen.low == seen.high).tolist()
    if not constant or encoding.image_shape is not None:
        return None
    names = [feature_name(encoding, feature) for feature in constant[: SHOWN + 1]]
    counted = "" if any(column.name for column in encoding.columns) else " (counted from 0)"
    return Finding(
        "constant-features",
        f"{len(constant)} features never change: {join_names(names, SHOWN)}{counted}",
        "leave them out, or check where they come from",
    )


def large_inputs(
    seen: SplitStatistics, experiment: Experiment, encoding: Encoding
) -> Finding | None:
    """Find inputs that saturate the first layer; `compat: article` means them to."""
    low, high = _bounds(seen)
    if low is None or high is None or experiment.compat:
        return None
    reach = max(-low, high) * SCALES[encoding.scale]
    if reach < LARGE_INPUT:
        return None
    largest = int(np.nanargmax(np.maximum(-seen.low, seen.high)))
    where = f" in {feature_name(encoding, largest)}" if encoding.columns else ""
    return Finding(
        "large-inputs",
        f"inputs reach {reach:g}{where}, where a sigmoid is flat",
        "bring them to about -1..1; for bytes, write scale: unit under data",
    )


def duplicates(experiment: Experiment, dataset: Dataset) -> Finding | None:
    """Find test examples that are training examples, too.

    Where both are of one file, rows of few different values, such as categories, are not copies.
    """
    if dataset.test is None:
        return None
    common = np.result_type(dataset.train.features, dataset.test.features)
    training = set(_digests(dataset.train.features, common))
    copies = [i for i, row in enumerate(_digests(dataset.test.features, common)) if row in training]
    n, files = len(dataset.test.labels), experiment.data.files
    allowed = PUBLISHED_DUPLICATES * n if dataset.name in DATASETS else 0
    if len(copies) <= allowed:
        return None
    remedy = "remove them from one of the two: test accuracy is too high with them"
    if files is None or not isinstance(files.test, float):
        problem = f"are in the training split, too, the first in row {copies[0]}"
        return Finding("duplicates", f"{len(copies)} of {n} test examples {problem}", remedy)
    if len(training) < DIFFERENT_ROWS * len(dataset.train.labels):
        return None
    return Finding(
        "duplicates",
        f"{len(copies)} of {n} test examples are in the training split, too: {files.train} has "
        "equal rows",
        "remove the copies: test accuracy is too high with them",
    )


def _digests(features: NDArray[np.generic], dtype: np.dtype[Any]) -> Iterator[bytes]:
    for start in range(0, len(features), ROWS_AT_A_TIME):
        for row in np.ascontiguousarray(features[start : start + ROWS_AT_A_TIME], dtype):
            yield hashlib.blake2b(row.data, digest_size=16).digest()
