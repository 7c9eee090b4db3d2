"""Arrays of examples whose number is known when all are read."""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.table import Values

# More examples than are expected, since their lines are not equally long.
MORE = 1.05


class ArrayBuilder:
    """An array that grows row by row, in the smallest type that holds its numbers exactly.

    Bytes stay bytes: a table of pixels takes an eighth of what it takes as float64.

    Args:
        columns: how many numbers each row has.
        rows: how many to expect: what has its size from the start is written in large pages, a
            tenth of the time of small ones.
    """

    def __init__(self, columns: int, rows: float = 0) -> None:
        self._array: Values = np.empty((0, columns), np.uint8)
        self._rows, self._expected = 0, int(rows * MORE)

    def append(self, chunk: NDArray[np.generic]) -> None:
        """Add the rows of an (m, columns) array."""
        dtype, needed = _smallest(chunk, self._array.dtype), self._rows + len(chunk)
        if dtype != self._array.dtype or needed > len(self._array):
            self._grow(needed, dtype)
        self._array[self._rows : needed] = chunk
        self._rows = needed

    def _grow(self, needed: int, dtype: np.dtype[np.generic]) -> None:
        rows, columns = self._array.shape
        rows = max(needed, self._expected, rows + rows // 2 if needed > rows else rows)
        if self._rows and dtype == self._array.dtype:
            # In place where the allocator can: a reallocation of this size moves pages, not bytes.
            self._array.resize((rows, columns), refcheck=False)
            return
        array = np.empty((rows, columns), dtype)
        array[: self._rows] = self._array[: self._rows]
        self._array = array

    def finish(self) -> Values:
        """Return what was added."""
        self._array.resize((self._rows, self._array.shape[1]), refcheck=False)
        return self._array


def _smallest(chunk: Values, least: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """Return the type to continue in: `least`, or a larger one if that loses anything."""
    if chunk.dtype == np.uint8:
        return least
    if least == np.uint8:
        low, high = chunk.min(initial=0), chunk.max(initial=0)
        if low >= 0 and high <= 255 and (chunk == chunk.astype(np.uint8)).all():
            return least
    if least != np.float64:
        with np.errstate(over="ignore"):
            same = chunk.astype(np.float32) == chunk
        if (same | np.isnan(chunk)).all():
            return np.dtype(np.float32)
    return np.dtype(np.float64)
