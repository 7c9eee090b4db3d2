"""A configuration to start from, written for given data."""

import json
import math
import os
import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlpcli.config.data_files import Files, Target
from mlpcli.data.dataset import Dataset, Preparation
from mlpcli.data.encoding import TARGETS_CALLED
from mlpcli.data.files import HERE, make_dataset, read_training
from mlpcli.data.fit import too_many_texts
from mlpcli.data.readers import images
from mlpcli.data.readers.source import Source, find_source, with_labels
from mlpcli.data.readers.table import TARGET_NAMES, Table, Values, blocks
from mlpcli.errors import DataError, NotClassesError, join_names

# Columns of these names, of different whole numbers, are taken for numbers of the rows.
ROW_NAMES = re.compile(r"|unnamed: 0|__index_level_0__|index|row|(.*[_ -])?id|.*(Id|ID)")
# From so many training examples on, some are set aside to choose the weights.
ENOUGH = 5000
# Training takes about so many steps, within reason; on fewer examples than that, so many.
STEPS = 20_000
FEW_STEPS = 2000
# The decay of weights is that of a fit of the best ones, on 50 tables, by n, features and classes.
DECAY = 300
MOST_DECAY = 5.0
# So many classes need more hidden neurons.
MANY_CLASSES = 10


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


def suggest(
    path: Path, target: Target | None, folder: Path, task: str | None = None
) -> SuggestedConfig:
    """Look at data and write a configuration for it.

    Args:
        path: a table, an array, or a folder of images by class.
        target: where the targets are; None to guess.
        folder: where the configuration will be, for paths relative to it.
        task: what they are; None to guess.

    Raises:
        DataError: if the data cannot be read, or there is nothing to learn.
    """
    source = with_labels(find_source(path), target, HERE, "data.target")
    files, findings = _guess(source, target)
    # Of a folder, a part may be what there is to train on.
    raw = read_training(files, source._replace(path=Path(files.train)))
    dataset, why = _make_dataset(files, raw, task)
    names, called = dataset.encoding.class_names, TARGETS_CALLED[dataset.encoding.task]
    called = "1 quantity" if len(names) == 1 and why else f"{len(names)} {called}"
    n = len(dataset.train.labels) + (len(dataset.test.labels) if dataset.test else 0)
    findings = [
        f"{n} examples, {dataset.encoding.features} features, {called}: {join_names(names, 10)}",
        *([f"task: {dataset.encoding.task} ({why})"] if why else []),
        *findings,
        *dataset.notes,
    ]  # fmt: skip
    return SuggestedConfig(_render(path, files, dataset, findings, folder, task), tuple(findings))


def _make_dataset(files: Files, raw: Table, task: str | None) -> tuple[Dataset, str]:
    """Return the data as a task sees them, and why it is that task; "" for classes as usual."""

    def make(task: str, given: bool) -> Dataset:
        return make_dataset(files, raw, Preparation(task=task, task_given=given))

    if task:
        return make(task, True), "as --task says"
    if isinstance(files.target, tuple) or (raw.labels and raw.labels.codes.ndim == 2):
        try:
            return make("multilabel", False), "several targets, each yes or no"
        except DataError:
            return make("regression", True), "several targets that are numbers"
    try:
        return make("classification", False), ""
    except NotClassesError:
        return make("regression", True), "the target is a number; --task says otherwise"


def _guess(source: Source, target: Target | None) -> tuple[Files, list[str]]:
    """Find out how to read a file so that it trains without further ado."""
    files = Files(train=str(source.path), test=0.2)
    if source.format == "folder":
        return _guess_folder(source.path, files)
    if source.format in ("table", "json", "parquet"):
        return _guess_table(source, files, target)
    if target is None and source.labels:
        target = str(source.labels.path)
    files = files._replace(target=target, missing="mean")
    findings = [] if target is None else [f"target: {target}"]
    return _guess_missing(files, read_training(files, source).values, findings)


