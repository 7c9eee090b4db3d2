"""A configuration to start from, written for given data."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mlpcli.config.data_files import ROLES, Files
from mlpcli.config.load import parse_experiment
from mlpcli.config.presets import RECIPES
from mlpcli.data.check_fits import check_fits, too_few_to_set_aside
from mlpcli.data.dataset import Dataset, Preparation
from mlpcli.data.encoding import TARGETS_CALLED
from mlpcli.data.files import make_dataset, read_training
from mlpcli.data.guess.files import guess_files
from mlpcli.data.guess.record import Guess, Wishes
from mlpcli.data.labelled import HERE
from mlpcli.data.load import preparation_of, with_validation
from mlpcli.data.readers.source import find_source, with_labels
from mlpcli.data.readers.table import Table
from mlpcli.data.recipe import PRESET_ROWS, recipe_for, suits_preset
from mlpcli.data.targets import as_number, look_like_codes
from mlpcli.errors import DataError, NotClassesError, join_names

# Of more numbers as classes, it is said that they may be quantities.
MANY_NUMBERS = 10
# What several targets are, the first that they can be, and why.
SEVERAL_TARGETS = (
    ("classification", "each example has 1 for its class, and 0 for the others"),
    ("multilabel", "several targets, each yes or no"),
)


class SuggestedConfig(NamedTuple):
    """A configuration for some data."""

    text: str
    """YAML."""
    findings: tuple[str, ...]
    """What was found out, or guessed."""


def shipped() -> dict[str, Path]:
    """Return the configurations that come with mlp, by name."""
    package = Path(__file__).parent.parent
    # Within the wheel; beside the package in a clone.
    folders = [package / "configs", package.parent / "configs"]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}


def suggest(path: Path, wishes: Wishes, folder: Path) -> SuggestedConfig:
    """Look at data and write a configuration for it, which trains as it is.

    Args:
        path: a table, an array, or a folder of images by class.
        wishes: what the user has said of them.
        folder: where the configuration will be, for paths relative to it.

    Raises:
        ConfigError: if the user has said what makes no sense of such data.
        DataError: if the data cannot be read, or there is nothing to learn.
    """
    source = with_labels(find_source(path), wishes.target, HERE, "data.target")
    guess = guess_files(source, wishes)
    # Of a folder, a part may be what there is to train on.
    source = source._replace(path=Path(guess.files.train))
    while True:
        try:
            raw = read_training(guess.files, source)
            text, findings = _write(path, raw, guess, folder, wishes.task)
            experiment = parse_experiment(text.encode(), folder / path.name)
            dataset = make_dataset(guess.files, raw, preparation_of(experiment))
            if few := too_few_to_set_aside(experiment, dataset):
                guess = guess.because(f"all examples are learned from: {few}")
                guess = guess._replace(spares=False)
                continue
            check_fits(experiment, dataset)
            with_validation(experiment, dataset)
            return SuggestedConfig(text, findings)
        except DataError as error:
            guess = _without(guess, error)


def _write(
    path: Path, raw: Table, guess: Guess, folder: Path, task: str | None
) -> tuple[str, tuple[str, ...]]:
    """Return the text of the configuration, and what was found out or chosen."""
    dataset, why = _make_dataset(guess.files, raw, task)
    suits = suits_preset(dataset)
    names, called = dataset.encoding.class_names, TARGETS_CALLED[dataset.encoding.task]
    called = "1 quantity" if len(names) == 1 and why else f"{len(names)} {called}"
    n = len(dataset.train.labels) + (len(dataset.test.labels) if dataset.test else 0)
    findings = (
        f"{n} examples, {dataset.encoding.features} features, {called}: {join_names(names, 10)}",
        *([f"task: {dataset.encoding.task} ({why})"] if why else []),
        *guess.findings,
        *dataset.notes,
        *([f"preset: tabular (from {PRESET_ROWS[0]} rows to train on)"] if suits else []),
    )
    return _render(path, guess, dataset, findings, folder, bool(why)), findings


def _without(guess: Guess, error: DataError) -> Guess:
    """Return a guess that avoids what training would refuse: a column, or a part for the test.

    Raises:
        DataError: the same, if there is nothing to leave out.
    """
    files = guess.files
    targets = files.target if isinstance(files.target, tuple) else (files.target,)
    others = (*targets, *files.ignore, *(getattr(files, part) for part in ROLES))
    if error.column is not None and error.column not in others:
        finding = f"ignored: {error.column} ({error.problem}; {error.remedy})"
        return guess.because(finding, ignore=(*files.ignore, error.column))
    if isinstance(files.test, float):
        # What is left for training without it may do.
        return guess.because(f"no examples are set aside for a test: {error.problem}", test=None)
    raise error


def _make_dataset(files: Files, raw: Table, task: str | None) -> tuple[Dataset, str]:
    """Return the data as a task sees them, and why it is that task; "" for classes as usual."""

    def make(task: str, given: bool = True) -> Dataset:
        preparation = Preparation(task=task, task_given=given)
        dataset = make_dataset(files, raw, preparation)
        if not suits_preset(dataset):
            return dataset
        # As the preset will have it.
        return make_dataset(files, raw, preparation._replace(scale=RECIPES["tabular"].scale))

    in_cells = "several labels in one cell; --task classification makes classes"
    if task or files.label_separator is not None:
        return make(task or "multilabel"), "as --task says" if task else in_cells
    if isinstance(files.target, tuple) or (raw.labels and raw.labels.codes.ndim == 2):
        # Of tables, columns have names, and classes would lose them.
        for kind, why in SEVERAL_TARGETS[isinstance(files.target, tuple) :]:
            with suppress(DataError):
                return make(kind), why
        return make("regression"), "several targets that are numbers"
    try:
        classes = make("classification", given=False)
    except NotClassesError as error:
        return make("regression"), f"{error.problem}; --task classification makes them classes"
    names, n = classes.encoding.class_names, len(raw.values)
    are_numbers = None not in map(as_number, names)
    why = f"the target is a number with {len(names)} different values in {n} examples; --task "
    if are_numbers and raw.labels and not look_like_codes(raw.labels):
        return make("regression"), f"{why}classification makes them classes"
    is_told = are_numbers and len(names) > MANY_NUMBERS
    return classes, f"{why}regression makes them quantities" if is_told else ""


def _render(
    path: Path,
    guess: Guess,
    dataset: Dataset,
    findings: Sequence[str],
    folder: Path,
    task_told: bool,
) -> str:
    """Write the YAML: the keys that a first experiment wants, each with its reason."""
    comments = [f"Written by mlp init for {path.name}.", *findings]
    lines = [f"# {_printable(line)}" for line in comments]
    lines += ["data:"]
    scale = {} if suits_preset(dataset) else {"scale": dataset.encoding.scale}
    mapping: dict[str, Any] = scale | _relative(guess.files, folder)
    for name, value in mapping.items():
        comment = DATA_COMMENTS.get(name)
        lines.append(f"  {name}: {_yaml(value)}" + (f"  # {comment}" if comment else ""))
    validation = guess.validation and _path_from(guess.validation, folder)
    recipe = recipe_for(dataset, validation, guess.spares)
    if task_told and dataset.encoding.task == "classification":
        recipe.insert(2, ("task", "classification", "whatever the target looks like"))
    for name, value, comment in recipe:
        lines.append(f"{name}: {_yaml(value)}  # {comment}")
    return "\n".join(lines) + "\n"


DATA_COMMENTS = {
    "test": "fraction set aside for the final test, of every class, or a file",
    "target": "what to learn",
    "label_separator": "what is between several labels in one cell",
    "ignore": "columns that are no features",
    "categorical": "columns of categories, whatever their cells look like",
    "missing": "mean, drop or error",
    "missing_values": "words that stand for a missing value, beside the usual ones",
    "missing_target": "rows without a target: drop or error",
    "bad_lines": "lines with more or fewer cells than the first: error or skip",
    "encoding": "of lines that are not UTF-8",
    "decimal": "what is before decimals, in numbers as spreadsheets write them",
    "thousands": "what is between groups of digits",
    "units": "what stands after or before numbers, beside % and currencies",
    "dates": "columns of dates and times",
    "day_first": "whether 3/4/2024 is the 3rd of April",
    "weight": "how much each example counts",
    "group": "what stays on one side of every split",
    "time": "the newest examples are the test",
    "header": "whether the first line names the columns",
    "scale": "standardize, unit (0..255 to 0..1) or none",
}


def _relative(files: Files, folder: Path) -> dict[str, Any]:
    """Return the mapping with its paths as seen from the configuration."""
    mapping = files.to_mapping()
    for name in ("train", "test", "target", "test_target"):
        value = mapping.get(name)
        is_path = name == "train" or (isinstance(value, str) and Path(value).exists())
        if is_path:
            mapping[name] = _path_from(str(value), folder)
    return mapping


def _path_from(path: str, folder: Path) -> str:
    """Return a path as seen from a folder; an absolute one stays."""
    return path if Path(path).is_absolute() else Path(os.path.relpath(path, folder)).as_posix()


def _yaml(value: Any) -> str:
    """Return a value as one line of YAML: JSON is, and words need no quotes."""
    plain = isinstance(value, str) and value.replace("_", "").isalpha() and value.isascii()
    if plain and value.lower() not in ("true", "false", "null"):
        return str(value)
    return _printable(json.dumps(value, ensure_ascii=False))


def _printable(text: str) -> str:
    """Write what YAML does not allow, such as an end of line in a comment, as its number."""
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
