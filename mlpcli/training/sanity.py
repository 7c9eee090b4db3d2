"""Short trials of an experiment: is its gradient right, and can it overfit one mini-batch?"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import KEYS, Experiment
from mlpcli.data.audit import Fact, Finding
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.errors import MlpError
from mlpcli.model import count_parameters, has_label, loss_of, new_network
from mlpcli.nn.network import Network, as_inputs
from mlpcli.nn.periodic import forward_pass
from mlpcli.nn.periodic_backprop import backward_pass
from mlpcli.rng import KeyedStreams
from mlpcli.training.loop import train
from mlpcli.training.run import EpochReport, start_run

GRADIENT_EXAMPLES = 8
# Relative: far above the rounding of central differences in float64, far below a wrong formula.
GRADIENT_TOLERANCE = 1e-5
BATCH_EXAMPLES = 16
# A quantity is right when it is so near, in standard deviations.
QUANTITY_TOLERANCE = 0.2
# How long one mini-batch is tried: counted in steps, so that the result is the same on every
# machine. A step takes a few nanoseconds per parameter, so the parameters updated bound the time.
MOST_STEPS, FEWEST_STEPS = 2000, 100
PARAMETER_UPDATES = 500_000_000
# Keys that keep a network from overfitting one mini-batch, or need more examples.
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
    worst = gradient_check(experiment, dataset)
    text = f"agrees with central differences to {worst:.1g}"
    if worst > GRADIENT_TOLERANCE:
        text = f"differs from central differences by {worst:.1g}"
        remedy = "the backward pass is wrong: report this experiment"
        yield Finding("gradient", f"the gradient {text} of its size", remedy)
    yield Fact("gradient", worst, text)

    trial = overfit_batch(experiment, dataset)
    if finding := check_overfit(trial, experiment.eta):
        yield finding
    value = {"right": trial.right, "of": trial.examples, "steps": trial.steps}
    text = f"{trial.right} of {trial.examples} examples learned in {trial.steps} steps"
    yield Fact("one_batch", value, text)


def gradient_check(experiment: Experiment, dataset: Dataset) -> float:
    """Compare the gradient that training uses with central differences, in float64.

    Every layer's weights and biases, and whatever else theta has, are tried alone, along a random
    direction, and are given sizes at which no activation is saturated: a flat error would agree
    with any small gradient.

    Returns:
        The largest difference, as a share of the slope or of the error's mean slope.
    """
    rng = np.random.default_rng(experiment.seed)
    network = new_network(replace(experiment, dtype="float64"), dataset.encoding)
    x, y = _batch(network, draw_examples(dataset.train, GRADIENT_EXAMPLES, experiment.seed))
    m = len(x)
    spread = _unsaturate(network, x, rng)
    make_workspace, backprop = backward_pass(network)
    loss, ws = loss_of(experiment), make_workspace(network, m)

    def error() -> float:
        with np.errstate(over="ignore"):
            return backprop(loss, x, y, ws, 1 / m) / m

    error()
    gradient, theta = ws.gradient.copy(), network.theta.copy()
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


def _unsaturate(network: Network, x: NDArray[np.floating], rng: np.random.Generator) -> float:
    """Draw parameters with which no activation is saturated; return the size of the inputs."""
    inputs = x[:, :-1] * network.input_scale
    spread = math.sqrt(np.mean(inputs**2)) or 1.0
    for layer, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        W[:] = rng.standard_normal(W.shape) / math.sqrt(W.shape[1]) / (1 if layer else spread)
        b[:] = rng.standard_normal(b.shape) / 2
    for view in network.extras.values():
        view[:] = rng.standard_normal(view.shape)
    return spread


def _parts(network: Network) -> list[NDArray[np.intp]]:
    """Return where in theta each layer's weights, and its biases, and each of the rest are."""
    numbers = network.theta.copy()
    network.theta[:] = np.arange(len(numbers))
    views = [view for pair in zip(network.weights, network.biases, strict=True) for view in pair]
    views += network.extras.values()
    parts = [np.sort(view.ravel()).astype(np.intp) for view in views]
    network.theta[:] = numbers
    return parts


class Trial(NamedTuple):
    """How overfitting one mini-batch went."""

    examples: int
    commonest: int
    """How many of them are of one class, or else are right if the mean is always predicted."""
    right: int
    steps: int
    problem: str = ""


