"""Steps as one compiled loop: forward, backward and update of many mini-batches.

A call from Python costs half a microsecond, a step of the smallest networks two. The loop is
`training.loop`'s with gathering, `backprop` and the update in it; the equations are numbered as
there. Several threads take each step together, as `team` says.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn.activations import Array
from mlpcli.nn.compiled import blas
from mlpcli.nn.compiled.activations import KINDS, SOFTMAX, VECTORISED, activate, slope, softmax
from mlpcli.nn.compiled.inputs import gather
from mlpcli.nn.compiled.jit import compiled
from mlpcli.nn.compiled.optimizers import (
    Parts,
    Rule,
    Settings,
    clips,
    is_plain,
    shortening,
    squares,
    update_parts,
)
from mlpcli.nn.compiled.products import add_product, bias_gradient, delta_below, gradient
from mlpcli.nn.compiled.team import LINE, meet, new_meeting, share
from mlpcli.nn.compiled.views import matrix, vector
from mlpcli.nn.network import Network

MSE, CROSS_ENTROPY = range(2)
LOSSES = {
    ("mse", "sigmoid"): MSE,
    ("mse", "softmax"): MSE,
    ("cross_entropy", "sigmoid"): CROSS_ENTROPY,
    ("cross_entropy", "softmax"): CROSS_ENTROPY,
}
# Rows of a plan's room: what each thread has of a and z, all of delta, and with several threads
# what each has of delta, and from PRODUCTS on what each adds to z.
A, Z, DELTA, OWN_DELTA, PRODUCTS = range(5)
Integers = NDArray[np.int64]


class Plan(NamedTuple):
    """What the loop takes of a network, its loss and its rule."""

    meeting: Integers
    """Where the threads meet, as in `team`."""
    sums: NDArray[np.float64]
    """(2, team, LINE) what each adds to the error, and to the squares of the gradient."""
    theta: Array
    g: Array
    """(p,) overwritten with the gradient."""
    room: Array
    """(3, m (n_1 + ... + n_L)) for the largest mini-batch, and with several threads more."""
    structure: Integers
    kinds: Integers
    """The activation of each layer 2..L."""
    loss: int
    input_scale: float
    state: Array
    """The optimiser's memory, (slots, p)."""
    kind: int
    """This and the next as in `optimizers.Rule`."""
    settings: Settings


class Data(NamedTuple):
    """What the mini-batches are gathered from."""

    features: NDArray[np.generic]
    """(n, n_1) bytes, or floats of the dtype of the parameters; further columns are not used."""
    labels: Integers
    """(N,) the row in `targets` of every example."""
    targets: Array
    """(k, n_L)."""
    weights: Array
    """(N, 1) weights of the examples, or (0, 1) where all are 1."""


def make_plan(
    network: Network, loss: tuple[str, str], rows: int, state: Array, rule: Rule, team: int
) -> Plan | None:
    """Return what the loop takes, for mini-batches of at most so many rows; None if it cannot."""
    names = network.activation_names
    if loss not in LOSSES or not set(names) <= set(KINDS):
        return None
    return Plan(
        new_meeting(team),
        np.zeros((2, team, LINE)),
        network.theta,
        np.empty_like(network.theta),
        np.empty(
            (PRODUCTS + team if team > 1 else OWN_DELTA, rows * sum(network.structure)),
            network.dtype,
        ),
        np.array(network.structure),
        np.array([KINDS[name] for name in names]),
        LOSSES[loss],
        network.input_scale,
        state,
        rule.kind,
        rule.settings,
    )


def parts_of(structure: Sequence[int], me: int, team: int) -> Parts:
    """Return the parts of theta that are a thread's own: its weights, and the last one's biases."""
    parts, start = [], 0
    for n_in, n_out in pairwise(structure):
        first, last = share(n_in, me, team)
        parts.append((start + first * n_out, start + last * n_out, 1))
        start += n_in * n_out
        if me == team - 1:
            parts.append((start, start + n_out, 0))
        start += n_out
    return np.array(parts, np.int64)


def suits_large(network: Network) -> bool:
    """Return whether the loop is faster than NumPy however large a network is."""
    return blas.AVAILABLE and set(network.activation_names[:-1]) <= VECTORISED


