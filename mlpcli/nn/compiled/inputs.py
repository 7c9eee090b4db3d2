"""Mini-batches gathered and made floats in one pass, compiled."""

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn.activations import Array
from mlpcli.nn.compiled.jit import compiled


@compiled
def gather_bytes(features: NDArray[np.generic], chosen: NDArray[np.integer], x: Array) -> None:
    """Write the chosen rows of bytes, (n, n_1), into the first columns of `x`, (m, n_1 + 1)."""
    number, n, flat = x.dtype.type, features.shape[1], features.reshape(-1)
    for i in range(len(chosen)):
        start = chosen[i] * n
        row, out = flat[start : start + n], x[i, :n]
        for j in range(n):
            # Four bytes become an integer in one instruction, and that a float in another.
            out[j] = number(np.int32(row[j]))
