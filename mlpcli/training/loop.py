"""Training: epochs of stochastic gradient descent, as an iterator."""

import functools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config import compat
from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset
from mlpcli.errors import ConfigError, DivergedError
from mlpcli.nn import schedules
from mlpcli.nn.activations import Array
from mlpcli.nn.backprop import Workspace, backprop
from mlpcli.nn.dropout import draw_masks
from mlpcli.nn.inference import evaluate
from mlpcli.nn.initializers import initialize
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.network import Network, input_buffer
from mlpcli.nn.optimizers import (
    Optimizer,
    add_l2_gradient,
    clip,
    decay_weights,
    descend,
    make_optimizer,
    sgd,
)
from mlpcli.rng import KeyedStreams
from mlpcli.training.augment import shifter
from mlpcli.training.batches import BatchSizes, Features, MiniBatches, batch_sizes, buffer_rows

Draws = KeyedStreams | compat.ArticleStream


@dataclass
class Run:
    """Where a training run stands."""

    network: Network
    """With the current parameters."""
    draws: Draws
    optimizer_state: Array
    """What the optimiser remembers, (slots, p)."""
    best: Array
    """The parameters to use, (p,): the network's own, or the best where validation chooses."""
    best_epoch: int = -1
    history: list[dict[str, Any]] = field(default_factory=list)
    """One row per finished epoch; no timings, so that runs can be compared."""
    finished: bool = False
    """Whether all epochs are over, or patience has ended."""
    step: int = 0
    """How many mini-batches of the unfinished epoch have been learnt."""
    error_sum: float = 0.0
    """Their errors, summed."""
    rng_state: str = ""
    """State of the article's random stream before the unfinished epoch's shuffle."""


class EpochReport(NamedTuple):
    """What one epoch came to."""

    row: dict[str, Any]
    """The history's row: epoch, error, validation_error and validation_accuracy if any, eta."""
    examples: int
    seconds: float


class StepReport(NamedTuple):
    """What one mini-batch came to."""

    epoch: int
    step: int
    steps: int
    """Mini-batches in an epoch."""
    error: float
    """Mean of E over the mini-batch, before the step it caused."""


def start_run(experiment: Experiment, network: Network, start: Network | None = None) -> Run:
    """Return a run at its beginning, the network's parameters drawn at random or copied.

    Args:
        experiment: how to train.
        network: what to train. It always holds the parameters to use, the best where validation
            chooses; the run then works on a copy.
        start: a network of the same structure whose parameters to start from.

    Raises:
        ConfigError: if `start` has another structure.
    """
    draws: Draws = (compat.ArticleStream if experiment.compat else KeyedStreams)(experiment.seed)
    # Drawn in any case: the article's stream goes on from there.
    initialize(network, experiment.init, draws.weights())
    if start is not None:
        if start.structure != network.structure:
            raise ConfigError(
                experiment.where("structure"),
                f"is {list(network.structure)}, and the weights to start from are of "
                f"{list(start.structure)}",
                "make them the same",
            )
        network.theta[:] = start.theta
    state = np.zeros((optimizer_of(experiment).slots, len(network.theta)), network.dtype)
    current = network.copy() if experiment.validation else network
    return Run(current, draws, state, best=network.theta, rng_state=draws.state)