@compiled
def train_steps(
    me: int,
    parts: Parts,
    features: NDArray[np.generic],
    labels: Integers,
    targets: Array,
    weights: Array,
    held: Integers,
    chosen: Integers,
    sizes: Integers,
    divisors: Integers,
    etas: NDArray[np.float64],
    first: int,
    errors: NDArray[np.float64],
    meeting: Integers,
    sums: NDArray[np.float64],
    theta: Array,
    g: Array,
    room: Array,
    structure: Integers,
    kinds: Integers,
    loss: int,
    input_scale: float,
    state: Array,
    kind: int,
    settings: Settings,
) -> int:
    """Take steps on successive mini-batches, up to one whose error is not finite.

    Args:
        me: which thread of the team it is that calls.
        parts: of theta that are its own.
        features: this and the next three as in `Data`.
        labels: see there.
        targets: see there.
        weights: see there.
        held: the examples of all mini-batches by their row in `features`, (n,).
        chosen: and in labels and weights.
        sizes: examples in each mini-batch, (steps,).
        divisors: what the gradient of each is divided by, (steps,).
        etas: learning rate of each, (steps,).
        first: number of the first step, from 1.
        errors: receives the weighted sum of E over each, (steps,).
        meeting: this and the rest as in `Plan`.
        sums: see there.
        theta: see there.
        g: see there.
        room: see there.
        structure: see there.
        kinds: see there.
        loss: see there.
        input_scale: see there.
        state: see there.
        kind: see there.
        settings: see there.

    Returns:
        How many steps have an error; all but a last one that is not finite were taken.
    """
    number, row, team = theta.dtype.type, 0, len(meeting) - 1
    rows = _rows(room, structure)
    descends = is_plain(kind, settings)
    for step in range(len(sizes)):
        m = sizes[step]
        low, high = share(structure[0], me, team)
        x = matrix(room, rows * low, m, high - low)
        gather(features, vector(held, row, m), low, high - low, x)
        _forward(me, meeting, m, theta, room, structure, kinds, input_scale)
        examples = vector(chosen, row, m)
        sums[0, me, 0] = _delta(
            me,
            team,
            examples,
            labels,
            targets,
            weights,
            room,
            structure,
            kinds,
            loss,
            divisors[step],
        )
        row += m
        meet(meeting, me, team)
        error = _sum(sums, 0)
        if me == 0:
            errors[step] = error
        if not math.isfinite(error):
            return step + 1
        if descends:
            down = -number(etas[step])
            _backward(
                me, meeting, m, theta, theta, down, number(1), room, structure, kinds, input_scale
            )
            continue
        _backward(
            me, meeting, m, theta, g, number(1), number(0), room, structure, kinds, input_scale
        )
        shorter = 1.0
        if clips(settings):
            sums[1, me, 0] = squares(g, parts)
            meet(meeting, me, team)
            shorter = shortening(_sum(sums, 1), settings[6])
        update_parts(theta, g, state, etas[step], first + step, shorter, kind, settings, parts)
    return len(sizes)


@compiled
def _neurons(structure: Integers, layers: int) -> int:
    """Return how many neurons the first layers have."""
    total = 0
    for layer in range(layers):
        total += structure[layer]
    return total


@compiled
def _rows(room: Array, structure: Integers) -> int:
    """Return of how many examples there is room: what is whose does not depend on a mini-batch.

    A thread may be at the next one, of another size, while others are not done with this.
    """
    return room.shape[1] // _neurons(structure, len(structure))


@compiled
def _sum(sums: NDArray[np.float64], which: int) -> float:
    """Add up what the threads have of a sum, in the same order in each."""
    total = 0.0
    for member in range(sums.shape[1]):
        total += sums[which, member, 0]
    return total


@compiled
def _forward(
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
    rows, scale, p, q = _rows(room, structure), number(input_scale), 0, 0
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
            own = high - low
            z, a = (
                matrix(room, Z * size + start, own, n_out),
                matrix(room, A * size + start, own, n_out),
            )
            softmax(z, a)
        else:
            flat_z, flat_a = (
                vector(room, Z * size + start, numbers),
                vector(room, A * size + start, numbers),
            )
            activate(kinds[layer], flat_z, flat_a)


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
def _delta(
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
    q = _rows(room, structure) * _neurons(structure, len(structure) - 1) + low * n
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
def _backward(
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
    rows = _rows(room, structure)
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
