"""One module per contender, each with the same three names.

- `LIBRARIES`: the distributions whose versions belong to its figures.
- `prepare(workload, dataset)`: load everything and return a `Trainer`.
- `Trainer.run(epochs)` trains on and returns the last epoch's mean error; `Trainer.accuracy()` is
  that of the test split, or None.
"""

from collections.abc import Callable
from typing import NamedTuple


class Trainer(NamedTuple):
    """A network that is ready to train."""

    run: Callable[[int], float | None]
    accuracy: Callable[[], float | None]


CONTENDERS = ("floor", "mlp", "mlp_numba", "jax", "pytorch", "scikit_learn")