def train(
    experiment: Experiment,
    run: Run,
    dataset: Dataset,
    on_step: Callable[[StepReport], None] | None = None,
) -> Iterator[EpochReport]:
    """Train a network from where its run stands, one epoch per report.

    Args:
        experiment: how to train.
        run: from `start_run`; changed in place.
        dataset: training examples, and validation examples where the experiment wants them.
        on_step: called after every mini-batch, when the run may be saved.

    Yields:
        A report per epoch; between reports the run may be read but not changed.

    Raises:
        DivergedError: at the mini-batch whose error, or the epoch whose parameters, are not finite;
            the run then stands where its last finished epoch left it.
    """
    network, draws, keyed = run.network, run.draws, KeyedStreams(experiment.seed)
    # Where an epoch was left unfinished, its order is drawn again.
    draws.state = run.rng_state
    rows, theta = dataset.train_rows, network.theta
    n = len(dataset.train.labels if rows is None else rows)
    loss = LOSSES[experiment.loss, experiment.output]
    m = experiment.bt_size
    cut = BatchSizes(*compat.batch_sizes(n, m)) if experiment.compat else batch_sizes(n, m)
    steps = len(cut.sizes)
    batches = _mini_batches(experiment, network, dataset, cut)
    augment = _augmentation(experiment, dataset, batches)
    rates = experiment.dropout_rates
    largest = Workspace(network, max(cut.sizes), dropout=rates)
    workspaces = {m: Workspace(network, m, share=largest) for m in set(cut.sizes)}
    update, scales_by_eta = _update(experiment, run)
    factor = functools.lru_cache(8)(lambda number: np.array(number, network.dtype))
    good = theta.copy(), run.optimizer_state.copy(), run.step, run.error_sum

    def diverged(problem: str) -> DivergedError:
        theta[:], run.optimizer_state[:], run.step, run.error_sum = good
        return DivergedError(
            experiment.where("eta"),
            f"training diverged at {problem}",
            f"lower eta (now {experiment.eta:g}), add warmup: 1 or clip_norm: 1, or check the data",
        )

    while not run.finished:
        epoch = len(run.history)
        start = time.perf_counter()
        eta_at = _schedule(experiment, run.history)
        order = draws.order(epoch, n)
        if rows is not None:
            order = rows[order]
        moved = augment and augment(epoch)
        # exp may overflow, in the sigmoid, to the right limit; what is not finite is found below.
        with np.errstate(over="ignore", invalid="ignore"):
            batches_left = enumerate(batches.epoch(order, moved, run.step), run.step)
            for step, (x, y, divisor, weight) in batches_left:
                ws = workspaces[len(x)]
                if largest.drops:
                    _drop(x, ws, rates, keyed.generator("dropout", epoch, step))
                eta = eta_at(epoch, step, steps)
                scale = factor((eta if scales_by_eta else 1) / divisor)
                error = backprop(loss, x, y, ws, scale, weight)
                if not math.isfinite(error):
                    raise diverged(f"epoch {epoch}, step {step}: the error is {error}")
                update(ws.gradient, eta, epoch * steps + step + 1)
                run.error_sum += error
                run.step = step + 1
                if on_step:
                    on_step(StepReport(epoch, step, steps, error / divisor))
        if not np.isfinite(theta).all():
            raise diverged(f"epoch {epoch}: some weights are no longer finite")
        eta = eta_at(epoch, steps - 1, steps)
        row = {"epoch": epoch, "error": run.error_sum / cut.error_divisor, "eta": eta}
        _finish_epoch(experiment, run, dataset, row)
        good[0][:], good[1][:] = theta, run.optimizer_state
        good = (*good[:2], 0, 0.0)
        yield EpochReport(row, n, time.perf_counter() - start)


def _finish_epoch(experiment: Experiment, run: Run, dataset: Dataset, row: dict[str, Any]) -> None:
    """Judge the epoch on the validation data, and note whether it is the best and the last."""
    run.history.append(row)
    run.step, run.error_sum, run.rng_state = 0, 0.0, run.draws.state
    epoch = row["epoch"]
    if dataset.validation is None:
        run.best_epoch = epoch
    else:
        loss = LOSSES[experiment.loss, experiment.output]
        found = evaluate(run.network, loss, *dataset.validation)
        row["validation_error"], row["validation_accuracy"] = found.error, found.accuracy
        if run.best_epoch < 0 or _better(experiment, row, run.history[run.best_epoch]):
            run.best_epoch = epoch
            np.copyto(run.best, run.network.theta)
    run.finished = is_finished(experiment, run)


def is_finished(experiment: Experiment, run: Run) -> bool:
    """Return whether all epochs of a run are over, or its patience is."""
    done = len(run.history)
    waited = done - 1 - run.best_epoch
    out_of_patience = experiment.patience is not None and waited >= experiment.patience
    return done >= experiment.epochs or (done > 0 and out_of_patience)


