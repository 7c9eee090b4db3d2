"""Permutation importance: inputs that matter are told from those that do not."""

import builders
import numpy as np
import pytest

from mlpcli.data.dataset import Examples
from mlpcli.data.encoding import Column, Encoding
from mlpcli.evaluation.importance import input_groups, permutation_importance


@pytest.fixture
def judged():
    """Return a model that says what the sign of the first of ten inputs is, and examples."""
    model = builders.made(structure=[10, 2])
    model.network.theta[:] = 0
    model.network.weights[0][:, 0] = [-9, 9]
    features = np.random.default_rng(1).normal(size=(300, 10)).astype(np.float32)
    return model, Examples(features, (features[:, 0] > 0).astype(np.uint8))


def test_shuffling_what_decides_halves_the_accuracy(judged):
    """The first input costs a half, within its interval; the others cost nothing at all."""
    first, *rest = permutation_importance(*judged)
    assert first.name == "feature 0"
    assert first.drop == pytest.approx(0.5, abs=0.06)
    assert first.low < 0.5 < first.high
    assert all((found.drop, found.low, found.high) == (0, 0, 0) for found in rest)


def test_weights_are_repeated_rows(judged):
    """What counts nothing is never drawn; what counts more has as much of a say as if repeated."""
    model, (features, labels) = judged
    # Of the second half the model is always wrong, and no better off without its input.
    labels = np.where(np.arange(300) < 150, labels, 1 - labels)
    weights = np.repeat([1.0, 0.0], 150)
    first, *_ = permutation_importance(model, Examples(features, labels), weights)
    assert first.drop == pytest.approx(0.5, abs=0.06)
    weights = np.repeat([3.0, 1.0], 150)
    rows = np.repeat(np.arange(300), weights.astype(int))
    found, *_ = permutation_importance(model, Examples(features, labels), weights)
    repeated, *_ = permutation_importance(model, Examples(features[rows], labels[rows]))
    assert found.drop == pytest.approx(0.25, abs=0.06)
    assert repeated.drop == pytest.approx(0.25, abs=0.06)


def test_the_examples_stay_as_they_are(judged):
    """Nothing is shuffled in the examples that are given, and the seed decides all."""
    model, examples = judged
    before = examples.features.copy()
    assert permutation_importance(model, examples) == permutation_importance(model, examples)
    np.testing.assert_array_equal(examples.features, before)


def test_columns_are_shuffled_whole():
    """The features of a category go together, under the column's name."""
    columns = (Column("a", "number"), Column("b", "category", ("x", "y")), Column("c", "target"))
    groups = input_groups(Encoding(3, "none", ("p", "q"), columns=columns))
    assert [(name, group.tolist()) for name, group in groups] == [("a", [0]), ("b", [1, 2])]


@pytest.mark.parametrize(("shape", "features"), [((28, 28), 784), ((5, 30), 450)])
def test_squares_of_pixels_are_all_of_the_image(shape, features):
    """Each pixel, with its three colours, is in one square, ten of which are a side at most."""
    groups = input_groups(Encoding(features, "unit", ("p", "q"), shape))
    pixels = np.concatenate([group for _, group in groups])
    assert sorted(pixels.tolist()) == list(range(features))
    assert len(groups) <= 10 * 10
