"""Steps of small networks as one compiled loop: forward, backward and update of many mini-batches.

A call from Python costs half a microsecond, a step of the smallest networks two. The loop is
`training.loop`'s with `backprop` and the update in it; the equations are numbered as there.
Products are written out, since numba has none of its own.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn.activations import Array
from mlpcli.nn.compiled.activations import KINDS, SOFTMAX, activate, slope, softmax
from mlpcli.nn.compiled.jit import compiled
from mlpcli.nn.compiled.optimizers import update
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
    gradient: Array
    """(p,) overwritten."""
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
    gradient: Array,
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
        gradient: see there.
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
    row = 0
    for step in range(len(sizes)):
        m = sizes[step]
        x_step, y_step = x[row : row + m], y[row : row + m]
        weight_step = weight[row : row + m]
        row += m
        _forward(x_step, theta, room, structure, kinds, input_scale)
        errors[step] = _delta(y_step, weight_step, room, structure, kinds, loss, divisors[step])
        if not math.isfinite(errors[step]):
            return step + 1
        _backward(x_step, theta, gradient, room, structure, kinds, input_scale)
        update(theta, gradient, state, etas[step], first + step, kind, settings, bounds)
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
        z = room[0, q : q + m * n_out].reshape(m, n_out)
        a = room[1, q : q + m * n_out].reshape(m, n_out)
        _product(below, W_and_b, x[0, n_in] if layer == 0 else x.dtype.type(1), z)
        if layer == 0 and input_scale != 1:
            scale = x.dtype.type(input_scale)
            for i in range(m):
                for j in range(n_out):
                    z[i, j] *= scale
        if kinds[layer] == SOFTMAX:
            softmax(z, a)
        else:
            activate(kinds[layer], z.reshape(m * n_out), a.reshape(m * n_out))
        below, p, q = a, p + (n_in + 1) * n_out, q + m * n_out


@compiled
def _product(a: Array, W_and_b: Array, one: Any, z: Array) -> None:
    """Write z = a W + one · b, four rows of W in a turn."""
    inputs, n = len(W_and_b) - 1, z.shape[1]
    fours = inputs - inputs % 4
    for i in range(len(z)):
        for j in range(n):
            z[i, j] = one * W_and_b[inputs, j]
        for k in range(0, fours, 4):
            a0, a1, a2, a3 = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3]
            for j in range(n):
                z[i, j] += (
                    a0 * W_and_b[k, j]
                    + a1 * W_and_b[k + 1, j]
                    + a2 * W_and_b[k + 2, j]
                    + a3 * W_and_b[k + 3, j]
                )
        for k in range(fours, inputs):
            for j in range(n):
                z[i, j] += a[i, k] * W_and_b[k, j]


@compiled
def _transposed_product(a: Array, delta: Array, one: Any, d: Array) -> None:
    """Write a^T delta, and below it one · the sum of delta's rows, into `d`, (inputs + 1, n)."""
    inputs, n, m = len(d) - 1, d.shape[1], len(delta)
    fours = m - m % 4
    d[:] = 0
    for i in range(0, fours, 4):
        for k in range(inputs):
            a0, a1, a2, a3 = a[i, k], a[i + 1, k], a[i + 2, k], a[i + 3, k]
            for j in range(n):
                d[k, j] += (
                    a0 * delta[i, j]
                    + a1 * delta[i + 1, j]
                    + a2 * delta[i + 2, j]
                    + a3 * delta[i + 3, j]
                )
    for i in range(fours, m):
        for k in range(inputs):
            for j in range(n):
                d[k, j] += a[i, k] * delta[i, j]
    for i in range(m):
        for j in range(n):
            d[inputs, j] += one * delta[i, j]


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
    gradient: Array,
    room: Array,
    structure: Integers,
    kinds: Integers,
    input_scale: float,
) -> None:
    """Write the gradient by (1) and (3) to (6), as `backprop.backprop`."""
    m, p, q = len(x), len(theta), 0
    for layer in range(len(kinds)):
        q += m * structure[layer + 1]
    for layer in range(len(kinds) - 1, -1, -1):
        n_in, n_out = structure[layer], structure[layer + 1]
        p, q = p - (n_in + 1) * n_out, q - m * n_out
        d = gradient[p : p + (n_in + 1) * n_out].reshape(n_in + 1, n_out)
        delta = room[2, q : q + m * n_out].reshape(m, n_out)
        if layer == 0:
            if input_scale != 1:
                scale = x.dtype.type(input_scale)
                for i in range(m):
                    for j in range(n_out):
                        delta[i, j] *= scale
            _transposed_product(x, delta, x[0, n_in], d)
            return
        below = slice(q - m * n_in, q)
        z, a = room[0, below].reshape(m, n_in), room[1, below].reshape(m, n_in)
        _transposed_product(a, delta, x.dtype.type(1), d)
        delta_below = room[2, below].reshape(m, n_in)
        _product_with_transposed(
            delta, theta[p : p + n_in * n_out].reshape(n_in, n_out), delta_below
        )
        slope(kinds[layer - 1], delta_below, a, z)


@compiled
def _product_with_transposed(delta: Array, W: Array, out: Array) -> None:
    """Write delta W^T into `out`."""
    for i in range(len(delta)):
        for k in range(len(W)):
            total = delta.dtype.type(0)
            for j in range(W.shape[1]):
                total += delta[i, j] * W[k, j]
            out[i, k] = total
