"""A model and the run that made it, as one checkpoint: saved, and brought back."""

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlpcli import __version__, atomic
from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint.meta import Meta, not_understood
from mlpcli.checkpoint.meta import parse as parse_meta
from mlpcli.config.schema import Experiment
from mlpcli.data.encoding import Encoding
from mlpcli.model import Model, layout_of, new_network
from mlpcli.nn.layout import Layout

if TYPE_CHECKING:
    from mlpcli.training.run import Run


def serialise(model: Model, run: "Run") -> bytes:
    """Return the bytes of the checkpoint of a run."""
    return checkpoint.serialise(*record_of(model, run))


def record_of(model: Model, run: "Run") -> checkpoint.Record:
    """Return what the checkpoint of a run holds."""
    names = checkpoint.layer_names(len(model.network.structure))
    layers = zip(names, model.network.weights, model.network.biases, strict=True)
    arrays: dict[str, NDArray[np.floating]] = {}
    for (w_name, b_name), W, b in layers:
        arrays |= {w_name: W, b_name: b}
    arrays |= model.network.extras
    if run.network is not model.network:
        arrays["theta"] = run.network.theta
    if run.trained is not run.network.theta:
        arrays["phi"] = run.trained
    if run.averaged is not None and run.averaged is not model.network:
        arrays["ema"] = run.averaged.theta
    if run.optimizer_state.size:
        arrays["state"] = run.optimizer_state
    meta = Meta(
        complete=run.finished,
        epoch=len(run.history),
        step=run.step,
        total=run.error_sum,
        stream=run.rng_state,
        best_epoch=run.best_epoch,
        temperature=run.temperature,
        experiment=model.experiment,
        encoding=model.encoding,
        fingerprint=model.fingerprint,
        validation_fingerprint=model.validation_fingerprint,
        start=run.start,
        source="",
        history=run.history,
        versions=versions() | run.engine.versions,
    )
    return checkpoint.Record(arrays, meta.to_mapping())


def versions() -> dict[str, str | int]:
    """Return what numbers depend on beside the experiment: of whom, and how many threads."""
    return {
        "mlpcli": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "threads": _threads(),
    }


def _threads() -> int:
    """Return how many threads matrix products may use, since each number rounds otherwise."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    given = [os.environ.get(name, "") for name in names]
    number = next((text for text in given if re.fullmatch("[0-9]{1,4}", text)), "0")
    return int(number) or os.cpu_count() or 1


def save(path: Path, model: Model, run: "Run") -> None:
    """Write the checkpoint of a run.

    Raises:
        OutputError: if it cannot be written.
    """
    atomic.write(path, serialise(model, run))


def final_size(model: Model, run: "Run") -> int:
    """Return how many bytes the checkpoint of a run will have at most, when it is over."""
    return len(serialise(model, run)) + checkpoint.ROW_BYTES * model.experiment.epochs


def load(path: Path | str) -> Model:
    """Load a model from a checkpoint that `mlp train` wrote.

    Raises:
        CheckpointError: if the file is missing, damaged, or not a checkpoint.
    """
    return load_with_meta(Path(path))[0]


def load_with_meta(path: Path) -> tuple[Model, Meta]:
    """Load a model, and what its checkpoint says of the run that made it.

    Raises:
        CheckpointError: as `load` does.
    """
    record = checkpoint.read(path)
    meta = parse_meta(record.meta, path)
    model = model_from(record, meta, path)
    if meta.temperature:
        with np.errstate(over="ignore"):
            model.network.cool(meta.temperature)
        if not np.isfinite(model.network.theta).all():
            raise not_understood(path, "weights too large for its temperature")
    return model, meta


def model_from(record: checkpoint.Record, meta: Meta, path: Path) -> Model:
    """Return the model that a checkpoint holds.

    Args:
        record: what the file holds.
        meta: what it says, checked.
        path: the file.

    Raises:
        CheckpointError: if its arrays are not those of its experiment.
    """
    experiment = meta.experiment
    # Before the network is made: it needs no more memory than the file then has.
    if problem := _array_problem(record.arrays, experiment, meta.encoding):
        raise not_understood(path, problem)
    network = new_network(experiment, meta.encoding)
    names = checkpoint.layer_names(len(experiment.structure))
    for (w_name, b_name), W, b in zip(names, network.weights, network.biases, strict=True):
        W[:], b[:] = record.arrays[w_name], record.arrays[b_name]
    for name, view in network.extras.items():
        view[:] = record.arrays[name]
    return Model(
        network,
        experiment,
        meta.encoding,
        meta.fingerprint,
        meta.history,
        meta.validation_fingerprint,
    )


def array_shapes(layout: Layout) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays with the weights to use, by name, in their order."""
    return checkpoint.layer_shapes(layout.layers) | layout.extras


def _array_problem(
    arrays: Mapping[str, NDArray[np.floating]], experiment: Experiment, encoding: Encoding
) -> str | None:
    """Return what is wrong with arrays that should be an experiment's layers and its run."""
    found = {name: array.shape for name, array in arrays.items()}
    layout = layout_of(experiment, encoding)
    p = layout.parameters
    q = p + (layout.embedded[0] if experiment.feature_scale else 0)
    vectors = found.pop("theta", (p,)), found.pop("ema", (p,))
    of_phi = found.pop("phi", (q,)), found.pop("state", (0, q))[1:]
    if found != array_shapes(layout) or vectors != ((p,), (p,)) or of_phi != ((q,), (q,)):
        return f"arrays of other shapes than structure {list(experiment.structure)}"
    for name, array in arrays.items():
        if array.dtype != experiment.dtype:
            return f"{name} is of {array.dtype}, and its dtype {experiment.dtype}"
        # What an optimiser remembers may be infinite where the parameters are not.
        if name != "state" and not np.isfinite(array).all():
            return f"{name} holds what is no finite number"
    return None
