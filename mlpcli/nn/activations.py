"""Activation functions σ and their derivatives.

Each is two functions over arrays of one mini-batch, shaped (m, n), that allocate nothing but where
they say so:

- `forward(z, a)` writes σ(z) into `a`, and may overwrite `z` where `backward` does not need it.
- `backward(delta, a, z)` turns dE/da, held in `delta`, into dE/dz = dE/da ⊙ σ'(z), given both
  arrays as `forward` left them. It may overwrite these, whose values nobody needs after it: the
  derivatives are written on the activations where that spares a second `exp`.
"""

from collections.abc import Callable
from math import pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

# As arrays, since turning a Python number into one costs 0.3 µs in every call.
ZERO, ONE = np.array(0, np.float32), np.array(1, np.float32)


class Activation(NamedTuple):
    """σ, and the product of a gradient with σ'."""

    forward: Callable[[Array, Array], None]
    backward: Callable[[Array, Array, Array], None]


def sigmoid(z: Array, a: Array) -> None:
    """Write σ(z) = 1 / (1 + exp(-z)) into `a`.

    exp overflows to infinity for very negative z, whose reciprocal is the right limit 0: callers
    silence that warning once, around the loop.
    """
    np.negative(z, a)
    np.exp(a, a)
    np.add(a, ONE, a)
    np.reciprocal(a, a)


def sigmoid_backward(delta: Array, a: Array, z: Array) -> None:
    """Multiply `delta` by σ'(z) = σ(z) (1 - σ(z)) = a (1 - a)."""
    np.subtract(ONE, a, z)
    np.multiply(z, a, z)
    np.multiply(delta, z, delta)


def tanh(z: Array, a: Array) -> None:
    """Write the hyperbolic tangent of z into `a`."""
    np.tanh(z, a)


def tanh_backward(delta: Array, a: Array, z: Array) -> None:
    """Multiply `delta` by 1 - tanh(z)² = 1 - a²."""
    np.multiply(a, a, z)
    np.subtract(ONE, z, z)
    np.multiply(delta, z, delta)


def relu(z: Array, a: Array) -> None:
    """Write max(z, 0) into `a`; with a number for 0 np.maximum takes three times as long."""
    a.fill(0)
    np.maximum(z, a, out=a)


def relu_backward(delta: Array, a: Array, z: Array) -> None:
    """Multiply `delta` by 1 where z > 0, which is where a > 0, and by 0 elsewhere."""
    np.greater(a, ZERO, z)
    np.multiply(delta, z, delta)


LEAK = 0.01


def leaky_relu(z: Array, a: Array) -> None:
    """Write max(z, 0.01 z) into `a`."""
    np.multiply(z, LEAK, a)
    np.maximum(z, a, out=a)


def leaky_relu_backward(delta: Array, a: Array, z: Array) -> None:
    """Multiply `delta` by 1 where z > 0 and by 0.01 elsewhere."""
    np.heaviside(a, 0, z)
    np.maximum(z, LEAK, out=z)
    np.multiply(delta, z, delta)


# Hendrycks and Gimpel, Gaussian Error Linear Units, 2016: the approximation by tanh.
GELU_SCALE = sqrt(2 / pi)
GELU_CUBIC = 0.044715


def _gelu_tanh(z: Array, a: Array) -> None:
    """Write t = tanh(u), u = sqrt(2/π) (z + 0.044715 z³), into `a`."""
    np.multiply(z, z, a)
    np.multiply(a, GELU_CUBIC, a)
    np.add(a, ONE, a)
    np.multiply(a, z, a)
    np.multiply(a, GELU_SCALE, a)
    np.tanh(a, a)


def gelu(z: Array, a: Array) -> None:
    """Write z (1 + t) / 2 into `a`, t = tanh(sqrt(2/π) (z + 0.044715 z³))."""
    _gelu_tanh(z, a)
    np.add(a, ONE, a)
    np.multiply(a, z, a)
    np.multiply(a, 0.5, a)


def gelu_backward(delta: Array, a: Array, z: Array) -> None:
    """Multiply `delta` by (1 + t)/2 · (1 + z (1 - t) u'), u' = sqrt(2/π) (1 + 3·0.044715 z²)."""
    _gelu_tanh(z, a)
    np.add(a, ONE, a)
    np.multiply(delta, a, delta)
    np.multiply(delta, 0.5, delta)
    np.subtract(2, a, a)
    np.multiply(a, z, a)
    np.multiply(a, GELU_SCALE, a)
    np.multiply(z, z, z)
    np.multiply(z, 3 * GELU_CUBIC, z)
    np.add(z, ONE, z)
    np.multiply(z, a, z)
    np.add(z, ONE, z)
    np.multiply(delta, z, delta)


