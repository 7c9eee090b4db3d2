"""Augmentation: mini-batches of images moved at random, made as they are needed."""

from collections.abc import Callable

import numpy as np

from mlpcli.config.schema import Experiment
from mlpcli.rng import KeyedStreams
from mlpcli.training.batches import Features

EpochAugmenter = Callable[[int], Callable[[Features, int], None]]
"""Of an epoch, what moves the images that were gathered for the mini-batches from a step on."""


def epoch_augmenter(
    experiment: Experiment, image_shape: tuple[int, int] | None, raw: Features
) -> EpochAugmenter | None:
    """Return how an experiment moves its images; None if it does not.

    Args:
        experiment: with the largest shift, and the seed.
        image_shape: rows and columns of an image; None where examples are none.
        raw: the array whose rows will be moved.
    """
    if not experiment.augment or image_shape is None:
        return None
    draws = KeyedStreams(experiment.seed)
    move = shifter(image_shape, experiment.augment["shift"], len(raw), raw.dtype)
    return lambda epoch: lambda raw, step: move(raw, draws.generator("augment", epoch, step))


def shifter(
    image_shape: tuple[int, int], shift: int, rows: int, dtype: np.dtype[np.generic]
) -> Callable[[Features, np.random.Generator], None]:
    """Return a function that moves images, each by its own offset in either direction.

    Args:
        image_shape: rows and columns of an image, h and w.
        shift: the largest offset, in pixels; what is moved in from outside is 0.
        rows: the most images that the function will be given at a time.
        dtype: of the images.

    Returns:
        A function of (m, h·w) images, moved in place, and of what to draw from.
    """
    h, w = image_shape
    padded = np.zeros((rows, h + 2 * shift, w + 2 * shift), dtype)
    inside = padded[:, shift : shift + h, shift : shift + w]
    # windows[i, dy, dx] is image i seen from offset (dy, dx): a view, nothing is copied.
    windows = np.lib.stride_tricks.sliding_window_view(padded, image_shape, axis=(1, 2))

    def move(images: Features, rng: np.random.Generator) -> None:
        m = len(images)
        pictures = images.reshape(m, h, w)
        inside[:m] = pictures
        dy, dx = rng.integers(0, 2 * shift + 1, (2, m))
        pictures[:] = windows[np.arange(m), dy, dx]

    return move
