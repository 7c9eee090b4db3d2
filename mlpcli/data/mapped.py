"""Arrays that stand in a file, for other processes to map the same file into memory."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.errors import DataError, os_reason


class MappedFile(NamedTuple):
    """Where an array stands in a file."""

    path: str
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]

    def open(self) -> NDArray[Any]:
        """Map it into memory.

        Raises:
            DataError: if it is not there.
        """
        try:
            return np.memmap(self.path, self.dtype, "r", self.offset, self.shape)
        except (OSError, ValueError) as error:
            reason = os_reason(error) if isinstance(error, OSError) else error
            raise DataError(self.path, str(reason), "put it there on all machines") from None


def mapped_file(array: NDArray[Any]) -> MappedFile | None:
    """Return where an array stands in a file; None if it is in memory."""
    whole = array
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    same = (whole.ctypes.data, whole.nbytes) == (array.ctypes.data, array.nbytes)
    if not (isinstance(whole, np.memmap) and whole.filename and same):
        return None
    return MappedFile(str(whole.filename), array.dtype, whole.offset, array.shape)
