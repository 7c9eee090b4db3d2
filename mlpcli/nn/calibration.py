"""Calibration: probabilities that are as often right as they say (Guo et al., 2017)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn.inference import predict_batches
from mlpcli.nn.metrics import Weights
from mlpcli.nn.network import Network

# Temperatures are looked for between these, on a scale of logarithms.
COLDEST, HOTTEST = 1 / 100, 100.0
HALVINGS = 60


class Judged(NamedTuple):
    """A network, and examples that it was not trained on."""

    network: Network
    """One whose outputs are `softmax` or `sigmoid`."""
    features: NDArray[np.generic]
    """(n, n_1) in the units of the training data."""
    labels: NDArray[np.integer]
    """(n,) classes, or (n, n_L) labels, 0 or 1."""
    weights: Weights = None
    """(n,) what each example counts; None for 1."""


def fit_temperature(*judged: Judged) -> float:
    """Return the temperature T at which softmax(z^(L) / T), or σ(z^(L) / T), fit labels best.

    Of a few examples that are all right the best would be as cold as it goes, and the next mistake
    would cost as much as it can: as Platt (1999) does, labels are taken to be a little less than
    certain, as if one more example were of all classes alike. That loss is convex in 1/T, so that
    halving where its slope changes sign finds its minimum.

    Args:
        judged: networks of the same outputs, which shall have one temperature.

    Returns:
        T, from `COLDEST` to `HOTTEST`; the log loss of these examples is never above that of T = 1.
    """
    z, y, each = map(np.concatenate, zip(*map(_outputs, judged), strict=True))
    softmax = judged[0].network.activation_names[-1] == "softmax"
    doubt = 1 / (each.sum() + 1)
    doubted = (1 - doubt) * y + doubt / (y.shape[1] if softmax else 2)
    low, high = np.log(1 / HOTTEST), np.log(1 / COLDEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _slope(np.exp(middle) * z, z, doubted, each, softmax) > 0:
            high = middle
        else:
            low = middle
    if _log_loss(np.exp(low) * z, y, each, softmax) > _log_loss(z, y, each, softmax):
        return 1.0
    return float(np.clip(np.exp(-low), COLDEST, HOTTEST))


def _outputs(
    judged: Judged,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return z^(L) and the labels as 0 or 1, (n, n_L) each, and (n, 1) what examples count."""
    network, features, labels, weights = judged
    # Softmax leaves log a in z, which differs from z by a number for each row, and is as good.
    z = np.concatenate([z.astype(np.float64) for z, _ in predict_batches(network, features)])
    y = labels.astype(np.float64) if labels.ndim == 2 else np.eye(z.shape[1])[labels]
    each = np.ones((len(y), 1)) if weights is None else weights[:, np.newaxis]
    return z, y, each


def _log_loss(
    z: NDArray[np.float64], y: NDArray[np.float64], each: NDArray[np.float64], softmax: bool
) -> float:
    """Return the sum of the log losses of outputs whose weighted inputs are z, (n, 1) weighted."""
    if softmax:
        losses = np.logaddexp.reduce(z, axis=1, keepdims=True) - (y * z).sum(axis=1, keepdims=True)
        return float((each * losses).sum())
    return float((each * (np.logaddexp(0, z) - y * z)).sum())


def _slope(
    scaled: NDArray[np.float64],
    z: NDArray[np.float64],
    y: NDArray[np.float64],
    each: NDArray[np.float64],
    softmax: bool,
) -> float:
    """Return the slope of the log loss in 1/T: the sum of (a - y) z, a being outputs of z / T."""
    if softmax:
        a = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        a /= a.sum(axis=1, keepdims=True)
    else:
        a = np.exp(-np.logaddexp(0, -scaled))
    return float((each * (a - y) * z).sum())