def _better(experiment: Experiment, row: dict[str, Any], best: dict[str, Any]) -> bool:
    name = f"validation_{experiment.monitor or 'error'}"
    gain = row[name] - best[name] if experiment.monitor == "accuracy" else best[name] - row[name]
    return bool(gain > (experiment.min_delta or 0))


def optimizer_of(experiment: Experiment) -> Optimizer:
    """Return the optimiser an experiment names, with its settings."""
    names = ("beta1", "beta2", "epsilon")
    given = {name: getattr(experiment, name) for name in names}
    settings = {name: value for name, value in given.items() if value is not None}
    return make_optimizer(
        experiment.optimizer, experiment.momentum, experiment.nesterov, **settings
    )


def _update(experiment: Experiment, run: Run) -> tuple[Callable[[Array, float, int], None], bool]:
    """Return the step: a function of the mean gradient, eta, and the step's number from 1.

    And whether it wants the gradient multiplied by eta: that spares plain gradient descent a pass
    over all parameters, 80 µs of 600,000.
    """
    theta, state = run.network.theta, run.optimizer_state
    optimizer, scratch = optimizer_of(experiment), np.empty_like(theta)
    decay, norm = experiment.weight_decay, experiment.clip_norm
    weights = run.network.weight_slices()
    if optimizer.step is sgd and not decay and norm is None:
        return lambda g, *_: descend(theta, g), True

    def update(g: Array, eta: float, t: int) -> None:
        if norm is not None:
            clip(g, norm)
        if decay and experiment.optimizer == "adamw":
            decay_weights(theta, weights, 1 - eta * decay)
        elif decay:
            add_l2_gradient(theta, g, scratch, weights, decay)
        optimizer.step(theta, g, state, eta, t)

    return update, False


def _schedule(
    experiment: Experiment, history: list[dict[str, Any]]
) -> Callable[[int, int, int], float]:
    """Return eta as a function of an epoch, a step in it, and the number of steps in one."""
    eta, epochs, warmup = experiment.eta, experiment.epochs, experiment.warmup
    name, settings = experiment.schedule
    if name == "plateau":
        errors = [row["validation_error"] for row in history]
        eta *= schedules.plateau(errors, **settings)
        name, settings = "constant", {}
    if name == "constant" and not warmup:
        return lambda *_: eta
    factor = schedules.SCHEDULES[name]

    def eta_at(epoch: int, step: int, steps: int) -> float:
        rise = schedules.warm_up(epoch + (step + 1) / steps, warmup)
        return eta * rise * factor(epoch + step / steps, epochs, **settings)

    return eta_at


def _mini_batches(
    experiment: Experiment, network: Network, dataset: Dataset, cut: BatchSizes
) -> MiniBatches:
    x = input_buffer(network, buffer_rows(cut, network.dtype.itemsize * network.structure[0]))
    targets, weights = _targets(experiment), _class_weights(experiment, dataset)
    return MiniBatches(*dataset.train, cut, x, targets, weights)


def _targets(experiment: Experiment) -> NDArray[np.float64]:
    """Return the outputs wanted for each class, (n_L, n_L): (1 - s) y + s / n_L (Szegedy, 2016)."""
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
    counts = np.bincount(labels if rows is None else labels[rows], minlength=len(names))
    balanced: NDArray[np.float64] = counts.sum() / (len(names) * np.maximum(counts, 1))
    return balanced


def _augmentation(
    experiment: Experiment, dataset: Dataset, batches: MiniBatches
) -> Callable[[int], Callable[[Features, int], None]] | None:
    """Return, for an epoch, what moves the images gathered for the mini-batches from a step on."""
    shape, draws = dataset.encoding.image_shape, KeyedStreams(experiment.seed)
    if not experiment.augment or shape is None:
        return None
    move = shifter(shape, experiment.augment["shift"], len(batches.raw), batches.raw.dtype)
    return lambda epoch: lambda raw, step: move(raw, draws.generator("augment", epoch, step))


def _drop(x: Array, ws: Workspace, rates: tuple[float, ...], rng: np.random.Generator) -> None:
    draw_masks(ws.masks, rates, rng)
    if ws.masks[0] is not None:
        inputs = x[:, :-1]
        np.multiply(inputs, ws.masks[0], inputs)
