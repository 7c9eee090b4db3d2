"""A model and the run that made it, as one checkpoint: saved, and brought back."""

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcli import __version__, atomic
from mlpcli.checkpoint import format as checkpoint
from mlpcli.config.load import from_mapping
from mlpcli.config.schema import Experiment
from mlpcli.data.encoding import Encoding
from mlpcli.errors import CheckpointError, ConfigError
from mlpcli.model import Model, new_network
from mlpcli.nn.calibration import COLDEST, HOTTEST, cool
from mlpcli.nn.network import count_parameters

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
    if run.network is not model.network:
        arrays["theta"] = run.network.theta
    if run.trained is not run.network.theta:
        arrays["phi"] = run.trained
    if run.averaged is not None and run.averaged is not model.network:
        arrays["ema"] = run.averaged.theta
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
            **({"temperature": run.temperature} if run.temperature else {}),
            "experiment": model.experiment.to_mapping(),
            "class_names": model.encoding.class_names,
            "encoding": model.encoding.to_mapping(),
            "fingerprint": model.fingerprint,
            **({"validation_fingerprint": validated_on} if validated_on else {}),
            **({"start": {"sha256": run.start}} if run.start else {}),
            "history": run.history,
            "versions": {
                "mlpcli": __version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
                "threads": _threads(),
                **run.engine.versions,
            },
        },
    )


def _threads() -> int:
    """Return how many threads matrix products may use, since each number rounds otherwise."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    given = next((os.environ[name] for name in names if os.environ.get(name, "").isdigit()), None)
    return int(given or 0) or os.cpu_count() or 1


def save(path: Path, model: Model, run: "Run") -> None:
    """Write the checkpoint of a run.

    Raises:
        OutputError: if it cannot be written.
    """
    atomic.write(path, serialise(model, run))


def final_size(model: Model, run: "Run") -> int:
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


@contextmanager
def meta_errors(path: Path) -> Iterator[None]:
    """Make whatever a checkpoint's description leads to, if it contradicts itself, one error."""
    try:
        yield
    except _INVALID_META as error:
        raise CheckpointError(
            path,
            f"is not a checkpoint that this version understands ({repr(error)[:120]})",
            "train again",
        ) from error


def load(path: Path | str) -> Model:
    """Load a model from a checkpoint that `mlp train` wrote.

    Raises:
        CheckpointError: if the file is missing, damaged, or not a checkpoint.
    """
    path = Path(path)
    record = checkpoint.read(path)
    with meta_errors(path):
        model = model_from(record, path.parent)
        if "temperature" in record.meta:
            cool(model.network, check_temperature(record.meta["temperature"]))
        return model


def model_from(record: checkpoint.Record, folder: Path) -> Model:
    """Return the model that a checkpoint in a folder holds.

    Raises:
        Exception: of many kinds, if its description contradicts itself; see `meta_errors`.
    """
    meta = record.meta
    experiment = from_mapping(meta["experiment"], {}, (Path(), folder))
    class_names = tuple(str(name) for name in meta["class_names"])
    encoding = Encoding.from_mapping(meta["encoding"], class_names)
    # Before the network is made: it needs no more memory than the file then has.
    _check_arrays(record, experiment)
    if len(class_names) != experiment.structure[-1] or encoding.features != experiment.structure[0]:
        raise ValueError(f"encoding of other data than structure {experiment.structure}")
    if not all(isinstance(row["error"], float) for row in meta["history"]):
        raise ValueError("an epoch without an error")
    if type(meta["best_epoch"]) is not int or not -1 <= meta["best_epoch"] < len(meta["history"]):
        raise ValueError(f"best epoch {meta['best_epoch']} of {len(meta['history'])}")
    start_of(meta)
    network = new_network(experiment, encoding)
    names = checkpoint.layer_names(len(experiment.structure))
    for (w_name, b_name), W, b in zip(names, network.weights, network.biases, strict=True):
        W[:], b[:] = record.arrays[w_name], record.arrays[b_name]
    # Only where validation examples are a file's.
    validated_on = str(meta.get("validation_fingerprint", ""))
    return Model(network, experiment, encoding, str(meta["fingerprint"]), meta, validated_on)


def start_of(meta: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the checkpoint that a run started from; "" for random weights.

    Raises:
        Exception: of many kinds, if there is another value; see `meta_errors`.
    """
    start = meta.get("start", {"sha256": ""})["sha256"]
    if not isinstance(start, str):
        raise ValueError(f"started from {start}")
    return start


def _check_arrays(record: checkpoint.Record, experiment: Experiment) -> None:
    """Make sure that arrays have the shapes of an experiment's layers, and of its run."""
    found = {name: array.shape for name, array in record.arrays.items()}
    p = count_parameters(experiment.structure)
    q = p + (experiment.structure[0] if experiment.feature_scale else 0)
    vectors = found.pop("theta", (p,)), found.pop("ema", (p,))
    of_phi = found.pop("phi", (q,)), found.pop("state", (0, q))[1:]
    shapes = checkpoint.layer_shapes(experiment.structure)
    if found != shapes or vectors != ((p,), (p,)) or of_phi != ((q,), (q,)):
        raise ValueError(f"arrays of other shapes than structure {experiment.structure}")


def check_temperature(temperature: object) -> float:
    """Return a temperature if it is one.

    Raises:
        ValueError: if it is not.
    """
    if type(temperature) is not float or not COLDEST <= temperature <= HOTTEST:
        raise ValueError(f"temperature {temperature}")
    return temperature
