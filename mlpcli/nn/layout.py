"""What theta consists of: the layers, then what else a kind of network has."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import NamedTuple

SCALES, FREQUENCIES = "scales", "frequencies"
# Frequencies of each number that is embedded periodically.
PER_NUMBER = 8


class Layout(NamedTuple):
    """What the parameters of a network depend on."""

    structure: tuple[int, ...]
    """Layer sizes [n_1, ..., n_L], n_1 being that of the features."""
    members: int | None = None
    """How many networks there are in one; None for one alone."""
    numbers: int = 0
    """How many of the features are embedded periodically."""

    @property
    def embedded(self) -> tuple[int, ...]:
        """Layer sizes where a cosine and a sine for every frequency stand for a number."""
        first, *others = self.structure
        return (first + self.numbers * (2 * PER_NUMBER - 1), *others)

    @property
    def layers(self) -> tuple[int, ...]:
        """The sizes of the layers in theta: the last has the outputs of all members."""
        *below, last = self.embedded
        return (*below, last * (self.members or 1))

    @property
    def extras(self) -> dict[str, tuple[int, ...]]:
        """The shapes of what theta has beside its layers, by name and in this order."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.members:
            shapes[SCALES] = self.members, self.embedded[0]
        if self.numbers:
            shapes[FREQUENCIES] = self.numbers, PER_NUMBER
        return shapes

    @property
    def parameters(self) -> int:
        """How many there are in all, p."""
        return count_parameters(self.layers) + sum(map(prod, self.extras.values()))


def count_parameters(structure: Sequence[int]) -> int:
    """Return the number of weights and biases of layers of these sizes."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(structure))
