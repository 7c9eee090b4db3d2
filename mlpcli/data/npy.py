"""NumPy's own array files, `.npy`, without pickle."""

import tokenize
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlpcli.errors import DataError

NPY_MAGIC = b"\x93NUMPY"
# What one or another damaged header makes NumPy raise.
DAMAGE = (
    ArithmeticError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)


def read_npy(path: Path) -> NDArray[np.generic]:
    """Open a `.npy` array, memory-mapped: neither its size nor its content is trusted.

    Raises:
        DataError: if the file is damaged, or holds anything but real numbers.
        OSError: if it cannot be read.
    """
    try:
        # NumPy multiplies the shape in fixed-width integers and, otherwise, only warns.
        with np.errstate(over="raise"):
            array: NDArray[np.generic] = npy.open_memmap(path, mode="r")
    except DAMAGE as error:
        damage = str(error) or type(error).__name__
        problem = "holds Python objects" if "Python objects" in damage else f"is damaged: {damage}"
        raise DataError(path, problem, "write an array of numbers with np.save") from error
    if array.dtype.kind not in "buif":
        kind = "a checkpoint" if array.dtype.names else f"elements of type {array.dtype}"
        raise DataError(path, f"holds {kind}, not numbers", "give an array of numbers")
    return array
