"""What compiled activations are made of."""

import numpy as np
import pytest

activations = pytest.importorskip("mlpcli.nn.compiled.activations", exc_type=ImportError)


def activated(z):
    """Return the sigmoid of an array."""
    a = np.empty_like(z)
    activations.activate(activations.SIGMOID, z, a)
    return a


def test_sigmoid_is_accurate():
    """In float32 it differs by less than two roundings from the definition in float64."""
    z = np.linspace(-87, 87, 200_001, dtype=np.float32)
    expected = 1 / (1 + np.exp(-z.astype(np.float64)))
    np.testing.assert_allclose(activated(z), expected, rtol=2 * np.finfo(np.float32).eps)


def test_what_is_no_number_stays_so():
    """Beyond the bounds outputs are 0 and 1 to rounding, and NaN, wherever it stands, is NaN."""
    z = np.resize(np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0], np.float32), 60)
    expected = np.resize([np.nan, 1, 0, 1, 0, 0.5], 60)
    np.testing.assert_allclose(activated(z), expected, atol=1e-37)
