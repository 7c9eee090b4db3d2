"""Activation functions against their definitions."""

import numpy as np
import pytest

from mlpcli.nn.activations import ACTIVATIONS

Z = np.linspace(-6, 6, 49).reshape(7, 7) + 0.01


def applied(name, z):
    """Return σ(z) by name."""
    a = np.empty_like(z)
    with np.errstate(over="ignore"):
        ACTIVATIONS[name].forward(z.copy(), a)
    return a


def test_sigmoid_is_its_definition():
    """σ(z) = 1 / (1 + exp(-z)), and its limits are 0 and 1."""
    np.testing.assert_allclose(applied("sigmoid", Z), 1 / (1 + np.exp(-Z)), rtol=1e-15)
    np.testing.assert_array_equal(applied("sigmoid", np.array([[-1e4, 1e4]])), [[0, 1]])


def test_gelu_is_near_its_definition():
    """The approximation by tanh differs from z Φ(z) by less than 5e-4 (Hendrycks and Gimpel)."""
    from math import erf, sqrt

    exact = np.vectorize(lambda z: z * (1 + erf(z / sqrt(2))) / 2)(Z)
    np.testing.assert_allclose(applied("gelu", Z), exact, atol=5e-4)


def test_selu_keeps_mean_and_variance():
    """Of N(0, 1), SELU's outputs have mean 0 and variance 1 (Klambauer et al., 2017)."""
    # Quantiles of N(0, 1), weighted by its density.
    z = np.linspace(-12, 12, 200_001)[np.newaxis]
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (24 / 200_000)
    a = applied("selu", z)
    assert (a * density).sum() == pytest.approx(0, abs=1e-9)
    assert (a**2 * density).sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mish_is_its_definition(dtype):
    """Mish is z tanh(log(1 + exp(z))), finite wherever z is."""
    expected = Z * np.tanh(np.log1p(np.exp(Z)))
    np.testing.assert_allclose(applied("mish", Z.astype(dtype)), expected, rtol=2e-6, atol=1e-6)
    assert np.isfinite(applied("mish", np.array([[-1e30, -1e3, 1e3, 1e30]], dtype))).all()


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("tanh", [-1, 1]),
        ("relu", [0, 1e4]),
        ("leaky_relu", [-100, 1e4]),
        ("gelu", [0, 1e4]),
        ("selu", [-1.0507009873554805 * 1.6732632423543772, 1.0507009873554805e4]),
        ("mish", [0, 1e4]),
    ],
)
def test_limits(name, limits):
    """Far from 0 each activation is finite, and what its definition tends to."""
    np.testing.assert_allclose(applied(name, np.array([[-1e4, 1e4]])), [limits], atol=1e-12)


def test_softmax_is_its_definition():
    """Rows sum to 1 in the proportions of exp(z); `z` is left as log(a), finite at ±1e4."""
    expected = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(applied("softmax", Z), expected, rtol=1e-14)
    z, a = np.array([[1e4, -1e4, 0.0]]), np.empty((1, 3))
    ACTIVATIONS["softmax"].forward(z, a)
    np.testing.assert_array_equal(a, [[1, 0, 0]])
    np.testing.assert_array_equal(z, [[0, -2e4, -1e4]])


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_backward_is_the_derivative(name):
    """`backward` multiplies by dσ/dz, here by central differences with h = 1e-6."""
    h = 1e-6
    z, a, delta = Z.copy(), np.empty_like(Z), np.cos(Z)
    ACTIVATIONS[name].forward(z, a)
    ACTIVATIONS[name].backward(delta, a, z)
    expected = np.cos(Z) * (applied(name, Z + h) - applied(name, Z - h)) / (2 * h)
    np.testing.assert_allclose(delta, expected, rtol=1e-7, atol=1e-9)
