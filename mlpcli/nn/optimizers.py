"""Optimisers: one step of the parameters down the mean gradient of a mini-batch.

Every rule is a function over vectors laid out as the parameters:

- theta: the parameters, (p,), changed in place;
- g: the mean gradient, (p,), overwritten;
- state: the optimiser's memory, (slots, p), zero before the first step;
- eta: the learning rate of this step, one number or (p,); t: its number, from 1.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from mlpcli.nn.activations import Array

# Parameters whose theta, g and state stay in a processor's cache from one pass to the next.
BLOCK = 1 << 16


class Optimizer(NamedTuple):
    """An update rule and how many vectors it remembers."""

    step: Callable[[Array, Array, Array, Any, int], None]
    slots: int

    def update(self, theta: Array, g: Array, state: Array, eta: Any, t: int) -> None:
        """Take a step; of many parameters and passes, all passes over some, then over the next."""
        if not self.slots or len(theta) <= BLOCK:
            self.step(theta, g, state, eta, t)
            return
        for part in _blocks(slice(0, len(theta))):
            some = eta[part] if np.ndim(eta) else eta
            self.step(theta[part], g[part], state[:, part], some, t)


def _blocks(part: slice) -> Iterator[slice]:
    """Cut a part of the parameters into blocks."""
    for start in range(part.start, part.stop, BLOCK):
        yield slice(start, min(start + BLOCK, part.stop))


def descend(theta: Array, step: Array) -> None:
    """Take the article's step, theta <- theta - eta g, given eta g."""
    np.subtract(theta, step, theta)


# Steps from one time to the next at which a memory's subnormal numbers become 0.
FLUSH_STEPS = 32


def flush(memory: Array, t: int) -> None:
    """Set the subnormal numbers of a memory of gradients to 0, every `FLUSH_STEPS` steps.

    Where gradients have become 0 it decays to such, stays there, since the smallest rounds to
    itself, and from then on every pass over it takes up to fourteen times as long.
    """
    if t % FLUSH_STEPS == 0:
        memory[np.abs(memory) < np.finfo(memory.dtype).tiny] = 0


def sgd(theta: Array, g: Array, state: Array, eta: float, t: int) -> None:  # noqa: ARG001 - all rules alike
    """Take the article's step: theta <- theta - eta g."""
    np.multiply(g, eta, g)
    descend(theta, g)


def momentum(
    theta: Array,
    g: Array,
    state: Array,
    eta: float,
    t: int,
    mu: float,
    nesterov: bool,
) -> None:
    """Take a step with momentum: v <- mu v - eta g; theta <- theta + v.

    Nesterov's looks ahead: theta <- theta + mu v - eta g (Sutskever et al., 2013, as rearranged by
    Bengio et al., 2013).
    """
    (v,) = state
    flush(v, t)
    np.multiply(v, mu, v)
    np.multiply(g, eta, g)
    np.subtract(v, g, v)
    if nesterov:
        np.subtract(theta, g, theta)
        np.multiply(v, mu, g)
        np.add(theta, g, theta)
    else:
        np.add(theta, v, theta)


def adam(
    theta: Array,
    g: Array,
    state: Array,
    eta: float,
    t: int,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None:
    """Take a step of Adam (Kingma and Ba, 2015, Algorithm 1).

    m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g²; both are divided by 1 - beta^t for
    their zero start; theta <- theta - eta m / (sqrt(v) + epsilon).

    The state is m / (1 - beta1) and v / (1 - beta2), which spares three of thirteen passes.
    """
    m, v = state
    flush(state, t)
    root = sqrt((1 - beta2**t) / (1 - beta2))
    np.multiply(m, beta1, m)
    np.add(m, g, m)
    _remember_square(v, g, beta2)
    _over_root(m, v, g, epsilon * root)
    np.multiply(g, eta * root * (1 - beta1) / (1 - beta1**t), g)
    np.subtract(theta, g, theta)


def rmsprop(
    theta: Array,
    g: Array,
    state: Array,
    eta: float,
    t: int,
    beta2: float,
    epsilon: float,
) -> None:
    """Take a step of RMSProp (Tieleman and Hinton, 2012, lecture 6.5).

    v <- beta2 v + (1 - beta2) g²; theta <- theta - eta g / (sqrt(v) + epsilon). The state is
    v / (1 - beta2), and room for g.
    """
    v, kept = state
    flush(v, t)
    np.copyto(kept, g)
    root = sqrt(1 / (1 - beta2))
    _remember_square(v, g, beta2)
    _over_root(kept, v, g, epsilon * root)
    np.multiply(g, eta * root, g)
    np.subtract(theta, g, theta)


def _remember_square(v: Array, g: Array, beta2: float) -> None:
    """Update v <- beta2 v + g²; overwrites g."""
    np.multiply(g, g, g)
    np.multiply(v, beta2, v)
    np.add(v, g, v)


def _over_root(m: Array, v: Array, out: Array, epsilon: float) -> None:
    """Write m / (sqrt(v) + epsilon) into `out`."""
    np.sqrt(v, out)
    np.add(out, epsilon, out)
    np.divide(m, out, out)


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
        return Optimizer(partial(step, **SETTINGS[name] | settings), 2)
    if mu:
        return Optimizer(partial(momentum, mu=mu, nesterov=nesterov), 1)
    return Optimizer(sgd, 0)


def decay_weights(theta: Array, weights: Sequence[slice], factor: float) -> None:
    """Multiply the weights, and not the biases, by a factor: AdamW's decay (Loshchilov, 2019)."""
    for part in weights:
        np.multiply(theta[part], factor, theta[part])


def add_l2_gradient(
    theta: Array, g: Array, scratch: Array, weights: Sequence[slice], rate: float
) -> None:
    """Add the gradient of rate/2 · |W|² to `g`, for the weights and not the biases."""
    for part in chain.from_iterable(map(_blocks, weights)):
        decay = scratch[: part.stop - part.start]
        np.multiply(theta[part], rate, decay)
        np.add(g[part], decay, g[part])


def clip(g: Array, norm: float) -> None:
    """Scale the gradient to a Euclidean norm if it is longer (Pascanu et al., 2013)."""
    length = sqrt(float(np.vdot(g, g)))
    if length > norm:
        np.multiply(g, norm / length, g)
