"""Optimisers: one step of the parameters down the mean gradient of a mini-batch.

Every rule is a function over vectors laid out as the parameters:

- theta: the parameters, (p,), changed in place;
- g: the mean gradient, (p,), overwritten;
- state: the optimiser's memory, (slots, p), zero before the first step;
- scratch: (p,), overwritten;
- eta: the learning rate of this step; t: its number, from 1.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from mlpcli.nn.activations import Array


class Optimizer(NamedTuple):
    """An update rule and how many vectors it remembers."""

    step: Callable[[Array, Array, Array, Array, float, int], None]
    slots: int


def sgd(theta: Array, g: Array, state: Array, scratch: Array, eta: float, t: int) -> None:  # noqa: ARG001 - all rules alike
    """Take the article's step: theta <- theta - eta g."""
    np.multiply(g, eta, out=g)
    np.subtract(theta, g, out=theta)


def momentum(
    theta: Array,
    g: Array,
    state: Array,
    scratch: Array,  # noqa: ARG001 - all rules alike
    eta: float,
    t: int,  # noqa: ARG001 - all rules alike
    mu: float,
    nesterov: bool,
) -> None:
    """Take a step with momentum: v <- mu v - eta g; theta <- theta + v.

    Nesterov's looks ahead: theta <- theta + mu v - eta g (Sutskever et al., 2013, as rearranged by
    Bengio et al., 2013).
    """
    (v,) = state
    np.multiply(v, mu, out=v)
    np.multiply(g, eta, out=g)
    np.subtract(v, g, out=v)
    if nesterov:
        np.subtract(theta, g, out=theta)
        np.multiply(v, mu, out=g)
        np.add(theta, g, out=theta)
    else:
        np.add(theta, v, out=theta)


def adam(
    theta: Array,
    g: Array,
    state: Array,
    scratch: Array,
    eta: float,
    t: int,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None:
    """Take a step of Adam (Kingma and Ba, 2015, Algorithm 1).

    m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g²; both are divided by 1 - beta^t for
    their zero start; theta <- theta - eta m / (sqrt(v) + epsilon).
    """
    m, v = state
    np.multiply(m, beta1, out=m)
    np.multiply(g, 1 - beta1, out=scratch)
    np.add(m, scratch, out=m)
    _remember_squares(v, g, scratch, beta2)
    _root(v, g, 1 / sqrt(1 - beta2**t), epsilon)
    np.divide(m, g, out=g)
    np.multiply(g, eta / (1 - beta1**t), out=g)
    np.subtract(theta, g, out=theta)


def rmsprop(
    theta: Array,
    g: Array,
    state: Array,
    scratch: Array,
    eta: float,
    t: int,  # noqa: ARG001 - all rules alike
    beta2: float,
    epsilon: float,
) -> None:
    """Take a step of RMSProp (Tieleman and Hinton, 2012, lecture 6.5).

    v <- beta2 v + (1 - beta2) g²; theta <- theta - eta g / (sqrt(v) + epsilon).
    """
    (v,) = state
    _remember_squares(v, g, scratch, beta2)
    _root(v, scratch, 1, epsilon)
    np.divide(g, scratch, out=g)
    np.multiply(g, eta, out=g)
    np.subtract(theta, g, out=theta)


def _remember_squares(v: Array, g: Array, scratch: Array, beta2: float) -> None:
    """Update v <- beta2 v + (1 - beta2) g²."""
    np.multiply(v, beta2, out=v)
    np.multiply(g, g, out=scratch)
    np.multiply(scratch, 1 - beta2, out=scratch)
    np.add(v, scratch, out=v)


def _root(v: Array, out: Array, factor: float, epsilon: float) -> None:
    """Write factor · sqrt(v) + epsilon into `out`."""
    np.sqrt(v, out=out)
    np.multiply(out, factor, out=out)
    np.add(out, epsilon, out=out)


# What each optimiser's settings are when the experiment does not say.
SETTINGS: dict[str, dict[str, float]] = {
    "sgd": {},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "adamw": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "rmsprop": {"beta2": 0.9, "epsilon": 1e-8},
}


def make_optimizer(
    name: str, mu: float | None = None, nesterov: bool = False, **settings: float
) -> Optimizer:
    """Return an optimiser by name.

    Args:
        name: a name in `SETTINGS`; `adamw` is Adam here, its decay is `decay`'s affair.
        mu: momentum, of sgd.
        nesterov: whether momentum looks ahead.
        settings: beta1, beta2, epsilon where the name has them.
    """
    step: Any = {"rmsprop": rmsprop, "adam": adam, "adamw": adam}.get(name)
    if step:
        return Optimizer(partial(step, **SETTINGS[name] | settings), 1 if step is rmsprop else 2)
    if mu:
        return Optimizer(partial(momentum, mu=mu, nesterov=nesterov), 1)
    return Optimizer(sgd, 0)


def shrink(theta: Array, weights: Sequence[slice], factor: float) -> None:
    """Multiply the weights, and not the biases, by a factor: AdamW's decay (Loshchilov, 2019)."""
    for part in weights:
        np.multiply(theta[part], factor, out=theta[part])


def pull_to_zero(
    theta: Array, g: Array, scratch: Array, weights: Sequence[slice], rate: float
) -> None:
    """Add the gradient of rate/2 · |W|² to `g`, for the weights and not the biases."""
    for part in weights:
        np.multiply(theta[part], rate, out=scratch[part])
        np.add(g[part], scratch[part], out=g[part])


def clip(g: Array, norm: float) -> None:
    """Scale the gradient to a Euclidean norm if it is longer (Pascanu et al., 2013)."""
    length = sqrt(float(np.vdot(g, g)))
    if length > norm:
        np.multiply(g, norm / length, out=g)
