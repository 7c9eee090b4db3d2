"""Epochs whose steps numba takes, many at a time where they are small."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import Experiment
from mlpcli.nn.activations import Array
from mlpcli.nn.network import Network
from mlpcli.training.batches import MiniBatch, MiniBatches
from mlpcli.training.engine import Engine
from mlpcli.training.step import compiled_rule, is_parametrized

# Multiply-adds of a forward pass up to which the loop is faster in any case. Beyond, it has to have
# NumPy's library for its products, and activations that are computed for several numbers at once.
SMALL = 1 << 16

Take = Callable[[int, Sequence[MiniBatch], NDArray[np.float64], int], NDArray[np.float64]]


def compiled_steps(
    experiment: Experiment, network: Network, state: Array, batches: MiniBatches, engine: Engine
) -> Take | None:
    """Return what takes the steps of several mini-batches; None where NumPy has to.

    It is a function of the row of the buffers where they begin, of the mini-batches, of eta for
    each, and of the first step's number from 1. It returns their errors up to one that is not
    finite, (steps,).
    """
    rows = max(batches.batch_sizes.sizes)
    products = sum(a * b for a, b in pairwise(network.structure))
    others = any(experiment.dropout_rates) or experiment.ema or is_parametrized(experiment)
    others = others or bool(network.extras)
    if not engine.numba or others:
        return None
    # Here, since it imports numba.
    from mlpcli.nn.compiled import steps

    if rows * products > SMALL and not steps.suits_large(network):
        return None
    plan = steps.make_plan(network, (experiment.loss, experiment.output), rows)
    if plan is None:
        return None
    rule = compiled_rule(experiment, network)
    no_weight = np.empty((0, 1), network.dtype)

    def take(
        start: int, chosen: Sequence[MiniBatch], etas: NDArray[np.float64], first: int
    ) -> NDArray[np.float64]:
        sizes = np.array([len(batch.x) for batch in chosen])
        divisors = np.array([batch.divisor for batch in chosen])
        part = slice(start, start + int(sizes.sum()))
        weight = no_weight if batches.weight is None else batches.weight[part]
        errors = np.empty(len(chosen))
        x, y = batches.x[part], batches.y[part]
        done = steps.train_steps(
            x, y, weight, sizes, divisors, etas, first, errors, *plan, state, *rule
        )
        return errors[:done]

    return take


def in_pieces(
    chunks: Iterator[tuple[int, list[MiniBatch]]], most: int
) -> Iterator[tuple[int, Sequence[MiniBatch]]]:
    """Cut what is gathered together into pieces of at most so many mini-batches."""
    for start, chunk in chunks:
        row = start
        for i in range(0, len(chunk), most):
            piece = chunk[i : i + most]
            yield row, piece
            row += sum(len(batch.x) for batch in piece)
