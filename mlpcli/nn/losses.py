"""Losses E(y, a): the error summed over a mini-batch, and its gradient with respect to a."""

from collections.abc import Callable

import numpy as np

from mlpcli.nn.activations import Array

Loss = Callable[[Array, Array, Array], float]


def mse(y: Array, a: Array, delta: Array) -> float:
    """Squared error of the article: E = sum over outputs of (y - a)², no 1/2, no mean.

    Args:
        y: one-hot labels, (m, n_L).
        a: outputs a^(L), (m, n_L).
        delta: receives dE/da = -2 (y - a), (m, n_L), C-contiguous.

    Returns:
        The sum of E over the mini-batch.
    """
    np.subtract(a, y, out=delta)
    error = float(np.vdot(delta, delta))
    np.multiply(delta, 2, out=delta)
    return error


LOSSES: dict[str, Loss] = {"mse": mse}
