"""Metrics by hand, and against scikit-learn."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from mlpcli.nn import metrics
from mlpcli.nn.metrics import confusion
from mlpcli.prediction.layouts import best


def test_confusion_counts_true_classes_in_rows():
    """Entry [i, j] counts the examples of class i that were predicted as j."""
    labels = np.array([0, 0, 1, 2, 2, 2], np.uint8)
    predicted = np.array([0, 1, 1, 2, 0, 0])
    expected = [[1, 1, 0], [0, 1, 0], [2, 0, 1]]
    np.testing.assert_array_equal(confusion(labels, predicted, 3), expected)


def test_labels_of_one_byte_do_not_wrap():
    """With many classes, labels stored as bytes are counted where they belong."""
    counts = confusion(np.array([199], np.uint8), np.array([198]), 200)
    assert counts[199, 198] == 1
    assert counts.sum() == 1


@st.composite
def labels_and_predictions(draw):
    """Draw a number of classes, labels and predictions; some classes are often absent."""
    n_classes = draw(st.integers(2, 8))
    some = st.integers(0, n_classes - 1)
    pairs = draw(st.lists(st.tuples(some, some), min_size=1, max_size=40))
    labels, predicted = np.array(pairs).T
    return n_classes, labels, predicted


@given(labels_and_predictions())
def test_metrics_are_scikit_learns(drawn):
    """Every metric equals scikit-learn's to 1e-12, NaN where that has nothing to divide by."""
    n_classes, labels, predicted = drawn
    counts = confusion(labels, predicted, n_classes)
    classes = range(n_classes)
    np.testing.assert_array_equal(
        counts, sklearn_metrics.confusion_matrix(labels, predicted, labels=classes)
    )
    options = {"labels": classes, "average": None, "zero_division": np.nan}
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        labels, predicted, **options
    )
    with warnings.catch_warnings():
        # It warns of predictions that are no label, and leaves them out as we do.
        warnings.simplefilter("ignore", UserWarning)
        balanced = sklearn_metrics.balanced_accuracy_score(labels, predicted)
    for ours, theirs in (
        (metrics.accuracy(counts), sklearn_metrics.accuracy_score(labels, predicted)),
        (metrics.balanced_accuracy(counts), balanced),
        (metrics.macro_f1(counts), sklearn_metrics.f1_score(labels, predicted, average="macro")),
        (metrics.precision(counts), precision),
        (metrics.recall(counts), recall),
        (metrics.f1(counts), f1),
        (metrics.support(counts), support),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@given(st.data(), st.integers(3, 7), st.integers(1, 30))
def test_top_k_is_scikit_learns(data, n_classes, n):
    """Top-k accuracy equals scikit-learn's where no outputs are equal, with classes absent."""
    k = data.draw(st.integers(1, n_classes - 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    outputs = rng.permuted(np.tile(np.arange(n_classes) / 2, (n, 1)), axis=1)
    labels = rng.integers(n_classes, size=n).astype(np.uint8)
    theirs = sklearn_metrics.top_k_accuracy_score(labels, outputs, k=k, labels=range(n_classes))
    assert metrics.in_top_k(labels, outputs, k).mean() == pytest.approx(theirs, abs=1e-12)


@given(st.integers(2, 7), st.integers(1, 30), st.integers(0, 2**32))
def test_top_k_takes_the_classes_that_predict_gives(n_classes, n, seed):
    """Of equal outputs the earlier class counts, as in `argmax` and in `predict --top-k`."""
    rng = np.random.default_rng(seed)
    outputs = rng.integers(3, size=(n, n_classes)) / 2
    labels = rng.integers(n_classes, size=n).astype(np.uint8)
    assert (metrics.in_top_k(labels, outputs, 1) == (labels == outputs.argmax(axis=1))).all()
    for k in range(1, n_classes + 1):
        shown = best(outputs, k)
        assert metrics.in_top_k(labels, outputs, k).sum() == (shown == labels[:, np.newaxis]).sum()