def _guess_table(source: Source, files: Files, target: Target | None) -> tuple[Files, list[str]]:
    """Choose the column with the targets, and those that are no features."""
    files = files._replace(target=target, missing="mean")
    raw = read_training(files, source)
    if target is None and raw.names:
        named = [name for name in raw.names if name.lower() in TARGET_NAMES]
        target = named[0] if named else raw.names[-1]
        how = "by its name" if named else "the last column"
        finding = f"target: {target} ({how}; --target names another)"
        files = files._replace(target=target if raw.names.count(target) == 1 and target else -1)
        raw = read_training(files, source)
    else:
        columns_given = target if isinstance(target, tuple) else (target,)
        finding = f"target: {', '.join(map(str, columns_given))}"
        if target is None:
            finding = "target: the last column"
        files = files._replace(target=-1 if target is None else target)
    findings, used = [finding], list(range(raw.values.shape[1]))
    for is_no_feature, why in ((_is_row_name, "different in every row"), (_is_empty, "no values")):
        ignored = [j for j in used if is_no_feature(raw, j)]
        if ignored and len(ignored) < len(used):
            columns = [raw.reference(j) for j in ignored]
            files = files._replace(ignore=(*files.ignore, *columns))
            findings.append(f"ignored: {', '.join(map(str, columns))} ({why})")
            used = [j for j in used if j not in ignored]
    return _guess_missing(files, raw.values[:, used], findings)


def _guess_missing(files: Files, values: Values, findings: list[str]) -> tuple[Files, list[str]]:
    """Let the mean stand for missing values, if there are any."""
    if values.dtype.kind == "f" and any(np.isnan(part).any() for _, part in blocks(values)):
        return files, [*findings, "missing values: the mean stands for them"]
    return files._replace(missing="error"), findings


def _guess_folder(path: Path, files: Files) -> tuple[Files, list[str]]:
    """Take `train` and `test` for what they say; choose size and colours where images differ."""
    if {"train", "test"} <= set(images.class_folders(path)):
        files = files._replace(train=str(path / "train"), test=str(path / "test"))
    sizes, gray = images.survey(Path(files.train))
    findings = []
    if len(set(sizes)) > 1:
        side = min(64, int(statistics.median(map(min, sizes))))
        files = files._replace(size=(side, side))
        findings.append(f"images of {len(set(sizes))} sizes: resized to {side}×{side}")
    if len(gray) > 1:
        files = files._replace(grayscale=True)
        findings.append("gray and colour images: made gray")
    return files, findings


def _is_empty(table: Table, j: int) -> bool:
    """Return whether a column has no values."""
    return table.values.dtype.kind == "f" and bool(np.isnan(table.values[:, j]).all())


def _is_row_name(table: Table, j: int) -> bool:
    """Return whether a column tells rows apart and nothing else."""
    column = table.values[:, j]
    different = len(np.unique(column))
    if j in table.texts:
        return too_many_texts(different, len(column))
    if not table.names or table.selection is None:
        return False
    name = table.names[table.selection.features[j]]
    named = any(ROW_NAMES.fullmatch(form) for form in (name, name.lower()))
    return named and different == len(column) and bool((column == np.rint(column)).all())


def _render(
    path: Path,
    files: Files,
    dataset: Dataset,
    findings: Sequence[str],
    folder: Path,
    task: str | None,
) -> str:
    """Write the YAML: the keys that a first experiment wants, each with its reason."""
    comments = [f"Written by mlp init for {path.name}.", *findings]
    lines = [f"# {_printable(line)}" for line in comments]
    lines += ["data:"]
    mapping: dict[str, Any] = {"scale": dataset.encoding.scale, **_relative(files, folder)}
    for name, value in mapping.items():
        comment = DATA_COMMENTS.get(name)
        lines.append(f"  {name}: {_yaml(value)}" + (f"  # {comment}" if comment else ""))
    recipe = _recipe(dataset)
    if task == "classification":
        recipe.insert(2, ("task", task, "whatever the target looks like"))
    for name, value, comment in recipe:
        lines.append(f"{name}: {_yaml(value)}  # {comment}")
    return "\n".join(lines) + "\n"


