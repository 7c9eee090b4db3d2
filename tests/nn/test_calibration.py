"""A temperature makes probabilities as often right as they say, and changes no class."""

import numpy as np
import pytest

from mlpcli.nn.calibration import COLDEST, HOTTEST, Judged, fit_temperature
from mlpcli.nn.inference import predict_batches
from mlpcli.nn.network import Network


def made(output, scale, n=3000, dtype=np.float64):
    """Return a network without hidden layers, inputs, and labels drawn as if z were z / scale."""
    rng = np.random.default_rng(0)
    network = Network((4, 3), [output], dtype)
    network.theta[:] = scale * rng.normal(size=network.theta.shape)
    x = rng.normal(size=(n, 4))
    z = (x @ network.weights[0].T + network.biases[0]) / scale
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    labels = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return network, x, labels


def log_loss(network, x, labels):
    """Return the mean of -log p of the true class."""
    outputs = np.concatenate([a.copy() for _, a in predict_batches(network, x)])
    return -np.log(outputs[np.arange(len(x)), labels]).mean()


@pytest.mark.parametrize("scale", [0.2, 1.0, 7.0])
def test_the_temperature_is_found(scale):
    """Where weighted inputs are so many times as large as they should be, T is that number."""
    network, x, labels = made("softmax", scale)
    assert fit_temperature(Judged(network, x, labels)) == pytest.approx(scale, rel=0.1)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("scale", [0.2, 1.0, 7.0])
def test_no_class_changes_and_nothing_is_worse(output, scale):
    """Cooled, a network predicts the same classes, with a log loss that is not above the first."""
    network, x, labels = made(output, scale)
    before = [a.copy() for _, a in predict_batches(network, x)]
    first = log_loss(network, x, labels)
    temperature = fit_temperature(Judged(network, x, labels))
    network.cool(temperature)
    after = [a.copy() for _, a in predict_batches(network, x)]
    chosen = [np.concatenate(chunks).argmax(axis=1) for chunks in (before, after)]
    np.testing.assert_array_equal(*chosen)
    if output == "softmax":
        assert log_loss(network, x, labels) <= first + 1e-12


def test_limits():
    """Examples that are all wrong give the last temperature that is tried."""
    network, x, _ = made("softmax", 1.0)
    outputs = np.concatenate([a.copy() for _, a in predict_batches(network, x)])
    assert fit_temperature(Judged(network, x, outputs.argmin(axis=1))) == pytest.approx(
        HOTTEST, rel=1e-6
    )


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_a_few_examples_that_are_all_right_prove_little(output):
    """Where no example is wrong, outputs become the surer the more there are, but never certain."""
    found = []
    for n in (5, 50, 500):
        network, x, _ = made(output, 1.0, n)
        right = np.concatenate([z.copy() for z, _ in predict_batches(network, x)]).argmax(axis=1)
        labels = right if output == "softmax" else np.eye(3, dtype=int)[right]
        found.append(fit_temperature(Judged(network, x, labels)))
    assert found[0] > found[1] > found[2] > COLDEST
