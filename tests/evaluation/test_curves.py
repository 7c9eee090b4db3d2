"""Curves have the history's points, and reliability adds up to the calibration error."""

import numpy as np
import pytest

from mlpcli.data.dataset import Examples
from mlpcli.evaluation.curves import MOST_POINTS, history_curves, reliability_curve
from mlpcli.nn.probabilities import calibration_error


def test_a_history_is_drawn_whole():
    """Every column but the epoch is a curve with all its values."""
    history = [{"epoch": i, "error": 1 / (i + 1), "eta": 0.1} for i in range(3)]
    assert history_curves(history) == [
        ("error", [0, 1, 2], [1, 1 / 2, 1 / 3]),
        ("eta", [0, 1, 2], [0.1] * 3),
    ]
    assert history_curves([]) == []


def test_a_long_history_keeps_its_ends():
    """Of many epochs some are left out, but not the first and the last."""
    (curve,) = history_curves([{"epoch": i, "error": float(i)} for i in range(25_001)])
    assert (curve.epochs[0], curve.epochs[-1]) == (0, 25_000)
    assert len(curve.epochs) <= MOST_POINTS + 1
    assert curve.values == curve.epochs


def test_reliability(model, examples):
    """The bins hold every example; their weighted differences are the calibration error."""
    outputs = np.random.default_rng(0).random((len(examples.labels), 2))
    outputs /= outputs.sum(axis=1, keepdims=True)
    bins = reliability_curve(model, examples, outputs)
    assert sum(found.examples for found in bins) == len(examples.labels)
    assert [found.confidence for found in bins] == sorted(found.confidence for found in bins)
    error = sum(b.examples * abs(b.confidence - b.right) for b in bins) / len(examples.labels)
    assert error == pytest.approx(calibration_error(examples.labels, outputs))


@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_weights_are_repeated_rows(model, examples, task):
    """A bin of weighted examples is that of examples which are there as often as they count."""
    model.encoding = model.encoding._replace(task=task)
    rng = np.random.default_rng(0)
    outputs, weights = rng.random((len(examples.labels), 2)), rng.integers(4, size=200)
    labels = rng.integers(2, size=(200, 2)) if task == "multilabel" else examples.labels
    rows = np.repeat(np.arange(200), weights)
    found = reliability_curve(model, Examples(examples.features, labels), outputs, weights * 1.0)
    repeated = Examples(examples.features[rows], labels[rows])
    np.testing.assert_allclose(found, reliability_curve(model, repeated, outputs[rows]), rtol=1e-12)
