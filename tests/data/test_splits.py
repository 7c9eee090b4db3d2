"""Stratified splits."""

import numpy as np

from mlpcli.data.splits import stratified

LABELS = np.array([0] * 50 + [1] * 30 + [2] * 1)


def test_every_class_has_its_share():
    """A fifth of each class is chosen, rounded, and no class is left without an example."""
    rest, part = stratified(LABELS, 0.2, np.random.default_rng(0))
    assert np.bincount(LABELS[part], minlength=3).tolist() == [10, 6, 0]
    assert sorted([*rest, *part]) == list(range(81))


def test_the_draw_decides():
    """The same generator chooses the same examples, another one others."""
    first, again, other = (
        stratified(LABELS, 0.2, np.random.default_rng(seed))[1] for seed in (0, 0, 1)
    )
    assert first.tolist() == again.tolist() != other.tolist()
