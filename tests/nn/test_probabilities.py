"""Metrics of probabilities, against scikit-learn's and by hand."""

import numpy as np
import pytest
from sklearn import metrics as sk

from mlpcli.nn import probabilities as p


def problem(n_classes, n=200):
    """Return labels, and probabilities some of which are equal."""
    rng = np.random.default_rng(n_classes)
    outputs = p.as_probabilities(rng.random((n, n_classes)).round(2))
    return rng.integers(n_classes, size=n), outputs


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_as_scikit_learn_measures(n_classes):
    """Log loss, Brier score and the areas under ROC curves are scikit-learn's to 1e-12."""
    labels, outputs = problem(n_classes)
    assert p.log_loss(labels, outputs) == pytest.approx(sk.log_loss(labels, outputs), rel=1e-12)
    one_hot = np.eye(n_classes)[labels]
    brier = ((outputs - one_hot) ** 2).sum(axis=1).mean()
    if n_classes == 2:
        brier = 2 * sk.brier_score_loss(labels, outputs[:, 1])
    assert p.brier_score(labels, outputs) == pytest.approx(brier, rel=1e-12)
    areas = [sk.roc_auc_score(labels == j, outputs[:, j]) for j in range(n_classes)]
    np.testing.assert_allclose(p.roc_auc(labels, outputs), areas, rtol=1e-12)


def test_a_sure_mistake_is_finite():
    """A true class with probability 0 has the log loss of 2.2e-16, as scikit-learn's."""
    outputs = np.array([[1.0, 0], [0, 1]])
    assert p.log_loss(np.array([1, 1]), outputs) == pytest.approx(
        sk.log_loss([1, 1], outputs, labels=[0, 1]), rel=1e-12
    )


def test_a_class_without_examples_has_no_area():
    """Where a class has no examples, or all of them, its area is no number."""
    outputs = np.array([[0.5, 0.5, 0], [0.2, 0.8, 0]])
    assert np.isnan(p.roc_auc(np.array([0, 0]), outputs)).all()


def test_calibration_error_by_hand():
    """Of four predictions with 0.9, half right, and one with 0.6, right: (4·0.4 + 0.4) / 5."""
    outputs = np.array([[0.9, 0.1]] * 4 + [[0.4, 0.6]])
    labels = np.array([0, 0, 1, 1, 1])
    assert p.calibration_error(labels, outputs) == pytest.approx((4 * 0.4 + 0.4) / 5)


def test_sigmoid_outputs_become_probabilities():
    """Outputs are divided by their sum; where all are 0 each class is as likely."""
    found = p.as_probabilities(np.array([[0.9, 0.6], [0, 0]], np.float32))
    np.testing.assert_allclose(found, [[0.6, 0.4], [0.5, 0.5]], rtol=1e-6)
