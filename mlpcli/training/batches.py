"""Shuffled mini-batches, gathered into buffers that are reused from step to step."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config import compat
from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset
from mlpcli.nn.network import Network, input_buffer
from mlpcli.rng import Part
from mlpcli.training.engine import NUMPY, Engine, Gather
from mlpcli.training.shares import Share

Features = NDArray[np.generic]
Augment = Callable[[Features, int, Part | None], None]
"""Changes gathered features in place: told the first step that will see them, and which of the
mini-batches' examples they are."""

# Mini-batches are gathered together up to this size: tiny ones are then mere slices of a buffer,
# and large ones still fit a core's cache between being gathered and being used.
CHUNK_BYTES = 1 << 18


class BatchSizes(NamedTuple):
    """How an epoch of n examples is cut into mini-batches, and what sums are divided by."""

    sizes: Sequence[int]
    """Examples in each mini-batch, in order; they add up to n."""
    divisors: Sequence[int]
    """What the gradient of each mini-batch is divided by."""
    error_divisor: int
    """What the epoch's sum of errors is divided by."""


def batch_sizes(n: int, bt_size: int) -> BatchSizes:
    """Cut n examples into mini-batches of `bt_size`, the last being what remains.

    Gradients are divided by |B|, the mini-batch's real size, and the error by n, so that both are
    means.
    """
    sizes = [min(bt_size, n - start) for start in range(0, n, bt_size)]
    return BatchSizes(sizes, sizes, n)


def mini_batches(
    experiment: Experiment, network: Network, dataset: Dataset, engine: Engine = NUMPY
) -> "MiniBatches":
    """Return what cuts a dataset's training examples into an experiment's mini-batches."""
    rows, m = dataset.train_rows, experiment.bt_size
    n = len(dataset.train.labels if rows is None else rows)
    sizes = BatchSizes(*compat.batch_sizes(n, m)) if experiment.compat else batch_sizes(n, m)
    x = input_buffer(network, buffer_rows(sizes, network.dtype.itemsize * network.structure[0]))
    targets, weights = _targets(experiment, dataset), example_weights(experiment, dataset)
    features, labels = dataset.train
    if labels.ndim == 2:
        labels = np.arange(len(labels))
    gather = engine.gather(features)
    first = dataset.part.rows.start if dataset.part else 0
    return MiniBatches(features, labels, sizes, x, targets, weights, gather, first)


def _targets(experiment: Experiment, dataset: Dataset) -> NDArray[np.generic]:
    """Return the target outputs of each class, (n_L, n_L): (1 - s) y + s / n_L (Szegedy, 2016).

    Quantities, and several labels, are targets of their own for each example, (n, n_L).
    """
    if dataset.train.labels.ndim == 2:
        return dataset.train.labels
    classes, s = experiment.structure[-1], experiment.label_smoothing
    return (1 - s) * np.eye(classes) + s / classes


def _class_weights(experiment: Experiment, dataset: Dataset) -> NDArray[np.float64] | None:
    """Return the weight of every class, (n_L,); balanced is n / (n_L · examples of the class)."""
    names, given = dataset.encoding.class_names, experiment.class_weight
    if given is None:
        return None
    if isinstance(given, dict):
        return np.array([given.get(name, 1.0) for name in names])
    labels, rows = dataset.train.labels, dataset.train_rows
    weights = dataset.weights
    if rows is not None:
        labels, weights = labels[rows], None if weights is None else weights[rows]
    counts = np.bincount(labels, weights, minlength=len(names))
    whole = counts.sum()
    # Of a class whose examples all weigh nothing, any weight will do.
    counts[counts == 0] = 1
    balanced: NDArray[np.float64] = whole / (len(names) * counts)
    return balanced


def example_weights(experiment: Experiment, dataset: Dataset) -> NDArray[np.float64] | None:
    """Return the weight of every example, (n,); None where all are 1.

    It is that of its class times its own, which are on average 1 over the examples that are trained
    on: so each counts as if it stood there as often.
    """
    of_classes, own, rows = _class_weights(experiment, dataset), dataset.weights, dataset.train_rows
    if own is not None:
        own = own / (own if rows is None else own[rows]).mean()
    if of_classes is None:
        return own
    weights: NDArray[np.float64] = of_classes[dataset.train.labels]
    return weights if own is None else weights * own


class MiniBatch(NamedTuple):
    """Views of the buffers that hold one mini-batch of m examples."""

    x: NDArray[np.floating]
    """(m, n_1 + 1) inputs, and the last column as it was given."""
    y: NDArray[np.floating]
    """(m, n_L) labels, as rows of `targets`."""
    divisor: int
    weight: NDArray[np.floating] | None
    """(m, 1) weights of the examples, where they have any."""


