"""Mini-batches gathered and made floats in one pass, compiled."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.jit import compiled
from mlpcli.nn.activations import Array
from mlpcli.nn.compiled.views import vector


@compiled
def gather_bytes(features: NDArray[np.generic], chosen: NDArray[np.integer], x: Array) -> None:
    """Write the chosen rows of bytes, (n, n_1), into the first columns of `x`, (m, n_1 + 1)."""
    gather(features, chosen, 0, features.shape[1], x)


@compiled
def gather(features: Any, chosen: NDArray[np.integer], first: int, n: int, x: Array) -> None:
    """Write n columns of the chosen rows, from the first on, into the first columns of `x`."""
    number = x.dtype.type
    for i in range(len(chosen)):
        row = vector(features, chosen[i] * features.shape[1] + first, n)
        out = vector(x, i * x.shape[1], n)
        for j in range(n):
            if features.itemsize == 1:
                # Four bytes become an integer in one instruction, and that a float in another.
                out[j] = number(np.int32(row[j]))
            else:
                out[j] = number(row[j])
