"""Activations and their slopes, as compiled steps call them."""

import math
from typing import Any

import numpy as np

from mlpcli.jit import compiled, compiled_in_order
from mlpcli.nn.activations import (
    GELU_CUBIC,
    GELU_SCALE,
    LEAK,
    MISH_LIMIT,
    SELU_ALPHA,
    SELU_SCALE,
    Array,
)

SIGMOID, TANH, RELU, LEAKY_RELU, GELU, SELU, MISH, SOFTMAX = range(8)
KINDS = {
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "relu": RELU,
    "leaky_relu": LEAKY_RELU,
    "gelu": GELU,
    "selu": SELU,
    "mish": MISH,
    "softmax": SOFTMAX,
}
# Of large arrays NumPy computes the others faster: numba calls a function for each number.
VECTORISED = {"sigmoid", "relu", "leaky_relu"}

# Cephes' expf (Moshier, 1992): exp(u) = 2^k exp(r), and the polynomial of exp(r) - 1 - r over r²
# for |r| <= log(2) / 2, which is subtracted in two parts.
LOG2_E, LOG_2, LOG_2_REST = (
    np.float32(number) for number in (1.44269504, 0.693359375, -2.12194440e-4)
)
P0, P1, P2, P3, P4, P5 = (
    np.float32(number)
    for number in (
        1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
        5.0000001201e-1,
    )
)  # fmt: skip


@compiled_in_order
def exp32(u: Any) -> Any:
    """Return exp(u) of a float32 within -87..88, and of others that of the nearest bound.

    Unlike `math.exp` it is computed for several numbers at once.
    """
    u = min(max(u, np.float32(-87)), np.float32(88))
    k = np.floor(u * LOG2_E + np.float32(0.5))
    r = u - k * LOG_2 - k * LOG_2_REST
    p = ((((P0 * r + P1) * r + P2) * r + P3) * r + P4) * r + P5
    power = np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)
    return (p * (r * r) + r + np.float32(1)) * power


@compiled
def softmax(z: Array, a: Array) -> None:
    """Write softmax into `a` and its logarithm into `z`, as `activations.softmax`."""
    for i in range(len(z)):
        highest, total = z[i, 0], z.dtype.type(0)
        for j in range(z.shape[1]):
            highest = max(highest, z[i, j])
        for j in range(z.shape[1]):
            a[i, j] = math.exp(z[i, j] - highest)
            total += a[i, j]
        log_total = math.log(total)
        for j in range(z.shape[1]):
            a[i, j] /= total
            z[i, j] = z[i, j] - highest - log_total


@compiled
def activate(kind: int, z: Array, a: Array) -> None:  # noqa: PLR0912 - one of each
    """Write σ(z) into `a`, as `activations`; both flat. NaN stays NaN in each branch."""
    number = z.dtype.type
    one, half = number(1), number(0.5)
    if kind == SIGMOID:
        if z.itemsize == 4:
            for i in range(len(z)):
                a[i] = one / (one + exp32(-z[i]))
        else:
            for i in range(len(z)):
                a[i] = one / (one + math.exp(-z[i]))
    elif kind == TANH:
        for i in range(len(z)):
            a[i] = math.tanh(z[i])
    elif kind == RELU:
        for i in range(len(z)):
            a[i] = number(0) if z[i] <= 0 else z[i]
    elif kind == LEAKY_RELU:
        for i in range(len(z)):
            a[i] = number(LEAK) * z[i] if z[i] <= 0 else z[i]
    elif kind == GELU:
        for i in range(len(z)):
            a[i] = half * z[i] * (one + _gelu_tanh(z[i]))
    elif kind == SELU:
        for i in range(len(z)):
            low = number(SELU_SCALE * SELU_ALPHA) * math.expm1(z[i])
            a[i] = low if z[i] <= 0 else number(SELU_SCALE) * z[i]
    else:
        for i in range(len(z)):
            a[i] = z[i] * _mish_tanh(z[i])


@compiled
def slope(kind: int, delta: Array, a: Array, z: Array) -> None:  # noqa: PLR0912 - one of each
    """Multiply `delta` by σ'(z), as `activations`; all are (m, n)."""
    number = z.dtype.type
    one, half = number(1), number(0.5)
    for i in range(len(z)):
        if kind == SOFTMAX:
            total = number(0)
            for j in range(z.shape[1]):
                total += delta[i, j] * a[i, j]
            for j in range(z.shape[1]):
                delta[i, j] = a[i, j] * (delta[i, j] - total)
        elif kind == SIGMOID:
            for j in range(z.shape[1]):
                delta[i, j] *= a[i, j] * (one - a[i, j])
        elif kind == TANH:
            for j in range(z.shape[1]):
                delta[i, j] *= one - a[i, j] * a[i, j]
        elif kind == RELU:
            for j in range(z.shape[1]):
                delta[i, j] *= one if a[i, j] > 0 else number(0)
        elif kind == LEAKY_RELU:
            for j in range(z.shape[1]):
                delta[i, j] *= one if a[i, j] > 0 else number(LEAK)
        elif kind == GELU:
            for j in range(z.shape[1]):
                u, t = z[i, j], _gelu_tanh(z[i, j])
                inner = number(GELU_SCALE) * (one + number(3 * GELU_CUBIC) * u * u)
                delta[i, j] *= half * (one + t) * (one + u * (one - t) * inner)
        elif kind == SELU:
            for j in range(z.shape[1]):
                low = a[i, j] + number(SELU_SCALE * SELU_ALPHA)
                delta[i, j] *= number(SELU_SCALE) if a[i, j] > 0 else low
        else:
            for j in range(z.shape[1]):
                u, t = z[i, j], _mish_tanh(z[i, j])
                delta[i, j] *= t + (one - t * t) * u / (one + math.exp(-u))


@compiled
def _gelu_tanh(u: Any) -> Any:
    number = type(u)
    return math.tanh(number(GELU_SCALE) * u * (number(1) + number(GELU_CUBIC) * u * u))


@compiled
def _mish_tanh(u: Any) -> Any:
    number = type(u)
    w = math.exp(min(u, number(MISH_LIMIT)))
    w = w * (w + number(2))
    return w / (w + number(2))
