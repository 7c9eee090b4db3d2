"""Pictures within pages: other readers see the pixels that were given."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from mlpcli.report.png import as_bytes, diverging, encode_png, picture, shades, thumbnail


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (4, 7, 3)])
def test_pillow_reads_the_pixels(shape):
    """Grey and coloured pixels come back as they were, of any size."""
    pixels = np.random.default_rng(0).integers(256, size=shape).astype(np.uint8)
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        image.load()
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_a_picture_has_its_pixels_and_a_name():
    """It is an image from the page itself, whose name is escaped."""
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    shown = picture(pixels, '"><script>')
    source, called = re.fullmatch(
        r'<img src="data:image/png;base64,([^"]+)" alt="([^"]*)" class="pixels">', shown
    ).groups()
    assert called == "&quot;&gt;&lt;script&gt;"
    with Image.open(io.BytesIO(base64.b64decode(source))) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_colours_of_weights():
    """Zero is nearly white, negative is blue, positive orange; beyond the largest all is equal."""
    low, zero, high, beyond = diverging(np.array([-2.0, 0, 2, 9]), 2).tolist()
    assert zero == [247, 247, 247]
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert beyond == high
    assert diverging(np.zeros(1), 0).tolist() == [zero]


def test_large_images_are_thinned():
    """A picture has no more pixels than a screen shows, and a small one all of its own."""
    assert thumbnail(np.zeros((1000, 500, 3), np.uint8), 160).shape == (143, 72, 3)
    small = np.arange(6, dtype=np.uint8).reshape(2, 3)
    np.testing.assert_array_equal(thumbnail(small, 160), small)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (np.array([0, 7], np.uint8), [0, 7]),
        (np.array([0, 0.2, 1]), [0, 51, 255]),
        (np.array([-1.0, 0, 1]), [0, 128, 255]),
        (np.zeros(2), [0, 0]),
    ],
)
def test_pixels_in_any_units_are_shown_from_black_to_white(values, shown):
    """Bytes are shown as they are, other numbers from their smallest, or 0, to their largest."""
    grey = as_bytes(values, *shades(values[:, np.newaxis]))
    assert grey.tolist() == shown
