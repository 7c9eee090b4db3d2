"""Activation functions against their definitions."""

import numpy as np
import pytest

from mlpcli.nn.activations import ACTIVATIONS

Z = np.linspace(-6, 6, 49).reshape(7, 7)


def test_sigmoid_is_its_definition():
    """σ(z) = 1 / (1 + exp(-z)), and its limits are 0 and 1."""
    a = np.empty_like(Z)
    ACTIVATIONS["sigmoid"].apply(Z.copy(), a)
    np.testing.assert_allclose(a, 1 / (1 + np.exp(-Z)), rtol=1e-15)
    with np.errstate(over="ignore"):
        ACTIVATIONS["sigmoid"].apply(np.full_like(Z, -1e4), a)
        assert (a == 0).all()
        ACTIVATIONS["sigmoid"].apply(np.full_like(Z, 1e4), a)
        assert (a == 1).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_pull_back_is_the_derivative(name):
    """`pull_back` multiplies by dσ/dz, here by central differences with h = 1e-6."""
    activation, h = ACTIVATIONS[name], 1e-6

    def sigma(z):
        a = np.empty_like(z)
        activation.apply(z.copy(), a)
        return a

    z, a, delta = Z.copy(), np.empty_like(Z), np.cos(Z)
    activation.apply(z, a)
    activation.pull_back(delta, a, z)
    expected = np.cos(Z) * (sigma(Z + h) - sigma(Z - h)) / (2 * h)
    np.testing.assert_allclose(delta, expected, rtol=1e-7, atol=1e-9)
