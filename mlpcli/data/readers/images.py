"""Folders of images, one sub-folder per class; needs the extra `images` (pillow)."""

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.table import Labels, Table
from mlpcli.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
FORMATS = ("PNG", "JPEG", "BMP")
# No image may have more pixels, and all together not more bytes.
MOST_PIXELS = 50_000_000
MOST_BYTES = 1 << 33
SMALLER = "make it smaller, or remove it"
GRAY = ("1", "L", "LA")
COLOUR = ("RGB", "RGBA", "CMYK", "YCbCr")


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
    return Table(folder, values, labels, image_shape=shape)


def survey(folder: Path) -> tuple[list[tuple[int, int]], set[bool]]:
    """Return the size, rows and columns, of each image in a folder, and whether they are gray.

    Raises:
        DataError: naming the image that will not do.
    """
    sizes, gray = [], set()
    for name in class_folders(folder):
        for path in images_in(folder / name):
            with _opened(path) as image:
                sizes.append((image.height, image.width))
                gray.add(image.mode in GRAY)
    return sizes, gray


def class_folders(folder: Path) -> list[str]:
    """Return the names of the sub-folders that are not hidden, in order."""
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def images_in(folder: Path) -> list[Path]:
    """Return the images of one folder, in the order of their names.

    Raises:
        DataError: if there is none, or something else.
    """
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
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
        with _opened(path) as image:
            gray = image.mode in GRAY
            if i == 0:
                target_gray = gray if grayscale is None else grayscale
                target_size = size or (image.height, image.width)
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


def _opened(path: Path) -> "Image":
    """Open an image by its header, and refuse those that would not be what they seem."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise DataError(
            path, "images need the package pillow", "run pip install 'mlpcli[images]'"
        ) from None
    try:
        with warnings.catch_warnings():
            # Our limit is lower than the one that Pillow warns of.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
    except (Image.DecompressionBombError, UnidentifiedImageError, ValueError) as error:
        giant = isinstance(error, Image.DecompressionBombError)
        problem = f"has more than {MOST_PIXELS} pixels" if giant else "is no PNG, JPEG or BMP image"
        remedy = SMALLER if giant else "convert it, or remove it"
        raise DataError(path, problem, remedy) from None
    except (OSError, SyntaxError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise _corrupt(path, error) from error
    remedy = "convert it to an ordinary 8-bit gray or RGB image"
    if image.width * image.height > MOST_PIXELS:
        remedy = SMALLER
        problem = f"has {image.width}×{image.height} pixels, more than {MOST_PIXELS}"
    elif getattr(image, "n_frames", 1) > 1:
        problem = "is animated"
    elif image.mode in ("P", "PA"):
        problem = "has a palette"
    elif image.mode not in GRAY + COLOUR:
        problem = f"has other than 8 bits per channel (mode {image.mode})"
    else:
        return image
    image.close()
    raise DataError(path, problem, remedy)


def _pixels(
    image: "Image", path: Path, gray: bool, target_size: tuple[int, int], resize: bool, first: Path
) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    try:
        upright: Any = ImageOps.exif_transpose(image) if image.format == "JPEG" else image
        if upright.mode in ("LA", "RGBA"):
            # What is transparent is black.
            black = Image.new("RGBA", upright.size, (0, 0, 0, 255))
            upright = Image.alpha_composite(black, upright.convert("RGBA"))
        upright = upright.convert("L" if gray else "RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise _corrupt(path, error) from error
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


def _check_bytes(path: Path, total: int) -> None:
    if total > MOST_BYTES:
        raise DataError(
            path.parent,
            f"its images take {total} bytes, more than {MOST_BYTES}",
            "write a smaller size, such as size: [64, 64]",
        )


def _corrupt(path: Path, error: Exception) -> DataError:
    return DataError(path, f"is damaged: {error}", "fetch it again, or remove it")
