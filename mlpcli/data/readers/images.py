"""Folders of images, one sub-folder per class; needs the extra `images` (pillow)."""

import math
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlpcli import signals
from mlpcli.data.readers.regular import open_regular
from mlpcli.data.readers.table import Labels, Table
from mlpcli.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
# What Windows and macOS leave in folders, besides files whose names begin with a dot.
LEFT_BEHIND = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx")
# No image may have more pixels, and all together not more bytes.
MOST_PIXELS = 50_000_000
MOST_BYTES = 1 << 33
GRAY = ("1", "L", "LA")
COLOUR = ("RGB", "RGBA", "CMYK", "YCbCr")
# What one or another damaged image makes Pillow raise.
DAMAGE = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, SyntaxError,
    TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
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


def read_folder(
    folder: Path, size: tuple[int, int] | None = None, grayscale: bool | None = None
) -> Table:
    """Read a folder that has one sub-folder of images per class.

    Args:
        folder: its sub-folders' names are the classes.
        size: rows and columns to resize to; None where all images agree.
        grayscale: whether to make them gray; None where all agree.

    Returns:
        Bytes, (n, rows · columns) or (n, rows · columns · 3).

    Raises:
        DataError: naming the image or folder that will not do.
        OSError: if one cannot be read.
    """
    classes = class_folders(folder)
    if not classes:
        raise DataError(folder, "has no sub-folders", "make one folder of images per class")
    paths, codes = [], []
    for code, name in enumerate(classes):
        found = images_in(folder / name)
        paths += found
        codes += [code] * len(found)
    values, shape = read_images(paths, size, grayscale)
    labels = Labels(np.array(codes, np.intp), tuple(classes))
    files = np.array([*map(str, paths)], object)
    return Table(folder, values, labels, image_shape=shape, files=files)


def survey(folder: Path) -> tuple[list[tuple[int, int]], list[bool]]:
    """Return the size, rows and columns, of each image in a folder, and which of them are gray.

    Raises:
        DataError: naming the image that will not do.
    """
    sizes, gray = [], []
    for name in class_folders(folder):
        for path in images_in(folder / name):
            with _opened(path) as image:
                sizes.append(_upright_size(image))
                gray.append(image.mode in GRAY)
    return sizes, gray


def class_folders(folder: Path) -> list[str]:
    """Return the names of the sub-folders that are not hidden, in order."""
    return sorted(path.name for path in _seen(folder) if path.is_dir())


def _seen(folder: Path) -> Iterator[Path]:
    """Yield what a user sees in a folder."""
    for path in folder.iterdir():
        if not path.name.startswith(".") and path.name.lower() not in LEFT_BEHIND:
            yield path


def images_in(folder: Path) -> list[Path]:
    """Return the images of one folder, in the order of their names.

    Raises:
        DataError: if there is none, or something else.
    """
    paths = sorted(_seen(folder))
    for path in paths:
        if path.suffix.lower() in SUFFIXES:
            continue
        if path.is_dir():
            remedy = f"move its images to {folder}, or give {folder} if its folders are the classes"
            raise DataError(path, "is a folder in the folder of a class", remedy)
        raise DataError(path, "is no PNG, JPEG or BMP image", "remove it from the folder")
    if not paths:
        raise DataError(folder, "holds no images", "put images in it, or remove it")
    return paths


