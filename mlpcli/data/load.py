"""The door to all data: an experiment becomes the dataset that it trains on."""

from pathlib import Path

import numpy as np

from mlpcli.config.schema import LINEAR_LOSSES, Experiment
from mlpcli.data.builtin.datasets import load_builtin, load_builtin_split
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.encoding import TARGETS_CALLED, Encoding
from mlpcli.data.files import load_files, load_files_split, load_labelled
from mlpcli.data.readers.source import resolve_path
from mlpcli.data.splits import strata, stratified
from mlpcli.errors import ConfigError, DataError, join_names
from mlpcli.rng import KeyedStreams


def load_data(experiment: Experiment, data_dir: Path) -> Dataset:
    """Open an experiment's dataset and make sure that the network fits it.

    Raises:
        ConfigError: if there is no such dataset or `structure` does not fit it.
        DataError: if its files are missing or damaged.
    """
    name, scale, files = experiment.data
    try:
        if files:
            rng, task = _splitting(experiment), experiment.learns
            said = _is_task_given(experiment)
            dataset = load_files(files, scale, experiment.search_paths, rng, task, said)
        else:
            given = "data.name" if "data.name" in experiment.origins else "data"
            dataset = load_builtin(name, scale, data_dir, experiment.where(given))
        return check_fits(experiment, dataset)
    except DataError as error:
        if not error.key:
            raise
        where = f"{experiment.where(error.key)}: {error.where}"
        raise DataError(where, error.problem, error.remedy) from None


def load_split(
    experiment: Experiment, encoding: Encoding, trained_on: str, data_dir: Path, split: str
) -> Examples | None:
    """Open the training or test examples of a trained network; None if there is no such split.

    Args:
        experiment: what was trained.
        encoding: that of its training data.
        trained_on: the fingerprint of its training examples.
        data_dir: the folder that has one sub-folder per downloaded dataset.
        split: `train` or `test`.

    Raises:
        DataError: if its files are missing, damaged or others than it was trained on.
    """
    if experiment.data.files:
        return load_files_split(
            experiment.data.files,
            encoding,
            split,
            experiment.search_paths,
            _splitting(experiment),
            trained_on,
        )
    name, where = experiment.data.name, experiment.where("data")
    examples = load_builtin_split(name, split, encoding, data_dir, where)
    if examples is not None:
        _check_network(name, encoding, examples)
    return examples


def _check_network(name: str, encoding: Encoding, examples: Examples) -> None:
    """Make sure that a network takes the examples of a dataset that its checkpoint names."""
    features, classes = examples.features.shape[1], int(examples.labels.max()) + 1
    if features != encoding.features or classes > len(encoding.class_names):
        problem = (
            f"has {features} features and {classes} classes, and the network was trained on "
            f"{encoding.features} and {len(encoding.class_names)}"
        )
        raise DataError(name, problem, "give --data FILE")


def _is_task_given(e: Experiment) -> bool:
    """Return whether a configuration says what its task is, not only by a single output."""
    quantities = e.learns == "regression" and ("output" in e.origins or e.loss in LINEAR_LOSSES)
    return e.task is not None or quantities


def _splitting(experiment: Experiment) -> np.random.Generator:
    return KeyedStreams(experiment.seed).generator("test split")


def check_fits(experiment: Experiment, dataset: Dataset) -> Dataset:
    """Make sure that an experiment fits its dataset, and set validation examples aside.

    Returns:
        The dataset, with the validation examples that the experiment wants.

    Raises:
        ConfigError: naming the line to change.
        DataError: if a validation file is missing, or something in it is wrong.
    """
    features, classes = dataset.encoding.features, len(dataset.encoding.class_names)
    called = TARGETS_CALLED[dataset.encoding.task]
    first, *hidden, last = experiment.structure
    fits = f"write structure: {[features, *hidden, classes]}"
    if first != features:
        problem = f"starts with {first} inputs, and {dataset.name} has {features} features"
        raise ConfigError(experiment.where("structure"), problem, fits)
    if last != classes:
        problem = f"ends with {last} outputs, and {dataset.name} has {classes} {called}"
        raise ConfigError(experiment.where("structure"), problem, fits)
    if isinstance(experiment.class_weight, dict):
        _check_class_weight(experiment, dataset.encoding.class_names)
    shape = dataset.encoding.image_shape
    if experiment.augment and (shape is None or shape[0] * shape[1] != features):
        problem = f"{dataset.name} has no images to shift" + (" but in colour" if shape else "")
        raise ConfigError(experiment.where("augment"), problem, "remove it")
    if experiment.validation:
        dataset = with_validation(experiment, dataset)
    n, bt_size = len(dataset.train.labels), experiment.bt_size
    if experiment.compat and n < 2 * bt_size:
        raise ConfigError(
            experiment.where("bt_size"),
            f"{bt_size} is more than half of {n} examples, where the article's mini-batches "
            "lose some (compat: article)",
            f"write bt_size: {n // 2} or less",
        )
    return dataset


def _check_class_weight(experiment: Experiment, class_names: tuple[str, ...]) -> None:
    for name in experiment.class_weight or ():
        if name not in class_names:
            raise ConfigError(
                experiment.where(f"class_weight.{name}"),
                f"there is no class {name}",
                f"the classes are {join_names(class_names)}",
            )


def with_validation(experiment: Experiment, dataset: Dataset) -> Dataset:
    """Open the validation file, or set part of the training data aside; never the test split."""
    if isinstance(experiment.validation, str):
        if not experiment.data.files:
            raise ConfigError(
                experiment.where("validation"),
                f"{experiment.validation} is a file, and {dataset.name} is known by name",
                "write a fraction such as validation: 0.1",
            )
        remedy = "correct it: paths are relative to the configuration"
        path = resolve_path(experiment.validation, experiment.search_paths, remedy, "validation")
        files = experiment.data.files
        examples = load_labelled(path, dataset.encoding, files, None, experiment.search_paths)
        return dataset._replace(validation=examples)
    features, labels = dataset.train
    rng = KeyedStreams(experiment.seed).generator("validation")
    fraction = experiment.validation or 0
    alike = strata(dataset.encoding.task, labels, fraction)
    rows, held_out = stratified(alike, fraction, rng)
    if not len(held_out):
        of_class = " of any class" if dataset.encoding.task == "classification" else ""
        raise ConfigError(
            experiment.where("validation"),
            f"{experiment.validation:g} of {len(labels)} examples is none{of_class}",
            "give a larger fraction",
        )
    validation = Examples(features[held_out], labels[held_out])
    return dataset._replace(train_rows=rows, validation=validation)
