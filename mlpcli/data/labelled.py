"""Labelled examples of any file, in an encoding that was fitted before."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mlpcli.config.data_files import ColumnRef, Files, Target
from mlpcli.data.dataset import Examples, Opened
from mlpcli.data.encode import encode
from mlpcli.data.encoding import Encoding
from mlpcli.data.known_columns import as_in_training, header_names, select_known
from mlpcli.data.label_cells import split_labels
from mlpcli.data.missing import handle_missing, mark_missing
from mlpcli.data.pixels import in_pixel_range
from mlpcli.data.quantities import encode_quantities, read_labels, read_quantities
from mlpcli.data.readers.npy import npz_names
from mlpcli.data.readers.read import read_files
from mlpcli.data.readers.source import Source, find_source, resolve_path, with_labels
from mlpcli.data.readers.table import Table
from mlpcli.data.roles import take_roles
from mlpcli.data.targets import encode_labels

HERE = (Path(),)


def open_labelled(
    path: Path,
    encoding: Encoding,
    files: Files | None = None,
    target: ColumnRef | None = None,
    search_paths: Sequence[Path] = HERE,
    role: str = "test",
    dtype: str = "float32",
) -> Opened:
    """Open any file of labelled examples in an encoding fitted before.

    Args:
        path: a file or folder like the one that was trained on.
        encoding: that of the training data.
        files: how the training file was read; None for a dataset known by name.
        target: where the classes are: a column, an array of an archive, or a file of labels; None
            for where they were in training, or a file beside this one.
        search_paths: what a file of labels may be relative to.
        role: `train`, `validation` or `test`, for archives that have several.
        dtype: the precision of the network's arithmetic.

    Raises:
        DataError: if something in it is wrong.
    """
    files = files or Files()
    source = find_source(path)
    like_training = _target_like(source, files.target) if target is None else target
    table = read_files(
        with_labels(source, like_training, search_paths, "data.test_target"),
        files,
        select_known(encoding, labelled=True, target=target, weight=files.weight),
        header_names=header_names(encoding),
        target=like_training,
        features=len(encoding.input_columns) or encoding.features,
        image_shape=encoding.image_shape,
        role=role,
    )
    if source.format == "folder":
        table = in_pixel_range(encoding, table)
    told = as_in_training(interpret(table, files, encoding), encoding)
    kept = handle_missing(told, files.missing, files.missing_target)
    return Opened(kept, examples_of(encoding, kept, dtype))


def interpret(table: Table, files: Files, encoding: Encoding | None = None) -> Table:
    """Return a labelled table with its weights, labels and missing values told from the rest.

    Args:
        table: as it was read.
        files: what its configuration says of it.
        encoding: what was learned in training; None if that is yet to be.

    Raises:
        DataError: if something in them is wrong.
    """
    split = split_labels(take_roles(table, files), files, encoding)
    return mark_missing(split, files.missing_values, encoding)


def open_test_file(
    files: Files, encoding: Encoding, search_paths: Sequence[Path], dtype: str
) -> Opened:
    """Open the file of test examples that a configuration names.

    Raises:
        DataError: if it is missing, or something in it is wrong.
    """
    remedy = "correct it, or give --data FILE"
    path = resolve_path(str(files.test), search_paths, remedy, "data.test")
    return open_labelled(path, encoding, files, files.test_target, search_paths, dtype=dtype)


def targets_of(encoding: Encoding, table: Table) -> NDArray[Any]:
    """Return the targets of a table, quantities in their own units."""
    if encoding.task == "regression":
        return read_quantities(table)
    return read_labels(table) if encoding.task == "multilabel" else encode_labels(encoding, table)


def examples_of(encoding: Encoding, table: Table, dtype: str) -> Examples:
    """Return the features and targets of a table, quantities standardised."""
    if encoding.task == "regression":
        targets: NDArray[Any] = encode_quantities(encoding, table, dtype)
    else:
        targets = targets_of(encoding, table)
    return Examples(encode(encoding, table, dtype), targets)


def _target_like(source: Source, trained: Target | None) -> Target | None:
    """Return where another file has its classes, if it is made like the training file."""
    if not isinstance(trained, str):
        return trained
    return trained if source.format == "npz" and trained in npz_names(source.path) else None
