"""What each of several ranks learns of an epoch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.rng import Part


class Share(NamedTuple):
    """What one of several ranks learns of an epoch: some examples of each mini-batch, or none."""

    positions: NDArray[np.intp]
    """Where they stand in the epoch's order, (k,), ascending."""
    starts: NDArray[np.intp]
    """Where those of each mini-batch begin among `positions`, and their end, (steps + 1,)."""
    offsets: NDArray[np.intp]
    """Where each mini-batch begins in the order, and its end, (steps + 1,)."""

    @property
    def sizes(self) -> list[int]:
        """How many there are in each mini-batch."""
        sizes: list[int] = np.diff(self.starts).tolist()
        return sizes

    def part(self, first: int, stop: int) -> Part:
        """Return which examples of the mini-batches from one to before another there are."""
        chosen = self.positions[self.starts[first] : self.starts[stop]]
        start = self.offsets[first]
        return Part(int(self.offsets[stop] - start), chosen - start)


def share_of(positions: NDArray[np.intp], sizes: Sequence[int]) -> Share:
    """Return the share that has the examples at some positions of the epoch's order.

    Args:
        positions: (k,), ascending.
        sizes: examples in each mini-batch.
    """
    offsets = np.cumsum([0, *sizes])
    return Share(positions, np.searchsorted(positions, offsets), offsets)
