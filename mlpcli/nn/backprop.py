"""The gradient of a mini-batch: the article's six equations, vectorised over its examples."""

from collections.abc import Sequence

import numpy as np

from mlpcli.nn.activations import Array
from mlpcli.nn.losses import Loss
from mlpcli.nn.network import Buffers, Network, forward, layer_views


class Workspace(Buffers):
    """Everything one step writes, allocated once per run.

    Args:
        network: the network that will use it.
        rows: examples in a mini-batch, m.
        share: a larger workspace of the same network to lie in, instead of new memory.
        dropout: rates for layers 1..L-1; none are dropped by default.
        gradient: the vector to write the gradient into, (p,); a new one by default.

    Attributes:
        delta: delta^(2)..delta^(L), (m, n_l).
        gradient: (p,) the gradient, laid out as `network.theta`.
        d_layers: its views (dE/dW^(l))^T with dE/db^(l) as the last row, for l = 2..L,
            (n_{l-1} + 1, n_l).
        backward_steps: what `backprop` needs of layers L..3.
    """

    def __init__(
        self,
        network: Network,
        rows: int,
        share: "Workspace | None" = None,
        dropout: Sequence[float] = (),
        gradient: Array | None = None,
    ) -> None:
        super().__init__(network, rows, share, dropout)
        if share is None:
            self.delta = [np.empty_like(z) for z in self.z]
            self.gradient = np.empty_like(network.theta) if gradient is None else gradient
        else:
            self.delta = [delta[:rows] for delta in share.delta]
            self.gradient = share.gradient
        self.d_layers = layer_views(self.gradient, network.structure)
        backward = [activation.backward for activation in network.activations]
        self.backward_steps = list(
            zip(self.d_layers[1:], network.weights[1:], self.a, self.masks[1:], backward[:-1],
                self.delta[:-1], self.sigma[:-1], self.z[:-1], strict=True)
        )[::-1]  # fmt: skip


def backprop(
    loss: Loss,
    x: Array,
    y: Array,
    ws: Workspace,
    factor: float | Array,
    weight: Array | None = None,
) -> float:
    """Write the gradient of the error of one mini-batch B, times a factor, into `ws.gradient`.

    Examples are columns in the article and rows here, so each product stands transposed; the sums
    over examples that follow from the equations for one example are part of the products. So are
    the biases: as weights of one more neuron in the layer below, whose activation is always 1,
    their equations (3) and (6) are the last rows of (1) and (4).

    Args:
        loss: the error E and delta^(L), a function of `losses.LOSSES`.
        x: inputs, (m, n_1 + 1), C-contiguous; the last column as `input_buffer` has it.
        y: one-hot or smoothed labels, (m, n_L).
        ws: workspace for m examples, of the network to use, which is only read; overwritten, but
            for its dropout masks.
        factor: of the sum over B: 1/m for the mean. A 0-d array is faster than a number.
        weight: the weight of each example in that sum, (m, 1); None where all are 1.

    Returns:
        The weighted sum of E over B.
    """
    a_out = forward(x, ws)

    # (2) delta^(L) = -2 (y - a^(L)) ⊙ σ'(z^(L)), or what another loss makes of it; the factor is
    # multiplied here, into the smallest array that every gradient contains.
    delta = ws.delta[-1]
    error = loss(y, ws.z[-1], a_out, delta, weight)
    if weight is not None:
        np.multiply(delta, weight, delta)
    np.multiply(delta, factor, delta)

    for d_layer, W, a, mask, backward, delta_below, sigma, z in ws.backward_steps:
        # (1) dE/dW^(L) = delta^(L) (a^(L-1))^T, (4) dE/dW^(l) = delta^(l) (a^(l-1))^T, and
        # (3) dE/db^(L) = delta^(L), (6) dE/db^(l) = delta^(l), times the 1 that ends a
        a.T.dot(delta, d_layer)
        # (5) delta^(l) = ((W^(l+1))^T delta^(l+1)) ⊙ σ'(z^(l)), through the dropout mask if any
        delta.dot(W, delta_below)
        if mask is not None:
            np.multiply(delta_below, mask, delta_below)
        backward(delta_below, sigma, z)
        delta = delta_below

    scale = ws.network.input_scale
    if scale != 1:
        np.multiply(delta, scale, delta)
    x.T.dot(delta, ws.d_layers[0])  # (4) and (6) for the first hidden layer
    return error
