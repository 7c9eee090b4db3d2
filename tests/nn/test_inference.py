"""Outputs and evaluations of many examples."""

import numpy as np
import pytest

from mlpcli.nn import inference
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.network import Network


@pytest.mark.parametrize("n", [1, 4, 5, 9])
def test_chunks_make_no_difference(n, monkeypatch):
    """Outputs, counts and error are the same whether examples come at once or in fours."""
    rng = np.random.default_rng(0)
    network = Network((3, 4, 2), ["relu", "softmax"], np.float64)
    network.theta[:] = rng.normal(size=network.theta.shape)
    x, labels = rng.normal(size=(n, 3)), rng.integers(2, size=n)
    loss = LOSSES["cross_entropy", "softmax"]
    (at_once,) = [a.copy() for _, a in inference.predict_batches(network, x)]
    counts, error = inference.evaluate(network, loss, x, labels)
    monkeypatch.setattr(inference, "CHUNK_ROWS", 4)
    in_fours = np.concatenate([a.copy() for _, a in inference.predict_batches(network, x)])
    np.testing.assert_allclose(in_fours, at_once, rtol=1e-14)
    assert error == pytest.approx(-np.log(at_once[np.arange(n), labels]).mean())
    fours, same_error = inference.evaluate(network, loss, x, labels)
    np.testing.assert_array_equal(fours, counts)
    assert same_error == pytest.approx(error)
    assert counts.trace() == (at_once.argmax(axis=1) == labels).sum()
