"""Initial weights."""

import numpy as np
import pytest

from mlpcli.nn.initializers import WEIGHT_STD, initialize
from mlpcli.nn.network import Network


def initialised(name, rng, structure=(400, 300, 200)):
    """Return a float64 network initialised by name."""
    network = Network(structure, ["sigmoid"] * (len(structure) - 1), np.float64)
    initialize(network, name, rng)
    return network


def test_normal_draws_as_the_article_does():
    """Layer by layer, W before b, W shaped (n_l, n_{l-1}), from the legacy stream's `randn`."""
    network = initialised("normal", np.random.RandomState(0), (3, 4, 2))
    stream = np.random.RandomState(0)
    for W, b in zip(network.weights, network.biases, strict=True):
        np.testing.assert_array_equal(W, stream.randn(*W.shape))
        np.testing.assert_array_equal(b, stream.randn(*b.shape))


VARIANCES = {
    "glorot": lambda n_in, n_out: 2 / (n_in + n_out),
    "he": lambda n_in, _: 2 / n_in,
    "lecun": lambda n_in, _: 1 / n_in,
}


@pytest.mark.parametrize("name", WEIGHT_STD)
def test_variance_is_the_papers(name):
    """Weights have mean 0 and the variance of their paper, biases are 0.

    The sample variance of n normal values has a relative error of sqrt(2/n): less than 0.6 % for
    60,000 weights. Four of those are allowed.
    """
    network = initialised(name, np.random.default_rng(0))
    for W, b in zip(network.weights, network.biases, strict=True):
        n_out, n_in = W.shape
        variance = VARIANCES[name](n_in, n_out)
        assert abs(W.var() / variance - 1) < 4 * np.sqrt(2 / W.size)
        assert abs(W.mean()) < 4 * np.sqrt(variance / W.size)
        assert (b == 0).all()
