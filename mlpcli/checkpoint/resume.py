"""Going on with a run that a checkpoint holds, and comparing a run with one."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint.meta import Meta, not_understood
from mlpcli.checkpoint.meta import parse as parse_meta
from mlpcli.checkpoint.store import model_from, record_of
from mlpcli.config.schema import KEYS, Experiment
from mlpcli.data.dataset import Dataset
from mlpcli.errors import ConfigError
from mlpcli.model import Model
from mlpcli.training.run import Run, is_finished, new_run

# Schedules that plan the whole run: with other epochs the steps already taken were others.
LENGTH_BOUND_SCHEDULES = ("cosine", "cosine_log", "one_cycle")

# Of a description, what explains a difference: it is compared before what follows from it.
COMPARE_FIRST = (
    "versions",
    "experiment",
    "fingerprint",
    "validation_fingerprint",
    "start",
    "history",
)


def resume_run(
    path: Path, experiment: Experiment, dataset: Dataset, start: str = ""
) -> tuple[Model, Run]:
    """Load a run to go on with, under the same experiment or one with more epochs.

    Args:
        path: the checkpoint.
        experiment: what is to be trained now.
        dataset: its data.
        start: SHA-256 of the checkpoint to start from, where one is given.

    Raises:
        CheckpointError: if the file is damaged, or not a checkpoint.
        ConfigError: if it holds a run of another experiment, of other data or from another start.
    """
    saved, run = load_run(path)
    _check_same_experiment(path, saved.experiment, experiment)
    remedy = "restore them, or start anew with --overwrite"
    if saved.fingerprint != dataset.fingerprint():
        raise ConfigError(path, "was trained on other data", remedy)
    if saved.validation_fingerprint != dataset.validation_fingerprint():
        raise ConfigError(path, "was validated on other data", remedy)
    if start:
        _check_start(path, run.start, start)
    run.finished = is_finished(experiment, run)
    if not run.finished:
        run.temperature = None
    return replace(saved, experiment=experiment), run


def _check_same_experiment(path: Path, saved: Experiment, experiment: Experiment) -> None:
    """Make sure that an experiment is the one a checkpoint was saved with, or has more epochs."""
    old, new = saved.to_mapping(), experiment.to_mapping()
    changed = [name for name in KEYS if old.get(name) != new.get(name)]
    extended = changed == ["epochs"] and experiment.epochs > saved.epochs
    if changed and not extended:
        differences = ", ".join(
            f"{name} is {_shown(new.get(name))} here and {_shown(old.get(name))} there"
            for name in changed
        )
        raise ConfigError(
            path, f"holds another run: {differences}", "undo that, or start anew with --overwrite"
        )
    if extended and experiment.schedule.name in LENGTH_BOUND_SCHEDULES:
        raise ConfigError(
            experiment.where("epochs"),
            f"the schedule {experiment.schedule.name} was planned for {saved.epochs} "
            f"epochs, not {experiment.epochs}",
            "start anew with --overwrite, perhaps with --from these weights",
        )


def check_same_start(path: Path, start: Path | None) -> None:
    """Make sure that a run to be compared with a checkpoint starts from the same weights.

    Args:
        path: the checkpoint.
        start: the checkpoint that the run starts from; None for random weights.

    Raises:
        CheckpointError: if a file is damaged, or not a checkpoint.
        ConfigError: if the checkpoint's run started from others.
    """
    recorded = parse_meta(checkpoint.read(path).meta, path).start
    _check_start(path, recorded, checkpoint.checksum(start) if start else "")


def _check_start(path: Path, recorded: str, given: str) -> None:
    if given == recorded:
        return
    if not recorded:
        raise ConfigError(path, "started from random weights", "leave out --from")
    if not given:
        problem = f"started from the weights of a checkpoint, with SHA-256 {recorded}"
        raise ConfigError(path, problem, "add --from and that file")
    problem = f"is another file than the one that {path} started from, with SHA-256 {recorded}"
    raise ConfigError("--from", problem, "give that one")


def recorded_numba(path: Path) -> str | None:
    """Return the version of numba that computed a checkpoint's run; None for NumPy alone.

    Raises:
        CheckpointError: if the file is damaged, or not a checkpoint.
    """
    version = parse_meta(checkpoint.read(path).meta, path).versions.get("numba")
    return None if version is None else str(version)


def load_run(path: Path) -> tuple[Model, Run]:
    """Load a model and the run that made it, ready to go on.

    Raises:
        CheckpointError: if the file is missing, damaged, or not a checkpoint.
        ConfigError: if it was converted, and holds weights without a run.
    """
    record = checkpoint.read(path)
    meta = parse_meta(record.meta, path)
    if meta.source:
        problem = "was converted, and holds no run to go on with"
        raise ConfigError(path, problem, "start a new one with --from, and -o for another name")
    model = model_from(record, meta, path)
    return model, _run_from(record, meta, model, path)


def _run_from(record: checkpoint.Record, meta: Meta, model: Model, path: Path) -> Run:
    run = new_run(model.experiment, model.network)
    for name, vector in (("theta", run.network.theta), ("phi", run.trained)):
        if name in record.arrays:
            vector[:] = record.arrays[name]
    if run.averaged and "ema" in record.arrays:
        run.averaged.theta[:] = record.arrays["ema"]
    state = record.arrays.get("state", run.optimizer_state)
    if state.shape != run.optimizer_state.shape:
        raise not_understood(path, f"state of shape {state.shape}")
    run.optimizer_state[:] = state
    run.history, run.best_epoch = meta.history, meta.best_epoch
    run.step, run.error_sum, run.finished = meta.step, meta.total, meta.complete
    run.rng_state = run.draws.state = meta.stream
    run.start, run.temperature = meta.start, meta.temperature
    return run


def first_difference(path: Path, model: Model, run: Run) -> str | None:
    """Return where a run and a checkpoint differ first; None if they are the same to the byte.

    Raises:
        CheckpointError: if the file is damaged, or not a checkpoint.
    """
    there, here = checkpoint.read(path), record_of(model, run)
    if checkpoint.serialise(*here) == path.read_bytes():
        return None
    # As the file has it, where there are no tuples.
    meta = json.loads(json.dumps({"format": checkpoint.FORMAT, **here.meta}))
    for name in dict.fromkeys((*COMPARE_FIRST, *meta, *there.meta)):
        if meta.get(name) != there.meta.get(name):
            return _difference(name, meta.get(name), there.meta.get(name))
    for name, array in here.arrays.items():
        other = there.arrays.get(name)
        if other is None or (other.shape, other.dtype) != (array.shape, array.dtype):
            return f"{name} is another array"
        if position := _first_difference_in(array, other):
            mine, theirs = array[position], other[position]
            return f"{name}{list(map(int, position))} is {mine!s} here and {theirs!s} there"
    return "the files are laid out otherwise"


def _difference(name: str, here: Any, there: Any) -> str:
    """Return the innermost difference between two JSON values."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        keys = [key for key in {**here, **there} if here.get(key) != there.get(key)]
        return _difference(f"{name}.{keys[0]}", here.get(keys[0]), there.get(keys[0]))
    if isinstance(here, list) and isinstance(there, list):
        if len(here) != len(there):
            return f"{name} has {len(here)} entries here and {len(there)} there"
        i = next(i for i, (a, b) in enumerate(zip(here, there, strict=True)) if a != b)
        return _difference(f"{name}[{i}]", here[i], there[i])
    return f"{name} is {_shown(here)} here and {_shown(there)} there"


def _first_difference_in(one: NDArray[Any], other: NDArray[Any]) -> tuple[int, ...] | None:
    # Bit by bit: 0 and -0 are other bytes.
    bits = f"u{one.itemsize}"
    positions = np.argwhere(one.view(bits) != other.view(bits))
    return tuple(positions[0]) if len(positions) else None


def _shown(value: Any) -> str:
    text = "not given" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
