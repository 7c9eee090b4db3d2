"""Models of every kind to export: real encodings, random parameters."""

import csv
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from builders import VALUES

from mlpcli import model
from mlpcli.checkpoint.store import save
from mlpcli.config.load import from_mapping
from mlpcli.data.load import fit_structure, load_data
from mlpcli.nn.layout import FREQUENCIES
from mlpcli.training.run import new_run

HOSTILE = ('"; drop', "line\nbreak", "*/ int x; /*", "%s%n", "while", "größe 列", "a\\", "??/")
# Names of classes are one line.
HOSTILE_CLASSES = ('say "no"', "*/ #error", "%s%n", "return", "да 是", "tab\\t", "'''", "NaN")


class Kind(NamedTuple):
    """What makes a model, and rows for it."""

    header: tuple[str, ...]
    """Without the target; empty for arrays."""
    cells: tuple[str, ...]
    """What every column holds: number, category, word (of two), bit, moment, day or clock."""
    classes: tuple[str, ...] = ("no", "maybe", "yes")
    gaps: float = 0.0
    """The share of cells that are missing."""
    targets: tuple[str, ...] = ("answer",)
    values: Mapping = MappingProxyType({})
    """Keys of the experiment, and parts of `data`."""


MIXED = ("number", "category", "number", "bit")
COLUMNS = ("age", "colour", "income", "member")
SIGNED, SIGNED_COLUMNS = (*MIXED, "word"), (*COLUMNS, "smoker")
WHEN = ("moment", "day", "clock")
DATED = (*WHEN, "number", "category")
KINDS = {
    "numbers": Kind(("a", "b", "c"), ("number",) * 3),
    "filled": Kind(COLUMNS, MIXED, gaps=0.2, values={"data": {"missing": "mean"}}),
    "robust": Kind(
        SIGNED_COLUMNS, SIGNED, gaps=0.1, values={"data": {"missing": "mean", "scale": "robust"}}
    ),
    "unscaled": Kind(COLUMNS, MIXED, values={"data": {"scale": "none"}}),
    "unit": Kind(COLUMNS, MIXED, values={"data": {"scale": "unit"}}),
    "ignoring": Kind(
        SIGNED_COLUMNS, SIGNED, values={"data": {"unknown": "ignore", "scale": "robust"}}
    ),
    "worded": Kind(
        COLUMNS,
        MIXED,
        gaps=0.2,
        values={"data": {"missing": "mean", "missing_values": ["Unknown", -999]}},
    ),
    "quantities": Kind(
        COLUMNS,
        MIXED,
        targets=("price", "rent"),
        values={"task": "regression", "clamp": True, "data": {"target": ["price", "rent"]}},
    ),
    "labels": Kind(
        COLUMNS,
        MIXED,
        targets=("garden", "garage"),
        values={"task": "multilabel", "threshold": 0.4, "data": {"target": ["garden", "garage"]}},
    ),
    "double": Kind(COLUMNS, MIXED, values={"dtype": "float64"}),
    "hostile": Kind(
        HOSTILE,
        ("number", "category") * 4,
        classes=HOSTILE_CLASSES,
        values={"data": {"missing_values": {"only": []}}},
    ),
    "deep": Kind(("a", "b"), ("number",) * 2, values={"hidden": [5, 4, 3]}),
    "softmax": Kind(("a", "b"), ("number",) * 2, values={"output": "softmax"}),
    "members": Kind(COLUMNS, MIXED, values={"members": 3, "output": "softmax"}),
    "member_labels": Kind(
        COLUMNS,
        MIXED,
        targets=("garden", "garage"),
        values={"task": "multilabel", "members": 2, "data": {"target": ["garden", "garage"]}},
    ),
    "member_quantities": Kind(
        ("a", "b"),
        ("number",) * 2,
        targets=("price", "rent"),
        values={"task": "regression", "members": 2, "data": {"target": ["price", "rent"]}},
    ),
    "periodic": Kind(
        COLUMNS, MIXED, gaps=0.2, values={"embeddings": "periodic", "data": {"missing": "mean"}}
    ),
    "periodic_members": Kind(
        COLUMNS,
        MIXED,
        values={
            **{"embeddings": "periodic", "members": 2, "output": "softmax", "dtype": "float64"},
            "data": {"scale": "unit"},
        },
    ),
    "binned": Kind(
        SIGNED_COLUMNS,
        SIGNED,
        gaps=0.2,
        values={"embeddings": "piecewise_linear", "data": {"missing": "mean", "scale": "robust"}},
    ),
    "binned_unit": Kind(
        COLUMNS, MIXED, values={"embeddings": "piecewise_linear", "data": {"scale": "unit"}}
    ),
    "dated": Kind(DATED, DATED, gaps=0.2, values={"data": {"dates": [*WHEN], "missing": "mean"}}),
    "dated_robust": Kind(
        DATED,
        DATED,
        values={
            **{"dtype": "float64", "embeddings": "periodic"},
            "data": {"dates": [*WHEN], "scale": "robust"},
        },
    ),
    "shallow": Kind(("a", "b"), ("number",) * 2, values={"hidden": []}),
    **{
        name: Kind(("a", "b"), ("number",) * 2, values={"activation": name})
        for name in ("tanh", "relu", "leaky_relu", "gelu", "selu", "mish")
    },
}
# Before and after 1970, with leap days, without and with days and times.
SECONDS = (-(2**31), 2**32)
CATEGORIES = ("red", "green", 'blue, "navy"', "*/", "%d", "är", " spaced ", "\\n", "\\")
WORDS = {"category": CATEGORIES, "word": ("no", "yes")}


