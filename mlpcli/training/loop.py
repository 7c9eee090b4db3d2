"""Training: epochs of stochastic gradient descent, as an iterator."""

import functools
import math
import operator
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset
from mlpcli.errors import DivergedError
from mlpcli.model import evaluate, loss_of
from mlpcli.nn.activations import Array
from mlpcli.nn.calibration import Judged, fit_temperature
from mlpcli.nn.periodic_backprop import backward_pass
from mlpcli.rng import KeyedStreams
from mlpcli.training.augment import EpochAugmenter, epoch_augmenter
from mlpcli.training.batches import MiniBatches, mini_batches
from mlpcli.training.compiled import CompiledSteps, Piece, compiled_steps
from mlpcli.training.run import EpochReport, Run, StepReport, is_finished
from mlpcli.training.step import UpdateRule, drop, eta_schedule, update_rule

OnStep = Callable[[StepReport], None]


def train(
    experiment: Experiment, run: Run, dataset: Dataset, on_step: OnStep | None = None
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
    tools = _tools_for(experiment, run, dataset)
    # Where an epoch was left unfinished, its order is drawn again.
    run.draws.state = run.rng_state
    last_good = _Snapshot(run)
    while not run.finished:
        started = time.perf_counter()
        try:
            row = _run_epoch(experiment, run, tools, on_step)
            run.ranks.check_same(run.network.theta, row["epoch"])
            row |= _validate(experiment, run, dataset, row["epoch"])
        except DivergedError:
            last_good.restore(run)
            raise
        _finish_epoch(experiment, run, dataset, row)
        last_good.take(run)
        yield EpochReport(row, tools.n, time.perf_counter() - started)


class _Snapshot:
    """The numbers of a run between two steps, to go back to."""

    def __init__(self, run: Run) -> None:
        self.vectors = [vector.copy() for vector in run.vectors]
        self.step, self.error_sum = run.step, run.error_sum

    def take(self, run: Run) -> None:
        for copy, vector in zip(self.vectors, run.vectors, strict=True):
            copy[:] = vector
        self.step, self.error_sum = run.step, run.error_sum

    def restore(self, run: Run) -> None:
        for copy, vector in zip(self.vectors, run.vectors, strict=True):
            vector[:] = copy
        run.step, run.error_sum = self.step, self.error_sum


class _Tools(NamedTuple):
    """What every epoch of a run uses, made once."""

    n: int
    """Training examples."""
    rows: NDArray[np.integer] | None
    """Their rows in the dataset; None for all."""
    batches: MiniBatches
    augment_epoch: EpochAugmenter | None
    backprop: Callable[..., float]
    workspaces: Callable[[int], Any]
    """What it writes, by the number of examples in a mini-batch."""
    rule: UpdateRule
    compiled: CompiledSteps | None
    """Takes many steps at once, where a compiled loop can."""
    as_array: Callable[[float], Array]
    """Makes a number an array: there are few where eta is constant, and they are kept."""


def _tools_for(experiment: Experiment, run: Run, dataset: Dataset) -> _Tools:
    network = run.network
    batches = mini_batches(experiment, network, dataset, run.engine)
    sizes, gradient = batches.batch_sizes.sizes, run.ranks.gradient(network.theta)
    make_workspace, backprop = backward_pass(network)
    if gradient is not None:
        make_workspace = functools.partial(make_workspace, gradient=gradient)
    rates = experiment.dropout_rates
    workspace = make_workspace(network, run.ranks.largest(sizes), dropout=rates)
    return _Tools(
        sum(sizes),
        dataset.train_rows,
        batches,
        epoch_augmenter(experiment, dataset.encoding.image_shape, batches.raw),
        backprop,
        functools.cache(lambda m: make_workspace(network, m, share=workspace)),
        update_rule(
            experiment,
            network,
            run.trained,
            run.optimizer_state,
            run.averaged.theta if run.averaged else None,
            run.engine,
        ),
        compiled_steps(experiment, network, run.optimizer_state, batches, run.engine),
        functools.lru_cache(8)(lambda number: np.array(number, network.dtype)),
    )


def _run_epoch(
    experiment: Experiment, run: Run, tools: _Tools, on_step: OnStep | None
) -> dict[str, Any]:
    """Train on the mini-batches that an epoch has left; return its row of the history."""
    epoch, network, keyed = len(run.history), run.network, KeyedStreams(experiment.seed)
    loss, rates = loss_of(experiment), experiment.dropout_rates
    n, rows, batches, augment_epoch, backprop, workspaces, rule, compiled, as_array = tools
    update, scales_by_eta = rule
    steps, drops = len(batches.batch_sizes.sizes), any(rates)
    eta_at = eta_schedule(experiment, run.history)
    order = run.draws.order(epoch, n)
    if rows is not None:
        order = rows[order]
    ranks, share = run.ranks, run.ranks.share(order, batches.batch_sizes.sizes)
    augment = augment_epoch and augment_epoch(epoch)
    # Flat, for a call costs 0.3 µs and a step of the smallest network nine.
    # exp may overflow, in the sigmoid, to the right limit; what is not finite is found below.
    with np.errstate(over="ignore", invalid="ignore"):
        if compiled:
            for piece in compiled.pieces(order, augment, run.step):
                _take_steps(experiment, run, compiled, piece, eta_at, on_step, batches)
        left = () if compiled else batches.epoch(order, augment, run.step, share)
        batches_left = enumerate(left, run.step)
        for step, (x, y, divisor, weight) in batches_left:
            ws = workspaces(len(x))
            if drops:
                part = share and share.part(step, step + 1)
                drop(x, ws, rates, keyed.generator("dropout", epoch, step), part)
            eta = eta_at(epoch, step, steps)
            scale = as_array((eta if scales_by_eta else 1) / divisor)
            error = backprop(loss, x, y, ws, scale, weight)
            if share:
                error = ranks.add_up(error)
            if not math.isfinite(error):
                raise _diverged(experiment, f"epoch {epoch}, step {step}: the error is {error}")
            update(ws.gradient, eta, epoch * steps + step + 1)
            run.error_sum += error
            run.step = step + 1
            if on_step:
                on_step(StepReport(epoch, step, steps, error / divisor))
    if not np.isfinite(network.theta).all():
        raise _diverged(experiment, f"epoch {epoch}: some weights are no longer finite")
    error = run.error_sum / batches.batch_sizes.error_divisor
    return {"epoch": epoch, "error": error, "eta": eta_at(epoch, steps - 1, steps)}


def _take_steps(
    experiment: Experiment,
    run: Run,
    compiled: CompiledSteps,
    piece: Piece,
    eta_at: Callable[[int, int, int], float],
    on_step: OnStep | None,
    batches: MiniBatches,
) -> None:
    """Take some of an epoch's steps; when `on_step` is told of any, the run is at the last."""
    epoch, divisors = len(run.history), batches.batch_sizes.divisors
    first, steps = piece.steps.start, len(divisors)
    # Without a loop in Python, of which each turn takes a tenth of the smallest step.
    etas = np.fromiter(map(eta_at, repeat(epoch), piece.steps, repeat(steps)), float)
    errors = compiled.take(piece, etas, epoch * steps + first + 1).tolist()
    if not math.isfinite(errors[-1]):
        step = first + len(errors) - 1
        raise _diverged(experiment, f"epoch {epoch}, step {step}: the error is {errors[-1]}")
    # One after the other, as NumPy's steps add them; `sum` rounds otherwise.
    run.error_sum = functools.reduce(operator.add, errors, run.error_sum)
    run.step = piece.steps.stop
    if on_step:
        for step, error in zip(piece.steps, errors, strict=True):
            on_step(StepReport(epoch, step, steps, error / divisors[step]))


def _diverged(experiment: Experiment, problem: str) -> DivergedError:
    return DivergedError(
        experiment.where("eta"),
        f"training diverged at {problem}",
        f"lower eta (now {experiment.eta:g}), add warmup: 1 or clip_norm: 1, or check the data",
    )


def _validate(experiment: Experiment, run: Run, dataset: Dataset, epoch: int) -> dict[str, float]:
    """Evaluate an epoch on the validation data; return what its row of the history adds."""
    if dataset.validation is None:
        return {}
    encoding, examples, weights = dataset.encoding, dataset.validation, dataset.validation_weights
    network = run.candidate
    row = run.ranks.judge(
        lambda: evaluate(network, experiment, encoding, examples, weights).row(),
        len(examples.labels),
    )
    if not math.isfinite(row["error"]):
        raise _diverged(experiment, f"epoch {epoch}: the validation error is {row['error']}")
    return {f"validation_{name}": value for name, value in row.items()}


def _finish_epoch(experiment: Experiment, run: Run, dataset: Dataset, row: dict[str, Any]) -> None:
    """Note an epoch in the history, and whether it is the best and the last."""
    run.history.append(row)
    run.step, run.error_sum, run.rng_state = 0, 0.0, run.draws.state
    epoch = row["epoch"]
    if dataset.validation is None:
        run.best_epoch = epoch
    elif run.best_epoch < 0 or _better(experiment, row, run.history[run.best_epoch]):
        run.best_epoch = epoch
        np.copyto(run.best, run.candidate.theta)
    run.finished = is_finished(experiment, run)
    if run.finished and experiment.calibrate and dataset.validation is not None:
        judged = Judged(run.in_use(), *dataset.validation, dataset.validation_weights)
        run.temperature = run.ranks.once(lambda: fit_temperature(judged))


def _better(experiment: Experiment, row: dict[str, Any], best: dict[str, Any]) -> bool:
    name = f"validation_{experiment.monitor or 'error'}"
    gain = row[name] - best[name] if experiment.monitor == "accuracy" else best[name] - row[name]
    return bool(gain > (experiment.min_delta or 0))
