"""Files of examples of every format: which reader takes which, and what is made of arrays."""

import math
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import ColumnRef, Files, Target
from mlpcli.data.readers import images
from mlpcli.data.readers.blocks import BLOCK_BYTES, Block, blocks_of, read_blocks
from mlpcli.data.readers.csv import read_csv
from mlpcli.data.readers.csv_dialect import CsvOptions, csv_options, json_options
from mlpcli.data.readers.idx import read_idx
from mlpcli.data.readers.json_lines import read_json_lines
from mlpcli.data.readers.lines import read_lines
from mlpcli.data.readers.npy import NUMBERS, npz_names, read_npy, read_npz
from mlpcli.data.readers.parquet import read_parquet
from mlpcli.data.readers.source import Source
from mlpcli.data.readers.table import (
    CHANNELS,
    TARGET_NAMES,
    Labels,
    Selector,
    Table,
    channels_last,
    name_labels,
)
from mlpcli.errors import DataError

FEATURE_NAMES = ("x", "X", "data", "features", "images", "arr_0")
# Numbers and texts, which may be UTF-8.
LABEL_KINDS = NUMBERS + "US"
# What parts of the data are called, in names of arrays.
ROLE_WORDS = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "validation": ("val", "valid", "validation"),
}
LABEL_NAMES = ("y", "Y", *TARGET_NAMES, "arr_1")


def read_files(
    source: Source,
    files: Files,
    select: Selector,
    *,
    header_names: Collection[str] = (),
    target: Target | None = None,
    labelled: bool = True,
    features: int | None = None,
    image_shape: tuple[int, int] | None = None,
    role: str = "train",
    new_names: bool = True,
) -> Table:
    """Read examples from a file or folder of any format.

    Args:
        source: the file or folder, and the file of its labels if they have one.
        files: how the configuration says to read it.
        select: for tables, decides which columns are read.
        header_names: for tables, names that tell a header.
        target: for arrays in one file, where in it the classes are.
        labelled: whether the classes are read, too.
        features: for arrays, n_1 where it is known.
        image_shape: what images are to become, where it is known.
        role: `train`, `validation` or `test`, for archives that have several.
        new_names: whether JSON objects may have names that the first one has not.

    Raises:
        DataError: naming file, line and column, if something is wrong with it.
        OSError: if it cannot be read.
    """
    path, kind, labels = source
    if kind in ("table", "json"):
        return read_csv(path, select, *csv_reader(source, files, header_names, new_names))
    if kind == "parquet":
        return read_parquet(path, select, csv_options(files, header_names))
    if kind in ("folder", "image"):
        size, gray = files.size, files.grayscale
        if image_shape:
            size, gray = image_shape, features == math.prod(image_shape)
        if kind == "folder":
            return images.read_folder(path, size, gray)
        raise DataError(path, "is one image", "give a folder with a folder of images per class")
    columns = target if isinstance(target, tuple) else (target if isinstance(target, int) else -1,)
    if not labelled and (isinstance(target, str) or not files.train):
        # Classes were not in the same array then, so they are not now.
        columns = ()
    if kind == "npz":
        array, found = _read_archive(path, target, labels is not None, labelled, role)
    else:
        array, found = read_idx(path) if kind == "idx" else read_npy(path), None
    if labels and labelled:
        found = _read_labels(labels, files.encoding)
    return table_from_array(path, array, found, columns, labelled, features, image_shape)


def csv_reader(
    source: Source, files: Files, header_names: Collection[str], new_names: bool
) -> tuple[CsvOptions, Callable[[Path], Iterator[Block]]]:
    """Return what is known of a table of text or JSON, and what yields its lines.

    Args:
        source: a file in the format `table` or `json`.
        files: how the configuration says to read it.
        header_names: names that tell a header.
        new_names: whether JSON objects may have names that the first one has not.
    """
    if source.format == "table":
        return csv_options(files, header_names), partial(read_blocks, charset=files.encoding)
    header, _ = read_json_lines(source.path)

    def read(path: Path) -> Iterator[Block]:
        return blocks_of(read_json_lines(path, new_names, files.point)[1], BLOCK_BYTES)

    return json_options(files, header_names, header), read


