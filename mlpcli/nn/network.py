"""The network: its structure, its parameters as one vector, and the forward pass."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mlpcli.nn.activations import ACTIVATIONS, Array
from mlpcli.nn.layout import count_parameters


class Network:
    """A multi-layer perceptron with layers 1..L of sizes `structure`.

    All parameters stand in one flat vector `theta`, so that an optimiser works on vectors: layer by
    layer the weights, transposed for the product with rows of examples, then the biases. The two
    are one matrix for that product, since every layer has one more input, which is always 1.

    Args:
        structure: layer sizes [n_1, ..., n_L], L >= 2.
        activations: names of σ for layers 2..L, the last being the output's.
        dtype: of parameters and arithmetic, float32 or float64.
        input_scale: factor applied to every input, in the arithmetic and not in the data.
        theta: the vector to stand in, whose beginning the layers are; a new one by default.

    Attributes:
        theta: (p,) all parameters.
        layers: (W^(l))^T with b^(l) as the last row, for l = 2..L, C-contiguous views of `theta`
            shaped (n_{l-1} + 1, n_l).
        weights: W^(2)..W^(L), views shaped (n_l, n_{l-1}).
        biases: b^(2)..b^(L), views shaped (n_l,).
        members: how many networks it stands for; one here.
        temperature: what averaged outputs' weighted inputs are divided by; 1 here, where none are.
        extras: what else `theta` consists of, views by name; none here.
    """

    members = 1
    temperature = 1.0
    extras: Mapping[str, Array] = MappingProxyType({})

    def __init__(
        self,
        structure: Sequence[int],
        activations: Sequence[str],
        dtype: DTypeLike = np.float32,
        input_scale: float = 1.0,
        theta: Array | None = None,
    ) -> None:
        self.structure = tuple(structure)
        self.activation_names = tuple(activations)
        self.activations = [ACTIVATIONS[name] for name in activations]
        self.dtype = np.dtype(dtype)
        self.input_scale = input_scale
        self.theta: Array = np.zeros(count_parameters(structure), dtype) if theta is None else theta
        self.layers = layer_views(self.theta, structure)
        self.weights = [Wb[:-1].T for Wb in self.layers]
        self.biases = [Wb[-1] for Wb in self.layers]

    def copy(self) -> "Network":
        """Return a network of the same kind, with parameters of its own."""
        twin = Network(self.structure, self.activation_names, self.dtype, self.input_scale)
        twin.theta[:] = self.theta
        return twin

    def cool(self, temperature: float) -> None:
        """Divide the weighted inputs of the last layer by a temperature from now on."""
        self.layers[-1] /= temperature

    def weight_slices(self) -> list[slice]:
        """Return where in `theta` the weights of layers 2..L stand, biases left out."""
        slices, start = [], 0
        for W, b in zip(self.weights, self.biases, strict=True):
            slices.append(slice(start, start + W.size))
            start += W.size + b.size
        return slices


def layer_views(vector: Array, structure: Sequence[int]) -> list[Array]:
    """Return views of a parameter-shaped vector: (n_{l-1} + 1, n_l) for layers 2..L."""
    views, start = [], 0
    for n_in, n_out in pairwise(structure):
        stop = start + (n_in + 1) * n_out
        views.append(vector[start:stop].reshape(n_in + 1, n_out))
        start = stop
    return views


def input_buffer(network: Network, rows: int) -> Array:
    """Return room for inputs, (rows, n_1 + 1): the last column is what biases are multiplied by.

    That is 1 once it is scaled as the inputs are.
    """
    x = np.empty((rows, network.structure[0] + 1), network.dtype)
    x[:, -1] = 1 / network.input_scale
    return x


def as_inputs(network: Network, features: NDArray[np.generic]) -> Array:
    """Return a copy of features, (m, n_1), as `forward` takes them."""
    x = input_buffer(network, len(features))
    x[:, :-1] = features
    return x


class Buffers:
    """Room for the forward pass of m examples through one network.

    Functions are computed on C-contiguous arrays: on small ones NumPy's loops run three times as
    fast as on parts of wider arrays, where copying costs no more.

    Args:
        network: the network that will use it.
        rows: m.
        share: larger buffers of the same network to lie in, instead of new memory.
        dropout: rates for layers 1..L-1; none are dropped by default.

    Attributes:
        z: weighted inputs z^(2)..z^(L), (m, n_l).
        sigma: σ(z^(2))..σ(z^(L)), (m, n_l).
        a: a^(2)..a^(L-1), (m, n_l + 1): σ(z^(l)), dropped neurons set to 0, and a column of 1.
        masks: for layers 1..L-1, what dropout multiplies a^(l) by, (m, n_l), or None.
        forward_steps: what `forward` needs of layers 3..L; looking it up in every step takes
            0.4 µs, a twentieth of a step of the smallest networks.
    """

    def __init__(
        self,
        network: Network,
        rows: int,
        share: "Buffers | None" = None,
        dropout: Sequence[float] = (),
    ) -> None:
        sizes, dtype = network.structure, network.dtype
        self.network = network
        self.masks: list[Array | None]
        if share is None:
            rates = dropout or [0.0] * (len(sizes) - 1)
            self.masks = [
                np.empty((rows, n), dtype) if rate else None
                for n, rate in zip(sizes[:-1], rates, strict=True)
            ]
            self.z = [np.empty((rows, n), dtype) for n in sizes[1:]]
            self.sigma = [np.empty_like(z) for z in self.z]
            self.a = [np.ones((rows, n + 1), dtype) for n in sizes[1:-1]]
        else:
            self.masks = [None if mask is None else mask[:rows] for mask in share.masks]
            self.z = [z[:rows] for z in share.z]
            self.sigma = [sigma[:rows] for sigma in share.sigma]
            self.a = [a[:rows] for a in share.a]
        without_ones = [a[:, :-1] for a in self.a]
        forward = [activation.forward for activation in network.activations]
        self.forward_steps = list(
            zip(self.masks[1:], without_ones, self.a, network.layers[1:], self.z[1:], forward[1:],
                self.sigma[1:], strict=True)
        )  # fmt: skip


def forward(x: Array, buffers: Buffers) -> Array:
    """Compute z^(l) = W^(l) a^(l-1) + b^(l) and a^(l) = σ(z^(l)) for l = 2..L.

    Args:
        x: inputs, (m, n_1 + 1), C-contiguous; the last column as `input_buffer` has it.
        buffers: for m examples, of the network to use; overwritten, but for `masks`.

    Returns:
        The outputs a^(L), (m, n_L): the buffer `buffers.sigma[-1]` itself.
    """
    network, z, sigma = buffers.network, buffers.z[0], buffers.sigma[0]
    # The method costs 0.2 µs on the smallest arrays, np.matmul 0.8; the work is the same.
    x.dot(network.layers[0], z)
    if network.input_scale != 1:
        # On z^(2), (m, n_2), instead of on every pixel, (m, n_1).
        np.multiply(z, network.input_scale, z)
    network.activations[0].forward(z, sigma)
    for mask, without_ones, a, W_and_b, z, forward, sigma_above in buffers.forward_steps:
        if mask is None:
            without_ones[...] = sigma
        else:
            np.multiply(sigma, mask, without_ones)
        a.dot(W_and_b, z)
        forward(z, sigma_above)
        sigma = sigma_above
    return sigma
