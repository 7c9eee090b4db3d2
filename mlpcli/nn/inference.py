"""Using a network: its outputs for any number of examples, and how far they are from labels."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli import signals
from mlpcli.nn.activations import Array
from mlpcli.nn.losses import Loss
from mlpcli.nn.metrics import Counts, Weights, accuracy, confusion, number
from mlpcli.nn.network import Network, input_buffer
from mlpcli.nn.periodic import forward_pass

# Examples evaluated at a time: enough for the matrix products, little memory.
CHUNK_ROWS = 1024


def predict_batches(
    network: Network, features: NDArray[np.generic]
) -> Iterator[tuple[Array, Array]]:
    """Compute the forward pass for successive chunks of examples.

    Args:
        network: the network.
        features: (n, n_1) in the units of the training data.

    Yields:
        z^(L), as the output's activation leaves it, and a^(L), (m, n_L) each and valid until the
        next chunk is asked for.
    """
    make_buffers, forward = forward_pass(network)
    rows = min(CHUNK_ROWS // network.members or 1, max(len(features), 1))
    x = input_buffer(network, rows)
    buffers = make_buffers(network, rows)
    for start in range(0, len(features), rows):
        signals.check()
        chunk = features[start : start + rows]
        if len(chunk) < rows:
            x, buffers = x[: len(chunk)], make_buffers(network, len(chunk), buffers)
        # Values too large for the dtype become infinite, and outputs may then be no numbers.
        with np.errstate(over="ignore", invalid="ignore"):
            x[:, :-1] = chunk
            a = forward(x, buffers)
        yield buffers.z[-1], a


class Evaluation(NamedTuple):
    """How a network did on labelled examples."""

    confusion: Counts
    """(n_L, n_L) counts: entry [i, j] are examples of class i predicted as j."""
    error: float
    """Mean of E over the examples, weighted if they have weights."""

    @property
    def correct(self) -> float:
        """Number of examples whose class was predicted, by weight."""
        return number(self.confusion.trace())

    @property
    def examples(self) -> float:
        """Number of examples, by weight."""
        return number(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Correct / total (the article's erratum 1)."""
        return accuracy(self.confusion)

    def summary(self) -> dict[str, Any]:
        """Return accuracy and counts."""
        return {"accuracy": self.accuracy, "correct": self.correct, "examples": self.examples}

    def row(self) -> dict[str, float]:
        """Return what the history says of it."""
        return {"error": self.error, "accuracy": self.accuracy}


def evaluate(
    network: Network,
    loss: Loss,
    features: NDArray[np.generic],
    labels: NDArray[np.integer],
    weights: Weights = None,
) -> Evaluation:
    """Compare a network's predictions with the labels of one or more examples.

    Args:
        network: the network.
        loss: the error E, a function of `losses.LOSSES`.
        features: (n, n_1) in the units of the training data.
        labels: (n,) classes.
        weights: (n,) how much each example counts; None where all count the same.

    Returns:
        Counts and error; the error of outputs that are not numbers is not finite.
    """
    n_classes = network.structure[-1]
    one_hot = np.eye(n_classes, dtype=network.dtype)
    counts: Counts = np.zeros((n_classes, n_classes), np.int64 if weights is None else np.float64)
    error, start = 0.0, 0
    for z, a in predict_batches(network, features):
        part = slice(start, start + len(a))
        of_chunk, weight = labels[part], _column(weights, part, network)
        start += len(a)
        own = None if weights is None else weights[part]
        counts += confusion(of_chunk, a.argmax(axis=1), n_classes, own)
        with np.errstate(over="ignore", invalid="ignore"):
            error += loss(one_hot[of_chunk], z, a, np.empty_like(a), weight)
    return Evaluation(counts, float(error / (start if weights is None else weights.sum())))


def _column(weights: Weights, part: slice, network: Network) -> Array | None:
    """Return the weights of some examples as a loss takes them, (m, 1)."""
    return None if weights is None else weights[part, np.newaxis].astype(network.dtype)


def outputs_and_error(
    network: Network,
    loss: Loss,
    features: NDArray[np.generic],
    y: NDArray[np.generic],
    weights: Weights = None,
) -> tuple[Array, float]:
    """Return the outputs for one or more examples, (n, n_L), and their mean error.

    Args:
        network: the network.
        loss: the error E.
        features: (n, n_1) in the units of the training data.
        y: (n, n_L) what the outputs should be.
        weights: as for `evaluate`.
    """
    outputs = np.empty((len(features), network.structure[-1]), network.dtype)
    error, start = 0.0, 0
    for z, a in predict_batches(network, features):
        part = slice(start, start + len(a))
        start += len(a)
        outputs[part] = a
        weight = _column(weights, part, network)
        error += loss(y[part].astype(network.dtype), z, a, np.empty_like(a), weight)
    return outputs, float(error / (start if weights is None else weights.sum()))
