"""Short trials of an experiment: is its gradient right, can it learn, what will it cost?"""

import math
import os
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import KEYS, Experiment
from mlpcli.data.audit import Fact, Finding
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.errors import MlpError
from mlpcli.model import new_network
from mlpcli.nn.backprop import Workspace, backprop
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.network import Buffers, Network, as_inputs, count_parameters, forward
from mlpcli.training.loop import train
from mlpcli.training.run import EpochReport, start_run
from mlpcli.training.step import optimizer_of

GRADIENT_EXAMPLES = 8
# Relative: far above the rounding of central differences in float64, far below a wrong formula.
GRADIENT_TOLERANCE = 1e-5
BATCH_EXAMPLES = 16
BATCH_STEPS = 2000
BATCH_SECONDS = 2.0
# Arithmetic for a trial epoch, in multiplications: about a second, where mini-batches allow it.
TRIAL_WORK = 2e9
# Of these epochs, or as many as a second has, the fastest is what an undisturbed one takes.
TRIAL_EPOCHS = 10
TRIAL_SECONDS = 1.0
# Keys that hold a network back from learning one mini-batch by heart, or need more examples.
REGULARISERS = (
    "augment",
    "class_weight",
    "compat",
    "dropout",
    "label_smoothing",
    "min_delta",
    "monitor",
    "patience",
    "schedule",
    "validation",
    "warmup",
    "weight_decay",
)


def sanity_checks(experiment: Experiment, dataset: Dataset) -> Iterator[Fact | Finding]:
    """Yield what short trials of an experiment on its finite training examples show."""
    yield Fact("parameters", p := count_parameters(experiment.structure), f"{p:,}")
    if finding := too_large(experiment, len(dataset.train.labels)):
        yield finding
        return
    for part in (_gradient, _one_batch, _cost):
        yield from part(experiment, dataset)


def too_large(experiment: Experiment, n: int) -> Finding | None:
    """Find a network that does not fit into memory, without making it."""
    least, memory = least_memory(experiment, n), _physical_memory()
    if memory is None or least < memory:
        return None
    return Finding(
        "memory",
        f"training needs more than {size_text(least)}, and this machine has {size_text(memory)}",
        "write a smaller structure or bt_size",
    )


def least_memory(experiment: Experiment, n: int) -> int:
    """Return how many bytes training on n examples takes at least, beside the examples."""
    # Parameters and their gradient, and what to return to should an epoch diverge.
    vectors = 3 + 2 * optimizer_of(experiment).slots + bool(experiment.validation)
    rows = min(experiment.bt_size, n)
    values = vectors * count_parameters(experiment.structure) + 3 * rows * sum(experiment.structure)
    return values * np.dtype(experiment.dtype).itemsize


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _gradient(experiment: Experiment, dataset: Dataset) -> Iterator[Fact | Finding]:
    worst = gradient_check(experiment, dataset)
    text = f"agrees with central differences to {worst:.1g}"
    if worst > GRADIENT_TOLERANCE:
        text = f"differs from central differences by {worst:.1g}"
        remedy = "the backward pass is wrong: report this experiment"
        yield Finding("gradient", f"the gradient {text} of its size", remedy)
    yield Fact("gradient", worst, text)


def gradient_check(experiment: Experiment, dataset: Dataset) -> float:
    """Compare the gradient that training uses with central differences, in float64.

    Every layer's weights and biases are tried alone, along a random direction, and are given sizes
    at which no activation is saturated: a flat error would agree with any small gradient.

    Returns:
        The largest difference, as a share of the slope or of the error's mean slope.
    """
    rng = np.random.default_rng(experiment.seed)
    network = new_network(replace(experiment, dtype="float64"), dataset.encoding)
    m = min(GRADIENT_EXAMPLES, len(dataset.train.labels))
    x, y = _batch(network, _sample(dataset.train, m))
    inputs = x[:, :-1] * network.input_scale
    spread = math.sqrt(np.mean(inputs**2)) or 1.0
    for layer, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        W[:] = rng.standard_normal(W.shape) / math.sqrt(W.shape[1]) / (1 if layer else spread)
        b[:] = rng.standard_normal(b.shape) / 2
    loss, ws = LOSSES[experiment.loss, experiment.output], Workspace(network, m)

    def error() -> float:
        with np.errstate(over="ignore"):
            return backprop(loss, x, y, ws, 1 / m) / m

    error()
    gradient = ws.gradient.copy()
    theta = network.theta.copy()
    worst = 0.0
    for i, part in enumerate(_parts(network)):
        direction = np.zeros_like(theta)
        direction[part] = rng.standard_normal(len(part))
        # Of unit effect: a step of 1e-4 then changes weighted inputs by about 1e-4.
        direction /= np.linalg.norm(direction) * (1 if i else spread)
        slope = float(gradient @ direction)
        # A kink (relu) under one step is not under another: the best of three counts.
        differences = []
        for h in (1e-4, 1e-5, 1e-6):
            network.theta[:] = theta + h * direction
            above = error()
            network.theta[:] = theta - h * direction
            numeric = (above - error()) / (2 * h)
            differences.append(abs(slope - numeric) / max(abs(slope), abs(numeric), 1e-3))
        worst = max(worst, min(differences))
    return worst


def _parts(network: Network) -> list[NDArray[np.intp]]:
    """Return where in theta each layer's weights, and its biases, stand."""
    numbers = network.theta.copy()
    network.theta[:] = np.arange(len(numbers))
    views = [view for pair in zip(network.weights, network.biases, strict=True) for view in pair]
    parts = [np.sort(view.ravel()).astype(np.intp) for view in views]
    network.theta[:] = numbers
    return parts