def table_from_array(
    path: Path,
    array: NDArray[np.generic],
    labels: Labels | None,
    columns: tuple[ColumnRef, ...],
    labelled: bool,
    features: int | None,
    image_shape: tuple[int, int] | None = None,
) -> Table:
    """Make a table of an array, (n, ...), its labels beside it or in one of its columns.

    Raises:
        DataError: if the shapes do not agree.
    """
    if features is not None and array.size == features and array.ndim in (1, 2):
        array = array.reshape(1, features)
    shape = array.shape
    if features is None or image_shape:
        array = channels_last(array, image_shape)
    if array.ndim < 2 or (labelled and array.size == 0):
        takes = "" if features is None else f", and the network takes {features} features"
        width = "features" if features is None else features
        raise DataError(
            path, f"has shape {shape}{takes}", f"give an array of shape (examples, {width})"
        )
    images_of = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in CHANNELS)
    own_shape = (array.shape[1], array.shape[2]) if images_of else None
    k = len(columns)
    spare = array.ndim == 2 and (features is None or array.shape[1] == features + k)
    if labels is None and spare and k:
        chosen = _target_columns(path, array.shape[1], columns)
        labels = name_labels(array[:, chosen if k > 1 else chosen[0]]) if labelled else None
        array = np.delete(array, chosen, axis=1)
    values = array.reshape(len(array), math.prod(array.shape[1:]))
    if features is not None and values.shape[1] != features:
        raise DataError(
            path,
            f"has shape {shape}, and the network takes {features} features",
            f"give an array of shape (n, {features})",
        )
    if labelled and labels is None:
        raise DataError(path, "has no classes", "name the file that has them as target")
    if labels is not None and len(labels.codes) != len(values):
        raise DataError(
            path,
            f"has {len(values)} examples and {len(labels.codes)} labels",
            "give one per example",
        )
    return Table(path, values, labels, image_shape=own_shape)


def _target_columns(path: Path, width: int, columns: tuple[ColumnRef, ...]) -> list[int]:
    """Return the positions of an array's targets, in its order.

    Raises:
        DataError: if it has no such columns, or no other.
    """
    for column in columns:
        if isinstance(column, str) or not -width <= column < width or width <= len(columns):
            problem = f"has {width} columns, and no column {column}"
            raise DataError(path, problem, "correct target", "data.target")
    return sorted({column % width for column in columns if isinstance(column, int)})


def _read_archive(
    path: Path, target: Target | None, separate: bool, labelled: bool, role: str
) -> tuple[NDArray[np.generic], Labels | None]:
    """Read the features of a `.npz` file, and its labels unless these are in one of their own."""
    names = npz_names(path)
    given = target if isinstance(target, str) and not separate else None
    y = given if given in names else _first(names, (*_of_role(LABEL_NAMES, role), *LABEL_NAMES))
    if given and given not in names and labelled:
        remedy = f"its arrays are {', '.join(names)}"
        raise DataError(path, f"has no array {given}", remedy, "data.target")
    rest = [name for name in names if name != y]
    x = _first(rest, (*_of_role(FEATURE_NAMES, role), *FEATURE_NAMES)) or (
        rest[0] if len(rest) == 1 else None
    )
    if x is None:
        raise DataError(
            path,
            f"has the arrays {', '.join(names)}, and none is surely the features",
            "call it x, and the labels y",
        )
    if separate or y is None or not labelled:
        return read_npz(path, x), None
    return read_npz(path, x), _labels_of(read_npz(path, y, LABEL_KINDS), path)


def has_split(names: list[str], role: str) -> bool:
    """Return whether arrays of these names are features and labels for a role of their own."""
    return all(_first(names, _of_role(usual, role)) for usual in (FEATURE_NAMES, LABEL_NAMES))


def _of_role(usual: tuple[str, ...], role: str) -> tuple[str, ...]:
    """Return what arrays for a role may be called: x_test, test_images."""
    pairs = [(name, word) for word in ROLE_WORDS[role] for name in usual]
    return tuple(each for name, word in pairs for each in (f"{name}_{word}", f"{word}_{name}"))


def _first(names: list[str], candidates: tuple[str, ...]) -> str | None:
    return next((name for name in candidates if name in names), None)


def _read_labels(source: Source, charset: str | None) -> Labels:
    """Read one label per example: an array, or lines of text, as `read_lines` does."""
    path, kind, _ = source
    if kind == "npy":
        return _labels_of(read_npy(path, LABEL_KINDS), path)
    if kind == "idx":
        return _labels_of(read_idx(path), path)
    if kind != "table":
        raise DataError(path, "is no file of labels", "give .npy, IDX, or a label per line")
    return name_labels([line.text.strip() for line in read_lines(path, charset)])


def _labels_of(array: NDArray[np.generic], path: Path) -> Labels:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise DataError(path, f"has shape {array.shape}", "give one label per example, (n,)")
    # NaN is a label that is missing.
    if array.dtype.kind == "f" and np.isinf(array).any():
        row = np.argwhere(np.isinf(array))[0]
        raise DataError(f"{path}: row {row[0]}", f"the label is {array[tuple(row)]}", "correct it")
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(array.astype(np.bytes_), "utf-8")
        except UnicodeDecodeError:
            problem = "has labels that are bytes, and not UTF-8"
            raise DataError(path, problem, "write them again as text with np.save") from None
    if array.dtype.kind == "U" and not _is_text(array):
        raise DataError(path, "has labels that are no text", "write them again with np.save")
    return name_labels(array)


def _is_text(array: NDArray[np.generic]) -> bool:
    """Return whether all characters of an array of text are such: NumPy does not look."""
    codes = np.frombuffer(array.tobytes(), np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    surrogates = (codes >= 0xD800) & (codes < 0xE000)
    return not (surrogates | (codes > 0x10FFFF)).any()