# Klambauer et al., Self-Normalizing Neural Networks, 2017: with these, layers keep the mean 0 and
# the variance 1 of their inputs.
SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


def selu(z: Array, a: Array) -> None:
    """Write λ z where z > 0, and λ α (exp(z) - 1) elsewhere, into `a`; `z` becomes max(λ z, 0)."""
    np.minimum(z, ZERO, out=a)
    np.expm1(a, a)
    np.multiply(a, SELU_SCALE * SELU_ALPHA, a)
    np.maximum(z, ZERO, out=z)
    np.multiply(z, SELU_SCALE, z)
    np.add(a, z, a)


def selu_backward(delta: Array, a: Array, z: Array) -> None:
    """Multiply `delta` by λ where z > 0, and by λ α exp(z) = a + λ α elsewhere."""
    np.greater(a, ZERO, z)
    np.multiply(z, SELU_SCALE - SELU_SCALE * SELU_ALPHA, z)
    np.minimum(a, ZERO, out=a)
    np.add(z, a, z)
    np.add(z, SELU_SCALE * SELU_ALPHA, z)
    np.multiply(delta, z, delta)


# Beyond this, exp(z)² overflows in float32, and t is 1 in float64, too.
MISH_LIMIT = 40.0


def _mish_tanh(z: Array, a: Array) -> None:
    """Write t = tanh(log(1 + exp(z))) = w / (w + 2), w = exp(z) (exp(z) + 2), into `a`."""
    np.minimum(z, MISH_LIMIT, out=a)
    np.exp(a, a)
    np.multiply(a, a + 2, a)
    np.divide(a, a + 2, a)


def mish(z: Array, a: Array) -> None:
    """Write z tanh(log(1 + exp(z))) into `a` (Misra, 2019); two arrays are allocated."""
    _mish_tanh(z, a)
    np.multiply(a, z, a)


def mish_backward(delta: Array, a: Array, z: Array) -> None:
    """Multiply `delta` by t + (1 - t²) z σ(z), t as in `mish`; three arrays are allocated."""
    slope = np.empty_like(z)
    sigmoid(z, slope)
    np.multiply(slope, z, slope)
    _mish_tanh(z, a)
    np.multiply(a, a, z)
    np.subtract(ONE, z, z)
    np.multiply(slope, z, slope)
    np.add(slope, a, slope)
    np.multiply(delta, slope, delta)


def softmax(z: Array, a: Array) -> None:
    """Write exp(z) / sum of exp(z) over each row into `a`, and log(a) into `z`.

    Subtracting each row's maximum first keeps exp from overflowing; cross-entropy takes log(a)
    from `z`, finite where `a` has underflowed to 0.
    """
    # Of 128 × 10 numbers NumPy finds the maxima of rows in 6 µs, of the columns of a copy in 1.7;
    # it sums rows in 2.6, and a product with ones does in 1.2.
    np.subtract(z, z.T.copy().max(axis=0)[:, np.newaxis], z)
    np.exp(z, a)
    total = a.dot(np.ones(a.shape[1], a.dtype))[:, np.newaxis]
    np.divide(a, total, a)
    np.subtract(z, np.log(total), z)


def softmax_backward(delta: Array, a: Array, z: Array) -> None:
    """Turn dE/da into dE/dz = a ⊙ (dE/da - sum over outputs of dE/da ⊙ a)."""
    np.multiply(delta, a, z)
    np.subtract(delta, z.sum(axis=1, keepdims=True), delta)
    np.multiply(delta, a, delta)


def linear(z: Array, a: Array) -> None:
    """Write z into `a`."""
    np.copyto(a, z)


def linear_backward(delta: Array, a: Array, z: Array) -> None:
    """Multiply `delta` by 1."""


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, sigmoid_backward),
    "tanh": Activation(tanh, tanh_backward),
    "relu": Activation(relu, relu_backward),
    "leaky_relu": Activation(leaky_relu, leaky_relu_backward),
    "gelu": Activation(gelu, gelu_backward),
    "selu": Activation(selu, selu_backward),
    "mish": Activation(mish, mish_backward),
    # Of the output layer only:
    "softmax": Activation(softmax, softmax_backward),
    "linear": Activation(linear, linear_backward),
}
