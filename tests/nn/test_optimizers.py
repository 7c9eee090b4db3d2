"""Optimisers against tables and closed forms."""

import numpy as np

from mlpcli.nn.optimizers import OPTIMIZERS


def test_paraboloid_of_the_article():
    """Seven steps down g(a, b) = a² + b² from (10, 10) with eta 0.3 print the article's table."""
    theta = np.array([10.0, 10.0])
    errors, points = [], []
    for _ in range(7):
        errors.append(f"{theta @ theta:.5g}")
        OPTIMIZERS["sgd"](theta, 2 * theta, 0.3)
        points.append(f"{theta[0]:.2g}")
        assert theta[0] == theta[1]
    assert errors == ["200", "32", "5.12", "0.8192", "0.13107", "0.020972", "0.0033554"]
    assert points == ["4", "1.6", "0.64", "0.26", "0.1", "0.041", "0.016"]
