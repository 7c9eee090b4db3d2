"""Training: epochs of stochastic gradient descent, as an iterator."""

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from mlpcli import compat
from mlpcli.data.batches import MiniBatches, Plan, buffer_rows, plan
from mlpcli.data.dataset import Examples
from mlpcli.draws import KeyedDraws
from mlpcli.errors import DivergedError
from mlpcli.keys import Experiment
from mlpcli.nn.backprop import Workspace, backprop
from mlpcli.nn.initializers import INITIALIZERS
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.network import Network, input_buffer
from mlpcli.nn.optimizers import OPTIMIZERS


class EpochReport(NamedTuple):
    """What one epoch came to."""

    epoch: int
    error: float
    """Mean of E over the epoch's examples, taken as they were seen."""
    examples: int
    seconds: float


class StepReport(NamedTuple):
    """What one mini-batch came to."""

    epoch: int
    step: int
    error: float
    """Mean of E over the mini-batch, before the step it caused."""


def train(
    experiment: Experiment,
    network: Network,
    examples: Examples,
    on_step: Callable[[StepReport], None] | None = None,
) -> Iterator[EpochReport]:
    """Initialise a network and train it, one epoch per report.

    Args:
        experiment: how to train.
        network: what to train; its parameters are overwritten.
        examples: features in the units that the network expects, (n, n_1), and labels, (n,).
        on_step: called after every mini-batch.

    Yields:
        A report per epoch; between reports the network may be read but not changed.

    Raises:
        DivergedError: if parameters or error are no longer finite.
    """
    n = len(examples.labels)
    draws: KeyedDraws | compat.ArticleDraws
    if experiment.compat:
        draws = compat.ArticleDraws(experiment.seed)
        cut = Plan(*compat.plan(n, experiment.bt_size))
    else:
        draws, cut = KeyedDraws(experiment.seed), plan(n, experiment.bt_size)
    INITIALIZERS[experiment.init](network, draws.weights())
    loss, optimize = LOSSES["mse"], OPTIMIZERS["sgd"]

    row_bytes = (network.structure[0] + 1) * network.dtype.itemsize
    x = input_buffer(network, buffer_rows(cut, row_bytes))
    batches = MiniBatches(*examples, cut, x, network.structure[-1])
    largest = Workspace(network, max(cut.sizes))
    workspaces = {m: Workspace(network, m, share=largest) for m in set(cut.sizes)}

    for epoch in range(experiment.epochs):
        start = time.perf_counter()
        total = 0.0
        # exp may overflow, in the sigmoid, to the right limit: see there. What is no number at the
        # end of the epoch is refused below.
        with np.errstate(over="ignore", invalid="ignore"):
            for step, (x, y, divisor) in enumerate(batches.epoch(draws.order(epoch, n))):
                error = backprop(network, loss, x, y, workspaces[len(x)], divisor)
                optimize(network.theta, largest.gradient, experiment.eta)
                total += error
                if on_step:
                    on_step(StepReport(epoch, step, error / divisor))
        if not (math.isfinite(total) and np.isfinite(network.theta).all()):
            problem = f"{experiment.eta:g} is too large: epoch {epoch} left the range of numbers"
            raise DivergedError(experiment.where("eta"), problem, "write a smaller eta")
        yield EpochReport(epoch, total / cut.error_divisor, n, time.perf_counter() - start)
