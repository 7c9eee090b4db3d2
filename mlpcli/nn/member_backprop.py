"""The gradient of members' mean error.

To the shared layers, what follows after them, the members' output layers and the error, is just
another loss: `backprop.backprop` computes their gradient as it stands.
"""

from collections.abc import Sequence

import numpy as np

from mlpcli.nn.activations import Array
from mlpcli.nn.backprop import Workspace, backprop
from mlpcli.nn.layout import Layout, count_parameters
from mlpcli.nn.losses import Loss, Weight
from mlpcli.nn.members import (
    MemberBuffers,
    MemberNetwork,
    by_member,
    forward_heads,
    heads_of,
    scale_inputs,
)
from mlpcli.nn.network import layer_views


class MemberWorkspace(MemberBuffers):
    """Everything one step of K members writes, allocated once per run.

    Attributes:
        delta: delta^(L) of the members, (K m, n_L).
        d_x: dE/da^(1), (K m, n_1).
        y: the labels, once for each member, (K m, n_L).
        weight: the examples' weights, once for each member, (K m, 1).
        gradient: (p,) the gradient, laid out as `network.theta`.
        d_layers, d_heads, d_scales: its views, as the network has them.
    """

    room = Workspace
    shared: Workspace

    def __init__(
        self,
        network: MemberNetwork,
        rows: int,
        share: "MemberWorkspace | None" = None,
        dropout: Sequence[float] = (),
    ) -> None:
        super().__init__(network, rows, share, dropout)
        all_rows = network.members * rows
        if share is None:
            self.delta, self.y = (np.empty_like(self.z_of_members) for _ in range(2))
            self.d_x = np.empty((all_rows, network.structure[0]), network.dtype)
            self.weight = np.empty((all_rows, 1), network.dtype)
        else:
            self.delta, self.y = share.delta[:all_rows], share.y[:all_rows]
            self.d_x, self.weight = share.d_x[:all_rows], share.weight[:all_rows]
        # The shared layers are the beginning of theta, and their workspace has all its gradient.
        self.gradient = self.shared.gradient
        layout = Layout(network.structure, network.members)
        self.d_layers = layer_views(self.gradient, layout.layers)
        self.d_heads = heads_of(self.d_layers[-1], network.members)
        of_scales = self.gradient[count_parameters(layout.layers) : layout.parameters]
        self.d_scales = of_scales.reshape(network.scales.shape)


def backprop_members(
    loss: Loss,
    x: Array,
    y: Array,
    ws: MemberWorkspace,
    factor: float | Array,
    weight: Array | None = None,
) -> float:
    """Write the gradient of the members' mean error of one mini-batch into `ws.gradient`.

    Arguments, and what is returned, are those of `backprop.backprop`, with the mean of the members'
    errors as E.
    """
    network = ws.network
    factor = factor / network.members
    scale_inputs(x, ws)
    by_member(ws.y, network)[...] = y
    if weight is not None:
        by_member(ws.weight, network)[...] = weight

    def loss_of_shared(y: Array, z: Array, a: Array, delta: Array, weight: Weight) -> float:
        """Return the error E, given a^(L-1) before dropout, and write delta^(L-1)."""
        out = forward_heads(a, ws)
        error = loss(y, ws.z_of_members, out, ws.delta, weight)
        heads, of_members = network.heads.transpose(0, 2, 1), by_member(ws.delta, network)
        # (5), with W_k^(L), through the dropout mask if any
        np.matmul(of_members, heads[:, :, :-1], by_member(delta, network))
        if ws.masks[-1] is not None:
            np.multiply(delta, ws.masks[-1], delta)
        network.shared.activations[-1].backward(delta, a, z)
        if weight is not None:
            np.multiply(ws.delta, weight, ws.delta)
        np.multiply(ws.delta, factor, ws.delta)
        # (1) and (3)
        np.matmul(by_member(ws.a, network).transpose(0, 2, 1), of_members, ws.d_heads)
        return error

    of_all = None if weight is None else ws.weight
    error = backprop(loss_of_shared, ws.x, ws.y, ws.shared, factor, of_all)
    # dE/dr_k = the sum over examples of x ⊙ dE/da_k^(1), and dE/da^(1) = (W^(2))^T delta^(2)
    ws.shared.delta[0].dot(network.weights[0], ws.d_x)
    np.einsum("kmi,mi->ki", by_member(ws.d_x, network), x[:, :-1], out=ws.d_scales)
    return error / network.members
