"""The network's parameters: one vector, and views of it."""

import numpy as np
import pytest

from mlpcli.nn.layout import count_parameters
from mlpcli.nn.network import Buffers, Network, as_inputs, forward


@pytest.fixture
def network():
    """Return a small float64 network with parameters 0, 1, 2, ..."""
    network = Network((3, 4, 2), ["sigmoid", "sigmoid"], np.float64)
    network.theta[:] = np.arange(len(network.theta))
    return network


def test_weights_and_biases_have_the_articles_shapes(network):
    """W^(l) is (n_l, n_{l-1}) and b^(l) is (n_l,)."""
    assert [W.shape for W in network.weights] == [(4, 3), (2, 4)]
    assert [b.shape for b in network.biases] == [(4,), (2,)]


def test_weights_and_biases_are_views_that_cover_theta_once(network):
    """Every parameter stands in exactly one weight or bias, and changes with it."""
    parts = [*network.weights, *network.biases]
    values = np.concatenate([part.ravel() for part in parts])
    assert sorted(values) == list(range(count_parameters((3, 4, 2))))
    for part in parts:
        part[:] = -1
    assert (network.theta == -1).all()


def test_forward_pass_is_the_articles(network):
    """a^(l) = σ(W^(l) a^(l-1) + b^(l)), worked out here for two examples."""
    network.theta[:] = np.sin(np.arange(len(network.theta)))
    inputs = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]])
    expected = inputs
    for W, b in zip(network.weights, network.biases, strict=True):
        expected = 1 / (1 + np.exp(-(expected @ W.T + b)))
    outputs = forward(as_inputs(network, inputs), Buffers(network, 2))
    np.testing.assert_allclose(outputs, expected, rtol=1e-14)


def test_input_scale_multiplies_inputs_and_not_biases(network):
    """A network of scale 1/255 does with bytes what one of scale 1 does with bytes / 255."""
    network.theta[:] = np.sin(np.arange(len(network.theta)))
    scaled = Network((3, 4, 2), ["sigmoid", "sigmoid"], np.float64, input_scale=1 / 255)
    scaled.theta[:] = network.theta
    raw = np.array([[0, 128, 255]])
    expected = forward(as_inputs(network, raw / 255), Buffers(network, 1))
    np.testing.assert_allclose(forward(as_inputs(scaled, raw), Buffers(scaled, 1)), expected)
