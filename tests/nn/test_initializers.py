"""Initial weights."""

import numpy as np

from mlpcli.nn.initializers import INITIALIZERS
from mlpcli.nn.network import Network


def initialised(name, rng, structure=(400, 300, 200)):
    """Return a float64 network initialised by name."""
    network = Network(structure, ["sigmoid"] * (len(structure) - 1), np.float64)
    INITIALIZERS[name](network, rng)
    return network


def test_normal_draws_as_the_article_does():
    """Layer by layer, W before b, W shaped (n_l, n_{l-1}), from the legacy stream's `randn`."""
    network = initialised("normal", np.random.RandomState(0), (3, 4, 2))
    stream = np.random.RandomState(0)
    for W, b in zip(network.weights, network.biases, strict=True):
        np.testing.assert_array_equal(W, stream.randn(*W.shape))
        np.testing.assert_array_equal(b, stream.randn(*b.shape))


def test_lecun_has_variance_one_over_inputs():
    """Weights have mean 0 and variance 1/n_{l-1}, biases are 0.

    The sample variance of n normal values has a relative error of sqrt(2/n): less than 0.6 % for
    60,000 weights. Four of those are allowed.
    """
    network = initialised("lecun", np.random.default_rng(0))
    for W, b in zip(network.weights, network.biases, strict=True):
        n_in = W.shape[1]
        assert abs(W.var() * n_in - 1) < 4 * np.sqrt(2 / W.size)
        assert abs(W.mean()) < 4 / np.sqrt(n_in * W.size)
        assert (b == 0).all()
