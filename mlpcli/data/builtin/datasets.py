"""Datasets known by name, opened from their downloaded files."""

from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.builtin import archive, parity
from mlpcli.data.builtin.registry import DATASETS, IDX_FILES, BuiltinDataset, lookup
from mlpcli.data.commonest import fit_commonest
from mlpcli.data.dataset import Dataset, Examples, Opened, Preparation
from mlpcli.data.encode import encode
from mlpcli.data.encoding import Encoding
from mlpcli.data.readers.idx import read_idx
from mlpcli.data.readers.table import Table
from mlpcli.data.scaling import fit_scaling
from mlpcli.data.splits import divide, set_aside
from mlpcli.errors import DataError, MissingDatasetError

# By name, what each dataset's features and classes are.
BUILTIN_ENCODINGS = {
    "parity": Encoding(parity.BITS, "none", parity.CLASS_NAMES),
    **{
        name: Encoding(prod(entry.image_shape), "unit", entry.class_names, entry.image_shape)
        for name, entry in DATASETS.items()
    },
}


def load_builtin(name: str, preparation: Preparation, data_dir: Path, where: str) -> Dataset:
    """Open a dataset known by name.

    Args:
        name: `parity`, or a name in the registry.
        preparation: how the experiment wants it.
        data_dir: the folder that has one sub-folder per downloaded dataset.
        where: what to blame if there is no such dataset.

    Raises:
        ConfigError: if there is no such dataset.
        DataError: if its files are missing or damaged.
    """
    train, test = (_open_split(name, split, data_dir, where) for split in ("train", "test"))
    division = divide(train.labels, preparation)
    rows = division.learned
    encoding = BUILTIN_ENCODINGS[name]
    table, scale = Table(name, train.features), preparation.scale or encoding.scale
    encoding = fit_scaling(encoding, table, scale, rows)
    encoding = fit_commonest(encoding, train.labels, rows)
    train, test = (_encoded(encoding, part, name, preparation.dtype) for part in (train, test))
    return set_aside(Dataset(name, encoding, train, test), division)


def open_builtin_split(
    name: str, split: str, encoding: Encoding, dtype: str, data_dir: Path, where: str
) -> Opened:
    """Open the training or the test examples of a dataset known by name, reading no others.

    Args:
        name: as for `load_builtin`.
        split: `train` or `test`.
        encoding: that of the network.
        dtype: the precision of its arithmetic.
        data_dir: as for `load_builtin`.
        where: as for `load_builtin`.

    Raises:
        ConfigError, DataError: as `load_builtin` does.
    """
    examples = _open_split(name, split, data_dir, where)
    _check_network(name, encoding, examples)
    return Opened(Table(name, examples.features), _encoded(encoding, examples, name, dtype))


def _check_network(name: str, encoding: Encoding, examples: Examples) -> None:
    """Make sure that a network takes the examples of a dataset that its checkpoint names."""
    features, classes = examples.features.shape[1], int(examples.labels.max()) + 1
    if features != encoding.features or classes > len(encoding.class_names):
        problem = (
            f"has {features} features and {classes} classes, and the network was trained on "
            f"{encoding.features} and {len(encoding.class_names)}"
        )
        raise DataError(name, problem, "give --data FILE")


def _open_split(name: str, split: str, data_dir: Path, where: str) -> Examples:
    if name == "parity":
        part = slice(parity.TRAINING, None) if split == "test" else slice(parity.TRAINING)
        return Examples(*(array[part] for array in parity.load()))
    entry = lookup(name, where, also=("parity",))
    return _read_split(name, split, data_dir, entry)


def _encoded(encoding: Encoding, examples: Examples, name: str, dtype: str) -> Examples:
    return examples._replace(features=encode(encoding, Table(name, examples.features), dtype))


def _read_split(name: str, split: str, data_dir: Path, entry: BuiltinDataset) -> Examples:
    images, labels = IDX_FILES[2:] if split == "test" else IDX_FILES[:2]
    folder = data_dir / name
    missing = [name for name in (images, labels) if not (folder / name).exists()]
    packed = data_dir / entry.folder / entry.files[0].name
    if entry.members and missing and packed.is_file():
        archive.unpack(packed, entry, folder, missing)
    try:
        x, y = read_idx(folder / images), read_idx(folder / labels)
    except FileNotFoundError as error:
        raise MissingDatasetError(Path(error.filename), name) from None
    remedy = f"run mlp download {name}"
    _check_images(folder / images, x, entry, remedy)
    _check_labels(folder / labels, y, len(x), entry, remedy)
    if entry.transposed:
        x = _upright(x)
    return Examples(x.reshape(len(x), -1), y.astype(np.uint8, copy=False) - entry.first_label)


def _check_images(path: Path, x: NDArray[np.generic], entry: BuiltinDataset, remedy: str) -> None:
    if x.dtype != np.uint8 or x.shape[1:] != entry.image_shape:
        rows, columns = entry.image_shape
        problem = f"holds {x.dtype} of shape {x.shape}, not {rows}×{columns} images of bytes"
        raise DataError(path, problem, remedy)
    if len(x) == 0:
        raise DataError(path, "holds no images", remedy)


def _check_labels(
    path: Path, y: NDArray[np.generic], n: int, entry: BuiltinDataset, remedy: str
) -> None:
    if y.dtype != np.uint8 or y.shape != (n,):
        problem = f"holds {y.dtype} of shape {y.shape}, not one byte for each of {n} images"
        raise DataError(path, problem, remedy)
    first, last = entry.first_label, entry.first_label + len(entry.class_names) - 1
    for row, label, limit in (
        (int(y.argmax()), int(y.max()), f"the last class is {last}"),
        (int(y.argmin()), int(y.min()), f"the first class is {first}"),
    ):
        if not first <= label <= last:
            raise DataError(path, f"example {row} has label {label}, and {limit}", remedy)


def _upright(x: NDArray[np.generic]) -> NDArray[np.generic]:
    """Swap rows and columns of every image, in place, a few at a time."""
    upright = x if x.flags.writeable else x.copy()
    for start in range(0, len(upright), 1024):
        some = upright[start : start + 1024]
        some[:] = some.transpose(0, 2, 1).copy()
    return upright
