"""One file of an image, opened by its header and refused where it is not what it seems."""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlpcli.data.readers.regular import open_regular
from mlpcli.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

# How files begin, by Pillow's names.
FORMATS = {
    "Png": rb"\x89PNG\r\n\x1a\n",
    "Jpeg": rb"\xff\xd8\xff",
    "Gif": rb"GIF8[79]a",
    "WebP": rb"RIFF....WEBP",
    "Tiff": rb"II\*\0|MM\0\*",
    "Bmp": rb"BM",
    "Ppm": rb"P[1-6]\s",
}
TEXT_LIKE = {"Bmp", "Ppm"}
NO_IMAGE = "is no PNG, JPEG, GIF, WebP, TIFF, BMP or PNM image"
# No image may have more pixels.
MOST_PIXELS = 50_000_000
GRAY = ("1", "L", "LA")
COLOUR = ("RGB", "RGBA", "CMYK", "YCbCr")
PALETTE = ("P", "PA")
# What one or another damaged image makes Pillow raise.
DAMAGE = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, SyntaxError,
    TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
# Of TIFF, what Pillow decodes itself: libtiff writes of damage to standard error.
TIFF_COMPRESSIONS = ("raw", "packbits")
ORIENTATION = 0x0112
# What makes an image upright, by Pillow's names.
TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
SIDEWAYS = (5, 6, 7, 8)


def is_image(head: bytes) -> bool:
    """Return whether a file that begins so is an image, whatever it is called.

    Of those with a beginning that a text may have, too, the name alone tells.
    """
    return any(re.match(FORMATS[name], head, re.DOTALL) for name in FORMATS.keys() - TEXT_LIKE)


@contextmanager
def open_image(path: Path) -> Iterator["Image.Image"]:
    """Open an image by its header.

    Raises:
        DataError: if it is damaged, or would not be what it seems.
        OSError: if it cannot be read.
    """
    try:
        from PIL import Image
    except ImportError:
        raise DataError(
            path, "images need the package pillow", "run pip install 'mlpcli[images]'"
        ) from None
    with open_regular(path) as stream:
        head = stream.read(12)
        stream.seek(0)
        if not head:
            raise DataError(path, "is empty", "fetch it again, or remove it")
        form = next(
            (name for name, magic in FORMATS.items() if re.match(magic, head, re.DOTALL)), None
        )
        if form is None:
            raise DataError(path, NO_IMAGE, "convert it, or remove it")
        # Image.open would ask other plugins, too, also for what looks like a JPEG.
        plugin = import_module(f"PIL.{form}ImagePlugin")
        try:
            with warnings.catch_warnings():
                # A file has nothing to tell the user but through our errors.
                warnings.simplefilter("ignore")
                with getattr(plugin, f"{form}ImageFile")(stream) as image:
                    _check_kind(path, image)
                    yield image
        except (*DAMAGE, Image.DecompressionBombError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            problem = str(error) or type(error).__name__
            raise DataError(
                path, f"is damaged: {problem}", "fetch it again, or remove it"
            ) from error


def _check_kind(path: Path, image: "Image.Image") -> None:
    remedy = "convert it to an ordinary 8-bit gray or RGB image, or give all as an array (.npz)"
    if image.width * image.height > MOST_PIXELS:
        remedy = "make it smaller, or remove it"
        problem = f"has {image.width}×{image.height} pixels, more than {MOST_PIXELS}"
    elif (frames := getattr(image, "n_frames", 1)) > 1:
        problem = f"is animated, or has pages: {frames} images"
        remedy = "save one of them as an image of its own"
    elif image.format == "TIFF" and image.info.get("compression") not in TIFF_COMPRESSIONS:
        problem = f"is compressed as {image.info.get('compression')}"
        remedy = "save it uncompressed, or as PNG"
    elif image.mode not in GRAY + COLOUR + PALETTE:
        problem = f"has other than 8 bits per channel (mode {image.mode})"
    else:
        return
    raise DataError(path, problem, remedy)


def is_gray(image: "Image.Image") -> bool:
    """Return whether an image has shades of gray alone, by its mode or its palette."""
    if image.mode not in PALETTE:
        return image.mode in GRAY
    palette = image.getpalette() or []
    return palette[::3] == palette[1::3] == palette[2::3]


def upright_size(image: "Image.Image") -> tuple[int, int]:
    """Return the rows and columns that an image has when it is upright."""
    return image.size if held(image) in SIDEWAYS else (image.height, image.width)


def held(image: "Image.Image") -> int:
    """Return how a camera was held, as `orientation` does."""
    return orientation(image.info.get("exif", b"")) if image.format in ("JPEG", "WEBP") else 1


def orientation(exif: bytes) -> int:
    """Return how a camera was held, 1 to 8 as in `TURNS`, from an image's EXIF data; 1 if unknown.

    The one tag that matters, read here: Pillow would hand all of them to its reader of TIFF files.

    Source: Exif 2.32, sections 4.5.2 and 4.6.4.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    first = number(4, 4) + 2
    for at in range(first, min(first + 12 * number(first - 2, 2), len(tiff)), 12):
        if number(at, 2) == ORIENTATION:
            return number(at + 8, 2)
    return 1
