"""Augmentation: mini-batches of images distorted at random, made as they are needed."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import Experiment
from mlpcli.rng import KeyedStreams, Part, whole
from mlpcli.training.batches import Augment, Features

EpochAugmenter = Callable[[int], Augment]
"""Of an epoch, what distorts the images that were gathered for the mini-batches from a step on."""
Augmenter = Callable[[Features, np.random.Generator, Part], None]
"""Distorts images, (m, h·w·channels), in place, by what it draws for those that they are of."""

# So many images share a map of pixels: computing one costs as much as moving 60 images by it.
GROUP = 32


def epoch_augmenter(
    experiment: Experiment, image_shape: tuple[int, int] | None, raw: Features
) -> EpochAugmenter | None:
    """Return how an experiment distorts its images; None if it does not.

    Args:
        experiment: with the settings, and the seed.
        image_shape: rows and columns of an image; None where examples are none.
        raw: the array whose rows will be distorted.
    """
    if not experiment.augment or image_shape is None:
        return None
    settings, draws = experiment.augment, KeyedStreams(experiment.seed)
    steps = []
    if settings.keys() - {"shift", "fill"}:
        steps.append(("distort", distorter(image_shape, settings, raw.shape, raw.dtype)))
    if "shift" in settings:
        steps.append(("augment", shifter(image_shape, settings, raw.shape, raw.dtype)))

    def augment_epoch(epoch: int) -> Augment:
        def augment(images: Features, step: int, part: Part | None = None) -> None:
            part = part or whole(len(images))
            for purpose, distort in steps:
                distort(images, draws.generator(purpose, epoch, step), part)

        return augment

    return augment_epoch


def shifter(
    image_shape: tuple[int, int],
    settings: Mapping[str, Any],
    shape: tuple[int, ...],
    dtype: np.dtype[np.generic],
) -> Augmenter:
    """Return a function that moves images, each by its own offset in either direction.

    Args:
        image_shape: rows and columns of an image, h and w.
        settings: `shift`, the largest offset, in pixels; and `fill`.
        shape: the most images that the function will be given at a time, and their features.
        dtype: of the images.
    """
    (h, w), shift, channels = image_shape, settings["shift"], shape[1] // math.prod(image_shape)
    padded = np.zeros((shape[0], h + 2 * shift, w + 2 * shift, channels), dtype)
    rows, columns = slice(shift, shift + h), slice(shift, shift + w)
    # windows[i, dy, dx] is image i seen from offset (dy, dx): a view, nothing is copied.
    windows = np.lib.stride_tricks.sliding_window_view(padded, image_shape, axis=(1, 2))

    def move(images: Features, rng: np.random.Generator, part: Part) -> None:
        m = len(images)
        pictures, frame = images.reshape(m, h, w, channels), padded[:m]
        frame[:, rows, columns] = pictures
        if settings.get("fill") == "edge":
            frame[:, :shift, columns] = pictures[:, :1]
            frame[:, shift + h :, columns] = pictures[:, -1:]
            frame[:, :, :shift] = frame[:, :, shift : shift + 1]
            frame[:, :, shift + w :] = frame[:, :, shift + w - 1 : shift + w]
        dy, dx = rng.integers(0, 2 * shift + 1, (2, part.total))[:, part.positions]
        pictures[:] = np.moveaxis(windows[np.arange(m), dy, dx], 1, 3)

    return move


def distorter(
    image_shape: tuple[int, int],
    settings: Mapping[str, Any],
    shape: tuple[int, ...],
    dtype: np.dtype[np.generic],
) -> Augmenter:
    """Return a function that turns, scales, shears and bends images, `GROUP` of them alike.

    Arguments as for `shifter`; settings are `rotate`, `scale`, `shear`, `elastic` and `fill`.
    """
    pixels = math.prod(image_shape)
    channels = shape[1] // pixels
    edge = settings.get("fill") == "edge"
    # The last pixel of each image is what lies outside: 0.
    framed = np.zeros((GROUP, pixels + 1, channels), dtype)

    def distort(images: Features, rng: np.random.Generator, part: Part) -> None:
        groups, starts = np.unique(part.positions // GROUP, return_index=True)
        maps = Part(-(-part.total // GROUP), groups)
        y, x = draw_positions(image_shape, settings, maps, rng)
        pictures = np.split(images.reshape(len(images), pixels, channels), starts[1:])
        for group, source in zip(pictures, pixels_at(y, x, edge), strict=True):
            framed[: len(group), :-1] = group
            framed[: len(group)].take(source, axis=1, out=group, mode="clip")

    return distort


def draw_positions(
    image_shape: tuple[int, int],
    settings: Mapping[str, Any],
    maps: Part,
    rng: np.random.Generator,
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Draw where each pixel of distorted images comes from: rows and columns, (k, h, w).

    An affine map about the centre and elastic displacements (Simard, Steinkraus and Platt, 2003).

    Args:
        image_shape: rows and columns of an image, h and w.
        settings: largest `rotate`, in degrees, `scale` and `shear`; `elastic`.
        maps: how many there are, and which of them, (k,), are wanted.
        rng: what to draw from.
    """
    turn, up, along, shear = rng.uniform(-1, 1, (4, maps.total))[:, maps.positions]
    angle = np.radians(settings.get("rotate", 0)) * turn
    factors = 1 + settings.get("scale", 0) * np.stack([up, along])
    y, x = affine_positions(image_shape, angle, factors, settings.get("shear", 0) * shear)
    if "elastic" in settings:
        bent = displacements(image_shape, **settings["elastic"], maps=maps, rng=rng)
        y += bent.real
        x += bent.imag
    return y, x


