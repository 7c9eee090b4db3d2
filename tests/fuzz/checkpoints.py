"""Checkpoints whose description or arrays were changed, sealed again with a right checksum.

`make` writes one file; `check` gives it to one command, which the file's last byte chooses.
"""

import functools
import hashlib
import json
import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np
from in_process import run_mlp

import mlpcli
from mlpcli.checkpoint import format as checkpoint
from mlpcli.errors import CheckpointError

NAMES = ("resealed",)
BEFORE = Path(__file__).parent.parent / "checkpoint" / "before"
# By the name of a configuration, those that are trained to give what is changed.
CONFIGS = {
    "article": (BEFORE / "article.yaml").read_text(encoding="utf-8"),
    "table": (BEFORE / "table.yaml").read_text(encoding="utf-8"),
    "images": "data: {train: x.npy, target: y.npy, scale: robust, missing: mean, test: 0.25}\n"
    "structure: [16, 3, 2]\neta: 0.01\nbt_size: 4\nepochs: 2\noptimizer: adam\nema: 0.5\n"
    "validation: 0.25\ncalibrate: true\noutput: softmax\nloss: cross_entropy\n",
    "unit": "data: {name: parity, scale: unit}\nstructure: [10, 3, 2]\neta: 0.3\nbt_size: 50\n"
    "epochs: 2\nfeature_scale: true\nparametrization: ntk\n",
}
# W is the file, C its configuration.
COMMANDS = (
    "show W", "show W --json", "show W --history", "show W --config", "evaluate --weights W",
    "evaluate --weights W --split train", "predict --weights W --proba one.csv",
    "predict --weights W -", "train C -q -o W --resume", "train C -q -o new.npy --from W",
    "train C -q --verify W", "train C -q -o W", "load", "compare W --metric error",
)  # fmt: skip
EXIT_CODES = (0, 1, 2, 3)


def sealed(arrays, meta):
    """Return the bytes of a checkpoint of whatever is given, with a right checksum."""
    text = json.dumps(meta).encode()
    dtypes = {name: (array.dtype, array.shape) for name, array in arrays.items()}
    content = b"".join([
        checkpoint.header(dtypes, len(text)),
        *(array.tobytes() for array in arrays.values()),
        text,
    ])  # fmt: skip
    return content + hashlib.sha256(content).digest()


@functools.cache
def workshop():
    """Train one checkpoint of each configuration; return the folder, with all that they need."""
    kept = tempfile.TemporaryDirectory(prefix="mlp-fuzz-")
    folder = Path(kept.name)
    # It is removed with the function's cache, at the end of the process.
    workshop.kept = kept
    for path in BEFORE.iterdir():
        shutil.copy(path, folder)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 16)).astype(np.float32)
    x[3, 4] = np.nan
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", np.arange(40) % 2)
    (folder / "one.csv").write_text(",".join("1" * 10) + "\n", encoding="utf-8")
    for name, text in CONFIGS.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        weights = folder / f"{name}.npy"
        if (folder / f"{name}-finished.npy").exists():
            shutil.copy(folder / f"{name}-finished.npy", weights)
        else:
            run = run_mlp("train", folder / f"{name}.yaml", "-q", "-o", weights)
            assert run.returncode == 0, run.stderr
    return folder


@functools.cache
def bases():
    """Return the records that are changed, by the name of their file."""
    names = (*(f"{name}.npy" for name in CONFIGS), "article-stopped.npy", "table-stopped.npy")
    return {name: checkpoint.read(workshop() / name) for name in names}


HOSTILE = (
    None, True, False, 0, 1, -1, 2, 7, 2**31, -(2**31), 2**63, 10**400, -(10**400), 0.5, -0.5, -0.0,
    1e308, -1e308, 1e-320, float("nan"), float("inf"), float("-inf"), 1.0, "", "x", "0", "1e5",
    "a" * 5000,
    "\x1b[31m", "a\nb", "\0", "\ud800", "\u202e", "0" * 64, "/etc/passwd", "..", ".", "/dev/zero",
    "/proc/self/mem", "~nosuchuser/x", "~", "x.npy", "table.csv", "unit", "standardize", "robust",
    "none", "softmax", "adam", "balanced", "cosine", "category", "number", "ignored", [], {}, [[]],
    [0], [1.0], ["a"], [None] * 50, [0] * 3000, {"name": "a"}, {"name": {}}, {"": []}, {"a": 1},
)  # fmt: skip
DEEP = json.loads("[" * 150 + "]" * 150)


