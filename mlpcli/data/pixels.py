"""What black and white are in arrays of images, so that a file of an image can be given, too."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encoding import BYTE_RANGE, Encoding
from mlpcli.data.readers.table import Table, Values, blocks

# Images whose white is so many times that of the training, or so small a part, have other units.
FAR = 100
# So many images tell.
SAMPLE = 1000
# Bytes above it are rather white than black.
LIGHT = 127
# What pixels usually are: the first that holds them is it.
USUAL = ((0.0, 1.0), (-1.0, 1.0), BYTE_RANGE)


Range = tuple[float, float]


def fit_pixel_range(
    encoding: Encoding, table: Table, gather: Callable[[Range], Iterable[Range]] | None = None
) -> Encoding:
    """Add to an encoding of images which numbers are black and white in them.

    Args:
        encoding: of a table.
        table: training examples.
        gather: returns what all parts have, where the table has but a part.
    """
    if encoding.image_shape is None or table.files is not None:
        return encoding
    own = value_range(table.values)
    lows, highs = zip(*(gather(own) if gather else [own]), strict=True)
    low, high = min(lows), max(highs)
    return encoding._replace(
        pixel_range=next(
            (usual for usual in USUAL if usual[0] <= low and high <= usual[1]), (low, high)
        )
    )


def value_range(values: Values, rows: NDArray[np.integer] | None = None) -> tuple[float, float]:
    """Return the smallest and the largest of 0 and some values; NaN, which is missing, is none."""
    low, high = 0.0, 0.0
    for _, part in blocks(values, rows):
        low = min(low, float(np.fmin.reduce(part, axis=None)))
        high = max(high, float(np.fmax.reduce(part, axis=None)))
    return low, high


def units_note(encoding: Encoding, table: Table) -> str:
    """Return, for the user, that images of an array are not in the units of the training data.

    "" where they may be, and where nothing is known of those.
    """
    white = encoding.pixel_range[1]
    known = encoding.pixel_range != BYTE_RANGE or encoding.scale == "unit"
    if encoding.image_shape is None or table.files is not None or not known:
        return ""
    high = value_range(table.values[:SAMPLE])[1]
    if high == 0 or white / FAR < high < white * FAR:
        return ""
    return (
        f"{table.where}: its largest value is {high:g}, and white was {white:g} in training; "
        "give images in the units of the training data"
    )


def has_light_ground(images: NDArray[np.uint8]) -> bool:
    """Return whether most pixels at the edges of images, (n, rows, columns, ...), are light."""
    rows, columns = images[:, (0, -1)], images[:, :, (0, -1)]
    return bool(np.median(np.concatenate([rows.reshape(-1), columns.reshape(-1)])) > LIGHT)


def ground_note(encoding: Encoding, table: Table, inverted: bool) -> str:
    """Return, for the user, that files of images have a light ground; "" where they have not.

    Args:
        encoding: of images with a dark ground.
        table: some of the examples, with their files where they are such.
        inverted: whether black was turned to white.
    """
    if encoding.image_shape is None or table.files is None:
        return ""
    images = table.values.reshape(len(table.values), *encoding.image_shape, -1)
    if not has_light_ground(images):
        return ""
    remedy = "leave out --invert" if inverted else "--invert makes dark ink on paper such"
    return f"{table.files[0]}: the ground is light, and was dark in training; {remedy}"


def in_pixel_range(encoding: Encoding, table: Table) -> Table:
    """Return a table of image files, whose pixels are bytes, in the units of the training data."""
    low, high = encoding.pixel_range
    if (low, high) == BYTE_RANGE:
        return table
    return table._replace(values=low + table.values / 255 * (high - low))
