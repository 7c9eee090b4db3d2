"""Datasets known by name, opened from their downloaded files."""

from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.builtin import parity
from mlpcli.data.builtin.registry import DATASETS, BuiltinDataset
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.encoding import FITTED_SCALES, Encoding, encode
from mlpcli.data.fit import fit_scaling
from mlpcli.data.readers.idx import read_idx
from mlpcli.data.readers.table import Table
from mlpcli.errors import ConfigError, DataError, did_you_mean

# By name, what each dataset's features and classes are, in the order of preference.
BUILTIN_ENCODINGS = {
    "parity": Encoding(parity.BITS, "none", parity.CLASS_NAMES),
    **{
        name: Encoding(prod(entry.image_shape), "unit", entry.class_names, entry.image_shape)
        for name, entry in DATASETS.items()
    },
}


def load_builtin(name: str, scale: str | None, data_dir: Path, where: str) -> Dataset:
    """Open a dataset known by name.

    Args:
        name: `parity`, or a name in the registry.
        scale: a name in `SCALES`; None for the dataset's own default.
        data_dir: the folder that has one sub-folder per downloaded dataset.
        where: what to blame if there is no such dataset.

    Raises:
        ConfigError: if there is no such dataset.
        DataError: if its files are missing or damaged.
    """
    if name == "parity":
        bits, labels = parity.load()
        cut = parity.TRAINING
        train, test = Examples(bits[:cut], labels[:cut]), Examples(bits[cut:], labels[cut:])
        return _scaled(Dataset(name, _encoding(name, scale), train, test))
    entry = lookup(name, where, also=("parity",))
    encoding = _encoding(name, scale)
    folder = data_dir / name
    names = [file.name for file in entry.files]
    train = _read_images(name, folder, names[0], names[1], entry)
    test = _read_images(name, folder, names[2], names[3], entry)
    return _scaled(Dataset(name, encoding, train, test))


def _encoding(name: str, scale: str | None) -> Encoding:
    encoding = BUILTIN_ENCODINGS[name]
    return encoding._replace(scale=scale or encoding.scale)


def load_builtin_split(
    name: str, split: str, encoding: Encoding, data_dir: Path, where: str
) -> Examples | None:
    """Open the training or the test examples of a dataset known by name, reading no others.

    Args:
        name: as for `load_builtin`.
        split: `train` or `test`.
        encoding: that of the network.
        data_dir: as for `load_builtin`.
        where: as for `load_builtin`.

    Raises:
        ConfigError, DataError: as `load_builtin` does.
    """
    if name == "parity" or encoding.scale in FITTED_SCALES:
        dataset = load_builtin(name, encoding.scale, data_dir, where)
        return dataset.test if split == "test" else dataset.train
    entry = lookup(name, where, also=("parity",))
    images, labels = entry.files[2:] if split == "test" else entry.files[:2]
    return _read_images(name, data_dir / name, images.name, labels.name, entry)


def _scaled(dataset: Dataset) -> Dataset:
    """Standardise the features, if that is what their encoding says."""
    if dataset.encoding.scale not in FITTED_SCALES or dataset.test is None:
        return dataset
    train, test = (Table(dataset.name, part.features) for part in (dataset.train, dataset.test))
    encoding = fit_scaling(dataset.encoding, train, dataset.encoding.scale)
    return dataset._replace(
        encoding=encoding,
        train=dataset.train._replace(features=encode(encoding, train)),
        test=dataset.test._replace(features=encode(encoding, test)),
    )


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