def rows_of(kind, n, seed=0):
    """Return n rows of cells for a kind of table, as a file has them."""
    rng = np.random.default_rng(seed)

    def cell(what):
        if rng.random() < kind.gaps:
            return str(rng.choice(["", "NA", " ? "]))
        if what in WORDS:
            return str(rng.choice(WORDS[what]))
        if what in WHEN:
            text = str(np.datetime64(int(rng.integers(*SECONDS)), "s"))
            return {"moment": text, "day": text[:10], "clock": text[11:]}[what]
        return str(rng.integers(2)) if what == "bit" else repr(float(rng.normal(40, 12)))

    return [[cell(what) for what in kind.cells] for _ in range(n)]


def write_csv(path, kind, n, seed=0, labelled=True):
    """Write a table of n rows of a kind."""
    rng = np.random.default_rng(seed + 1)

    def target(i):
        if "multilabel" in kind.values.values():
            return str(rng.integers(2))
        several = kind.values.get("task") == "regression"
        return repr(float(rng.normal(100, 20))) if several else kind.classes[i % len(kind.classes)]

    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*kind.header, *(kind.targets if labelled else ())])
        for i, row in enumerate(rows_of(kind, n, seed)):
            writer.writerow([*row, *((target(i) for _ in kind.targets) if labelled else ())])


def table_model(folder, name, seed=0):
    """Return a model with random parameters for a table of a kind, and write what it is trained on.

    Args:
        folder: where its file of examples goes.
        name: a name in `KINDS`.
        seed: of the parameters.
    """
    kind = KINDS[name]
    path = folder / f"{name}.csv"
    write_csv(path, kind, 120)
    values = {"hidden": [6], "activation": "tanh", **kind.values}
    data = {"train": str(path), "target": kind.targets[0], **values.pop("data", {})}
    return randomised({**values, "data": data}, folder, seed)


def array_model(folder, features, shape=(), seed=0, **values):
    """Return a model with random parameters for an array of examples."""
    rng = np.random.default_rng(seed)
    x, y = folder / "x.npy", folder / "y.npy"
    np.save(x, rng.integers(0, 256, (60, *(shape or (features,)))).astype(np.uint8))
    np.save(y, np.arange(60) % 3)
    values["data"] = {"train": str(x), "target": str(y), **values.get("data", {})}
    return randomised({"hidden": [6], **values}, folder, seed)


def parity_model(seed=0, **values):
    """Return a model of parity with random parameters."""
    return randomised(values, None, seed)


def randomised(values, folder, seed):
    """Return the model of an experiment, with parameters that make outputs neither 0 nor 1."""
    given = {**VALUES, **values}
    if "hidden" in given:
        del given["structure"]
    experiment = from_mapping(given, {})
    dataset = load_data(experiment, folder)
    experiment = fit_structure(experiment, dataset.encoding)
    new = model.new_model(experiment, dataset)
    rng = np.random.default_rng(seed)
    for name, array in new.network.extras.items():
        array[:] = rng.normal(size=array.shape, scale=0.1 if name == FREQUENCIES else 1)
    for W, b in zip(new.network.weights, new.network.biases, strict=True):
        W[:] = rng.normal(size=W.shape, scale=2 / W.shape[1] ** 0.5)
        b[:] = rng.normal(size=b.shape, scale=0.5)
    return new


def save_model(path, made, temperature=None):
    """Write the checkpoint of a model, as of a run before its first epoch."""
    run = new_run(made.experiment, made.network)
    run.temperature = temperature
    save(path, made, run)
    return path
