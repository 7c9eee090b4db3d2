"""The gradient of a network with periodic embeddings, that of its frequencies included."""

from collections.abc import Callable, Sequence
from math import tau
from typing import Any, NamedTuple

import numpy as np

from mlpcli.nn.activations import Array
from mlpcli.nn.backprop import Workspace, backprop
from mlpcli.nn.layout import PER_NUMBER
from mlpcli.nn.losses import Loss
from mlpcli.nn.member_backprop import MemberWorkspace, backprop_members
from mlpcli.nn.members import MemberNetwork, by_member
from mlpcli.nn.network import Network
from mlpcli.nn.periodic import PeriodicBuffers, PeriodicNetwork, embed, numbers_of


class PeriodicWorkspace(PeriodicBuffers):
    """Everything one step writes, allocated once per run.

    Attributes:
        d_x: dE/da^(1) of the network above, (m, n).
        gradient: (p,) the gradient, laid out as `network.theta`.
        d_frequencies: its view dE/dc, (numbers, k).
    """

    def __init__(
        self,
        network: PeriodicNetwork,
        rows: int,
        share: "PeriodicWorkspace | None" = None,
        dropout: Sequence[float] = (),
    ) -> None:
        super().__init__(network, rows, share, dropout)
        width = network.layout.embedded[0]
        self.d_x: Array
        self.d_x = np.empty((rows, width), network.dtype) if share is None else share.d_x[:rows]
        self.gradient = self.above.gradient
        self.d_frequencies = self.gradient[-network.frequencies.size :].reshape(-1, PER_NUMBER)

    def room_above(self) -> Callable[..., Any]:
        """Return what makes room for the network above."""
        return backward_pass(self.network.above).workspace


def backprop_periodic(
    loss: Loss,
    x: Array,
    y: Array,
    ws: PeriodicWorkspace,
    factor: float | Array,
    weight: Array | None = None,
) -> float:
    """Write the gradient of the error of one mini-batch into `ws.gradient`.

    Arguments, and what is returned, are those of `backprop.backprop`.
    """
    network, above = ws.network, ws.network.above
    embed(x, ws)
    error = backward_pass(above).backprop(loss, ws.x, y, ws.above, factor, weight)
    if isinstance(above, MemberNetwork):
        # Member k has r_k ⊙ a^(1).
        of_members = by_member(ws.above.d_x, above)
        np.einsum("kmi,ki->mi", of_members, above.scales, out=ws.d_x)
    else:
        ws.above.delta[0].dot(above.weights[0], ws.d_x)
    d_cos, d_sin = (part.reshape(ws.v.shape) for part in numbers_of(ws.d_x, network))
    # dE/dv = dE/dsin(v) ⊙ cos(v) - dE/dcos(v) ⊙ sin(v), and dv/dc = 2π x
    np.multiply(d_sin, ws.cos, d_sin)
    np.multiply(d_cos, ws.sin, d_cos)
    np.subtract(d_sin, d_cos, ws.v)
    of_c = x[:, network.numbers] * (tau * network.input_scale)
    np.einsum("mjk,mj->jk", ws.v, of_c, out=ws.d_frequencies)
    return error


class BackwardPass(NamedTuple):
    """What computes the gradient of a kind of network, and the room that it takes."""

    workspace: Callable[..., Any]
    backprop: Callable[..., float]


def backward_pass(network: Network) -> BackwardPass:
    """Return what computes a network's gradient."""
    if isinstance(network, PeriodicNetwork):
        return BackwardPass(PeriodicWorkspace, backprop_periodic)
    if isinstance(network, MemberNetwork):
        return BackwardPass(MemberWorkspace, backprop_members)
    return BackwardPass(Workspace, backprop)
