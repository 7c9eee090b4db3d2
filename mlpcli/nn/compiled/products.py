"""Products of a step, equations (1) and (3) to (6): small ones written out, others a library's."""

from typing import Any

from mlpcli.jit import compiled
from mlpcli.nn.activations import Array
from mlpcli.nn.compiled.blas import AVAILABLE, PLAIN, ROW_MAJOR, TRANSPOSED, dgemm, sgemm

# Multiply-adds up to which a loop is as fast as a call of the library: 240 took 0.9 µs either way,
# 1,280 took 1.0 written out and 0.7 by the library, 16,384 took 4.2 and 1.3.
WRITTEN_OUT = 1 << 8


@compiled
def add_product(scale: Any, a: Array, W: Array, kept: Any, z: Array) -> None:
    """Write scale · a W, (m, n), plus what is kept of `z`: all, if that is 1, or nothing."""
    (m, inputs), n = a.shape, W.shape[1]
    if AVAILABLE and m * n * inputs > WRITTEN_OUT:
        _multiply(m, n, inputs, scale, a, PLAIN, W, PLAIN, kept, z)
        return
    if kept == 0:
        z[:] = 0
    fours = inputs - inputs % 4
    for i in range(m):
        for k in range(0, fours, 4):
            a0, a1, a2, a3 = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3]
            a0, a1, a2, a3 = scale * a0, scale * a1, scale * a2, scale * a3
            for j in range(n):
                z[i, j] += a0 * W[k, j] + a1 * W[k + 1, j] + a2 * W[k + 2, j] + a3 * W[k + 3, j]
        for k in range(fours, inputs):
            for j in range(n):
                z[i, j] += scale * a[i, k] * W[k, j]


@compiled
def delta_below(delta: Array, W: Array, out: Array) -> None:
    """Write delta W^T into `out`."""
    m, n = out.shape
    if AVAILABLE and m * n * W.shape[1] > WRITTEN_OUT:
        one, nothing = out.dtype.type(1), out.dtype.type(0)
        _multiply(m, n, W.shape[1], one, delta, PLAIN, W, TRANSPOSED, nothing, out)
        return
    for i in range(m):
        for k in range(n):
            total = delta.dtype.type(0)
            for j in range(W.shape[1]):
                total += delta[i, j] * W[k, j]
            out[i, k] = total


@compiled
def gradient(scale: Any, a: Array, delta: Array, kept: Any, d: Array) -> None:
    """Write scale · a^T delta, plus what is kept of `d`: all, if that is 1, or nothing."""
    (m, inputs), n = a.shape, delta.shape[1]
    if AVAILABLE and m * n * inputs > WRITTEN_OUT:
        _multiply(inputs, n, m, scale, a, TRANSPOSED, delta, PLAIN, kept, d)
        return
    if kept == 0:
        d[:] = 0
    fours = m - m % 4
    for i in range(0, fours, 4):
        for k in range(inputs):
            a0, a1, a2, a3 = a[i, k], a[i + 1, k], a[i + 2, k], a[i + 3, k]
            a0, a1, a2, a3 = scale * a0, scale * a1, scale * a2, scale * a3
            for j in range(n):
                d[k, j] += (
                    a0 * delta[i, j]
                    + a1 * delta[i + 1, j]
                    + a2 * delta[i + 2, j]
                    + a3 * delta[i + 3, j]
                )
    for i in range(fours, m):
        for k in range(inputs):
            for j in range(n):
                d[k, j] += scale * a[i, k] * delta[i, j]


@compiled
def bias_gradient(scale: Any, delta: Array, kept: Any, d: Array) -> None:
    """Write scale · the sum of delta's rows, (n,), plus what is kept of `d`: all or nothing."""
    if kept == 0:
        d[:] = 0
    for i in range(len(delta)):
        for j in range(len(d)):
            d[j] += scale * delta[i, j]


@compiled
def _multiply(
    m: int,
    n: int,
    k: int,
    scale: Any,
    a: Array,
    of_a: int,
    b: Array,
    of_b: int,
    kept: Any,
    out: Array,
) -> None:
    """Write kept · out + scale · a b into `out`, (m, n); `of_a`, `of_b`: which are transposed."""
    wide_a, wide_b = a.shape[1], b.shape[1]
    if out.itemsize == 4:
        sgemm(
            ROW_MAJOR, of_a, of_b, m, n, k, scale, a.ctypes, wide_a, b.ctypes, wide_b, kept,
            out.ctypes, n,
        )  # fmt: skip
    else:
        dgemm(
            ROW_MAJOR, of_a, of_b, m, n, k, scale, a.ctypes, wide_a, b.ctypes, wide_b, kept,
            out.ctypes, n,
        )  # fmt: skip