def read_images(
    paths: list[Path],
    size: tuple[int, int] | None = None,
    grayscale: bool | None = None,
    invert: bool = False,
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Read images as rows of bytes, 0 for black.

    Args:
        paths: the files, at least one.
        size: rows and columns to resize to; None to take the first image's, which all must have.
        grayscale: whether to make them gray; None to do as the first is, which all must be.
        invert: turn black to white.

    Returns:
        Bytes, (n, rows · columns), or three for every pixel in colour; rows and columns.

    Raises:
        DataError: naming the image that will not do.
    """
    values = np.empty((0, 0), np.uint8)
    target_size = (0, 0)
    for i, path in enumerate(paths):
        signals.check()
        with _opened(path) as image:
            gray = image.mode in GRAY
            if i == 0:
                target_gray = gray if grayscale is None else grayscale
                target_size = size or _upright_size(image)
                width = math.prod(target_size) * (1 if target_gray else 3)
                _check_bytes(path, len(paths) * width)
                values = np.empty((len(paths), width), np.uint8)
            if grayscale is None and gray != target_gray:
                raise DataError(
                    path,
                    f"is {'gray' if gray else 'in colour'}, and {paths[0].name} is not",
                    "write grayscale: true or grayscale: false",
                )
            pixels = _pixels(image, path, target_gray, target_size, size is not None, paths[0])
        values[i] = (255 - pixels if invert else pixels).reshape(-1)
    return values, target_size


@contextmanager
def _opened(path: Path) -> Iterator["Image"]:
    """Open an image by its header, and refuse those that would not be what they seem."""
    try:
        from PIL import BmpImagePlugin, JpegImagePlugin, PngImagePlugin
    except ImportError:
        raise DataError(
            path, "images need the package pillow", "run pip install 'mlpcli[images]'"
        ) from None
    # Image.open would ask other plugins, too, also for what looks like a JPEG.
    formats: tuple[tuple[bytes, Callable[[Any], Image]], ...] = (
        (b"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
        (b"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
        (b"BM", BmpImagePlugin.BmpImageFile),
    )
    with open_regular(path) as stream:
        head = stream.read(8)
        stream.seek(0)
        if not head:
            raise DataError(path, "is empty", "fetch it again, or remove it")
        decoder = next((decode for magic, decode in formats if head.startswith(magic)), None)
        if decoder is None:
            raise DataError(path, "is no PNG, JPEG or BMP image", "convert it, or remove it")
        try:
            with warnings.catch_warnings():
                # A file has nothing to tell the user but through our errors.
                warnings.simplefilter("ignore")
                with decoder(stream) as image:
                    _check_kind(path, image)
                    yield image
        except DAMAGE as error:
            if isinstance(error, OSError) and error.errno:
                raise
            problem = str(error) or type(error).__name__
            raise DataError(
                path, f"is damaged: {problem}", "fetch it again, or remove it"
            ) from error


def _check_kind(path: Path, image: "Image") -> None:
    remedy = "convert it to an ordinary 8-bit gray or RGB image"
    if image.width * image.height > MOST_PIXELS:
        remedy = "make it smaller, or remove it"
        problem = f"has {image.width}×{image.height} pixels, more than {MOST_PIXELS}"
    elif getattr(image, "n_frames", 1) > 1:
        problem = "is animated"
    elif image.mode in ("P", "PA"):
        problem = "has a palette"
    elif image.mode not in GRAY + COLOUR:
        problem = f"has other than 8 bits per channel (mode {image.mode})"
    else:
        return
    raise DataError(path, problem, remedy)


def _pixels(
    image: "Image", path: Path, gray: bool, target_size: tuple[int, int], resize: bool, first: Path
) -> NDArray[np.uint8]:
    from PIL import Image

    upright: Any = image
    if turn := TURNS.get(_held(image)):
        upright = image.transpose(Image.Transpose[turn])
    if upright.mode in ("LA", "RGBA"):
        # What is transparent is black.
        black = Image.new("RGBA", upright.size, (0, 0, 0, 255))
        upright = Image.alpha_composite(black, upright.convert("RGBA"))
    upright = upright.convert("L" if gray else "RGB")
    if (upright.height, upright.width) != target_size:
        if not resize:
            raise DataError(
                path,
                f"has {upright.height} rows and {upright.width} columns, and {first.name} has "
                f"{target_size[0]} and {target_size[1]}",
                f"write size: [{target_size[0]}, {target_size[1]}] to resize them",
            )
        upright = upright.resize((target_size[1], target_size[0]), Image.Resampling.BOX if (
            upright.width >= target_size[1]) else Image.Resampling.BILINEAR)  # fmt: skip
    return np.asarray(upright, np.uint8)


def _upright_size(image: "Image") -> tuple[int, int]:
    """Return the rows and columns that an image has when it is upright."""
    return image.size if _held(image) in SIDEWAYS else (image.height, image.width)


def _held(image: "Image") -> int:
    return orientation(image.info.get("exif", b"")) if image.format == "JPEG" else 1


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


def _check_bytes(path: Path, total: int) -> None:
    if total > MOST_BYTES:
        raise DataError(
            path.parent,
            f"its images take {total} bytes, more than {MOST_BYTES}",
            "write a smaller size, such as size: [64, 64]",
        )
