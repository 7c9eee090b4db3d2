"""One step of training: its optimiser, its eta, and what dropout leaves out."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mlpcli.config.schema import Experiment
from mlpcli.nn import schedules
from mlpcli.nn.activations import Array
from mlpcli.nn.backprop import Workspace
from mlpcli.nn.dropout import draw_masks
from mlpcli.nn.network import Network
from mlpcli.nn.optimizers import (
    Optimizer,
    add_l2_gradient,
    clip,
    decay_weights,
    descend,
    make_optimizer,
    sgd,
)


def optimizer_of(experiment: Experiment) -> Optimizer:
    """Return the optimiser an experiment names, with its settings."""
    names = ("beta1", "beta2", "epsilon")
    given = {name: getattr(experiment, name) for name in names}
    settings = {name: value for name, value in given.items() if value is not None}
    return make_optimizer(
        experiment.optimizer, experiment.momentum, experiment.nesterov, **settings
    )


class UpdateRule(NamedTuple):
    """How parameters follow from a gradient."""

    update: Callable[[Array, float, int], None]
    """A function of the mean gradient, eta, and the step's number from 1."""
    scales_by_eta: bool
    """Whether it wants the gradient multiplied by eta.

    That spares plain gradient descent a pass over all parameters, 80 µs of 600,000.
    """


def update_rule(experiment: Experiment, network: Network, state: Array) -> UpdateRule:
    """Return how an experiment changes a network's parameters, and its optimiser's state."""
    theta, optimizer = network.theta, optimizer_of(experiment)
    decay, norm = experiment.weight_decay, experiment.clip_norm
    if optimizer.step is sgd and not decay and norm is None:
        return UpdateRule(lambda g, *_: descend(theta, g), scales_by_eta=True)
    weights, scratch = network.weight_slices(), np.empty_like(theta)

    def update(g: Array, eta: float, t: int) -> None:
        if norm is not None:
            clip(g, norm)
        if decay and experiment.optimizer == "adamw":
            decay_weights(theta, weights, 1 - eta * decay)
        elif decay:
            add_l2_gradient(theta, g, scratch, weights, decay)
        optimizer.step(theta, g, state, eta, t)

    return UpdateRule(update, scales_by_eta=False)


def eta_schedule(
    experiment: Experiment, history: Sequence[dict[str, Any]]
) -> Callable[[int, int, int], float]:
    """Return eta as a function of an epoch, a step in it, and the number of steps in one.

    Args:
        experiment: names the schedule.
        history: rows of the epochs so far, which a plateau is found in.
    """
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


def drop(x: Array, ws: Workspace, rates: Sequence[float], rng: np.random.Generator) -> None:
    """Draw the masks of a mini-batch, and drop its inputs in place; x is (m, n_1 + 1)."""
    draw_masks(ws.masks, rates, rng)
    if ws.masks[0] is not None:
        inputs = x[:, :-1]
        np.multiply(inputs, ws.masks[0], inputs)
