"""Activation functions σ and their derivatives, written on the activations a = σ(z).

Every activation is two functions over arrays of one mini-batch, shaped (m, n), in place:

- `apply(z, a)` writes σ(z) into `a`. It may overwrite `z`.
- `pull_back(delta, a, z)` turns dE/da, held in `delta`, into dE/dz. `z` is as `apply` left it and
  may be overwritten again: the step has no other scratch space.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Activation(NamedTuple):
    """σ and the product of a gradient with σ'."""

    apply: Callable[[Array, Array], None]
    pull_back: Callable[[Array, Array, Array], None]


def sigmoid(z: Array, a: Array) -> None:
    """Write σ(z) = 1 / (1 + exp(-z)) into `a`, elementwise.

    exp overflows to infinity for very negative z, whose reciprocal is the right limit 0: callers
    silence that warning once, around the loop.
    """
    np.negative(z, out=z)
    np.exp(z, out=z)
    np.add(z, 1, out=z)
    np.reciprocal(z, out=a)


def sigmoid_pull_back(delta: Array, a: Array, z: Array) -> None:
    """Multiply `delta` by σ'(z) = σ(z) (1 - σ(z)) = a (1 - a)."""
    np.subtract(1, a, out=z)
    np.multiply(z, a, out=z)
    np.multiply(delta, z, out=delta)


ACTIVATIONS = {"sigmoid": Activation(sigmoid, sigmoid_pull_back)}
