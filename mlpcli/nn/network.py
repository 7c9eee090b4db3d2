"""The network: its structure, its parameters as one vector, and the forward pass."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from mlpcli.nn.activations import ACTIVATIONS, Array


class Network:
    """A multi-layer perceptron with layers 1..L of sizes `structure`.

    All parameters stand in one flat vector `theta`, so that an optimiser works on vectors. Layer l
    owns a block (n_{l-1} + 1, n_l) of it, the transposed weights above the biases: rows of inputs
    that end in a 1 meet weights and biases in one product.

    Args:
        structure: layer sizes [n_1, ..., n_L], L >= 2.
        activations: names of σ for layers 2..L, the last being the output's.
        dtype: of parameters and arithmetic, float32 or float64.
        input_scale: factor applied to every input, in the arithmetic and not in the data.

    Attributes:
        theta: (p,) all parameters.
        blocks: one (n_{l-1} + 1, n_l) view of `theta` per layer 2..L.
        weights: W^(2)..W^(L), views shaped (n_l, n_{l-1}).
        biases: b^(2)..b^(L), views shaped (n_l,).
    """

    def __init__(
        self,
        structure: Sequence[int],
        activations: Sequence[str],
        dtype: DTypeLike = np.float32,
        input_scale: float = 1.0,
    ) -> None:
        self.structure = tuple(structure)
        self.names = tuple(activations)
        self.activations = [ACTIVATIONS[name] for name in activations]
        self.dtype = np.dtype(dtype)
        self.input_scale = input_scale
        self.theta: Array = np.zeros(count_parameters(structure), self.dtype)
        self.blocks = blocks_of(self.theta, structure)
        self.weights = [block[:-1].T for block in self.blocks]
        self.biases = [block[-1] for block in self.blocks]

    def copy(self) -> "Network":
        """Return a network of the same kind, with parameters of its own."""
        twin = Network(self.structure, self.names, self.dtype, self.input_scale)
        twin.theta[:] = self.theta
        return twin

    def weight_slices(self) -> list[slice]:
        """Return where in `theta` the weights of layers 2..L stand, biases left out."""
        slices, start = [], 0
        for block in self.blocks:
            slices.append(slice(start, start + block[:-1].size))
            start += block.size
        return slices


def count_parameters(structure: Sequence[int]) -> int:
    """Return the number of weights and biases of a network with these layer sizes."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(structure))


def blocks_of(vector: Array, structure: Sequence[int]) -> list[Array]:
    """Return one (n_{l-1} + 1, n_l) view of a parameter-shaped vector per layer 2..L."""
    blocks, start = [], 0
    for n_in, n_out in pairwise(structure):
        stop = start + (n_in + 1) * n_out
        blocks.append(vector[start:stop].reshape(n_in + 1, n_out))
        start = stop
    return blocks


class Buffers:
    """Room for the forward pass of a mini-batch of m examples.

    Args:
        network: the network that will use it.
        rows: m.
        share: larger buffers of the same network to lie in, instead of new memory.

    Attributes:
        a: a^(2)..a^(L-1), (m, n_l + 1), each with a last column of ones to meet the biases; then
            the outputs a^(L), (m, n_L).
        z: weighted inputs z^(2)..z^(L), (m, n_l).
        sigma: σ(z^(l)), (m, n_l): parts of `a`, or arrays of their own where neurons are dropped
            between σ and a^(l).
        masks: for layers 1..L-1, what dropout multiplies a^(l) by, (m, n_l), or None.
    """

    def __init__(
        self,
        network: Network,
        rows: int,
        share: "Buffers | None" = None,
        dropout: Sequence[float] = (),
    ) -> None:
        sizes, dtype = network.structure, network.dtype
        rates = dropout or [0.0] * (len(sizes) - 1)
        self.masks: list[Array | None]
        if share is None:
            self.a = [np.ones((rows, n + 1), dtype) for n in sizes[1:-1]]
            self.a.append(np.empty((rows, sizes[-1]), dtype))
            self.z = [np.empty((rows, n), dtype) for n in sizes[1:]]
            self.masks = [
                np.empty((rows, n), dtype) if rate else None
                for n, rate in zip(sizes[:-1], rates, strict=True)
            ]
            self.sigma = [
                a[:, :n] if mask is None else np.empty((rows, n), dtype)
                for a, n, mask in zip(self.a, sizes[1:], [*self.masks[1:], None], strict=True)
            ]
        else:
            self.a = [a[:rows] for a in share.a]
            self.z = [z[:rows] for z in share.z]
            self.masks = [None if mask is None else mask[:rows] for mask in share.masks]
            self.sigma = [sigma[:rows] for sigma in share.sigma]


def input_buffer(network: Network, rows: int) -> Array:
    """Return room for inputs, (rows, n_1 + 1), whose last column is set to meet the biases.

    That column is 1 / input_scale: `forward` scales the whole product, biases included.
    """
    return np.full((rows, network.structure[0] + 1), 1 / network.input_scale, network.dtype)


def forward(network: Network, x: Array, buffers: Buffers) -> Array:
    """Compute z^(l) = W^(l) a^(l-1) + b^(l) and a^(l) = σ(z^(l)) for l = 2..L.

    Args:
        network: weights, biases and activations.
        x: inputs, (m, n_1 + 1), rows of an `input_buffer`.
        buffers: for m examples; overwritten, but for `masks`.

    Returns:
        The outputs a^(L), (m, n_L): the buffer `buffers.a[-1]` itself.
    """
    scale = network.input_scale
    a_below = x
    for layer, activation in enumerate(network.activations):
        z = buffers.z[layer]
        np.matmul(a_below, network.blocks[layer], out=z)
        if scale != 1:
            # On z^(2), (m, n_2), instead of on every pixel, (m, n_1).
            np.multiply(z, scale, out=z)
            scale = 1.0
        activation.apply(z, buffers.sigma[layer])
        a_below = buffers.a[layer]
        if layer + 1 < len(buffers.masks) and (mask := buffers.masks[layer + 1]) is not None:
            np.multiply(buffers.sigma[layer], mask, out=a_below[:, :-1])
    return a_below