class MiniBatches:
    """Cuts epochs of a training set into mini-batches.

    Args:
        features: (n, n_1), of any real type; never copied as a whole.
        labels: (n,) classes, or other rows of `targets`.
        batch_sizes: sizes and divisors of the mini-batches.
        x: room for inputs as floats, (`buffer_rows(...)`, n_1 + 1); the last column is left alone.
        targets: what the outputs should be for each class, (n_L, n_L): one-hot rows, or smoothed;
            or for each example, (n, n_L).
        weights: (n,) weights of the examples, or None.
        gather: writes examples into `x` in one pass, if anything does.
        first: which example `features` begins with, where it is a part of all.
    """

    def __init__(
        self,
        features: Features,
        labels: NDArray[np.integer],
        batch_sizes: BatchSizes,
        x: NDArray[np.floating],
        targets: NDArray[np.generic],
        weights: NDArray[np.floating] | None = None,
        gather: Gather | None = None,
        first: int = 0,
    ) -> None:
        # Without its class, which a mapped file has.
        self.features = np.asarray(features)
        self.gather = gather
        self.first = first
        self.labels = labels
        self.batch_sizes = batch_sizes
        self.targets = targets.astype(x.dtype)
        self.raw = np.empty((len(x), features.shape[1]), features.dtype)
        self.x = x
        self.y = np.empty((len(x), targets.shape[1]), x.dtype)
        self.weights = self.weight = None
        if weights is not None:
            # What float32 cannot hold becomes infinite, and training says that it diverged.
            with np.errstate(over="ignore"):
                self.weights = weights.astype(x.dtype)[:, np.newaxis]
            self.weight = np.empty((len(x), 1), x.dtype)
        # Chunks of the same sizes share their views, however many there are.
        self._cached_views = functools.cache(self._views)
        self.groups = list(_group(batch_sizes.sizes, len(x)))
        self.chunks = self._chunks(batch_sizes.sizes)

    def _chunks(self, sizes: Sequence[int]) -> list[tuple[int, list["MiniBatch"]]]:
        """Return views for the mini-batches that are gathered together, in given sizes."""
        divisors = self.batch_sizes.divisors
        return [
            self._cached_views(tuple((sizes[i], divisors[i]) for i in batches))
            for batches in self.groups
        ]

    def _views(
        self, sizes_and_divisors: tuple[tuple[int, int], ...]
    ) -> tuple[int, list[MiniBatch]]:
        """Return the number of rows of some successive mini-batches, and views that hold them."""
        views, start = [], 0
        for size, divisor in sizes_and_divisors:
            rows = slice(start, start + size)
            weight = None if self.weight is None else self.weight[rows]
            views.append(MiniBatch(self.x[rows], self.y[rows], divisor, weight))
            start += size
        return start, views

    def epoch(
        self,
        order: NDArray[np.integer],
        augment: Augment | None = None,
        first: int = 0,
        share: Share | None = None,
    ) -> Iterator[MiniBatch]:
        """Yield the mini-batches of one epoch, each valid until the next is asked for.

        Args:
            order: (n,) the examples to see, by their row.
            augment: changes gathered features in place.
            first: the step to begin with, where an interrupted epoch goes on.
            share: what is gathered of the mini-batches; all by default.
        """
        for _, batches in self.epoch_chunks(order, augment, first, share):
            yield from batches

    def epoch_chunks(
        self,
        order: NDArray[np.integer],
        augment: Augment | None = None,
        first: int = 0,
        share: Share | None = None,
    ) -> Iterator[tuple[int, list[MiniBatch]]]:
        """Yield the mini-batches of one epoch, those that are gathered together at a time.

        They lie one after the other in the buffers; the number is the row in these where they
        begin. Arguments as for `epoch`.
        """
        start = step = 0
        if share is not None:
            order = order[share.positions]
        for rows, views in self.chunks if share is None else self._chunks(share.sizes):
            if step + len(views) > first:
                part = None if share is None else share.part(step, step + len(views))
                self._gather(order[start : start + rows], augment, step, part)
                done = max(first - step, 0)
                yield sum(len(view.x) for view in views[:done]), views[done:]
            start += rows
            step += len(views)

    def held(self, chosen: NDArray[Any]) -> NDArray[Any]:
        """Return which rows of `features` hold the chosen examples."""
        return chosen - self.first if self.first else chosen

    def _gather(
        self,
        chosen: NDArray[np.integer],
        augment: Augment | None,
        step: int,
        part: Part | None,
    ) -> None:
        """Fill the buffers with the chosen examples."""
        rows, held = len(chosen), self.held(chosen)
        if self.gather and augment is None:
            self.gather(self.features, held, self.x)
        else:
            # mode="clip" spares the copy that mode="raise" makes of `out`; indices are in range.
            raw = self.features.take(held, axis=0, out=self.raw[:rows], mode="clip")
            if augment is not None and rows:
                augment(raw, step, part)
            self.x[:rows, :-1] = raw
        labels = self.labels[chosen]
        self.targets.take(labels, axis=0, out=self.y[:rows], mode="clip")
        if self.weights is not None and self.weight is not None:
            self.weights.take(chosen, axis=0, out=self.weight[:rows], mode="clip")


def buffer_rows(batch_sizes: BatchSizes, row_bytes: int) -> int:
    """Return how many rows a buffer should hold: whole mini-batches up to `CHUNK_BYTES`, or one."""
    largest = max(batch_sizes.sizes)
    return max(largest, min(sum(batch_sizes.sizes), CHUNK_BYTES // row_bytes))


def _group(sizes: Sequence[int], rows: int) -> Iterator[range]:
    """Group successive mini-batches so that no group has more than `rows` examples."""
    first, total = 0, 0
    for i, size in enumerate(sizes):
        if total + size > rows:
            yield range(first, i)
            first, total = i, 0
        total += size
    yield range(first, len(sizes))
