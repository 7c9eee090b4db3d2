"""Compiled updates of the parameters: the functions of `nn.optimizers` are the reference.

NumPy makes one pass over memory per operation; compiled, an update with clipping and decay is one
pass, and agrees with NumPy's to rounding.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.jit import compiled
from mlpcli.nn import optimizers
from mlpcli.nn.activations import Array
from mlpcli.nn.compiled.views import vector

SGD, MOMENTUM, NESTEROV, ADAM, RMSPROP = range(5)

Settings = tuple[float, ...]
# Of some parts of theta where each begins and ends, and 1 where it decays, (k, 3).
Parts = NDArray[np.int64]
# Of the dtype of the parameters, so that no arithmetic is in a wider one.
Number = np.floating[Any]


class Rule(NamedTuple):
    """What `update` takes of an experiment."""

    kind: int
    """SGD to RMSPROP."""
    settings: Settings
    """mu, beta1, beta2, epsilon, the rate of decay, 1 if that shrinks the weights as AdamW's
    instead of adding to the gradient, and the longest gradient, or infinity."""
    parts: Parts
    """The whole of theta."""


KINDS: dict[Callable[..., None], int] = {
    optimizers.sgd: SGD,
    optimizers.momentum: MOMENTUM,
    optimizers.adam: ADAM,
    optimizers.rmsprop: RMSPROP,
}


def make_rule(
    step: Callable[..., None],
    weights: Sequence[slice],
    p: int,
    decay: float = 0.0,
    shrinks: bool = False,
    longest: float | None = None,
) -> Rule:
    """Return the compiled counterpart of an optimiser's step, clipping and decay.

    Args:
        step: of an `optimizers.Optimizer`.
        weights: where the weights of each layer stand in theta.
        p: how many parameters theta has.
        decay: rate of weight decay.
        shrinks: whether it is AdamW's.
        longest: the norm that gradients are clipped to, if they are.
    """
    kind = KINDS[step.func if isinstance(step, partial) else step]
    given = {"mu": 0.0, "beta1": 0.0, "beta2": 0.0, "epsilon": 0.0}
    if isinstance(step, partial):
        given |= step.keywords
        kind = NESTEROV if given.pop("nesterov", False) else kind
    ends = [part.stop for part in weights]
    starts = [part.start for part in weights[1:]] + [p]
    parts = [(part.start, part.stop, 1) for part in weights]
    parts += [(start, stop, 0) for start, stop in zip(ends, starts, strict=True)]
    numbers = (float(given[name]) for name in ("mu", "beta1", "beta2", "epsilon"))
    settings = (*numbers, decay, float(shrinks), math.inf if longest is None else longest)
    return Rule(kind, settings, np.array(parts, np.int64))


@compiled
def is_plain(kind: int, settings: Settings) -> bool:
    """Return whether a rule is the article's step alone, theta <- theta - eta g."""
    decay, longest = settings[4], settings[6]
    return kind == SGD and decay == 0 and longest == math.inf


@compiled
def squares(g: Array, parts: Parts) -> float:
    """Return the sum of the squares of a gradient's parts."""
    total = 0.0
    for k in range(len(parts)):
        part = vector(g, parts[k, 0], parts[k, 1] - parts[k, 0])
        sum_of_part: Number = g.dtype.type(0)
        for i in range(len(part)):
            sum_of_part += part[i] * part[i]
        total += float(sum_of_part)
    return total


@compiled
def shortening(sum_of_squares: float, longest: float) -> float:
    """Return what to multiply a gradient by so that it is no longer than that."""
    length = math.sqrt(sum_of_squares)
    return longest / length if length > longest else 1.0


@compiled
def clips(settings: Settings) -> bool:
    """Return whether a rule shortens gradients."""
    return settings[6] != math.inf


@compiled
def _flushed(number: Any, tiny: Any) -> Any:
    """Return a number of a memory, or 0 in place of a subnormal one, as `optimizers.flush`."""
    return number - number if abs(number) < tiny else number


# Of the parameters p, (k,), and their mean gradient d: it is scaled, and `added` times the
# parameters is added to it; `kept` of them stays.


@compiled
def _sgd(p: Array, d: Array, scale: Number, added: Number, kept: Number, step: Number) -> None:
    for i in range(len(p)):
        p[i] = kept * p[i] - step * (scale * d[i] + added * p[i])


