"""Optimisers: one step of the parameters down the mean gradient of a mini-batch."""

from collections.abc import Callable

import numpy as np

from mlpcli.nn.activations import Array

Step = Callable[[Array, Array, float], None]


def sgd(theta: Array, gradient: Array, eta: float) -> None:
    """Take the article's step: theta <- theta - eta * gradient.

    Args:
        theta: parameters as one vector, (p,), changed in place.
        gradient: mean gradient over the mini-batch, (p,); overwritten.
        eta: learning rate.
    """
    np.multiply(gradient, eta, out=gradient)
    np.subtract(theta, gradient, out=theta)


OPTIMIZERS: dict[str, Step] = {"sgd": sgd}
