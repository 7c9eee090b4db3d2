"""Where a training run stands: its start, its reports, and when it is finished."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from mlpcli.config import compat
from mlpcli.config.schema import Experiment
from mlpcli.errors import ConfigError
from mlpcli.nn.activations import Array
from mlpcli.nn.initializers import initialize
from mlpcli.nn.network import Network
from mlpcli.rng import KeyedStreams
from mlpcli.training.engine import NUMPY, Engine
from mlpcli.training.ranks import ALONE, Ranks
from mlpcli.training.step import optimizer_of, parametrization_of

Draws = KeyedStreams | compat.ArticleStream


@dataclass
class Run:
    """Where a training run stands."""

    network: Network
    """With the current parameters."""
    draws: Draws
    optimizer_state: Array
    """What the optimiser remembers, (slots, q)."""
    trained: Array
    """phi, (q,), from which the network's parameters follow; without a parametrization theta."""
    averaged: Network | None
    """With the moving average of the parameters, where `ema` asks for one."""
    best: Array
    """The parameters to use, (p,): the network's own, or the best where validation chooses."""
    best_epoch: int = -1
    history: list[dict[str, Any]] = field(default_factory=list)
    """One row per finished epoch; no timings, so that runs can be compared."""
    finished: bool = False
    """Whether all epochs are over, or patience has ended."""
    step: int = 0
    """How many mini-batches of the unfinished epoch have been learned."""
    error_sum: float = 0.0
    """Their errors, summed."""
    rng_state: str = ""
    """State of the article's random stream before the unfinished epoch's shuffle."""
    start: str = ""
    """SHA-256 of the checkpoint whose weights it started from; "" for random ones."""
    temperature: float | None = None
    """What the outputs' weighted inputs are divided by in use, where `calibrate` asks for it."""
    engine: Engine = NUMPY
    """What computes it."""
    ranks: Ranks = ALONE
    """Who computes it."""

    @property
    def vectors(self) -> list[Array]:
        """What a step changes: the parameters, and what they come from and lead to."""
        found = [self.network.theta, self.optimizer_state]
        if self.trained is not self.network.theta:
            found.append(self.trained)
        return [*found, *([self.averaged.theta] if self.averaged else [])]

    @property
    def candidate(self) -> Network:
        """The network that an epoch is evaluated by: the averaged one, where there is one."""
        return self.averaged or self.network

    def in_use(self) -> Network:
        """Return a copy of the network as it would be used now, but for its temperature."""
        network = self.candidate.copy()
        network.theta[:] = self.best
        return network


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


def new_run(experiment: Experiment, network: Network) -> Run:
    """Return a run before its first epoch, with the parameters that the network has.

    Args:
        experiment: how to train.
        network: what to train. It always holds the parameters to use, the best where validation
            chooses; the run then works on a copy.
    """
    draws: Draws = (compat.ArticleStream if experiment.compat else KeyedStreams)(experiment.seed)
    candidate = network.copy() if experiment.validation else network
    averaged = candidate if experiment.ema else None
    current = candidate.copy() if averaged else candidate
    parametrization = parametrization_of(experiment, current)
    trained = current.theta
    if parametrization:
        trained = np.zeros(parametrization.size, network.dtype)
    state = np.zeros((optimizer_of(experiment).slots, len(trained)), network.dtype)
    return Run(current, draws, state, trained, averaged, network.theta, rng_state=draws.state)


def start_run(experiment: Experiment, network: Network, initial: Network | None = None) -> Run:
    """Return a run at its beginning, the network's parameters drawn at random or copied.

    Args:
        experiment: how to train.
        network: what to train, as for `new_run`.
        initial: a network of the same structure whose parameters to start from.

    Raises:
        ConfigError: if `initial` has another structure.
    """
    run = new_run(experiment, network)
    # Drawn in any case: the article's stream goes on from there.
    initialize(network, experiment.init, run.draws.weights())
    if initial is not None:
        _check_same_shape(experiment, network, initial)
        network.theta[:] = initial.theta
    run.network.theta[:] = network.theta
    if parametrization := parametrization_of(experiment, network):
        parametrization.invert(network.theta, run.trained)
        if initial is None and experiment.parametrization == "ntk":
            parametrization.initialize(run.trained, run.draws.weights())
        parametrization.apply(run.trained, run.network.theta)
        network.theta[:] = run.network.theta
    if run.averaged:
        run.averaged.theta[:] = run.network.theta
    run.rng_state = run.draws.state
    return run


def _check_same_shape(experiment: Experiment, network: Network, initial: Network) -> None:
    """Make sure that one network's parameters are another's."""
    if initial.structure != network.structure:
        raise ConfigError(
            experiment.where("structure"),
            f"is {list(network.structure)}, but the weights to start from are of "
            f"{list(initial.structure)}",
            "make them the same",
        )
    if initial.members != network.members:
        raise ConfigError(
            experiment.where("members"),
            f"is {network.members}, but the weights to start from are of {initial.members}",
            "make them the same",
        )
    if len(initial.theta) != len(network.theta):
        raise ConfigError(
            experiment.where("embeddings"),
            f"is {experiment.embeddings}, but the weights to start from have other embeddings",
            "make them the same",
        )


def is_finished(experiment: Experiment, run: Run) -> bool:
    """Return whether all epochs of a run are over, or its patience is."""
    done = len(run.history)
    waited = done - 1 - run.best_epoch
    out_of_patience = experiment.patience is not None and waited >= experiment.patience
    return done >= experiment.epochs or (done > 0 and out_of_patience)
