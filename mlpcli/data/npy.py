"""NumPy's own array files, `.npy`, without pickle."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpcli.errors import DataError

NPY_MAGIC = b"\x93NUMPY"


def read_npy(path: Path) -> NDArray[np.generic]:
    """Open a `.npy` array, memory-mapped: neither its size nor its content is trusted.

    Raises:
        DataError: if the file is damaged, or holds anything but real numbers.
        OSError: if it cannot be read.
    """
    try:
        array: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, OverflowError) as error:
        problem = (
            "holds Python objects" if "Object arrays" in str(error) else f"is damaged: {error}"
        )
        raise DataError(path, problem, "write an array of numbers with np.save") from error
    if array.dtype.kind not in "buif":
        kind = "a checkpoint" if array.dtype.names else f"elements of type {array.dtype}"
        raise DataError(path, f"holds {kind}, not numbers", "give an array of numbers")
    return array
