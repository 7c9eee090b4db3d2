"""A model: a network that knows the data it is for, saved as one checkpoint."""

import math
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli import __version__, checkpoint
from mlpcli.data import own
from mlpcli.data.dataset import Dataset, Examples, open_dataset
from mlpcli.data.encoding import SCALES, Encoding, restore
from mlpcli.draws import KeyedDraws
from mlpcli.errors import CheckpointError, ConfigError, DataError
from mlpcli.experiment import from_mapping
from mlpcli.keys import Experiment
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.metrics import confusion
from mlpcli.nn.network import Buffers, Network, forward, input_buffer

# Examples judged at a time: enough for the matrix products, little memory.
CHUNK_ROWS = 1024


@dataclass
class Model:
    """A network with its experiment, data encoding and history.

    Attributes:
        network: the engine's network.
        experiment: what was trained.
        encoding: what features and classes mean.
        fingerprint: of the training data.
        history: one mapping per epoch, from `epoch` and `error` on.
    """

    network: Network
    experiment: Experiment
    encoding: Encoding
    fingerprint: str
    history: list[dict[str, Any]]

    def outputs(self, features: NDArray[np.generic]) -> Iterator[NDArray[np.floating]]:
        """Yield the outputs a^(L) for successive chunks of examples.

        Args:
            features: (n, n_1) in the units of the training data.

        Yields:
            (m, n_L) arrays, each valid until the next is asked for.

        Raises:
            DataError: if the width is not n_1.
        """
        rows = min(CHUNK_ROWS, max(len(features), 1))
        x, buffers = input_buffer(self.network, rows), Buffers(self.network, rows)
        for start in range(0, len(features), rows):
            chunk = features[start : start + rows]
            if len(chunk) < rows:
                x, buffers = x[: len(chunk)], Buffers(self.network, len(chunk), buffers)
            x[:, :-1] = chunk
            with np.errstate(over="ignore"):
                yield forward(self.network, x, buffers)

    def save(self, path: Path) -> None:
        """Write the model as one checkpoint.

        Raises:
            CheckpointError: if it cannot be written.
        """
        checkpoint.write(path, self.serialise())

    def serialise(self) -> bytes:
        """Return the checkpoint's bytes."""
        arrays: dict[str, NDArray[np.floating]] = {}
        names = checkpoint.layer_names(len(self.network.structure))
        layers = zip(names, self.network.weights, self.network.biases, strict=True)
        for (w_name, b_name), W, b in layers:
            arrays |= {w_name: W, b_name: b}
        return checkpoint.serialise(
            arrays,
            {
                "complete": len(self.history) == self.experiment.epochs,
                "epoch": len(self.history),
                "experiment": self.experiment.to_mapping(),
                "class_names": self.encoding.class_names,
                "encoding": self.encoding.to_mapping(),
                "fingerprint": self.fingerprint,
                "history": self.history,
                "versions": {
                    "mlpcli": __version__,
                    "numpy": np.__version__,
                    "python": platform.python_version(),
                },
            },
        )


def new_network(experiment: Experiment, encoding: Encoding) -> Network:
    """Make the network an experiment describes, its parameters all zero."""
    activations = ["sigmoid"] * (len(experiment.structure) - 1)
    scale = SCALES[encoding.scale]
    return Network(experiment.structure, activations, experiment.dtype, scale)


def new_model(experiment: Experiment, dataset: Dataset) -> Model:
    """Make an untrained model for a dataset that `open_data` found to fit."""
    network = new_network(experiment, dataset.encoding)
    return Model(network, experiment, dataset.encoding, dataset.fingerprint(), [])


def open_data(experiment: Experiment, data_dir: Path) -> Dataset:
    """Open an experiment's dataset and make sure that the network fits it.

    Raises:
        ConfigError: if there is no such dataset or `structure` does not fit it.
        DataError: if its files are missing or damaged.
    """
    name, scale, files = experiment.data
    if files:
        dataset = own.open_files(files, scale, experiment.folders, _splitting(experiment))
    else:
        dataset = open_dataset(name, scale, data_dir, experiment.where("data"))
    features, classes = dataset.encoding.features, len(dataset.encoding.class_names)
    first, *hidden, last = experiment.structure
    fits = f"write structure: {[features, *hidden, classes]}"
    if first != features:
        problem = f"starts with {first} inputs, and {dataset.name} has {features} features"
        raise ConfigError(experiment.where("structure"), problem, fits)
    if last != classes:
        problem = f"ends with {last} outputs, and {dataset.name} has {classes} classes"
        raise ConfigError(experiment.where("structure"), problem, fits)
    n, bt_size = len(dataset.train.labels), experiment.bt_size
    if experiment.compat and n < 2 * bt_size:
        raise ConfigError(
            experiment.where("bt_size"),
            f"{bt_size} is more than half of {n} examples, where the article's mini-batches "
            "lose some (compat: article)",
            f"write bt_size: {n // 2} or less",
        )
    return dataset


