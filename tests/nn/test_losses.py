"""Losses against their definitions. Their gradients are tested in test_backprop.py."""

import numpy as np
import pytest

from mlpcli.nn.activations import ACTIVATIONS
from mlpcli.nn.losses import LOSSES, make_loss


def loss(names, y, z, weight=None):
    """Return the error and delta^(L) for weighted inputs z."""
    z, y = np.array(z, float), np.array(y, float)
    a, delta = np.empty_like(z), np.empty_like(z)
    with np.errstate(over="ignore"):
        ACTIVATIONS[names[1]].forward(z, a)
        return LOSSES[names](y, z, a, delta, weight), delta


def test_mse_is_the_articles_error():
    """E is the sum over outputs of (y - a)², with neither 1/2 nor mean; delta is equation (2)."""
    # a = σ(±log 3) = 3/4, 1/4: E = (1/4)² + (1/4)², delta = -2 (y - a) a (1 - a) = ∓2/4 · 3/16
    error, delta = loss(("mse", "sigmoid"), [[1, 0]], [[np.log(3), -np.log(3)]])
    assert error == pytest.approx(0.125, rel=1e-15)
    np.testing.assert_allclose(delta, [[-0.09375, 0.09375]], rtol=1e-14)


def test_cross_entropies_by_hand():
    """-log(3/4) for each of two sigmoids; -log(9/10) for softmax of the same logits."""
    z = [[np.log(3), -np.log(3)]]
    error, delta = loss(("cross_entropy", "sigmoid"), [[1, 0]], z)
    assert error == pytest.approx(-2 * np.log(3 / 4), rel=1e-15)
    np.testing.assert_allclose(delta, [[-0.25, 0.25]], rtol=1e-14)
    error, delta = loss(("cross_entropy", "softmax"), [[1, 0]], z)
    assert error == pytest.approx(-np.log(9 / 10), rel=1e-14)
    np.testing.assert_allclose(delta, [[-0.1, 0.1]], rtol=1e-14)


def test_losses_of_quantities_by_hand():
    """Residuals 1/2 and -3 give 1/4 + 9; 1/2 + 3; 1/8 + 3 - 1/2, and with d = 2 1/8 + 2 (3 - 1)."""
    y, z = [[1, 5]], [[1.5, 2]]
    for name, expected, slopes in (
        ("mse", 9.25, [1, -6]), ("mae", 3.5, [1, -1]), ("huber", 0.125 + 2.5, [0.5, -1]),
    ):  # fmt: skip
        error, delta = loss((name, "linear"), y, z)
        assert error == expected
        np.testing.assert_array_equal(delta, [slopes])
    z, a, delta = np.array(z), np.array(z), np.empty((1, 2))
    assert make_loss("huber", "linear", 2.0)(np.array(y), z, a, delta, None) == 0.125 + 4
    np.testing.assert_array_equal(delta, [[0.5, -2]])


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("logits", [[1e4, -1e4], [-1e4, 1e4]])
def test_extreme_logits_are_finite(output, logits):
    """Logits of ±1e4, right or wrong, give the loss their definition tends to."""
    error, delta = loss(("cross_entropy", output), [[1, 0]], [logits])
    # Wrong: softplus(1e4) = 1e4 for each of two sigmoids; the difference of logits for softmax.
    assert error == pytest.approx(0 if logits[0] > 0 else 2e4)
    assert np.abs(delta).max() <= 1


def test_sigmoid_cross_entropy_adds_no_cancelling_sums():
    """In float32 a huge logit of one output takes nothing from the error of another.

    -log σ(1e8) and -log(1 - σ(-1e8)) are 0, and log 2 = 0.693 for each of the other two.
    """
    z = np.array([[1e8, -1e8], [0, 0]], np.float32)
    y, a, delta = np.array([[1, 0], [1, 0]], np.float32), np.empty_like(z), np.empty_like(z)
    with np.errstate(over="ignore"):
        ACTIVATIONS["sigmoid"].forward(z, a)
        error = LOSSES["cross_entropy", "sigmoid"](y, z, a, delta, None)
    assert error == pytest.approx(2 * np.log(2))


@pytest.mark.parametrize("names", LOSSES)
def test_weights_count_examples(names):
    """An example of weight 2 has twice the error of one of weight 1."""
    rng = np.random.default_rng(0)
    y, z = np.eye(3)[[0, 2]], rng.normal(size=(2, 3))
    alone = [loss(names, y[i : i + 1], z[i : i + 1])[0] for i in range(2)]
    error, _ = loss(names, y, z, np.array([[2.0], [3.0]]))
    assert error == pytest.approx(2 * alone[0] + 3 * alone[1])
