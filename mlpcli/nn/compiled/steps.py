"""Steps as one compiled loop: forward, backward and update of many mini-batches.

A call from Python costs half a microsecond, a step of the smallest networks two. The loop is
`training.loop`'s with `backprop` and the update in it; the equations are numbered as there.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn.activations import Array
from mlpcli.nn.compiled import blas
from mlpcli.nn.compiled.activations import KINDS, SOFTMAX, VECTORISED, activate, slope, softmax
from mlpcli.nn.compiled.jit import compiled
from mlpcli.nn.compiled.optimizers import is_plain, update
from mlpcli.nn.compiled.products import delta_below, gradient, weighted_inputs
from mlpcli.nn.network import Network

MSE, CROSS_ENTROPY = range(2)
LOSSES = {
    ("mse", "sigmoid"): MSE,
    ("mse", "softmax"): MSE,
    ("cross_entropy", "sigmoid"): CROSS_ENTROPY,
    ("cross_entropy", "softmax"): CROSS_ENTROPY,
}
Integers = NDArray[np.int64]


class Plan(NamedTuple):
    """What the loop takes of a network and its loss."""

    theta: Array
    g: Array
    """(p,) overwritten with the gradient."""
    room: Array
    """(3, m (n_2 + ... + n_L)) for z, σ(z) and delta of the largest mini-batch."""
    structure: Integers
    kinds: Integers
    """The activation of each layer 2..L."""
    loss: int
    input_scale: float


def make_plan(network: Network, loss: tuple[str, str], rows: int) -> Plan | None:
    """Return what the loop takes, for mini-batches of at most so many rows; None if it cannot."""
    names = network.activation_names
    if loss not in LOSSES or not set(names) <= set(KINDS):
        return None
    return Plan(
        network.theta,
        np.empty_like(network.theta),
        np.empty((3, rows * sum(network.structure[1:])), network.dtype),
        np.array(network.structure),
        np.array([KINDS[name] for name in names]),
        LOSSES[loss],
        network.input_scale,
    )


def suits_large(network: Network) -> bool:
    """Return whether the loop is faster than NumPy however large a network is."""
    return blas.AVAILABLE and set(network.activation_names[:-1]) <= VECTORISED


@compiled
def train_steps(
    x: Array,
    y: Array,
    weight: Array,
    sizes: Integers,
    divisors: Integers,
    etas: NDArray[np.float64],
    first: int,
    errors: NDArray[np.float64],
    theta: Array,
    g: Array,
    room: Array,
    structure: Integers,
    kinds: Integers,
    loss: int,
    input_scale: float,
    state: Array,
    kind: int,
    settings: tuple[float, ...],
    bounds: Integers,
) -> int:
    """Take steps on successive mini-batches, up to one whose error is not finite.

    Args:
        x: inputs of all their examples, (n, n_1 + 1), as `network.input_buffer` has them.
        y: labels, (n, n_L).
        weight: weights of the examples, (n, 1), or (0, 1) where all are 1.
        sizes: examples in each mini-batch, (steps,).
        divisors: what the gradient of each is divided by, (steps,).
        etas: learning rate of each, (steps,).
        first: number of the first step, from 1.
        errors: receives the weighted sum of E over each, (steps,).
        theta: this and the next six as in `Plan`.
        g: see there.
        room: see there.
        structure: see there.
        kinds: see there.
        loss: see there.
        input_scale: see there.
        state: the optimiser's memory, (slots, p).
        kind: this and the rest as in `optimizers.Rule`.
        settings: see there.
        bounds: see there.

    Returns:
        How many steps have an error; all but a last one that is not finite were taken.
    """
    number, row = theta.dtype.type, 0
    descends = is_plain(kind, settings)
    one = number(1)
    for step in range(len(sizes)):
        m = sizes[step]
        x_step, y_step = x[row : row + m], y[row : row + m]
        weight_step = weight[row : row + m]
        row += m
        _forward(x_step, theta, room, structure, kinds, input_scale)
        errors[step] = _delta(y_step, weight_step, room, structure, kinds, loss, divisors[step])
        if not math.isfinite(errors[step]):
            return step + 1
        if descends:
            down = -number(etas[step])
            _backward(x_step, theta, theta, down, one, room, structure, kinds, input_scale)
        else:
            _backward(x_step, theta, g, one, number(0), room, structure, kinds, input_scale)
            update(theta, g, state, etas[step], first + step, kind, settings, bounds)
    return len(sizes)


@compiled
def _forward(
    x: Array, theta: Array, room: Array, structure: Integers, kinds: Integers, input_scale: float
) -> None:
    """Fill z and σ(z) of all layers, as `network.forward`."""
    m, below, p, q = len(x), x, 0, 0
    for layer in range(len(kinds)):
        n_in, n_out = structure[layer], structure[layer + 1]
        W_and_b = theta[p : p + (n_in + 1) * n_out].reshape(n_in + 1, n_out)
        flat_z, flat_a = room[0, q : q + m * n_out], room[1, q : q + m * n_out]
        # A view of another shape takes 80 ns, and σ of the smallest layers 20.
        z, a = flat_z.reshape(m, n_out), flat_a.reshape(m, n_out)
        weighted_inputs(below, W_and_b, x[0, n_in] if layer == 0 else x.dtype.type(1), z)
        if layer == 0 and input_scale != 1:
            multiply(flat_z, x.dtype.type(input_scale))
        if kinds[layer] == SOFTMAX:
            softmax(z, a)
        else:
            activate(kinds[layer], flat_z, flat_a)
        below, p, q = a, p + (n_in + 1) * n_out, q + m * n_out


@compiled
def _delta(
    y: Array,
    weight: Array,
    room: Array,
    structure: Integers,
    kinds: Integers,
    loss: int,
    divisor: int,
) -> float:
    """Write (2), delta^(L) over the divisor; return the weighted sum of E, as `losses` have it."""
    (m, n), number = y.shape, y.dtype.type
    q = m * structure[1:-1].sum()
    z = room[0, q : q + m * n].reshape(m, n)
    a = room[1, q : q + m * n].reshape(m, n)
    delta = room[2, q : q + m * n].reshape(m, n)
    total = 0.0
    for i in range(m):
        error = 0.0
        for j in range(n):
            u, off = z[i, j], a[i, j] - y[i, j]
            if loss == MSE:
                error += off * off
                delta[i, j] = off + off
            else:
                delta[i, j] = off
                if kinds[-1] == SOFTMAX:
                    error -= y[i, j] * u
                else:
                    right = number(1) if u > 0 else number(0)
                    error += (right - y[i, j]) * u + math.log1p(math.exp(-abs(u)))
        total += weight[i, 0] * error if len(weight) else error
    if loss == MSE:
        slope(kinds[-1], delta, a, z)
    for i in range(m):
        factor = (weight[i, 0] if len(weight) else number(1)) / number(divisor)
        for j in range(n):
            delta[i, j] *= factor
    return total


@compiled
def _backward(
    x: Array,
    theta: Array,
    target: Array,
    scale: Any,
    kept: Any,
    room: Array,
    structure: Integers,
    kinds: Integers,
    input_scale: float,
) -> None:
    """Write the gradient by (1) and (3) to (6), as `backprop.backprop`, into `target`, (p,).

    It is multiplied by `scale`, and added to what is kept of `target`, all or nothing. That may be
    theta itself: so plain gradient descent needs no pass of its own.
    """
    number = x.dtype.type
    m, p, q = len(x), len(theta), len(x) * structure[1:].sum()
    for layer in range(len(kinds) - 1, -1, -1):
        n_in, n_out = structure[layer], structure[layer + 1]
        p, q = p - (n_in + 1) * n_out, q - m * n_out
        d = target[p : p + (n_in + 1) * n_out].reshape(n_in + 1, n_out)
        delta = room[2, q : q + m * n_out].reshape(m, n_out)
        if layer == 0:
            if input_scale != 1:
                multiply(room[2, q : q + m * n_out], number(input_scale))
            gradient(x, delta, x[0, n_in], scale, kept, d)
            return
        part = slice(q - m * n_in, q)
        z, a = room[0, part].reshape(m, n_in), room[1, part].reshape(m, n_in)
        below = room[2, part].reshape(m, n_in)
        # Before the weights change.
        delta_below(delta, theta[p : p + n_in * n_out].reshape(n_in, n_out), below)
        gradient(a, delta, number(1), scale, kept, d)
        slope(kinds[layer - 1], below, a, z)


@compiled
def multiply(array: Array, factor: Any) -> None:
    """Multiply a vector in place."""
    for i in range(len(array)):
        array[i] *= factor