def open_split(judged: Model, data_dir: Path, split: str) -> Examples | None:
    """Open the training or test examples of a loaded model; None if there is no such split.

    Raises:
        DataError: if its files are missing, damaged or others than it was trained on.
    """
    experiment = judged.experiment
    if experiment.data.files:
        return own.reopen(
            experiment.data.files,
            judged.encoding,
            split,
            experiment.folders,
            _splitting(experiment),
            judged.fingerprint,
        )
    dataset = open_data(experiment, data_dir)
    return dataset.test if split == "test" else dataset.train


def open_file(judged: Model, path: Path, target: str | int | None) -> Examples:
    """Open a file of labelled examples like those that a model was trained on.

    Args:
        judged: whose encoding to apply.
        path: the file or folder.
        target: where the classes are: a column's name or position, an array of an archive, or a
            file; None for where they were in training.

    Raises:
        DataError: if something in it is wrong.
    """
    return own.open_labelled(path, judged.encoding, judged.experiment.data.files, target)


def _splitting(experiment: Experiment) -> np.random.Generator:
    return KeyedDraws(experiment.seed).generator("test split")


class Judgement(NamedTuple):
    """How a model did on labelled examples."""

    confusion: NDArray[np.int64]
    """(n_L, n_L) counts: entry [i, j] are examples of class i predicted as j."""
    error: float
    """Mean of E over the examples."""

    @property
    def correct(self) -> int:
        """Number of examples whose class was predicted."""
        return int(self.confusion.trace())

    @property
    def examples(self) -> int:
        """Number of examples."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Correct / total (the article's erratum 1)."""
        return self.correct / self.examples

    def summary(self) -> dict[str, Any]:
        """Return accuracy and counts."""
        return {"accuracy": self.accuracy, "correct": self.correct, "examples": self.examples}

    def per_class(self, class_names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        """Return accuracy and counts of every class; accuracy is None where it has no examples."""
        rows = {}
        for i, name in enumerate(class_names):
            correct, examples = int(self.confusion[i, i]), int(self.confusion[i].sum())
            accuracy = correct / examples if examples else None
            rows[name] = {"accuracy": accuracy, "correct": correct, "examples": examples}
        return rows


def judge(model: Model, examples: Examples) -> Judgement:
    """Compare a model's predictions with the labels of one or more examples."""
    loss = LOSSES["mse"]
    n_classes = model.network.structure[-1]
    one_hot = np.eye(n_classes, dtype=model.network.dtype)
    counts = np.zeros((n_classes, n_classes), np.int64)
    error, start = 0.0, 0
    for outputs in model.outputs(examples.features):
        labels = examples.labels[start : start + len(outputs)]
        start += len(outputs)
        counts += confusion(labels, outputs.argmax(axis=1), n_classes)
        error += loss(one_hot[labels], outputs, np.empty_like(outputs))
    return Judgement(counts, error / start)


def as_rows(array: NDArray[np.generic], features: int, where: object) -> NDArray[np.generic]:
    """View an array as examples of so many features: (n, n_1), (n, rows, columns) or one example.

    Raises:
        DataError: if its shape does not allow that, or it holds NaN or infinity.
    """
    if math.prod(array.shape[1:]) == features and array.ndim > 1:
        rows = array.reshape(len(array), features)
    elif array.size == features:
        rows = array.reshape(1, features)
    else:
        raise DataError(
            where,
            f"has shape {array.shape}, and the network takes {features} features",
            f"give an array of shape (n, {features})",
        )
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise DataError(
            where,
            f"holds {rows[row, column]} in row {row}, feature {column}",
            "replace it with a finite number",
        )
    return rows


def load(path: Path) -> Model:
    """Load a model from a checkpoint.

    Raises:
        CheckpointError: if the file is missing, damaged, or not a checkpoint.
    """
    record = checkpoint.read(path)
    try:
        return _restore(record, (Path(), path.parent))
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise CheckpointError(
            path, f"is not a checkpoint that this version understands ({error!r})", "train again"
        ) from error


def _restore(record: checkpoint.Record, folders: tuple[Path, ...]) -> Model:
    meta = record.meta
    experiment = from_mapping(meta["experiment"], {}, folders)
    class_names = tuple(str(name) for name in meta["class_names"])
    encoding = restore(meta["encoding"], class_names)
    network = new_network(experiment, encoding)
    names = checkpoint.layer_names(len(experiment.structure))
    if [name for pair in names for name in pair] != list(record.arrays):
        raise ValueError(f"arrays {list(record.arrays)} for structure {experiment.structure}")
    if len(class_names) != experiment.structure[-1] or encoding.features != experiment.structure[0]:
        raise ValueError(f"encoding of other data than structure {experiment.structure}")
    for (w_name, b_name), W, b in zip(names, network.weights, network.biases, strict=True):
        for field, view in ((w_name, W), (b_name, b)):
            if record.arrays[field].shape != view.shape:
                raise ValueError(f"{field} of shape {record.arrays[field].shape}")
            view[:] = record.arrays[field]
    return Model(network, experiment, encoding, str(meta["fingerprint"]), list(meta["history"]))