def overfit_batch(experiment: Experiment, dataset: Dataset) -> Trial:
    """Train on one mini-batch alone, without regularisers, until all of it is right."""
    examples = _distinct(draw_examples(dataset.train, 4 * BATCH_EXAMPLES, experiment.seed))
    m = len(examples.labels)
    affordable = PARAMETER_UPDATES // count_parameters(experiment, dataset.encoding)
    most = max(FEWEST_STEPS, min(MOST_STEPS, affordable))
    defaults: dict[str, Any] = {name: KEYS[name].default for name in REGULARISERS}
    alone = replace(experiment, **defaults, bt_size=m, epochs=most)
    network = new_network(alone, dataset.encoding)
    x, _ = _batch(network, examples)
    make_buffers, forward = forward_pass(network)
    buffers = make_buffers(network, m)
    trial = Trial(m, _commonest(examples), right=0, steps=0)
    try:
        for _ in train_part(alone, network, dataset._replace(validation=None), examples):
            with np.errstate(over="ignore", invalid="ignore"):
                right = _count_right(experiment, forward(x, buffers), examples)
            trial = trial._replace(right=right, steps=trial.steps + 1)
            if right == m:
                break
    except MlpError as error:
        return trial._replace(right=0, problem=error.problem)
    return trial


def _commonest(examples: Examples) -> int:
    """Return how many examples are right if always the same is predicted."""
    labels = examples.labels
    if labels.ndim == 1:
        return int(np.bincount(labels).max())
    if labels.dtype.kind == "f":
        return int((np.abs(labels - labels.mean(axis=0)) < QUANTITY_TOLERANCE).all(axis=1).sum())
    return int(np.unique(labels, axis=0, return_counts=True)[1].max())


def _count_right(experiment: Experiment, outputs: NDArray[np.floating], examples: Examples) -> int:
    labels = examples.labels
    if labels.ndim == 1:
        return int((outputs.argmax(axis=1) == labels).sum())
    if labels.dtype.kind == "f":
        return int((np.abs(outputs - labels) < QUANTITY_TOLERANCE).all(axis=1).sum())
    return int((has_label(experiment, outputs) == labels).all(axis=1).sum())


def check_overfit(trial: Trial, eta: float) -> Finding | None:
    """Find training that hardly gets beyond always saying the commonest class.

    A third of the way to all examples is enough: raw pixels saturate the article's sigmoids, which
    then learn half of them, and too large or too small an eta leads nowhere.
    """
    if trial.right >= trial.commonest + (trial.examples - trial.commonest) / 3:
        return None
    result = trial.problem or f"{trial.right} of {trial.examples} examples are right"
    return Finding(
        "one-batch",
        f"could not overfit one mini-batch in {trial.steps} steps: {result}",
        f"try another eta (now {eta:g}), more neurons, or another init",
    )


def train_part(
    experiment: Experiment, network: Network, dataset: Dataset, part: Examples
) -> Iterator[EpochReport]:
    """Train a new network on these training examples alone; yield a report per epoch."""
    alone = dataset._replace(train=part, train_rows=None)
    return train(experiment, start_run(experiment, network), alone)


def draw_examples(examples: Examples, n: int, seed: int) -> Examples:
    """Return n examples at random, or all, of each class as many as of any other if it has them."""
    labels = examples.labels
    shuffled = KeyedStreams(seed).generator("trial").permutation(len(labels))
    if labels.ndim == 2:
        return Examples(examples.features[shuffled[:n]], labels[shuffled[:n]])
    by_class = np.argsort(labels[shuffled], kind="stable")
    counts = np.bincount(labels)
    # The turn of each example within its class, from 0.
    turns = np.empty(len(labels), np.intp)
    turns[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = shuffled[np.argsort(turns, kind="stable")[:n]]
    return Examples(examples.features[rows], labels[rows])


def _distinct(examples: Examples) -> Examples:
    """Return the first `BATCH_EXAMPLES` of the examples, no two with equal features."""
    _, rows = np.unique(examples.features, axis=0, return_index=True)
    rows = np.sort(rows)[:BATCH_EXAMPLES]
    return Examples(examples.features[rows], examples.labels[rows])


def _batch(
    network: Network, examples: Examples
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    x = as_inputs(network, examples.features)
    if examples.labels.ndim == 2:
        return x, examples.labels.astype(network.dtype)
    return x, np.eye(network.structure[-1], dtype=network.dtype)[examples.labels]
