"""Metrics of quantities and of several labels, against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics as sk

from mlpcli.nn.multilabel import compare_labels
from mlpcli.nn.residuals import QuantityEvaluation, mae, means, median_absolute_error, r2, rmse

SKLEARN = {
    rmse: sk.root_mean_squared_error,
    mae: sk.mean_absolute_error,
    median_absolute_error: sk.median_absolute_error,
    r2: sk.r2_score,
}


@pytest.mark.parametrize("metric", SKLEARN)
@pytest.mark.parametrize("n", [2, 7, 100])
def test_metrics_are_scikit_learns(metric, n):
    """Of one and of several quantities, each metric is scikit-learn's to 1e-12."""
    rng = np.random.default_rng(n)
    truth, predicted = rng.normal(100, 20, (2, n, 3))
    expected = SKLEARN[metric](truth, predicted, multioutput="raw_values")
    np.testing.assert_allclose(metric(truth, predicted), expected, rtol=1e-12)


def test_a_constant_truth_has_no_r2():
    """Where all true quantities are equal R² is no number, and its mean is None, not 0."""
    truth = np.array([[3.0, 1], [3, 2]])
    evaluation = QuantityEvaluation(truth, truth + 1, 1.0)
    assert np.isnan(r2(truth, truth + 1)[0])
    assert evaluation.summary() == {
        "rmse": 1, "mae": 1, "median_absolute_error": 1, "r2": None, "examples": 2
    }  # fmt: skip
    assert evaluation.row() == {"error": 1.0, "rmse": 1.0}
    assert means({"a": np.array([1.0, 3])}) == {"a": 2}


def test_labels_are_scikit_learns():
    """Subset accuracy, macro and micro F1 and each label's ratios are scikit-learn's."""
    rng = np.random.default_rng(0)
    had, given = rng.random((2, 60, 4)) < 0.4
    found = compare_labels(had.astype(np.uint8), given, 0.5)
    assert found.accuracy == sk.accuracy_score(had, given)
    assert found.macro_f1 == pytest.approx(sk.f1_score(had, given, average="macro"), rel=1e-12)
    assert found.micro_f1 == pytest.approx(sk.f1_score(had, given, average="micro"), rel=1e-12)
    for metric in ("precision", "recall"):
        expected = getattr(sk, f"{metric}_score")(had, given, average=None)
        np.testing.assert_allclose(found.per_label(metric), expected, rtol=1e-12)
    np.testing.assert_array_equal(found.confusion, sk.multilabel_confusion_matrix(had, given))


def test_labels_that_nobody_has():
    """Where no label is had or given, all examples are right and F1 is 0, as scikit-learn's."""
    none = np.zeros((5, 2), np.uint8)
    found = compare_labels(none, none.astype(bool), 0.0)
    assert (found.accuracy, found.macro_f1, found.micro_f1) == (1, 0, 0)