def places(value, found):
    """Collect every container of a JSON value with each of its keys."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inside:
        found.append((value, key))
        if isinstance(part, dict | list):
            places(part, found)
    return found


def change_meta(rng, meta):
    """Change one place of a description, in place."""
    # Shallow places are fewer, and as interesting.
    everywhere = places(meta, [])
    shallow = [(meta, key) for key in meta]
    if not everywhere:
        return
    container, key = rng.choice(everywhere if rng.random() < 0.7 else shallow)
    value = container[key]
    match rng.randrange(9):
        case 0:
            del container[key]
        case 1 | 2 | 3:
            container[key] = rng.choice((*HOSTILE, DEEP))
        case 4 if isinstance(container, dict):
            container[rng.choice(("x", "", "name", "lr", "\x1b[2J", "seconds"))] = value
        case 4 | 5 if isinstance(container, list):
            container.extend(container[:1] * rng.choice((1, 2, 100)))
        case 5:
            container[key] = [value]
        case 6 if type(value) in (int, float):
            container[key] = rng.choice(
                (-value, value + 1, value * 2, value / 3, float(value), 1e300)
            )
        case 6 if isinstance(value, str):
            container[key] = value[: len(value) // 2] + rng.choice(
                ("", "\n", "\x1b", "x", "\ud83d")
            )
        case 7:
            other, place = rng.choice(everywhere)
            if place in other if isinstance(other, dict) else place < len(other):
                container[key] = json.loads(json.dumps(other[place]))
        case _:
            container[key] = type(value)() if value is not None else 0


def change_arrays(rng, arrays):
    """Change one array of a record, in place."""
    name, other = rng.choice(list(arrays)), rng.choice(list(arrays))
    array = arrays[name]
    match rng.randrange(9):
        case 0:
            del arrays[name]
        case 1:
            arrays[name], arrays[other] = arrays[other], arrays[name]
        case 2:
            arrays[name] = np.ascontiguousarray(array.T)
        case 3:
            array[:1] = rng.choice((np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-40))
        case 4:
            arrays[name] = array.astype(rng.choice(("<f4", "<f8")))
        case 5:
            arrays[rng.choice(("W9", "theta", "phi", "ema", "state", "x"))] = array
        case 6:
            arrays[name] = array[:0]
        case 7:
            array *= rng.choice((0, 1e30, -1, 1e-30))
        case 8:
            arrays[name] = np.concatenate([array, array])


def make(name, rng):  # noqa: ARG001 - there is one
    """Return a changed checkpoint."""
    base = bases()[rng.choice(sorted(bases()))]
    arrays = {name: array.copy() for name, array in base.arrays.items()}
    meta = json.loads(json.dumps(base.meta))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if rng.random() < 0.2 and arrays:
            change_arrays(rng, arrays)
        else:
            change_meta(rng, meta)
    return sealed(arrays, meta)


def check(name, case):  # noqa: ARG001 - there is one
    """Give a file to a command: it does its work, or says in a line why it does not.

    Raises:
        AssertionError: if it ends otherwise, warns, or writes more.
    """
    folder = workshop()
    weights, new = folder / "w.npy", folder / "new.npy"
    weights.write_bytes(case)
    new.unlink(missing_ok=True)
    command = COMMANDS[case[-1] % len(COMMANDS)]
    # A configuration that fits most files of this make.
    config = next((name for name in CONFIGS if _is_of(name, case)), "unit")
    with warnings.catch_warnings(action="error"):
        if command == "load":
            return _load(weights)
        paths = {"W": weights, "C": folder / f"{config}.yaml", "one.csv": folder / "one.csv"}
        paths["new.npy"] = new
        run = run_mlp(*(paths.get(word, word) for word in command.split()), input=b"1,2\n")
    said = f"{command} {run.returncode}: {run.stderr[:500]}"
    assert run.returncode in EXIT_CODES, said
    assert "internal" not in run.stderr, said
    assert all(c.isprintable() or c in "\n\t" for c in run.stdout + run.stderr), said
    if run.returncode == 0:
        # Weights that are damaged may be good for nothing.
        lines = [line for line in run.stderr.splitlines() if " is no better than " not in line]
        assert lines == [], said
        return "understood"
    assert run.stdout == "", said
    assert run.stderr.startswith("mlp: error: "), said
    assert run.stderr.count("\n") == 1, said
    assert len(run.stderr) < 1500, said
    return "refused"


def _is_of(name, case):
    structure = {"article": b"compat", "table": b"table.csv", "images": b"x.npy"}.get(name)
    return structure is not None and structure in case


def _load(path):
    try:
        mlpcli.load(path)
    except CheckpointError as error:
        assert str(error).startswith(f"{path}: ")
        return "refused"
    return "understood"
