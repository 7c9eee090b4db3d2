"""What a compiled loop takes of a network: arrays and numbers, made once when a run starts."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn.activations import Array
from mlpcli.nn.compiled import blas
from mlpcli.nn.compiled.activations import KINDS, VECTORISED
from mlpcli.nn.compiled.optimizers import Parts, Rule, Settings
from mlpcli.nn.compiled.team import LINE, new_meeting, share
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
