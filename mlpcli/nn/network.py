"""The network: its structure, its parameters as one vector, and the forward pass."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from mlpcli.nn.activations import ACTIVATIONS, Array


class Network:
    """A multi-layer perceptron with layers 1..L of sizes `structure`.

    All parameters stand in one flat vector `theta`, so that an optimiser works on vectors: layer by
    layer the weights, transposed for the product with rows of examples, then the biases.

    Args:
        structure: layer sizes [n_1, ..., n_L], L >= 2.
        activations: names of σ for layers 2..L, the last being the output's.
        dtype: of parameters and arithmetic, float32 or float64.
        input_scale: factor applied to every input, in the arithmetic and not in the data.

    Attributes:
        theta: (p,) all parameters.
        transposed: (W^(2))^T..(W^(L))^T, C-contiguous views of `theta` shaped (n_{l-1}, n_l).
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
        self.transposed, self.biases = views_of(self.theta, structure)
        self.weights = [W.T for W in self.transposed]

    def copy(self) -> "Network":
        """Return a network of the same kind, with parameters of its own."""
        twin = Network(self.structure, self.names, self.dtype, self.input_scale)
        twin.theta[:] = self.theta
        return twin

    def weight_slices(self) -> list[slice]:
        """Return where in `theta` the weights of layers 2..L stand, biases left out."""
        slices, start = [], 0
        for W, b in zip(self.weights, self.biases, strict=True):
            slices.append(slice(start, start + W.size))
            start += W.size + b.size
        return slices


def count_parameters(structure: Sequence[int]) -> int:
    """Return the number of weights and biases of a network with these layer sizes."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(structure))


def views_of(vector: Array, structure: Sequence[int]) -> tuple[list[Array], list[Array]]:
    """Return views of a parameter-shaped vector: (n_{l-1}, n_l) and (n_l,) for layers 2..L."""
    weights, biases, start = [], [], 0
    for n_in, n_out in pairwise(structure):
        middle, stop = start + n_in * n_out, start + (n_in + 1) * n_out
        weights.append(vector[start:middle].reshape(n_in, n_out))
        biases.append(vector[middle:stop])
        start = stop
    return weights, biases


class Buffers:
    """Room for the forward pass of a mini-batch of m examples.

    Every array is C-contiguous: of a small one NumPy's loops run three times as fast as of a part
    of a wider one, and `dot` can write into it.

    Args:
        network: the network that will use it.
        rows: m.
        share: larger buffers of the same network to lie in, instead of new memory.
        dropout: rates for layers 1..L-1; none are dropped by default.

    Attributes:
        z: weighted inputs z^(2)..z^(L), (m, n_l).
        sigma: σ(z^(2))..σ(z^(L)), (m, n_l).
        a: a^(2)..a^(L): the same arrays as `sigma`, or others where neurons are dropped.
        drops: whether there are masks to be drawn.
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
        self.masks: list[Array | None]
        self.drops = any(dropout)
        if share is None:
            rates = dropout or [0.0] * (len(sizes) - 1)
            self.masks = [
                np.empty((rows, n), dtype) if rate else None
                for n, rate in zip(sizes[:-1], rates, strict=True)
            ]
            self.z = [np.empty((rows, n), dtype) for n in sizes[1:]]
            self.sigma = [np.empty_like(z) for z in self.z]
            self.a = [
                sigma if mask is None else np.empty_like(sigma)
                for sigma, mask in zip(self.sigma, [*self.masks[1:], None], strict=True)
            ]
        else:
            self.masks = [None if mask is None else mask[:rows] for mask in share.masks]
            self.z = [z[:rows] for z in share.z]
            self.sigma = [sigma[:rows] for sigma in share.sigma]
            self.a = [a[:rows] for a in share.a]


def forward(network: Network, x: Array, buffers: Buffers) -> Array:
    """Compute z^(l) = W^(l) a^(l-1) + b^(l) and a^(l) = σ(z^(l)) for l = 2..L.

    Args:
        network: weights, biases and activations.
        x: inputs, (m, n_1), C-contiguous.
        buffers: for m examples; overwritten, but for `masks`.

    Returns:
        The outputs a^(L), (m, n_L): the buffer `buffers.a[-1]` itself.
    """
    a, masks = x, buffers.masks
    for layer, activation in enumerate(network.activations):
        z = buffers.z[layer]
        # The method costs 0.2 µs on the smallest arrays, np.matmul 0.8; the work is the same.
        a.dot(network.transposed[layer], z)
        if layer == 0 and network.input_scale != 1:
            # On z^(2), (m, n_2), instead of on every pixel, (m, n_1).
            np.multiply(z, network.input_scale, z)
        np.add(z, network.biases[layer], z)
        activation.apply(z, buffers.sigma[layer])
        a = buffers.a[layer]
        if layer + 1 < len(masks) and (mask := masks[layer + 1]) is not None:
            np.multiply(buffers.sigma[layer], mask, a)
    return a
