"""The gradient of a mini-batch: the article's six equations, vectorised over its examples."""

from collections.abc import Sequence

import numpy as np

from mlpcli.nn.activations import Array
from mlpcli.nn.losses import Loss
from mlpcli.nn.network import Buffers, Network, blocks_of, forward


class Workspace(Buffers):
    """Everything one step writes, allocated once per run.

    Args:
        network: the network that will use it.
        rows: examples in a mini-batch, m.
        share: a larger workspace of the same network to lie in, instead of new memory.
        dropout: rates for layers 1..L-1; none are dropped by default.

    Attributes:
        delta: delta^(2)..delta^(L), (m, n_l).
        gradient: (p,) the gradient, laid out as `network.theta`.
        gradient_blocks: its views per layer 2..L, (n_{l-1} + 1, n_l).
    """

    def __init__(
        self,
        network: Network,
        rows: int,
        share: "Workspace | None" = None,
        dropout: Sequence[float] = (),
    ) -> None:
        super().__init__(network, rows, share, dropout)
        if share is None:
            self.delta = [np.empty_like(z) for z in self.z]
            self.gradient = np.empty_like(network.theta)
            self.gradient_blocks = blocks_of(self.gradient, network.structure)
        else:
            self.delta = [delta[:rows] for delta in share.delta]
            self.gradient = share.gradient
            self.gradient_blocks = share.gradient_blocks


def backprop(
    network: Network,
    loss: Loss,
    x: Array,
    y: Array,
    ws: Workspace,
    divisor: int,
    weight: Array | None = None,
) -> float:
    """Write the gradient of the error of one mini-batch B into `ws.gradient`.

    Examples are columns in the article and rows here, so each product stands transposed. The
    column of ones beside a^(l-1) makes one product of equations (1) and (3), and of (4) and (6).

    Args:
        network: the parameters; read only.
        loss: the error E and delta^(L), a function of `losses.LOSSES`.
        x: inputs, (m, n_1 + 1), rows of an `input_buffer`.
        y: one-hot or smoothed labels, (m, n_L).
        ws: workspace for m examples; overwritten, but for its dropout masks.
        divisor: what the sum over B is divided by: m for the mean.
        weight: the weight of each example in that sum, (m, 1); None where all are 1.

    Returns:
        The weighted sum of E over B, undivided.
    """
    a_out = forward(network, x, ws)

    # (2) delta^(L) = -2 (y - a^(L)) ⊙ σ'(z^(L)), or what another loss makes of it; 1/|B| is
    # multiplied here, into the smallest array that every gradient contains.
    delta = ws.delta[-1]
    error = loss(y, ws.z[-1], a_out, delta, weight)
    if weight is not None:
        np.multiply(delta, weight, out=delta)
    np.multiply(delta, 1 / divisor, out=delta)

    for layer in range(len(network.blocks) - 1, 0, -1):
        # (1) dE/dW^(L) = delta^(L) (a^(L-1))^T and (3) dE/db^(L) = delta^(L), then
        # (4) dE/dW^(l) = delta^(l) (a^(l-1))^T and (6) dE/db^(l) = delta^(l).
        np.matmul(ws.a[layer - 1].T, delta, out=ws.gradient_blocks[layer])
        # (5) delta^(l) = ((W^(l+1))^T delta^(l+1)) ⊙ σ'(z^(l)), through the dropout mask if any
        delta_below = ws.delta[layer - 1]
        np.matmul(delta, network.weights[layer], out=delta_below)
        if (mask := ws.masks[layer]) is not None:
            np.multiply(delta_below, mask, out=delta_below)
        network.activations[layer - 1].pull_back(delta_below, ws.sigma[layer - 1], ws.z[layer - 1])
        delta = delta_below

    if network.input_scale != 1:
        np.multiply(delta, network.input_scale, out=delta)
    np.matmul(x.T, delta, out=ws.gradient_blocks[0])  # (4) and (6) for the first hidden layer
    return error