@compiled
def _momentum(
    p: Array,
    d: Array,
    v: Array,
    scale: Number,
    added: Number,
    kept: Number,
    step: Number,
    mu: Number,
    ahead: bool,
) -> None:
    tiny = np.finfo(p.dtype).tiny
    for i in range(len(p)):
        slope = step * (scale * d[i] + added * p[i])
        v[i] = _flushed(mu * v[i] - slope, tiny)
        p[i] = kept * p[i] + (mu * v[i] - slope if ahead else v[i])


@compiled
def _adam(
    p: Array,
    d: Array,
    m: Array,
    v: Array,
    scale: Number,
    added: Number,
    kept: Number,
    step: Number,
    beta1: Number,
    beta2: Number,
    least: Number,
) -> None:
    tiny = np.finfo(p.dtype).tiny
    for i in range(len(p)):
        slope = scale * d[i] + added * p[i]
        m[i] = _flushed(beta1 * m[i] + slope, tiny)
        v[i] = _flushed(beta2 * v[i] + slope * slope, tiny)
        p[i] = kept * p[i] - step * m[i] / (np.sqrt(v[i]) + least)


@compiled
def _rmsprop(
    p: Array,
    d: Array,
    v: Array,
    scale: Number,
    added: Number,
    kept: Number,
    step: Number,
    beta2: Number,
    least: Number,
) -> None:
    tiny = np.finfo(p.dtype).tiny
    for i in range(len(p)):
        slope = scale * d[i] + added * p[i]
        v[i] = _flushed(beta2 * v[i] + slope * slope, tiny)
        p[i] = kept * p[i] - step * slope / (np.sqrt(v[i]) + least)


@compiled
def update(
    theta: Array,
    g: Array,
    state: Array,
    eta: float,
    t: int,
    kind: int,
    settings: Settings,
    parts: Parts,
) -> None:
    """Take one step of an optimiser, with clipping and decay: one pass over all vectors.

    Args:
        theta: the parameters, (p,), changed in place.
        g: the mean gradient, (p,).
        state: the optimiser's memory, (slots, p), as `optimizers` has it; of RMSProp's the first.
        eta: the learning rate.
        t: the step's number, from 1.
        kind: this and the rest as in `Rule`.
        settings: see there.
        parts: see there.
    """
    shorter = 1.0
    if clips(settings):
        shorter = shortening(squares(g, parts), settings[6])
    update_parts(theta, g, state, eta, t, shorter, kind, settings, parts)


@compiled
def update_parts(
    theta: Array,
    g: Array,
    state: Array,
    eta: float,
    t: int,
    shorter: float,
    kind: int,
    settings: Settings,
    parts: Parts,
) -> None:
    """Take it for some parts of theta, once it is known what all of g is to be multiplied by."""
    number, p = theta.dtype.type, len(theta)
    mu, beta1, beta2, epsilon, decay, shrinks, _ = settings
    scale = number(shorter)
    root, rate = 1.0, eta
    if kind == ADAM:
        root = math.sqrt((1 - beta2**t) / (1 - beta2))
        rate = eta * root * (1 - beta1) / (1 - beta1**t)
    elif kind == RMSPROP:
        root = math.sqrt(1 / (1 - beta2))
        rate = eta * root
    step, least = number(rate), number(epsilon * root)
    for k in range(len(parts)):
        start, n, decays = parts[k, 0], parts[k, 1] - parts[k, 0], parts[k, 2]
        kept = number(1 - decays * shrinks * eta * decay)
        added = number(decays * (1 - shrinks) * decay)
        w, d = vector(theta, start, n), vector(g, start, n)
        if kind == SGD:
            _sgd(w, d, scale, added, kept, step)
            continue
        v = vector(state, start, n)
        if kind == ADAM:
            second = vector(state, p + start, n)
            _adam(w, d, v, second, scale, added, kept, step, number(beta1), number(beta2), least)
        elif kind == RMSPROP:
            _rmsprop(w, d, v, scale, added, kept, step, number(beta2), least)
        else:
            ahead = kind == NESTEROV
            _momentum(w, d, v, scale, added, kept, step, number(mu), ahead)
