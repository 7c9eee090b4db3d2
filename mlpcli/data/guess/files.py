"""How to read a file, or a folder of images: found out, or else chosen and said."""

import statistics
from pathlib import Path

import numpy as np

from mlpcli.config.data_files import Files
from mlpcli.data.files import read_training
from mlpcli.data.guess.record import Guess, Wishes, decide_missing
from mlpcli.data.guess.table import guess_table
from mlpcli.data.readers import images
from mlpcli.data.readers.arrays import ROLE_WORDS, has_split
from mlpcli.data.readers.npy import npz_names
from mlpcli.data.readers.source import Source
from mlpcli.data.readers.table import blocks
from mlpcli.errors import ConfigError, DataError

# What is larger than this many pixels each way has more inputs than a network of this kind can use.
LARGEST_SIDE = 128


def guess_files(source: Source, wishes: Wishes) -> Guess:
    """Find out how to read a file, or a folder of images.

    Raises:
        DataError: if it cannot be read, or there is nothing to learn.
        OSError: if it cannot be read.
    """
    files = Files(
        train=str(source.path),
        test=0.2,
        target=wishes.target,
        ignore=wishes.ignore,
        categorical=wishes.categorical,
        missing="mean",
        header=wishes.header,
        **wishes.roles,
    )
    if source.format in ("table", "json", "parquet"):
        roles = tuple(f"{part}: column {name}" for part, name in wishes.roles.items())
        return guess_table(source, Guess(files, roles), wishes.task)
    given = {"ignore": wishes.ignore, "categorical": wishes.categorical, **wishes.roles}
    of_tables = [f"--{name}" for name, value in given.items() if value != ()]
    of_tables += [] if wishes.header is None else ["--header"]
    if of_tables:
        problem = f"{source.path} is no table, of which columns or a header could be told"
        raise ConfigError("mlp init", problem, f"leave out {' and '.join(of_tables)}")
    guess = _guess_folder if source.format == "folder" else _guess_array
    return guess(source, Guess(files))


def _guess_array(source: Source, guess: Guess) -> Guess:
    """Find the labels of an array, and the test arrays of an archive."""
    if source.labels and guess.files.target is None:
        guess = guess._replace(files=guess.files._replace(target=str(source.labels.path)))
    if guess.files.target is not None:
        guess = guess.because(f"target: {guess.files.target}")
    names = npz_names(source.path) if source.format == "npz" else []
    if has_split(names, "test"):
        finding = "test: the test arrays of the archive (a fraction sets examples aside instead)"
        guess = guess.because(finding, test=str(source.path))
    if has_split(names, "validation"):
        finding = "validation: the validation arrays of the archive, which choose the weights"
        guess = guess.because(finding)._replace(validation=str(source.path))
    table = read_training(guess.files, source)
    if table.labels and (lacking := (table.labels.codes < 0).reshape(len(table.values), -1)).any():
        rows = int(lacking.any(axis=1).sum())
        finding = f"rows without a target are left out: {rows}"
        guess = guess.because(finding, missing_target="drop")
    values = table.values
    gaps = values.dtype.kind == "f" and any(np.isnan(part).any() for _, part in blocks(values))
    return decide_missing(gaps, guess)


def _guess_folder(source: Source, guess: Guess) -> Guess:
    """Take `train`, `test` and `val` for what they say; choose size and colours of images.

    Raises:
        DataError: if there is one class alone, or an image will not do.
    """
    path = source.path
    while len(parts := images.class_folders(path)) == 1 and images.class_folders(path / parts[0]):
        # What archives unpack to.
        path /= parts[0]
        guess = guess._replace(files=guess.files._replace(train=str(path)))
    if path != source.path:
        guess = guess.because(f"train: the folder {path}, which has the others")
    if len(parts) == 1:
        remedy = "make one folder of images per class, named after the class"
        raise DataError(path, f"has one folder alone, {parts[0]}", remedy)
    train, test, validation = (
        next((name for name in parts if name.lower() in words), None)
        for words in ROLE_WORDS.values()
    )
    if train and (test or validation):
        guess = guess.because(f"train: the folder {train}", train=str(path / train))
        if test:
            guess = guess.because(f"test: the folder {test}", test=str(path / test))
        if validation:
            finding = f"validation: the folder {validation}, which chooses the weights"
            guess = guess.because(finding)._replace(validation=str(path / validation))
    sizes, gray = [], []
    for folder in (guess.files.train, guess.files.test, guess.validation):
        if isinstance(folder, str):
            found = images.survey(Path(folder))
            sizes += found[0]
            gray += found[1]
    distinct = sorted(set(sizes))
    if len(distinct) > 1 or any(min(size) > LARGEST_SIDE for size in distinct):
        side = min(64, int(statistics.median(map(min, sizes))))
        of = f"{len(distinct)} sizes" if distinct[1:] else "{}×{} pixels".format(*distinct[0])
        finding = f"images of {of}: resized to {side}×{side}"
        guess = guess.because(finding, size=(side, side))
    if 0 < (count := sum(gray)) < len(gray):
        as_most = 2 * count > len(gray)
        finding = f"{count} gray and {len(gray) - count} colour images: "
        finding += f"made {'gray' if as_most else 'coloured'}, as most are"
        guess = guess.because(finding, grayscale=as_most)
    return guess