def _one_batch(experiment: Experiment, dataset: Dataset) -> Iterator[Fact | Finding]:
    trial = overfit_batch(experiment, dataset)
    text = f"{trial.right} of {trial.examples} examples learnt in {trial.steps} steps"
    if finding := check_overfit(trial, experiment.eta):
        yield finding
    yield Fact(
        "one_batch", {"right": trial.right, "of": trial.examples, "steps": trial.steps}, text
    )


def check_overfit(trial: "Trial", eta: float) -> Finding | None:
    """Find training that does not get half-way from the commonest class to all examples right."""
    if trial.out_of_time or trial.right >= (trial.examples + trial.commonest) / 2:
        return None
    result = trial.problem or f"{trial.right} of {trial.examples} examples are right"
    return Finding(
        "one-batch",
        f"one mini-batch is not learnt by heart in {trial.steps} steps: {result}",
        f"try another eta (now {eta:g}), more neurons, or another init",
    )


class Trial(NamedTuple):
    """How learning one mini-batch by heart went."""

    examples: int
    commonest: int
    """How many of them are of one class."""
    right: int
    steps: int
    out_of_time: bool = False
    problem: str = ""


def overfit_batch(experiment: Experiment, dataset: Dataset) -> Trial:
    """Train on one mini-batch alone, with nothing that holds back, until all of it is right."""
    examples = _distinct(_sample(dataset.train, 4 * BATCH_EXAMPLES))
    m = len(examples.labels)
    free: dict[str, Any] = {name: KEYS[name].default for name in REGULARISERS if name in KEYS}
    trial = replace(experiment, **free, bt_size=m, epochs=BATCH_STEPS)
    network = new_network(trial, dataset.encoding)
    x, _ = _batch(network, examples)
    buffers = Buffers(network, m)
    result = Trial(m, int(np.bincount(examples.labels).max()), right=0, steps=0)
    stop = time.monotonic() + BATCH_SECONDS
    try:
        for _ in _train(trial, network, dataset._replace(train=examples, validation=None)):
            with np.errstate(over="ignore", invalid="ignore"):
                predicted = forward(x, buffers).argmax(axis=1)
            right = int((predicted == examples.labels).sum())
            result = result._replace(right=right, steps=result.steps + 1)
            if right == m:
                break
            if time.monotonic() > stop:
                return result._replace(out_of_time=True)
    except MlpError as error:
        return result._replace(right=0, problem=error.problem)
    return result


def _cost(experiment: Experiment, dataset: Dataset) -> Iterator[Fact | Finding]:
    n, bt_size = len(dataset.train.labels), experiment.bt_size
    affordable = int(TRIAL_WORK / (6 * count_parameters(experiment.structure)))
    rows = min(n, 2 * bt_size + min(affordable, 8192))
    part = Examples(dataset.train.features[:rows], dataset.train.labels[:rows])
    trial = replace(experiment, epochs=TRIAL_EPOCHS)
    try:
        peak, pace = _measure(trial, dataset._replace(train=part))
    except MlpError as error:
        yield Finding("training", f"training fails: {error.problem}", error.remedy)
        return
    held = sum(array.nbytes for split in (dataset.train, dataset.test or ()) for array in split)
    # Each epoch draws an order of all examples.
    memory = peak + held + 8 * (n - rows)
    yield Fact("memory", memory, f"about {size_text(memory)}, of which data {size_text(held)}")
    seconds = pace * n
    total = _duration(seconds * experiment.epochs)
    text = f"about {_duration(seconds)} per epoch, {total} for {experiment.epochs}"
    yield Fact("seconds_per_epoch", float(f"{seconds:.3g}"), text)


def _measure(experiment: Experiment, dataset: Dataset) -> tuple[int, float]:
    """Return the bytes that training allocates, and the seconds it takes for an example."""
    tracemalloc.start()
    try:
        reports = _train(experiment, new_network(experiment, dataset.encoding), dataset)
        next(reports)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    stop, pace = time.monotonic() + TRIAL_SECONDS, math.inf
    for report in reports:
        pace = min(pace, report.seconds / report.examples)
        if time.monotonic() > stop:
            break
    return peak, pace


def _train(experiment: Experiment, network: Network, dataset: Dataset) -> Iterator[EpochReport]:
    return train(experiment, start_run(experiment, network), dataset._replace(train_rows=None))


def _sample(examples: Examples, n: int) -> Examples:
    """Return so many examples at random, always the same ones."""
    total = len(examples.labels)
    rows = np.sort(np.random.default_rng(0).permutation(total)[:n])
    return Examples(examples.features[rows], examples.labels[rows])


def _distinct(examples: Examples) -> Examples:
    """Return up to `BATCH_EXAMPLES` of the examples, no two with equal features."""
    _, rows = np.unique(examples.features, axis=0, return_index=True)
    rows = np.sort(rows)[:BATCH_EXAMPLES]
    return Examples(examples.features[rows], examples.labels[rows])


def _batch(
    network: Network, examples: Examples
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    one_hot = np.eye(network.structure[-1], dtype=network.dtype)
    return as_inputs(network, examples.features), one_hot[examples.labels]


def size_text(n: float) -> str:
    """Return a number of bytes to be read."""
    return (
        f"{n / 1e9:.1f} GB"
        if n >= 1e9
        else f"{n / 1e6:.0f} MB"
        if n >= 1e6
        else f"{n / 1e3:.0f} kB"
    )


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
