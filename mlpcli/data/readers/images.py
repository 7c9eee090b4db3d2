"""Folders of images, one sub-folder per class; needs the extra `images` (pillow)."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcli import signals
from mlpcli.data.readers.image_files import (
    NO_IMAGE,
    PALETTE,
    TURNS,
    held,
    is_gray,
    open_image,
    upright_size,
)
from mlpcli.data.readers.table import Labels, Table
from mlpcli.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp"),
    *(".pgm", ".ppm", ".pbm", ".pnm"),
)
# What Windows and macOS leave in folders, besides files whose names begin with a dot.
LEFT_BEHIND = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx")
# All images together may not have more bytes.
MOST_BYTES = 1 << 33


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
            with open_image(path) as image:
                sizes.append(upright_size(image))
                gray.append(is_gray(image))
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
        raise DataError(path, NO_IMAGE, "remove it from the folder")
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
        with open_image(path) as image:
            gray = is_gray(image)
            if i == 0:
                target_gray = gray if grayscale is None else grayscale
                target_size = size or upright_size(image)
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


def _pixels(
    image: "Image", path: Path, gray: bool, target_size: tuple[int, int], resize: bool, first: Path
) -> NDArray[np.uint8]:
    from PIL import Image

    upright: Any = image
    if turn := TURNS.get(held(image)):
        upright = image.transpose(Image.Transpose[turn])
    if upright.mode in (*PALETTE, "LA", "RGBA") or "transparency" in upright.info:
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
        rows, columns = target_size
        shrinks = upright.width >= columns
        how = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
        upright = upright.resize((columns, rows), how)
    return np.asarray(upright, np.uint8)


def _check_bytes(path: Path, total: int) -> None:
    if total > MOST_BYTES:
        raise DataError(
            path.parent,
            f"its images take {total} bytes, more than {MOST_BYTES}",
            "write a smaller size, such as size: [64, 64]",
        )
