"""Epochs whose steps numba takes, many at a time."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import Experiment
from mlpcli.nn.activations import Array
from mlpcli.nn.network import Network
from mlpcli.training.batches import Augment, Features, MiniBatches
from mlpcli.training.engine import Engine, compiles_steps
from mlpcli.training.step import compiled_rule

if TYPE_CHECKING:
    from mlpcli.nn.compiled.plan import Plan
    from mlpcli.nn.compiled.team import Team

# Multiply-adds of a forward pass up to which the loop is faster in any case. Beyond, it has to have
# NumPy's library for its products, and activations that are computed for several numbers at once.
SMALL = 1 << 16
# Those that each thread has to have for its part of a step, lest threads wait more than they work.
SHARE = 1 << 19
# Those of a piece, some 10 ms: between pieces signals are seen and progress is told. And its steps.
PIECE, MOST_STEPS = 1 << 29, 1 << 13


class Piece(NamedTuple):
    """Some successive mini-batches of an epoch, and what they are gathered from."""

    features: Features
    """(n, n_1), with further columns that are not used."""
    held: NDArray[np.int64]
    """Their examples, by their row there."""
    chosen: NDArray[np.int64]
    """Their examples, by their row in the dataset."""
    steps: range


Take = Callable[[Piece, NDArray[np.float64], int], NDArray[np.float64]]


class CompiledSteps(NamedTuple):
    """What takes the steps of an epoch."""

    pieces: Callable[[NDArray[np.integer], Augment | None, int], Iterator[Piece]]
    """Cuts an epoch, a function of its order, of what distorts it and of the step to begin with."""
    take: Take
    """A function of a piece, of eta for each step, and of the first step's number from 1: returns
    their errors up to one that is not finite, (steps,)."""


def compiled_steps(
    experiment: Experiment, network: Network, state: Array, batches: MiniBatches, engine: Engine
) -> CompiledSteps | None:
    """Return what takes the steps of an epoch; None where NumPy has to."""
    rows = max(batches.batch_sizes.sizes)
    work = rows * sum(a * b for a, b in pairwise(network.structure))
    if not engine.numba or not compiles_steps(experiment):
        return None
    # Here, since they import numba.
    from mlpcli.nn.compiled import blas, plan, team

    if work > SMALL and not plan.suits_large(network):
        return None
    size = max(1, min(blas.threads(), work // SHARE)) if team.AVAILABLE else 1
    rule = compiled_rule(experiment, network)
    loss = experiment.loss, experiment.output
    given = plan.make_plan(network, loss, rows, state, rule, size)
    if given is None:
        return None
    most = max(1, min(PIECE // work, MOST_STEPS))
    if experiment.checkpoint_every:
        # No piece is longer than the time between two saves.
        steps = len(batches.batch_sizes.sizes)
        most = max(1, min(most, int(experiment.checkpoint_every * steps)))

    def pieces(order: NDArray[np.integer], augment: Augment | None, first: int) -> Iterator[Piece]:
        for piece in _gathered(batches, order.astype(np.int64, copy=False), augment, first):
            yield from _cut(piece, batches.batch_sizes.sizes, most)

    return CompiledSteps(pieces, _taker(network, batches, given, team.Team(size)))


def _taker(network: Network, batches: MiniBatches, given: "Plan", team: "Team") -> Take:
    """Return what takes the steps of a piece, all threads together."""
    from mlpcli.nn.compiled import plan, steps

    weights = np.empty((0, 1), network.dtype) if batches.weights is None else batches.weights
    labels = batches.labels.astype(np.int64, copy=False)
    parts = [plan.parts_of(network.structure, i, team.size) for i in range(team.size)]
    sizes, divisors = np.array(batches.batch_sizes.sizes), np.array(batches.batch_sizes.divisors)

    def take(piece: Piece, etas: NDArray[np.float64], first: int) -> NDArray[np.float64]:
        features, held, chosen, numbers = piece
        part, errors = slice(numbers.start, numbers.stop), np.empty(len(numbers))
        source = features, labels, batches.targets, weights, held, chosen
        alike: tuple[Any, ...] = (*source, sizes[part], divisors[part], etas, first, errors, *given)
        done = team.call(lambda i: steps.train_steps(i, parts[i], *alike))
        return errors[:done]

    return take


def _gathered(
    batches: MiniBatches, order: NDArray[np.int64], augment: Augment | None, first: int
) -> Iterator[Piece]:
    """Yield what is left of an epoch: whole, where the loop gathers it from the features."""
    sizes, features = batches.batch_sizes.sizes, batches.features
    row = sum(sizes[:first])
    if augment is None and _can_gather(features, batches.x):
        left = order[row:]
        yield Piece(features, batches.held(left), left, range(first, len(sizes)))
        return
    for start, views in batches.epoch_chunks(order, augment, first):
        rows = sum(len(view.x) for view in views)
        held = np.arange(start, start + rows)
        yield Piece(batches.x, held, order[row : row + rows], range(first, first + len(views)))
        row, first = row + rows, first + len(views)


def _can_gather(features: Features, x: Array) -> bool:
    native = features.dtype in (np.uint8, x.dtype) and features.dtype.isnative
    return native and features.flags.c_contiguous and features.flags.aligned


def _cut(piece: Piece, sizes: Sequence[int], most: int) -> Iterator[Piece]:
    """Cut a piece into such of at most so many mini-batches."""
    row = 0
    for first in range(piece.steps.start, piece.steps.stop, most):
        numbers = range(first, min(first + most, piece.steps.stop))
        rows = slice(row, row + sum(sizes[numbers.start : numbers.stop]))
        yield Piece(piece.features, piece.held[rows], piece.chosen[rows], numbers)
        row = rows.stop
