"""Dropout masks."""

import numpy as np

from mlpcli.nn.dropout import draw_masks


def test_masks_drop_at_their_rate_and_keep_the_mean():
    """A share `rate` of neurons is 0 and the rest 1 / (1 - rate).

    Of n = 40,000 the share has a standard deviation of sqrt(rate (1 - rate) / n) < 0.0025.
    """
    masks = [None, np.empty((200, 200), np.float32)]
    draw_masks(masks, (0.0, 0.3), np.random.default_rng(0))
    assert set(np.unique(masks[1])) == {0, np.float32(1 / 0.7)}
    assert abs((masks[1] == 0).mean() - 0.3) < 4 * 0.0025


def test_masks_differ_from_neuron_to_neuron():
    """No two rows or columns of a mask are the same draws."""
    masks = [np.empty((64, 64))]
    draw_masks(masks, (0.5,), np.random.default_rng(0))
    assert len(np.unique(masks[0], axis=0)) == len(np.unique(masks[0], axis=1)) == 64
