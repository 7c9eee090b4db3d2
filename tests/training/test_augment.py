"""Shifted images."""

import numpy as np

from mlpcli.training.augment import shifter


def test_images_move_by_every_offset_and_no_further():
    """Each image appears moved by (dy, dx) in -2..2, what comes in from outside is 0."""
    image = np.arange(1, 31, dtype=np.uint8).reshape(5, 6)
    padded = np.pad(image, 2)
    moved = {padded[y : y + 5, x : x + 6].tobytes(): (y, x) for y in range(5) for x in range(5)}
    batch = np.tile(image.ravel(), (300, 1))
    shifter((5, 6), 2, 400, batch.dtype)(batch, np.random.default_rng(0))
    assert {moved[row.tobytes()] for row in batch} == set(moved.values())


def test_images_stay_apart():
    """Every image is shifted as itself: no pixel of another one enters it."""
    batch = np.repeat(np.arange(1, 9, dtype=np.uint8), 12).reshape(8, 12)
    shifter((3, 4), 1, 8, batch.dtype)(batch, np.random.default_rng(0))
    for value, row in enumerate(batch, 1):
        assert set(row) <= {0, value}
