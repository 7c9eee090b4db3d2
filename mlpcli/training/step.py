"""One step of training: its optimiser, its eta, and what dropout leaves out."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

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
from mlpcli.nn.parametrization import Parametrization
from mlpcli.rng import Part
from mlpcli.training.engine import NUMPY, Engine

if TYPE_CHECKING:
    from mlpcli.nn.compiled.optimizers import Rule


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


def parametrization_of(experiment: Experiment, network: Network) -> Parametrization | None:
    """Return what an experiment trains instead of theta; None if it trains theta itself."""
    if not experiment.is_parametrized:
        return None
    ntk, feature_scale = experiment.parametrization == "ntk", bool(experiment.feature_scale)
    sizes = [len(network.layers[0]) - 1, *(layer.shape[1] for layer in network.layers)]
    return Parametrization(sizes, network.dtype, ntk, feature_scale, len(network.theta))


def update_rule(
    experiment: Experiment,
    network: Network,
    trained: Array,
    state: Array,
    averaged: Array | None,
    engine: Engine = NUMPY,
) -> UpdateRule:
    """Return how an experiment changes a network's parameters.

    Args:
        experiment: names the optimiser and its settings.
        network: whose parameters to change.
        trained: phi, from which they follow, or these themselves.
        state: the optimiser's memory, (slots, q).
        averaged: the moving average of the parameters, (p,), if there is one.
        engine: what computes it. Only NumPy has parametrizations.
    """
    optimizer = optimizer_of(experiment)
    parametrization = parametrization_of(experiment, network)
    decay, norm, theta = experiment.weight_decay, experiment.clip_norm, network.theta
    plain = not decay and norm is None and parametrization is None and averaged is None
    if plain and optimizer.step is sgd:
        # One pass in any case.
        return UpdateRule(lambda g, *_: descend(theta, g), scales_by_eta=True)
    if engine.numba and parametrization is None:
        return _compiled_rule(experiment, network, state, averaged)
    weights, scratch, gradient = network.weight_slices(), np.empty_like(trained), trained.copy()

    def update(g: Array, eta: float, t: int) -> None:
        etas: float | Array = eta
        if parametrization:
            parametrization.backward(g, trained, gradient)
            g, etas = gradient, eta * parametrization.eta_factors
        if norm is not None:
            clip(g, norm)
        if decay and experiment.optimizer == "adamw":
            decay_weights(trained, weights, 1 - eta * decay)
        elif decay:
            add_l2_gradient(trained, g, scratch, weights, decay)
        optimizer.update(trained, g, state, etas, t)
        if parametrization:
            parametrization.apply(trained, theta)
        if averaged is not None and experiment.ema:
            average(averaged, theta, experiment.ema, t, scratch[: len(theta)])

    return UpdateRule(update, scales_by_eta=False)


def _compiled_rule(
    experiment: Experiment,
    network: Network,
    state: Array,
    averaged: Array | None,
) -> UpdateRule:
    """Return the compiled counterpart of a rule that changes theta itself."""
    # Here, since it imports numba.
    from mlpcli.nn.compiled import optimizers

    theta, rule = network.theta, compiled_rule(experiment, network)
    scratch = np.empty_like(theta)

    def update(g: Array, eta: float, t: int) -> None:
        optimizers.update(theta, g, state, eta, t, *rule)
        if averaged is not None and experiment.ema:
            average(averaged, theta, experiment.ema, t, scratch)

    return UpdateRule(update, scales_by_eta=False)


def compiled_rule(experiment: Experiment, network: Network) -> "Rule":
    """Return what a compiled update takes of an experiment."""
    from mlpcli.nn.compiled.optimizers import make_rule

    decay, norm = experiment.weight_decay or 0.0, experiment.clip_norm
    weights, p = network.weight_slices(), len(network.theta)
    shrinks = experiment.optimizer == "adamw"
    return make_rule(optimizer_of(experiment).step, weights, p, decay, shrinks, norm)


def average(averaged: Array, theta: Array, decay: float, t: int, scratch: Array) -> None:
    """Move an average of the parameters towards them: ema <- d ema + (1 - d) theta.

    Args:
        averaged: (p,) the average, changed in place.
        theta: (p,) the parameters.
        decay: d; early on the smaller (1 + t) / (10 + t), so that the start is soon forgotten.
        t: the step's number, from 1.
        scratch: (p,) overwritten.
    """
    np.subtract(theta, averaged, scratch)
    np.multiply(scratch, 1 - min(decay, (1 + t) / (10 + t)), scratch)
    np.add(averaged, scratch, averaged)


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


def drop(
    x: Array,
    ws: Workspace,
    rates: Sequence[float],
    rng: np.random.Generator,
    part: Part | None = None,
) -> None:
    """Draw the masks of a mini-batch, or a part of it, and drop its inputs in place.

    x is (m, n_1 + 1).
    """
    draw_masks(ws.masks, rates, rng, part)
    if ws.masks[0] is not None:
        inputs = x[:, :-1]
        np.multiply(inputs, ws.masks[0], inputs)
