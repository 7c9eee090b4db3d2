"""Pixels as pictures within a page."""

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.pixels import value_range
from mlpcli.report.html import Html, tag

# Of a weight from the most negative to the most positive; the colour-blind tell them apart.
NEGATIVE, ZERO, POSITIVE = (np.array(c) for c in ((33, 102, 172), (247, 247, 247), (217, 95, 2)))


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG file (ISO/IEC 15948) of grey pixels, (h, w), or coloured ones, (h, w, 3)."""
    height, width = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0
    # Each row begins with the number of its filter: none.
    rows = np.zeros((height, 1 + pixels[0].size), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def picture(pixels: NDArray[np.uint8], called: str, **attributes: object) -> Html:
    """Return pixels, as `encode_png` takes them, as an image that is called so for who reads."""
    source = f"data:image/png;base64,{base64.b64encode(encode_png(pixels)).decode()}"
    return tag("img", src=source, alt=called, **({"class_": "pixels"} | attributes))


def thumbnail(pixels: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """Return every so manieth pixel of an image, so that no side has more than `most`."""
    step = -(-max(pixels.shape[:2]) // most)
    return pixels[::step, ::step]


def diverging(values: NDArray[np.floating], largest: float) -> NDArray[np.uint8]:
    """Return the colours of values from -largest to largest, (..., 3)."""
    share = np.clip(values / largest if largest else values, -1, 1)[..., np.newaxis]
    end = np.where(share < 0, NEGATIVE, POSITIVE)
    colours: NDArray[np.uint8] = np.rint(ZERO + np.abs(share) * (end - ZERO)).astype(np.uint8)
    return colours


def shades(values: NDArray[Any]) -> tuple[float, float]:
    """Return what black and white are in pixels: 0 and 255 in bytes, else the ends of the values.

    Black is 0 where no value is below that.
    """
    if values.dtype == np.uint8:
        return 0.0, 255.0
    low, high = value_range(values)
    return (low, high) if low < high else (0.0, 1.0)


def as_bytes(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    """Return pixels from black to white as bytes."""
    if values.dtype == np.uint8:
        return np.asarray(values)
    share = np.clip((values.astype(np.float64) - black) / (white - black), 0, 1)
    grey: NDArray[np.uint8] = np.rint(share * 255).astype(np.uint8)
    return grey