def affine_positions(
    image_shape: tuple[int, int],
    angle: NDArray[np.floating],
    factors: NDArray[np.floating],
    shear: NDArray[np.floating],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return where each pixel of images comes from that are sheared, scaled and turned.

    Args:
        image_shape: rows and columns of an image, h and w.
        angle: (maps,) in radians, anticlockwise.
        factors: (2, maps) by which rows and columns are enlarged.
        shear: (maps,) columns by which a row moves for each row below the centre.

    Returns:
        Rows and columns, (maps, h, w).
    """
    (y0, x0), factors = ((n - 1) / 2 for n in image_shape), factors[..., np.newaxis, np.newaxis]
    angle, shear = angle[:, np.newaxis, np.newaxis], shear[:, np.newaxis, np.newaxis]
    down = np.arange(image_shape[0])[:, np.newaxis] - y0
    right = np.arange(image_shape[1]) - x0
    y = (np.cos(angle) * down + np.sin(angle) * right) / factors[0]
    x = (np.cos(angle) * right - np.sin(angle) * down) / factors[1] - shear * y
    return y + y0, x + x0


def displacements(
    image_shape: tuple[int, int], sigma: float, alpha: float, maps: Part, rng: np.random.Generator
) -> NDArray[np.complexfloating]:
    """Draw smooth displacements of pixels, (k, h, w): by rows + i · columns.

    White noise of the variance of numbers between -1 and 1, smoothed by a Gaussian of `sigma`
    pixels, times `alpha`. The noise is drawn as its Fourier transform, which is white noise, too:
    one transform smooths both directions, and gives the same bytes with any number of threads.
    """
    h, w = image_shape
    squares = np.fft.fftfreq(h)[:, np.newaxis] ** 2 + np.fft.fftfreq(w) ** 2
    smooth = alpha * math.sqrt(h * w / 3) * np.exp(-2 * (math.pi * sigma) ** 2 * squares)
    noise = rng.standard_normal((maps.total, h, 2 * w))[maps.positions].view(np.complex128)
    return np.fft.ifft2(noise * smooth)


def pixels_at(y: NDArray[np.floating], x: NDArray[np.floating], edge: bool) -> NDArray[np.integer]:
    """Return the pixels nearest to positions, (maps, h·w), counted row by row.

    Args:
        y: rows, (maps, h, w).
        x: columns, (maps, h, w).
        edge: whether the nearest pixel of the edge stands for what lies outside; h·w does if not.
    """
    maps, h, w = y.shape
    rows, columns = np.rint(y).astype(np.intp), np.rint(x).astype(np.intp)
    pixels: NDArray[np.integer] = rows.clip(0, h - 1) * w + columns.clip(0, w - 1)
    if not edge:
        pixels[(rows < 0) | (rows >= h) | (columns < 0) | (columns >= w)] = h * w
    return pixels.reshape(maps, h * w)
