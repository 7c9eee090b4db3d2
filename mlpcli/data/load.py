"""The door to all data: an experiment becomes the dataset that it trains on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlpcli.config.combinations import check_combinations
from mlpcli.config.load import from_given
from mlpcli.config.presets import given_values
from mlpcli.config.schema import LINEAR_LOSSES, Experiment
from mlpcli.data.builtin.datasets import load_builtin, open_builtin_split
from mlpcli.data.check_fits import check_fits
from mlpcli.data.dataset import Dataset, Fold, Opened, Preparation
from mlpcli.data.encoding import Encoding
from mlpcli.data.files import load_files, open_files_split
from mlpcli.data.labelled import open_labelled
from mlpcli.data.parts import RANK, Parts, load_part, part_paths
from mlpcli.data.readers.source import candidates, find_label_file, resolve_path
from mlpcli.data.unseen import unseen_notes
from mlpcli.errors import ConfigError, DataError


def load_data(
    experiment: Experiment,
    data_dir: Path,
    fold: Fold | None = None,
    parts: Parts | None = None,
) -> Dataset:
    """Open an experiment's dataset and make sure that the network fits it.

    Args:
        experiment: how to train.
        data_dir: the folder that has one sub-folder per downloaded dataset.
        fold: what to test on, in place of what the experiment says.
        parts: the processes that have a part of the training data each, where it is in parts.

    Raises:
        ConfigError: if there is no such dataset or `structure` does not fit it.
        DataError: if its files are missing or damaged.
    """
    name, _, files = experiment.data
    preparation = preparation_of(experiment)._replace(fold=fold)
    try:
        if files and RANK in files.train and not parts:
            problem, remedy = "is the name of parts", "start a rank for each: mpiexec, and --mpi"
            raise DataError(files.train, problem, remedy, "data.train")
        if files and parts:
            dataset = load_part(files, preparation, parts, experiment.search_paths)
        elif files:
            dataset = load_files(files, preparation, experiment.search_paths)
        else:
            given = "data.name" if "data.name" in experiment.origins else "data"
            dataset = load_builtin(name, preparation, data_dir, experiment.where(given))
        check_fits(experiment, dataset)
        return with_validation(experiment, dataset)
    except DataError as error:
        if not error.key:
            raise
        where = f"{experiment.where(error.key)}: {error.where}"
        raise DataError(where, error.problem, error.remedy) from None


def data_paths(experiment: Experiment, data_dir: Path) -> Iterator[Path]:
    """Yield the files and folders that an experiment's data may be read from.

    Args:
        experiment: what is trained.
        data_dir: the folder that has one sub-folder per downloaded dataset.
    """
    files = experiment.data.files
    if not files:
        yield data_dir / experiment.data.name
        return
    for name in (files.train, files.test, experiment.validation, files.target, files.test_target):
        if not isinstance(name, str):
            continue
        for path in candidates(name, experiment.search_paths):
            if RANK in name:
                yield from part_paths(path)
            elif path.exists():
                yield path
                if labels := find_label_file(path):
                    yield labels


def open_split(
    experiment: Experiment, encoding: Encoding, trained_on: str, data_dir: Path, split: str
) -> Opened | None:
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
    if files := experiment.data.files:
        if RANK in files.train and split == "train":
            raise DataError(
                files.train, "is the name of parts", "give one of them with --data FILE"
            )
        return open_files_split(
            files,
            encoding,
            split,
            experiment.search_paths,
            preparation_of(experiment),
            trained_on,
        )
    name, where = experiment.data.name, experiment.where("data")
    return open_builtin_split(name, split, encoding, experiment.dtype, data_dir, where)


def preparation_of(e: Experiment) -> Preparation:
    """Return how an experiment wants its data."""
    fraction = e.validation if isinstance(e.validation, float) else 0.0
    quantities = e.learns == "regression" and ("output" in e.origins or e.loss in LINEAR_LOSSES)
    given = e.task is not None or quantities
    guesses, embeddings = e.guesses_task, e.embeddings
    return Preparation(
        e.data.scale, e.seed, fraction, e.dtype, e.learns, given, guesses, embeddings
    )


def fit_structure(experiment: Experiment, encoding: Encoding) -> Experiment:
    """Return an experiment that has a structure: where `hidden` is given, that of its data.

    Args:
        experiment: how to train.
        encoding: that of its dataset, which tells inputs, outputs and task.

    Raises:
        ConfigError: if something given makes no sense for the task that the target tells.
    """
    if experiment.structure:
        return experiment
    found: dict[str, Any] = {"hidden": None}
    if encoding.task != experiment.learns:
        found |= {"task": encoding.task, "output": None}
        if experiment.preset:
            given = given_values(experiment)
            origins, paths = experiment.origins, experiment.search_paths
            experiment = from_given(given, origins, paths, encoding.task)
    hidden = experiment.hidden or ()
    found["structure"] = (encoding.features, *hidden, len(encoding.class_names))
    fitted = replace(experiment, **found)
    check_combinations(fitted)
    return fitted


def with_validation(experiment: Experiment, dataset: Dataset) -> Dataset:
    """Open the file of validation examples, if an experiment names one.

    Raises:
        ConfigError: if its data are no files.
        DataError: if the file is missing, or something in it is wrong.
    """
    name = experiment.validation
    if not isinstance(name, str):
        return dataset
    if not experiment.data.files:
        raise ConfigError(
            experiment.where("validation"),
            f"{name} is a file, and {dataset.name} is known by name",
            "write a fraction such as validation: 0.1",
        )
    remedy = "correct it: paths are relative to the configuration"
    path = resolve_path(name, experiment.search_paths, remedy, "validation")
    opened = open_labelled(
        path,
        dataset.encoding,
        experiment.data.files,
        search_paths=experiment.search_paths,
        role="validation",
        dtype=experiment.dtype,
    )
    notes = (*dataset.notes, *unseen_notes(dataset.encoding, opened.table))
    return dataset._replace(
        validation=opened.examples, notes=notes, validation_weights=opened.table.weights
    )
