"""A user's own files as a dataset: fit to the training file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import ROLES, Files
from mlpcli.data.bins import check_embeddable, fit_bins
from mlpcli.data.columns import HEADER_WORDS, select_for_training, with_dates
from mlpcli.data.commonest import fit_commonest
from mlpcli.data.confine import check_confined, unquoted
from mlpcli.data.dataset import Dataset, Opened, Preparation, fingerprint
from mlpcli.data.dates import feature_names
from mlpcli.data.encoding import Encoding
from mlpcli.data.fit import Rows, fit_encoding, fit_filling
from mlpcli.data.known_columns import as_in_training
from mlpcli.data.label_cells import combination_in
from mlpcli.data.labelled import HERE, examples_of, interpret, open_test_file, targets_of
from mlpcli.data.missing import handle_missing, marked_notes
from mlpcli.data.pixels import fit_pixel_range
from mlpcli.data.quantities import fit_quantities
from mlpcli.data.readers.read import read_files
from mlpcli.data.readers.source import Source, find_source, resolve_path, with_labels
from mlpcli.data.readers.table import Table
from mlpcli.data.scaling import fit_scaling
from mlpcli.data.splits import choose, divide, set_aside, strata, too_few
from mlpcli.data.text_columns import check_forms, unit_note
from mlpcli.data.unseen import skipped_notes, unseen_notes
from mlpcli.errors import DataError, NotClassesError, join_names
from mlpcli.rng import KeyedStreams


def load_files(
    files: Files, preparation: Preparation, search_paths: Sequence[Path] = HERE
) -> Dataset:
    """Open the files that a configuration names, and fit an encoding to the training file.

    Args:
        files: which files, and how to read them.
        preparation: how the experiment wants them.
        search_paths: what paths may be relative to.

    Raises:
        DataError: if a file is missing, or something in it is wrong.
    """
    raw = read_training(files, training_source(files, search_paths))
    try:
        return make_dataset(files, raw, preparation, search_paths)
    except NotClassesError:
        if not preparation.guesses_task:
            raise
    preparation = preparation._replace(task="regression", task_given=True)
    return make_dataset(files, raw, preparation, search_paths)


def make_dataset(
    files: Files, raw: Table, preparation: Preparation, search_paths: Sequence[Path] = HERE
) -> Dataset:
    """Make a dataset of a training file, as `load_files` does, once it is read.

    The names of columns, categories and classes are those of all of it. What is learned from
    values, to fill in and to scale by, is learned from the examples that are trained on.

    Raises:
        DataError: if something in the training file is wrong, or in the test file.
    """
    table = handle_missing(raw, files.missing, files.missing_target)
    check_forms(table, files)
    encoding = _fit_to_all(files, table, preparation)
    train, test = _split(files, encoding, table, preparation.seed)
    division = divide(targets_of(encoding, train), preparation, train)
    rows = division.learned
    weights = _training_weights(train, rows)
    encoding = _fit_to_learned(encoding, files, train, rows, preparation)
    encoding = fit_commonest(encoding, targets_of(encoding, train), rows, weights)
    dtype, opened, unseen = preparation.dtype, None, []
    if test is not None:
        opened = Opened(test, examples_of(encoding, test, dtype))
    elif isinstance(files.test, str):
        opened = open_test_file(files, encoding, search_paths, dtype)
        unseen = unseen_notes(encoding, opened.table)
    notes = [*_encoding_notes(encoding), *skipped_notes(raw), *marked_notes(raw)]
    if dropped := len(raw.values) - len(table.values):
        notes.append(f"{dropped} of {len(raw.values)} examples lack a value and were dropped")
    learned = examples_of(encoding, train, dtype)
    dataset = Dataset(
        files.train,
        encoding,
        learned,
        opened and opened.examples,
        notes=(*notes, *unseen),
        weights=weights,
        test_weights=opened and opened.table.weights,
    )
    return set_aside(dataset, division)


def _fit_to_all(files: Files, table: Table, preparation: Preparation) -> Encoding:
    """Return the names in a training file: of columns, categories and classes."""
    task, embeddings = preparation.task, preparation.embeddings
    encoding = fit_encoding(table, files.missing, task, preparation.task_given, embeddings)
    if embeddings:
        check_embeddable(encoding, table)
    return fit_pixel_range(encoding._replace(unknown=files.unknown), table)


def _fit_to_learned(
    encoding: Encoding, files: Files, train: Table, rows: Rows, preparation: Preparation
) -> Encoding:
    """Add to an encoding what is learned from the values of the rows that are trained on."""
    if files.missing == "mean":
        encoding = fit_filling(encoding, train, rows)
    if preparation.embeddings == "piecewise_linear":
        encoding = fit_bins(encoding, train, rows)
    encoding = fit_scaling(encoding, train, preparation.scale, rows)
    if preparation.task == "regression":
        encoding = fit_quantities(encoding, train, rows)
    return encoding


def _encoding_notes(encoding: Encoding) -> Iterator[str]:
    """Yield what to say of how columns are read, and of classes that look like several labels."""
    for i, column in enumerate(encoding.columns):
        if column.categories:
            how = "-1 and 1" if column.signed else "one-hot"
            note = f" ({note})" if (note := _note_on(column.categories)) else ""
            count = len(column.categories)
            categories = f"{count} categor{'y' if count == 1 else 'ies'}, {how}"
            categories = "there or not, 1 or 0" if column.filling == (0,) else categories
            yield f"column {column.name or i} is text: {categories}{note}"
    for i, column in enumerate(encoding.columns):
        if column.parts:
            yield f"column {column.name or i} is a date: {join_names(feature_names(column.parts))}"
    if encoding.task == "classification" and (both := combination_in(encoding.class_names)):
        yield (
            f"classes such as {both.text!r} look like several labels in one cell, and each "
            "combination is a class: to learn labels, write task: multilabel, and "
            f'label_separator: "{both.separator}" under data'
        )


def _note_on(categories: Sequence[str]) -> str:
    """Return what to say of the categories of a column; "" for nothing."""
    both = combination_in(categories)
    return f"{both.text!r} may be several, but is one" if both else unit_note(categories)


def _training_weights(train: Table, rows: NDArray[np.intp] | None) -> NDArray[np.float64] | None:
    """Return the weights of the training examples; None where there are none.

    Raises:
        DataError: if no example counts of those to learn from.
    """
    weights = train.weights
    if weights is not None and not (weights if rows is None else weights[rows]).any():
        problem = "the weights of all examples to train on are 0"
        raise DataError(train.where, problem, "give some a weight above 0", "data.weight")
    return weights


def open_files_split(
    files: Files,
    encoding: Encoding,
    split: str,
    search_paths: Sequence[Path],
    preparation: Preparation,
    trained_on: str,
) -> Opened | None:
    """Open the training or test examples that a checkpoint names, in the encoding fitted then.

    They lie below the search paths, and errors do not quote them.

    Args:
        files: which files, and how to read them.
        encoding: that of the training file.
        split: `train` or `test`.
        search_paths: what paths may be relative to.
        preparation: as `load_files` had it.
        trained_on: the fingerprint of the training examples.

    Returns:
        The examples; None if there is no test split.

    Raises:
        DataError: if a file is missing, or wrong, or has changed where that matters.
    """
    check_confined(files, split, search_paths)
    dtype = preparation.dtype
    if split == "test" and files.test is None:
        return None
    if split == "test" and isinstance(files.test, str):
        with unquoted():
            return open_test_file(files, encoding, search_paths, dtype)
    source = training_source(files, search_paths, "give --data FILE")
    with unquoted():
        raw = read_training(files, source, encoding)
        table = handle_missing(raw, files.missing, files.missing_target)
        train, test = _split(files, encoding, table, preparation.seed)
        opened = Opened(train, examples_of(encoding, train, dtype))
    if fingerprint(opened.examples, opened.table.weights) != trained_on:
        raise DataError(
            table.where, "has changed since the training", "score it as a whole with --data FILE"
        )
    if split == "train" or test is None:
        return opened
    with unquoted():
        return Opened(test, examples_of(encoding, test, dtype))


def training_source(
    files: Files,
    search_paths: Sequence[Path],
    remedy: str = "correct it: paths are relative to the configuration",
) -> Source:
    """Return the training file that a configuration names, and what it is.

    Raises:
        DataError: if it is missing, or empty.
        OSError: if it cannot be read.
    """
    path = resolve_path(files.train, search_paths, remedy, "data.train")
    return with_labels(find_source(path), files.target, search_paths, "data.target")


def read_training(files: Files, source: Source, encoding: Encoding | None = None) -> Table:
    """Read a training file as its configuration says.

    Args:
        files: the configuration.
        source: the file.
        encoding: what was learned from it, if that was before.

    Raises:
        DataError: if something in it is wrong.
        OSError: if it cannot be read.
    """
    table = read_files(
        source,
        files,
        select_for_training(files),
        header_names=HEADER_WORDS,
        target=files.target,
        new_names=False,
    )
    for part in ROLES:
        if table.selection is None and getattr(files, part) is not None:
            remedy = f"remove data.{part}, or give a table"
            raise DataError(table.where, "has no columns with names", remedy, f"data.{part}")
    told = interpret(table, files, encoding)
    return as_in_training(told, encoding) if encoding else with_dates(told, files)


def _split(files: Files, encoding: Encoding, table: Table, seed: int) -> tuple[Table, Table | None]:
    if not isinstance(files.test, float):
        return table, None
    alike = strata(encoding.task, targets_of(encoding, table), files.test)
    rng = KeyedStreams(seed).generator("test split")
    kept, out = choose(table, alike, files.test, rng)
    if not len(out) or not len(kept):
        raise DataError(
            table.where,
            f"has {too_few(encoding.task, files.test, files)}",
            "give more, or a larger fraction",
            "data.test",
        )
    # By class, so that it makes no difference in which order a file has the classes.
    kept, out = (part[np.argsort(alike[part], kind="stable")] for part in (kept, out))
    return table.take(kept), table.take(out)
