"""Metrics by hand."""

import numpy as np

from mlpcli.nn.metrics import confusion


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
