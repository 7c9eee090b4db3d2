"""A model and the run that made it, as one checkpoint: saved, and brought back."""

import os
import platform
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpcli import __version__, atomic
from mlpcli.checkpoint import format as checkpoint
from mlpcli.config.load import from_mapping
from mlpcli.data.encoding import Encoding
from mlpcli.errors import CheckpointError, ConfigError
from mlpcli.model import Model, new_network
from mlpcli.nn.network import count_parameters
from mlpcli.training.run import Run, start_run


def serialise(model: Model, run: Run) -> bytes:
    """Return the bytes of the checkpoint of a run."""
    return checkpoint.serialise(*record_of(model, run))


def record_of(model: Model, run: Run) -> checkpoint.Record:
    """Return what the checkpoint of a run holds."""
    names = checkpoint.layer_names(len(model.network.structure))
    layers = zip(names, model.network.weights, model.network.biases, strict=True)
    arrays: dict[str, NDArray[np.floating]] = {}
    for (w_name, b_name), W, b in layers:
        arrays |= {w_name: W, b_name: b}
    if run.network is not model.network:
        arrays["theta"] = run.network.theta
    if run.optimizer_state.size:
        arrays["state"] = run.optimizer_state
    validated_on = model.validation_fingerprint
    return checkpoint.Record(
        arrays,
        {
            "complete": run.finished,
            "epoch": len(run.history),
            "step": run.step,
            "total": run.error_sum,
            "stream": run.rng_state,
            "best_epoch": run.best_epoch,
            "experiment": model.experiment.to_mapping(),
            "class_names": model.encoding.class_names,
            "encoding": model.encoding.to_mapping(),
            "fingerprint": model.fingerprint,
            **({"validation_fingerprint": validated_on} if validated_on else {}),
            "history": run.history,
            "versions": {
                "mlpcli": __version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
                "threads": _threads(),
            },
        },
    )


def _threads() -> int:
    """Return how many threads matrix products may use, since each number rounds otherwise."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    given = next((os.environ[name] for name in names if os.environ.get(name, "").isdigit()), None)
    return int(given or 0) or os.cpu_count() or 1


def save(path: Path, model: Model, run: Run) -> None:
    """Write the checkpoint of a run.

    Raises:
        OutputError: if it cannot be written.
    """
    atomic.write(path, serialise(model, run))


def final_size(model: Model, run: Run) -> int:
    """Return how many bytes the checkpoint of a run will have at most, when it is over."""
    return len(serialise(model, run)) + checkpoint.ROW_BYTES * model.experiment.epochs


# What a description that others made can lead to.
_INVALID_META = (
    ArithmeticError,
    AttributeError,
    ConfigError,
    LookupError,
    TypeError,
    ValueError,
)


def load(path: Path | str) -> Model:
    """Load a model from a checkpoint that `mlp train` wrote.

    Raises:
        CheckpointError: if the file is missing, damaged, or not a checkpoint.
    """
    return load_run(Path(path))[0]


def load_run(path: Path) -> tuple[Model, Run]:
    """Load a model and the run that made it, ready to go on.

    Raises:
        CheckpointError: if the file is missing, damaged, or not a checkpoint.
    """
    record = checkpoint.read(path)
    try:
        restored = _restore(record, (Path(), path.parent))
        return restored, _restore_run(restored, record)
    except _INVALID_META as error:
        raise CheckpointError(
            path,
            f"is not a checkpoint that this version understands ({repr(error)[:120]})",
            "train again",
        ) from error


def _restore(record: checkpoint.Record, search_paths: tuple[Path, ...]) -> Model:
    meta = record.meta
    experiment = from_mapping(meta["experiment"], {}, search_paths)
    class_names = tuple(str(name) for name in meta["class_names"])
    encoding = Encoding.from_mapping(meta["encoding"], class_names)
    names = checkpoint.layer_names(len(experiment.structure))
    shapes = checkpoint.layer_shapes(experiment.structure)
    found = {name: array.shape for name, array in record.arrays.items()}
    p = count_parameters(experiment.structure)
    of_the_run = found.pop("theta", (p,)), found.pop("state", (0, p))[1:]
    # Before the network is made: it needs no more memory than the file then has.
    if found != shapes or of_the_run != ((p,), (p,)):
        raise ValueError(f"arrays of other shapes than structure {experiment.structure}")
    if len(class_names) != experiment.structure[-1] or encoding.features != experiment.structure[0]:
        raise ValueError(f"encoding of other data than structure {experiment.structure}")
    if not all(isinstance(row["error"], float) for row in meta["history"]):
        raise ValueError("an epoch without an error")
    if type(meta["best_epoch"]) is not int or not -1 <= meta["best_epoch"] < len(meta["history"]):
        raise ValueError(f"best epoch {meta['best_epoch']} of {len(meta['history'])}")
    network = new_network(experiment, encoding)
    for (w_name, b_name), W, b in zip(names, network.weights, network.biases, strict=True):
        W[:], b[:] = record.arrays[w_name], record.arrays[b_name]
    # Checkpoints of before it was recorded have none.
    validated_on = str(meta.get("validation_fingerprint", ""))
    return Model(network, experiment, encoding, str(meta["fingerprint"]), meta, validated_on)


def _restore_run(model: Model, record: checkpoint.Record) -> Run:
    meta, experiment = record.meta, model.experiment
    run = start_run(experiment, model.network, model.network.copy())
    if "theta" in record.arrays:
        run.network.theta[:] = record.arrays["theta"]
    state = record.arrays.get("state", run.optimizer_state)
    if state.shape != run.optimizer_state.shape:
        raise ValueError(f"state of shape {state.shape}")
    run.optimizer_state[:] = state
    run.history, run.best_epoch = list(meta["history"]), meta["best_epoch"]
    run.step, run.error_sum, run.finished = meta["step"], meta["total"], meta["complete"]
    if (
        type(run.step) is not int
        or type(run.error_sum) is not float
        or type(run.finished) is not bool
    ):
        raise ValueError("a run that stands nowhere")
    if run.step < 0:
        raise ValueError(f"a run at step {run.step}")
    run.rng_state = run.draws.state = str(meta["stream"])
    return run
