"""Initial weights and biases."""

from collections.abc import Callable
from math import sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn.network import Network


class NormalSource(Protocol):
    """What an initialiser draws from: `numpy.random.Generator` and `RandomState` both fit."""

    def standard_normal(self, size: tuple[int, ...]) -> NDArray[np.float64]:
        """Draw from N(0, 1) in the given shape."""
        ...


def normal(network: Network, rng: NormalSource) -> None:
    """Draw every weight and bias from N(0, 1), layer by layer, W before b: the article's start."""
    for W, b in zip(network.weights, network.biases, strict=True):
        W[:] = rng.standard_normal(W.shape)
        b[:] = rng.standard_normal(b.shape)


def lecun(network: Network, rng: NormalSource) -> None:
    """Draw weights from N(0, 1/n_{l-1}) and set biases to 0 (LeCun et al., Efficient BackProp).

    Inputs of unit size then give weighted inputs of unit size, where the sigmoid is steep.
    """
    for W, b in zip(network.weights, network.biases, strict=True):
        W[:] = rng.standard_normal(W.shape) / sqrt(W.shape[1])
        b[:] = 0


INITIALIZERS: dict[str, Callable[[Network, NormalSource], None]] = {
    "normal": normal,
    "lecun": lecun,
}
