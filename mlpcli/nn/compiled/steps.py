"""Steps as one compiled loop: gathering, forward, backward and update of many mini-batches.

A call from Python costs half a microsecond, a step of the smallest networks two. The loop is
`training.loop`'s with `backprop` and the update in it. Several threads take each step together, as
`team` says.
"""

import math

import numpy as np
from numpy.typing import NDArray

from mlpcli.jit import compiled
from mlpcli.nn.activations import Array
from mlpcli.nn.compiled.inputs import gather
from mlpcli.nn.compiled.optimizers import (
    Parts,
    Settings,
    clips,
    is_plain,
    shortening,
    squares,
    update_parts,
)
from mlpcli.nn.compiled.passes import backward, forward, output_delta, rows_of
from mlpcli.nn.compiled.plan import Integers
from mlpcli.nn.compiled.team import meet, share
from mlpcli.nn.compiled.views import matrix, vector


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
        features: what inputs are gathered from, (n, n_1): bytes, or floats of the dtype of the
            parameters; further columns are not used.
        labels: the row in `targets` of every example, (N,).
        targets: (k, n_L).
        weights: of the examples, (N, 1), or (0, 1) where all are 1.
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
    rows = rows_of(room, structure)
    descends = is_plain(kind, settings)
    for step in range(len(sizes)):
        m = sizes[step]
        low, high = share(structure[0], me, team)
        x = matrix(room, rows * low, m, high - low)
        gather(features, vector(held, row, m), low, high - low, x)
        forward(me, meeting, m, theta, room, structure, kinds, input_scale)
        examples = vector(chosen, row, m)
        sums[0, me, 0] = output_delta(
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
            backward(
                me, meeting, m, theta, theta, down, number(1), room, structure, kinds, input_scale
            )
            continue
        backward(
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
def _sum(sums: NDArray[np.float64], which: int) -> float:
    """Add up what the threads have of a sum, in the same order in each."""
    total = 0.0
    for member in range(sums.shape[1]):
        total += sums[which, member, 0]
    return total
