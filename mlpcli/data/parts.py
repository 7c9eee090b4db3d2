"""Training data of which each of several processes has a part: `train: part-{rank}.npy`."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from glob import escape, glob
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import Files
from mlpcli.data.commonest import fit_commonest
from mlpcli.data.dataset import Dataset, Examples, OwnPart, Preparation, fingerprint
from mlpcli.data.encode import encode
from mlpcli.data.files import read_training, training_source
from mlpcli.data.fit import fit_encoding
from mlpcli.data.labelled import open_test_file
from mlpcli.data.missing import handle_missing
from mlpcli.data.pixels import fit_pixel_range
from mlpcli.data.readers.notation import parse_number
from mlpcli.data.readers.source import locate
from mlpcli.data.readers.table import Labels, Table
from mlpcli.data.scaling import Statistics, fit_scaling
from mlpcli.data.splits import divide
from mlpcli.data.targets import encode_labels
from mlpcli.errors import DataError

# What stands for a rank's number in the name of its file.
RANK = "{rank}"
# What can be fitted to parts without seeing all values at once.
SCALES = ("unit", "none", "standardize")

# Labels some of which are numbers: they may be of any file.
MIXED = "numbers and words"


class Parts(NamedTuple):
    """The processes that have a part each."""

    rank: int
    """Which of them this is."""
    gather: Callable[[Any], list[Any]]
    """Gives all of them what each has, in order."""


def part_paths(path: Path) -> Iterator[Path]:
    """Yield the files that have a number where a path has `{rank}`."""
    pieces = str(path).split(RANK)
    named = re.compile(r"\d+".join(map(re.escape, pieces)))
    # Not Path.glob, in which no folder can stand for several.
    for name in glob("*".join(map(escape, pieces))):  # noqa: PTH207
        if named.fullmatch(name):
            yield Path(name)


def load_part(
    files: Files, preparation: Preparation, parts: Parts, search_paths: Sequence[Path]
) -> Dataset:
    """Open one part of the training data, all processes at the same time.

    Labels are given to all, so that each decides on classes, their weights and what is set aside by
    all examples; of features only what `standardize` learns is.

    Args:
        files: which files, `{rank}` standing for the process's number.
        preparation: how the experiment wants them.
        parts: the processes.
        search_paths: what paths may be relative to.

    Returns:
        The labels of all examples, and the features of this part. `validation` are those examples
        of it that are set aside, and the first process alone has the test.

    Raises:
        DataError: if something in a file is wrong, or asked for that parts do not allow.
    """
    _check_possible(files, preparation)
    table = _read_part(files, parts.rank, search_paths)
    counts, widths = zip(*parts.gather(table.values.shape), strict=True)
    if len(set(widths)) > 1:
        problem = f"the parts have {', '.join(map(str, widths))} features"
        raise DataError(files.train, problem, "give all as many", "data.train")
    first = sum(counts[: parts.rank])
    own = range(first, first + len(table.values))
    labels = parts.gather(table.labels)
    _check_alike(files, labels)
    whole = table._replace(labels=_merge(labels))
    encoding = fit_encoding(whole, files.missing, preparation.task, preparation.task_given)
    targets = encode_labels(encoding, whole)
    rows = divide(targets, preparation).learned
    own_rows = _within(rows, own)
    if own_rows is not None and not len(own_rows):
        raise DataError(table.where, "has no examples to train on", "give it more", "data.train")
    encoding = fit_pixel_range(encoding, table, parts.gather)
    encoding = fit_scaling(encoding, table, preparation.scale, own_rows, _merger(parts))
    encoding = fit_commonest(encoding, targets, rows)
    features, test = encode(encoding, table, preparation.dtype), None
    if files.test and not parts.rank:
        test = open_test_file(files, encoding, search_paths, preparation.dtype).examples
    print_of_part = fingerprint(Examples(features, targets[own.start : own.stop]))
    prints = "".join(parts.gather(print_of_part))
    dataset = Dataset(
        files.train,
        encoding,
        Examples(features, targets),
        test,
        train_rows=rows,
        notes=_left_out(files, len(counts), search_paths),
        part=OwnPart(own, hashlib.sha256(prints.encode()).hexdigest()),
    )
    if own_rows is None:
        return dataset
    held = np.setdiff1d(np.arange(len(own)), own_rows)
    return dataset._replace(validation=Examples(features[held], targets[first + held]))


def _check_possible(files: Files, preparation: Preparation) -> None:
    """Refuse what cannot be learned from parts.

    Raises:
        DataError: naming the key to change.
    """
    for refused, key, problem, remedy in (
        (preparation.task != "classification", "task", "parts are for classes", "give one file"),
        (preparation.embeddings, "embeddings", "needs all values at once", "leave it out"),
        (files.missing != "error", "data.missing", "needs all values at once", "leave it out"),
        (isinstance(files.test, float), "data.test", "is a fraction of parts", "name a file"),
        (preparation.scale not in SCALES, "data", "needs a scale that parts have in common",
         f"write scale: {', '.join(SCALES[:-1])} or {SCALES[-1]}"),
    ):  # fmt: skip
        if refused:
            raise DataError(files.train, problem, remedy, key)


def _read_part(files: Files, rank: int, search_paths: Sequence[Path]) -> Table:
    """Return the part of one process.

    Raises:
        DataError: if it is no array.
    """
    mine = files._replace(train=files.train.replace(RANK, str(rank)))
    if isinstance(files.target, str):
        mine = mine._replace(target=files.target.replace(RANK, str(rank)))
    table = read_training(mine, training_source(mine, search_paths))
    if table.selection is not None:
        raise DataError(table.where, "is a table, and parts are arrays", "write it with np.save")
    return handle_missing(table, files.missing)


def _left_out(files: Files, ranks: int, search_paths: Sequence[Path]) -> tuple[str, ...]:
    """Return a line if there are more parts than processes."""
    more = locate(files.train.replace(RANK, str(ranks)), search_paths)
    return (f"{more} is not learned from, since there are {ranks} ranks",) if more else ()


def _check_alike(files: Files, parts: Sequence[Labels]) -> None:
    """Refuse labels that one file could not have: those of a wrong file would be other classes.

    Raises:
        DataError: saying what the parts have.
    """
    kinds = [_kind(part) for part in parts]
    if len({kind for kind in kinds if kind != MIXED}) > 1:
        problem = f"the labels of the parts are {', '.join(kinds)}"
        raise DataError(files.train, problem, "give all the same kind", "data.target")


def _kind(labels: Labels) -> str:
    if labels.codes.ndim > 1:
        return f"{labels.codes.shape[1]} columns"
    found = {parse_number(name) is not None for name in labels.names}
    return MIXED if len(found) > 1 else ("numbers" if True in found else "words")


def _merge(parts: Sequence[Labels]) -> Labels:
    """Return the labels of all parts as one."""
    positions: dict[str, int] = {}
    codes = []
    for part in parts:
        found = [positions.setdefault(name, len(positions)) for name in part.names]
        codes.append(np.array(found, np.intp)[part.codes])
    return Labels(np.concatenate(codes), tuple(positions))


def _within(rows: NDArray[np.intp] | None, own: range) -> NDArray[np.intp] | None:
    """Return which rows of a part are among those of the whole; None for all."""
    return None if rows is None else rows[(rows >= own.start) & (rows < own.stop)] - own.start


def _merger(parts: Parts) -> Callable[[int, Statistics], Statistics]:
    """Return what makes means and standard deviations of a part those of the whole.

    By how many examples each part has to learn from (Chan, Golub and LeVeque, 1979).
    """

    def merge(n: int, own: Statistics) -> Statistics:
        counts, means, stds = map(np.array, zip(*parts.gather((n, *own)), strict=True))
        shares = (counts / counts.sum())[:, np.newaxis]
        # From the first mean on, so that a constant has standard deviation 0 exactly.
        mean = means[0] + (shares * (means - means[0])).sum(axis=0)
        variance = (shares * (np.square(stds) + np.square(means - mean))).sum(axis=0)
        return mean, np.sqrt(variance)

    return merge
