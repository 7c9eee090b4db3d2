"""Arrays as tables: which of them, or of their columns, are features, and which are labels."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import ColumnRef, Target
from mlpcli.data.readers.idx import read_idx
from mlpcli.data.readers.lines import read_lines
from mlpcli.data.readers.npy import NUMBERS, npz_names, read_npy, read_npz
from mlpcli.data.readers.source import Source
from mlpcli.data.readers.table import (
    CHANNELS,
    TARGET_NAMES,
    Labels,
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


def read_archive(
    path: Path, target: Target | None, separate: bool, labelled: bool, role: str
) -> tuple[NDArray[np.generic], Labels | None]:
    """Read the features of a `.npz` file, and its labels unless these are in one of their own.

    Args:
        path: the file.
        target: which array has the labels, if that is said.
        separate: whether a file of their own has them.
        labelled: whether they are read at all.
        role: `train`, `validation` or `test`, where it has arrays for several.

    Raises:
        DataError: if it does not have them, or nothing tells which they are.
        OSError: if it cannot be read.
    """
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


def read_labels(source: Source, charset: str | None) -> Labels:
    """Read one label per example: an array, or lines of text, as `read_lines` does.

    Raises:
        DataError: if it is no such file, or a label is none.
        OSError: if it cannot be read.
    """
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
