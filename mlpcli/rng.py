"""Every random draw of a run, keyed so that any of them can be repeated alone."""

import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Part(NamedTuple):
    """Some of the examples that something is drawn for.

    It is drawn for all of them, so that the part's own draws do not depend on what the others are
    divided among.
    """

    total: int
    """How many examples there are."""
    positions: NDArray[np.intp]
    """Which of them the part is, (m,), ascending."""


def whole(total: int) -> Part:
    """Return the part that is all of so many examples."""
    return Part(total, np.arange(total))


class KeyedStreams:
    """Draws keyed by (seed, purpose, epoch, step): a resumed run repeats an uninterrupted one."""

    # Keys are all there is to remember; the article's stream has a state in its place.
    state = ""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def generator(self, purpose: str, epoch: int = 0, step: int = 0) -> np.random.Generator:
        """Return the generator for one purpose at one moment of the run."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode()), epoch, step])

    def weights(self) -> np.random.Generator:
        """Return the source of the initial weights."""
        return self.generator("weights")

    def order(self, epoch: int, n: int) -> NDArray[np.integer]:
        """Return the order in which an epoch sees its n examples, a permutation, (n,)."""
        return self.generator("order", epoch).permutation(n)
