"""Initial weights and biases."""

from collections.abc import Callable
from math import sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn.layout import FREQUENCIES, SCALES
from mlpcli.nn.network import Network


class NormalSource(Protocol):
    """What an initialiser draws from: `numpy.random.Generator` and `RandomState` both fit."""

    def standard_normal(self, size: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw from N(0, 1) in the given shape."""
        ...


# The standard deviation of the weights between n_in and n_out neurons; biases start at 0.
WEIGHT_STD: dict[str, Callable[[int, int], float]] = {
    # Glorot and Bengio, 2010: keeps gradients and activations of a tanh network of one size.
    "glorot": lambda n_in, n_out: sqrt(2 / (n_in + n_out)),
    # He et al., 2015: the same where relu passes half of its inputs.
    "he": lambda n_in, _: sqrt(2 / n_in),
    # LeCun et al., Efficient BackProp, 1998: inputs of unit size give weighted inputs of unit size.
    "lecun": lambda n_in, _: sqrt(1 / n_in),
}


# What becomes of draws from N(0, 1) for what theta has beside its layers.
EXTRAS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    # Gorishniy et al., TabM, 2025.
    SCALES: np.sign,
    # The σ of Gorishniy et al., 2022: standardised numbers pass through a part of a period.
    FREQUENCIES: lambda draws: 0.1 * draws,
}


def initialize(network: Network, name: str, rng: NormalSource) -> None:
    """Draw a network's parameters, layer by layer, W^(l) before b^(l), W shaped (n_l, n_{l-1}).

    Of members, whose last layer has the outputs of all, each output is drawn as if it were one of
    n_L; their scales are 1 or -1, and frequencies of embeddings N(0, 0.1).

    Args:
        network: its parameters are overwritten.
        name: a name in `WEIGHT_STD`, or `normal`, the article's start: weights and biases N(0, 1).
        rng: what to draw from.
    """
    sizes = network.structure[1:]
    for W, b, n_out in zip(network.weights, network.biases, sizes, strict=True):
        n_in = W.shape[1]
        W[:] = rng.standard_normal(W.shape)
        if name == "normal":
            b[:] = rng.standard_normal(b.shape)
        else:
            np.multiply(W, WEIGHT_STD[name](n_in, n_out), out=W)
            b[:] = 0
    for kind, view in network.extras.items():
        view[:] = EXTRAS[kind](rng.standard_normal(view.shape))