DATA_COMMENTS = {
    "test": "fraction set aside for the final test, of every class, or a file",
    "target": "what to learn",
    "ignore": "columns that are no features",
    "missing": "mean, drop or error",
    "scale": "standardize, unit (0..255 to 0..1) or none",
}


OUTPUTS: dict[str, list[tuple[str, Any, str]]] = {
    "classification": [
        ("output", "softmax", "one probability per class"),
        ("loss", "cross_entropy", "goes with softmax"),
    ],
    "regression": [
        ("task", "regression", "quantities are learned, not classes"),
        ("output", "linear", "any number"),
        ("loss", "mse", "squared differences; mae and huber mind far values less"),
    ],
    "multilabel": [
        ("task", "multilabel", "an example may have several labels, or none"),
        ("output", "sigmoid", "one probability per label"),
        ("loss", "cross_entropy", "goes with probabilities"),
    ],
}


def _recipe(dataset: Dataset) -> list[tuple[str, Any, str]]:
    """Return keys, values and reasons; what each part is worth is in tests/README.md."""
    features, classes = dataset.encoding.features, len(dataset.encoding.class_names)
    task, n = dataset.encoding.task, len(dataset.train.labels)
    hidden = [256] if classes >= MANY_CLASSES else [128]
    if task == "regression":
        hidden = [64, 64]
    called = TARGETS_CALLED[task]
    return [
        ("structure", [features, *hidden, classes], f"features, hidden neurons, {called}"),
        ("activation", "relu", "of the hidden neurons"),
        *OUTPUTS[task],
        *(_with_validation(n) if n >= ENOUGH else _with_decay(n, features, classes)),
        ("seed", 0, "decides everything random"),
    ]


def _with_validation(n: int) -> list[tuple[str, Any, str]]:
    """Return what trains on examples enough to spare some, which say when to stop."""
    bt_size = 128
    return [
        ("optimizer", "adam", "sgd is the article's"),
        ("eta", 0.001, "learning rate"),
        ("bt_size", bt_size, "examples per mini-batch"),
        ("epochs", min(200, max(10, STEPS * bt_size // n)), "passes over the examples"),
        ("validation", 0.1, "fraction of the training examples that chooses the weights"),
        ("patience", 10, "epochs without improvement before training stops"),
    ]


def _with_decay(n: int, features: int, classes: int) -> list[tuple[str, Any, str]]:
    """Return what trains on all of few examples: small weights, and steps that fade out."""
    bt_size = 32
    decay = min(MOST_DECAY, DECAY * math.sqrt(features / classes) / n)
    return [
        ("optimizer", "adamw", "sgd is the article's"),
        ("eta", 0.003, "learning rate at the start"),
        ("schedule", "cosine", "lets the learning rate fall to 0"),
        ("bt_size", bt_size, "examples per mini-batch"),
        ("epochs", min(800, max(60, FEW_STEPS * bt_size // n)), "passes over the examples"),
        ("weight_decay", float(f"{decay:.2g}"), "the fewer examples, the smaller the weights"),
    ]


def _relative(files: Files, folder: Path) -> dict[str, Any]:
    """Return the mapping with its paths as seen from the configuration."""
    mapping = files.to_mapping()
    for name in ("train", "test", "target", "test_target"):
        value = mapping.get(name)
        is_path = name == "train" or (isinstance(value, str) and Path(value).exists())
        if is_path and not Path(str(value)).is_absolute():
            mapping[name] = Path(os.path.relpath(str(value), folder)).as_posix()
    return mapping


def _yaml(value: Any) -> str:
    """Return a value as one line of YAML: JSON is, and words need no quotes."""
    plain = isinstance(value, str) and value.replace("_", "").isalpha() and value.isascii()
    if plain and value.lower() not in ("true", "false", "null"):
        return str(value)
    return _printable(json.dumps(value, ensure_ascii=False))


def _printable(text: str) -> str:
    """Write what YAML does not allow, such as an end of line in a comment, as its number."""
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
