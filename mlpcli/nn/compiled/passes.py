"""The passes of a compiled step, of which each thread has its part, as `team` says.

The equations are numbered as in `backprop`. What is whose does not depend on a mini-batch's size,
since a thread may be at the next one while others are not done with this.
"""

import math
from typing import Any

from mlpcli.jit import compiled
from mlpcli.nn.activations import Array
from mlpcli.nn.compiled.activations import SOFTMAX, activate, slope, softmax
from mlpcli.nn.compiled.plan import DELTA, MSE, OWN_DELTA, PRODUCTS, A, Integers, Z
from mlpcli.nn.compiled.products import add_product, bias_gradient, delta_below, gradient
from mlpcli.nn.compiled.team import meet, share
from mlpcli.nn.compiled.views import matrix, vector


@compiled
def _neurons(structure: Integers, layers: int) -> int:
    """Return how many neurons the first layers have."""
    total = 0
    for layer in range(layers):
        total += int(structure[layer])
    return total


@compiled
def rows_of(room: Array, structure: Integers) -> int:
    """Return of how many examples there is room."""
    return int(room.shape[1]) // _neurons(structure, len(structure))


@compiled
def forward(
    me: int,
    meeting: Integers,
    m: int,
    theta: Array,
    room: Array,
    structure: Integers,
    kinds: Integers,
    input_scale: float,
) -> None:
    """Fill z and σ(z) of all layers, as `network.forward`: of its own neurons, or examples."""
    number, size, team = theta.dtype.type, room.shape[1], len(meeting) - 1
    rows, scale, p, q = rows_of(room, structure), number(input_scale), 0, 0
    for layer in range(len(kinds)):
        n_in, n_out = structure[layer], structure[layer + 1]
        low, high = share(n_in, me, team)
        a = matrix(room, A * size + q + rows * low, m, high - low)
        W = matrix(theta, p + low * n_out, high - low, n_out)
        b = vector(theta, p + n_in * n_out, n_out)
        p, q = p + (n_in + 1) * n_out, q + rows * n_in
        z = matrix(room, (Z if team == 1 else PRODUCTS + me) * size + q, m, n_out)
        last = me == team - 1
        if last:
            for i in range(m):
                for j in range(n_out):
                    z[i, j] = b[j]
        add_product(scale, a, W, number(last), z)
        scale = number(1)
        output = layer == len(kinds) - 1
        low, high = share(m if output else n_out, me, team)
        if team > 1:
            meet(meeting, me, team)
            if output:
                _add_up(room, q, q + low * n_out, n_out, low, high, 0, n_out, team)
            else:
                _add_up(room, q, q + rows * low, n_out, 0, m, low, high, team)
        start = q + (low * n_out if output else rows * low)
        numbers = (high - low) * (n_out if output else m)
        if kinds[layer] == SOFTMAX:
            z = matrix(room, Z * size + start, high - low, n_out)
            softmax(z, matrix(room, A * size + start, high - low, n_out))
        else:
            flat_z = vector(room, Z * size + start, numbers)
            activate(kinds[layer], flat_z, vector(room, A * size + start, numbers))


@compiled
def _add_up(
    room: Array,
    q: int,
    to: int,
    n: int,
    top: int,
    bottom: int,
    low: int,
    high: int,
    team: int,
) -> None:
    """Add up what all threads have of z, of some rows and columns of n, which then stand alone."""
    size, width = room.shape[1], high - low
    own = matrix(room, Z * size + to, bottom - top, width)
    one, other = PRODUCTS * size + q, (PRODUCTS + 1) * size + q
    for i in range(bottom - top):
        start = (top + i) * n + low
        first, second = vector(room, one + start, width), vector(room, other + start, width)
        for j in range(width):
            own[i, j] = first[j] + second[j]
        for member in range(2, team):
            another = vector(room, (PRODUCTS + member) * size + q + start, width)
            for j in range(width):
                own[i, j] += another[j]


@compiled
def output_delta(
    me: int,
    team: int,
    chosen: Integers,
    labels: Integers,
    targets: Array,
    weights: Array,
    room: Array,
    structure: Integers,
    kinds: Integers,
    loss: int,
    divisor: int,
) -> float:
    """Write (2), delta^(L) over the divisor, of some examples.

    Returns:
        The weighted sum of their E, as `losses` have it.
    """
    number, size, m, n = room.dtype.type, room.shape[1], len(chosen), structure[-1]
    low, high = share(m, me, team)
    q = rows_of(room, structure) * _neurons(structure, len(structure) - 1) + low * n
    z = matrix(room, Z * size + q, high - low, n)
    a = matrix(room, A * size + q, high - low, n)
    delta = matrix(room, DELTA * size + q, high - low, n)
    total = 0.0
    for i in range(high - low):
        y = vector(targets, labels[chosen[low + i]] * n, n)
        error = 0.0
        for j in range(n):
            u, off = z[i, j], a[i, j] - y[j]
            if loss == MSE:
                error += off * off
                delta[i, j] = off + off
            else:
                delta[i, j] = off
                if kinds[-1] == SOFTMAX:
                    error -= y[j] * u
                else:
                    right = number(1) if u > 0 else number(0)
                    error += (right - y[j]) * u + math.log1p(math.exp(-abs(u)))
        total += weights[chosen[low + i], 0] * error if len(weights) else error
    if loss == MSE:
        slope(kinds[-1], delta, a, z)
    for i in range(high - low):
        factor = (weights[chosen[low + i], 0] if len(weights) else number(1)) / number(divisor)
        for j in range(n):
            delta[i, j] *= factor
    return total


@compiled
def backward(
    me: int,
    meeting: Integers,
    m: int,
    theta: Array,
    target: Array,
    scale: Any,
    kept: Any,
    room: Array,
    structure: Integers,
    kinds: Integers,
    input_scale: float,
) -> None:
    """Write the gradient by (1) and (3) to (6), as `backprop.backprop`, into its parts of `target`.

    It is multiplied by `scale`, and added to what is kept of `target`, all or nothing. That may be
    theta itself: so plain gradient descent needs no pass of its own.
    """
    number, size, team = theta.dtype.type, room.shape[1], len(meeting) - 1
    rows = rows_of(room, structure)
    p, q = len(theta), rows * _neurons(structure, len(structure) - 1)
    for layer in range(len(kinds) - 1, -1, -1):
        n_in, n_out = structure[layer], structure[layer + 1]
        p -= (n_in + 1) * n_out
        low, high = share(n_in, me, team)
        own = high - low
        delta = matrix(room, DELTA * size + q, m, n_out)
        q -= rows * n_in
        a = matrix(room, A * size + q + rows * low, m, own)
        W = matrix(theta, p + low * n_out, own, n_out)
        d = matrix(target, p + low * n_out, own, n_out)
        below = matrix(room, (DELTA if team == 1 else OWN_DELTA) * size + q + rows * low, m, own)
        if layer > 0:
            # Before the weights change.
            delta_below(delta, W, below)
        of_inputs = number(1) if layer else number(input_scale)
        gradient(scale * of_inputs, a, delta, kept, d)
        if me == team - 1:
            bias_gradient(scale, delta, kept, vector(target, p + n_in * n_out, n_out))
        if layer > 0:
            z = matrix(room, Z * size + q + rows * low, m, own)
            slope(kinds[layer - 1], below, a, z)
            if team > 1:
                whole = matrix(room, DELTA * size + q, m, n_in)
                for i in range(m):
                    for j in range(own):
                        whole[i, low + j] = below[i, j]
                meet(meeting, me, team)
