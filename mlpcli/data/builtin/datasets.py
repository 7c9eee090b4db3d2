"""Datasets known by name, opened from their downloaded files."""

from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.builtin import parity
from mlpcli.data.builtin.registry import DATASETS, BuiltinDataset
from mlpcli.data.dataset import Dataset, Examples, Preparation
from mlpcli.data.encoding import Encoding, encode
from mlpcli.data.fit import fit_scaling
from mlpcli.data.readers.idx import read_idx
from mlpcli.data.readers.table import Table
from mlpcli.data.splits import set_aside, training_rows
from mlpcli.errors import ConfigError, DataError, did_you_mean


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
    if name == "parity":
        encoding = Encoding(parity.BITS, preparation.scale or "none", parity.CLASS_NAMES)
    else:
        entry = lookup(name, where, also=("parity",))
        features, scale = prod(entry.image_shape), preparation.scale or "unit"
        encoding = Encoding(features, scale, entry.class_names, entry.image_shape)
    train, test = (_read_split(name, split, data_dir, where) for split in ("train", "test"))
    rows = training_rows(train.labels, preparation)
    encoding = fit_scaling(encoding, Table(name, train.features), encoding.scale, rows)
    train, test = (_encoded(encoding, part, name, preparation.dtype) for part in (train, test))
    return set_aside(Dataset(name, encoding, train, test), rows)


def load_builtin_split(
    name: str, split: str, encoding: Encoding, dtype: str, data_dir: Path, where: str
) -> Examples:
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
    return _encoded(encoding, _read_split(name, split, data_dir, where), name, dtype)


def _read_split(name: str, split: str, data_dir: Path, where: str) -> Examples:
    if name == "parity":
        part = slice(parity.TRAINING, None) if split == "test" else slice(parity.TRAINING)
        return Examples(*(array[part] for array in parity.load()))
    entry = lookup(name, where, also=("parity",))
    images, labels = entry.files[2:] if split == "test" else entry.files[:2]
    return _read_images(name, data_dir / name, images.name, labels.name, entry)


def _encoded(encoding: Encoding, examples: Examples, name: str, dtype: str) -> Examples:
    return examples._replace(features=encode(encoding, Table(name, examples.features), dtype))


def lookup(name: str, where: str, also: tuple[str, ...] = ()) -> BuiltinDataset:
    """Return what the registry knows of a dataset.

    Raises:
        ConfigError: if it knows nothing.
    """
    if name not in DATASETS:
        names = [*also, *DATASETS]
        remedy = did_you_mean(name, names) or f"the datasets are {', '.join(names)}"
        if Path(name).suffix:
            remedy = f"for a file, write data: {{train: {name}}}"
        raise ConfigError(where, f"there is no dataset {name}", remedy)
    return DATASETS[name]


def _read_images(
    name: str, folder: Path, images: str, labels: str, entry: BuiltinDataset
) -> Examples:
    x, y = _read(name, folder / images), _read(name, folder / labels)
    if x.dtype != np.uint8 or x.shape[1:] != entry.image_shape:
        rows, columns = entry.image_shape
        raise DataError(
            folder / images,
            f"holds {x.dtype} of shape {x.shape}, not {rows}×{columns} images of bytes",
            f"run mlp download {name}",
        )
    if y.dtype != np.uint8 or y.shape != x.shape[:1]:
        raise DataError(
            folder / labels,
            f"holds {y.dtype} of shape {y.shape}, not one byte for each of {len(x)} images",
            f"run mlp download {name}",
        )
    if len(y) == 0:
        raise DataError(folder / images, "holds no images", f"run mlp download {name}")
    if y.max() >= len(entry.class_names):
        raise DataError(
            folder / labels,
            f"example {int(y.argmax())} has label {y.max()}, and the last class is "
            f"{len(entry.class_names) - 1}",
            f"run mlp download {name}",
        )
    return Examples(x.reshape(len(x), -1), y.astype(np.uint8, copy=False))


def _read(name: str, path: Path) -> NDArray[np.generic]:
    try:
        return read_idx(path)
    except FileNotFoundError:
        raise DataError(path, "there is no such file", f"run mlp download {name}") from None
