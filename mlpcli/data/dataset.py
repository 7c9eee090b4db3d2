"""A dataset: training, test and validation examples, and what their numbers mean."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encoding import Encoding
from mlpcli.data.readers.table import Table


class Fold(NamedTuple):
    """A part of the training examples that is held out as the test, in cross-validation."""

    part: int
    """Which, from 0 on."""
    parts: int
    """Of how many."""
    division: int = 0
    """Of how many ways to divide the examples, which."""


class Preparation(NamedTuple):
    """How an experiment wants its data."""

    scale: str | None = None
    """A name in `SCALES`; None for the default for such data."""
    seed: int = 0
    """Chooses what is set aside."""
    validation: float = 0.0
    """The fraction of the training examples to set aside for validation."""
    dtype: str = "float32"
    """The precision of its arithmetic."""
    task: str = "classification"
    """What the targets are."""
    task_given: bool = False
    """Whether the configuration says so, and it is not guessed."""
    guesses_task: bool = False
    """Whether targets that are no classes make it a regression."""
    embeddings: str | None = None
    """How numbers are embedded; None if they are not."""
    fold: Fold | None = None
    """What is held out as the test; validation has its fraction of the rest."""


class Examples(NamedTuple):
    """Examples and their targets."""

    features: NDArray[np.generic]
    """(n, n_1), in the units of the files."""
    labels: NDArray[Any]
    """(n,) classes in 0..n_L - 1; (n, n_L) quantities, standardised; or (n, n_L) labels, 0 or 1."""


class Opened(NamedTuple):
    """Labelled examples, as their file has them and as a network does."""

    table: Table
    examples: Examples

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """(n,) how much each example counts; None where all count the same, if only nothing."""
        weights = self.table.weights
        return weights if weights is not None and weights.any() else None


class OwnPart(NamedTuple):
    """What one of several processes has of the training examples."""

    rows: range
    """Which of all its features are."""
    fingerprint: str
    """Of all parts."""


class Dataset(NamedTuple):
    """A dataset, ready for training."""

    name: str
    encoding: Encoding
    train: Examples
    test: Examples | None
    validation: Examples | None = None
    train_rows: NDArray[np.integer] | None = None
    """The rows of `train` to learn from; None for all. The rest validate, or test as a fold."""
    notes: tuple[str, ...] = ()
    """What was decided about the files, for the user to know."""
    weights: NDArray[np.float64] | None = None
    """(n,) how much each example of `train` counts; None where all count the same."""
    validation_weights: NDArray[np.float64] | None = None
    """And each of `validation`."""
    test_weights: NDArray[np.float64] | None = None
    """And each of `test`."""
    part: OwnPart | None = None
    """Where `train` has the features of these examples alone, and the labels of all."""

    def fingerprint(self) -> str:
        """Return the SHA-256, in hexadecimal, of the training examples."""
        if self.part:
            return self.part.fingerprint
        return fingerprint(self.train, self.weights)

    def validation_fingerprint(self) -> str:
        """Return that of validation examples which are not in `train`; "" if there are none."""
        if self.validation is None or self.train_rows is not None:
            return ""
        return fingerprint(self.validation, self.validation_weights)


def fingerprint(examples: Examples, weights: NDArray[np.float64] | None = None) -> str:
    """Return the SHA-256, in hexadecimal, of examples, and of their weights if they have any."""
    digest = hashlib.sha256()
    for array in examples if weights is None else (*examples, weights):
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data)
    return digest.hexdigest()
