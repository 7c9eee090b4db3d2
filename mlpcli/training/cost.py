"""What training costs: memory and time, computed or measured on a part of the examples."""

import os
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mlpcli.config.schema import Experiment
from mlpcli.data.audit import Fact, Finding
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.errors import MlpError
from mlpcli.model import count_parameters, new_network
from mlpcli.training.sanity import draw_examples, train_part
from mlpcli.training.step import optimizer_of

# Arithmetic for a trial epoch, in multiplications: about a second, where mini-batches allow it.
EPOCH_WORK = 2e9
# And for all of them. The fastest is what an undisturbed one takes; how many are tried depends on
# no clock, so that every machine sees the same divergence.
TRIAL_WORK = 2e10
FEWEST_EPOCHS, MOST_EPOCHS = 2, 10


def least_memory(experiment: Experiment, n: int) -> int:
    """Return how many bytes training on n examples takes at least, beside the examples."""
    # Parameters and their gradient, and what to return to should an epoch diverge.
    vectors = 3 + 2 * optimizer_of(experiment).slots + bool(experiment.validation)
    vectors += 4 * experiment.is_parametrized + 3 * bool(experiment.ema)
    rows = min(experiment.bt_size, n) * (experiment.members or 1)
    values = vectors * count_parameters(experiment) + 3 * rows * sum(experiment.structure)
    return values * np.dtype(experiment.dtype).itemsize


# A product of (64, 60) and (60, 64) is too small to be divided among threads.
SMALL_PRODUCT = (64, 60, 64)


def one_thread_seconds(experiment: Experiment) -> float:
    """Estimate how long the products of a step take with one thread, rather too long than short.

    By the time of a product that is never divided among threads, and less efficient than large
    ones; the fastest of a few, since other processes may interrupt one.
    """
    m, k, n = SMALL_PRODUCT
    a, b = np.ones((m, k), experiment.dtype), np.ones((k, n), experiment.dtype)
    out, seconds = np.empty((m, n), experiment.dtype), []
    for _ in range(20):
        begun = time.perf_counter()
        a.dot(b, out)
        seconds.append(time.perf_counter() - begun)
    # Forward, gradient of the weights, and gradient of the layer below.
    work = 3 * experiment.bt_size * _multiplications(experiment)
    return min(seconds) * work / (m * k * n)


def _multiplications(experiment: Experiment) -> int:
    """Return how many the forward pass of one example takes: one for each parameter of a member."""
    return (experiment.members or 1) * count_parameters(replace(experiment, members=None))


def too_large(experiment: Experiment, n: int) -> Finding | None:
    """Find a network that does not fit into memory, without making it."""
    least, memory = least_memory(experiment, n), _physical_memory()
    if memory is None or least < memory:
        return None
    return Finding(
        "memory",
        f"training needs more than {size_text(least)}, but this machine has {size_text(memory)}",
        "write a smaller structure or bt_size",
    )


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def estimate_cost(experiment: Experiment, dataset: Dataset) -> Iterator[Fact | Finding]:
    """Yield the memory and time of training, measured on some of the finite training examples."""
    n, bt_size = len(dataset.train.labels), experiment.bt_size
    work = 6 * _multiplications(experiment)
    rows = min(n, 2 * bt_size + min(int(EPOCH_WORK / work), 8192))
    epochs = max(FEWEST_EPOCHS, min(MOST_EPOCHS, int(TRIAL_WORK / (work * rows))))
    part = draw_examples(dataset.train, rows, experiment.seed)
    trial = replace(experiment, epochs=epochs)
    try:
        peak, pace = _measure(trial, dataset, part)
    except MlpError as error:
        yield Finding("training", f"training fails: {error.problem}", error.remedy)
        return
    held = sum(array.nbytes for split in (dataset.train, dataset.test or ()) for array in split)
    # Each epoch draws an order of all examples.
    memory = peak + held + 8 * (n - rows)
    yield Fact("memory", memory, f"about {size_text(memory)}, of which data {size_text(held)}")
    seconds = pace * n
    total = duration(seconds * experiment.epochs)
    text = f"about {duration(seconds)} per epoch, {total} for {experiment.epochs}"
    yield Fact("seconds_per_epoch", float(f"{seconds:.3g}"), text)


def _measure(experiment: Experiment, dataset: Dataset, part: Examples) -> tuple[int, float]:
    """Return the bytes that training allocates, and the seconds it takes for an example."""
    tracemalloc.start()
    try:
        network = new_network(experiment, dataset.encoding)
        reports = train_part(experiment, network, dataset, part)
        next(reports)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return peak, min(report.seconds / report.examples for report in reports)


def size_text(n: float) -> str:
    """Return a number of bytes for a reader."""
    for unit, size, digits in (("GB", 1e9, 1), ("MB", 1e6, 0)):
        if n >= size:
            return f"{n / size:.{digits}f} {unit}"
    return f"{n / 1e3:.0f} kB"


def duration(seconds: float) -> str:
    """Return a time for a reader."""
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
