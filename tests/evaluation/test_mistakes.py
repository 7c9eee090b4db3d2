"""The mistakes that are shown are the worst, in their order."""

import numpy as np

from mlpcli.evaluation.mistakes import worst_rows


def test_the_most_confident_come_first(model, examples):
    """Wrong predictions alone, by their probability."""
    n = len(examples.labels)
    outputs = np.random.default_rng(0).random((n, 2))
    outputs /= outputs.sum(axis=1, keepdims=True)
    rows = worst_rows(model, examples, outputs, 5)
    wrong = [i for i in range(n) if outputs[i].argmax() != examples.labels[i]]
    assert rows.tolist() == sorted(wrong, key=lambda i: -outputs[i].max())[:5]


def test_a_model_without_mistakes_has_none(model, examples):
    """Right predictions are never shown, however few wrong ones there are."""
    outputs = np.eye(2)[examples.labels]
    assert worst_rows(model, examples, outputs, 5).tolist() == []
    outputs[7] = outputs[7, ::-1]
    assert worst_rows(model, examples, outputs, 5).tolist() == [7]
