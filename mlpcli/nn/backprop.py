"""The gradient of a mini-batch: the article's six equations, vectorised over its examples."""

from collections.abc import Sequence

import numpy as np

from mlpcli.nn.activations import Array
from mlpcli.nn.losses import Loss
from mlpcli.nn.network import Buffers, Network, forward, views_of


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
        d_weights: its views (dE/dW^(l))^T for layers 2..L, (n_{l-1}, n_l).
        d_biases: its views dE/db^(l) for layers 2..L, (n_l,).
        ones: (m,), to sum over the examples by a product.
    """

    def __init__(
        self,
        network: Network,
        rows: int,
        share: "Workspace | None" = None,
        dropout: Sequence[float] = (),
    ) -> None:
        super().__init__(network, rows, share, dropout)
        self.ones = np.ones(rows, network.dtype)
        if share is None:
            self.delta = [np.empty_like(z) for z in self.z]
            self.gradient = np.empty_like(network.theta)
            self.d_weights, self.d_biases = views_of(self.gradient, network.structure)
        else:
            self.delta = [delta[:rows] for delta in share.delta]
            self.gradient = share.gradient
            self.d_weights, self.d_biases = share.d_weights, share.d_biases


def backprop(
    network: Network,
    loss: Loss,
    x: Array,
    y: Array,
    ws: Workspace,
    factor: float | Array,
    weight: Array | None = None,
) -> float:
    """Write the gradient of the error of one mini-batch B, times a factor, into `ws.gradient`.

    Examples are columns in the article and rows here, so each product stands transposed; the sums
    over examples that follow from the equations for one example are part of the products.

    Args:
        network: the parameters; read only.
        loss: the error E and delta^(L), a function of `losses.LOSSES`.
        x: inputs, (m, n_1), C-contiguous.
        y: one-hot or smoothed labels, (m, n_L).
        ws: workspace for m examples; overwritten, but for its dropout masks.
        factor: of the sum over B: 1/m for the mean. A 0-d array is faster than a number.
        weight: the weight of each example in that sum, (m, 1); None where all are 1.

    Returns:
        The weighted sum of E over B.
    """
    a_out = forward(network, x, ws)

    # (2) delta^(L) = -2 (y - a^(L)) ⊙ σ'(z^(L)), or what another loss makes of it; the factor is
    # multiplied here, into the smallest array that every gradient contains.
    delta = ws.delta[-1]
    error = loss(y, ws.z[-1], a_out, delta, weight)
    if weight is not None:
        np.multiply(delta, weight, delta)
    np.multiply(delta, factor, delta)

    for layer in range(len(network.biases) - 1, 0, -1):
        # (1) dE/dW^(L) = delta^(L) (a^(L-1))^T, (4) dE/dW^(l) = delta^(l) (a^(l-1))^T
        ws.a[layer - 1].T.dot(delta, ws.d_weights[layer])
        # (3) dE/db^(L) = delta^(L), (6) dE/db^(l) = delta^(l)
        ws.ones.dot(delta, ws.d_biases[layer])
        # (5) delta^(l) = ((W^(l+1))^T delta^(l+1)) ⊙ σ'(z^(l)), through the dropout mask if any
        delta_below = ws.delta[layer - 1]
        delta.dot(network.weights[layer], delta_below)
        if (mask := ws.masks[layer]) is not None:
            np.multiply(delta_below, mask, delta_below)
        network.activations[layer - 1].pull_back(delta_below, ws.sigma[layer - 1], ws.z[layer - 1])
        delta = delta_below

    ws.ones.dot(delta, ws.d_biases[0])  # (6) for the first hidden layer
    if network.input_scale != 1:
        np.multiply(delta, network.input_scale, delta)
    x.T.dot(delta, ws.d_weights[0])  # (4) for the first hidden layer
    return error
