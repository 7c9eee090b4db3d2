"""Losses against their definitions."""

import numpy as np

from mlpcli.nn.losses import mse


def test_mse_is_the_articles_error():
    """E is the sum over outputs of (y - a)², with neither 1/2 nor mean; dE/da is -2 (y - a)."""
    y = np.array([[1.0, 0.0], [0.0, 1.0]])
    a = np.array([[0.75, 0.5], [0.25, 0.5]])
    delta = np.empty_like(a)
    # (0.25² + 0.5²) + (0.25² + 0.5²) = 0.625
    assert mse(y, a, delta) == 0.625
    np.testing.assert_array_equal(delta, -2 * (y - a))
