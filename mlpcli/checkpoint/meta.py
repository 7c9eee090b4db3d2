"""What a checkpoint says of its model and run: declared, written, and checked in one place."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpcli.checkpoint.format import FORMAT, MAX_EPOCHS
from mlpcli.config.load import from_mapping
from mlpcli.config.schema import VALIDATION_METRICS, Experiment
from mlpcli.config.validators import (
    BOOLEAN,
    PartError,
    Validator,
    choice,
    integer,
    list_of,
    mapping_of,
    number,
)
from mlpcli.data.encoding import Encoding
from mlpcli.data.targets import is_class_name
from mlpcli.errors import CheckpointError, ConfigError
from mlpcli.nn.calibration import COLDEST, HOTTEST

# What a file says of its source if it was made of another that nothing is known about.
UNVERIFIED = "unverified"


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What a checkpoint says of its model and run, checked."""

    complete: bool
    """Whether the run is finished."""
    epoch: int
    """How many epochs are finished."""
    step: int
    """How many mini-batches of the unfinished epoch have been learned."""
    total: float
    """Their errors, summed."""
    stream: str
    """State of the article's random stream; "" for keyed draws."""
    best_epoch: int
    """The epoch whose parameters are to be used; -1 before there is one."""
    temperature: float | None
    experiment: Experiment
    encoding: Encoding
    """With the names of the classes."""
    fingerprint: str
    """Of the training data, SHA-256; "" where they are not known."""
    validation_fingerprint: str
    """Of a validation file's examples; "" without one."""
    start: str
    """SHA-256 of the checkpoint that the run started from; "" for random weights."""
    source: str
    """`UNVERIFIED`, or "" for what was trained here."""
    history: list[dict[str, Any]]
    """A row per epoch: epoch, error, eta, and validation_error and validation_accuracy (of
    quantities validation_rmse) if any."""
    versions: Mapping[str, str | int]
    """Of what wrote the file."""

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON values to write, in their order; `parse` is the way back."""
        start = {"sha256": self.start} if self.start else None
        mapping = {
            "complete": self.complete,
            "epoch": self.epoch,
            "step": self.step,
            "total": self.total,
            "stream": self.stream,
            "best_epoch": self.best_epoch,
            "temperature": self.temperature,
            "experiment": self.experiment.to_mapping(),
            "class_names": self.encoding.class_names,
            "encoding": self.encoding.to_mapping(),
            "fingerprint": self.fingerprint,
            "validation_fingerprint": self.validation_fingerprint,
            "start": start,
            "source": self.source,
            "history": self.history,
            "versions": self.versions,
        }
        return {name: mapping[name] for name in mapping if mapping[name] or name not in OPTIONAL}

    @property
    def best(self) -> dict[str, Any] | None:
        """The row of the best epoch; None for a run that was stopped in its first epoch."""
        return self.history[self.best_epoch] if self.history else None


def parse(mapping: Mapping[str, Any], path: Path) -> Meta:
    """Check everything that a checkpoint says.

    Args:
        mapping: what its description holds, as JSON gives it.
        path: the checkpoint; what its experiment names is looked for here and beside it.

    Raises:
        CheckpointError: naming the first thing that is not what it must be.
    """
    try:
        given = {**dict.fromkeys(OPTIONAL), **DESCRIPTION.parse(mapping)}
        del given["format"]
        experiment = from_mapping(given.pop("experiment"), {}, (Path(), path.parent))
        encoding = Encoding.from_mapping(given.pop("encoding"), given.pop("class_names"))
        given["start"] = (given["start"] or {}).get("sha256")
        given["history"] = list(given["history"])
        for name in ("fingerprint", "validation_fingerprint", "start", "source"):
            given[name] = given[name] or ""
        meta = Meta(**given, experiment=experiment, encoding=encoding)
        for problem in _contradictions(meta):
            raise ValueError(problem)
    except PartError as error:
        raise not_understood(path, f"{error.part} {error.problem}") from None
    except ConfigError as error:
        raise not_understood(path, f"{error.where} {error.problem}") from None
    except ValueError as error:
        raise not_understood(path, str(error)) from None
    return meta


def not_understood(path: Path, problem: str) -> CheckpointError:
    """Return the error of a checkpoint with a right checksum over nonsense."""
    return CheckpointError(
        path,
        f"is not a checkpoint that this version understands ({problem[:160]})",
        "train again, or use the version of mlp that wrote it",
    )


def _contradictions(meta: Meta) -> Iterator[str]:
    """Yield what makes no sense beside something else."""
    experiment, encoding, epochs = meta.experiment, meta.encoding, len(meta.history)
    if not experiment.structure:
        yield "its experiment has no structure"
        return
    first, *_, last = experiment.structure
    if (first, last) != (encoding.features, len(encoding.class_names)):
        yield (
            f"its encoding has {encoding.features} features and {len(encoding.class_names)} "
            f"classes, and its structure {first} and {last}"
        )
    if len(set(encoding.class_names)) < len(encoding.class_names):
        yield "two classes have one name"
    if epochs != meta.epoch or epochs > experiment.epochs:
        yield f"its history has {epochs} rows, and {meta.epoch} epochs are done"
    if not (0 <= meta.best_epoch < epochs or (epochs == 0 and meta.best_epoch == -1)):
        yield f"its best epoch is {meta.best_epoch} of {epochs}"
    if experiment.learns != encoding.task:
        yield f"its experiment is a {experiment.learns}, and its encoding a {encoding.task}"
    names = {"epoch", "error", "eta"}
    if experiment.validation:
        names |= {"validation_error", f"validation_{VALIDATION_METRICS[encoding.task]}"}
    for position, row in enumerate(meta.history):
        if row["epoch"] != position or set(row) != names:
            yield f"row {position} of its history is of another epoch, or of other numbers"
    if bool(meta.stream) != bool(experiment.compat):
        yield "its random stream is of another experiment"
    if not (meta.fingerprint or meta.source):
        yield "the fingerprint of its data is missing"
    if meta.temperature and not experiment.calibrate:
        yield "it has a temperature without calibrate"


def _float(value: Any) -> float:
    if type(value) is not float or not math.isfinite(value):
        raise ValueError
    return value


def _between(low: float, high: float) -> Validator:
    def parse(value: Any) -> float:
        if not low <= _float(value) <= high:
            raise ValueError
        return float(value)

    return Validator(f"a number from {low:g} to {high:g}", parse)


def _matching(pattern: str, expects: str) -> Validator:
    def parse(value: Any) -> str:
        if type(value) is not str or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return Validator(expects, parse)


def _mapping(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise ValueError
    return value


def _class_name(value: Any) -> str:
    if type(value) is not str or not is_class_name(value):
        raise ValueError
    return value


def _versions(value: Any) -> dict[str, str | int]:
    if type(value) is not dict or len(value) > MAX_VERSIONS:
        raise ValueError
    for name, version in value.items():
        VERSION.parse(name)
        if type(version) is not int:
            VERSION.parse(version)
    return dict(value)


FLOAT = Validator("a finite number", _float)
SHA256 = _matching(r"[0-9a-f]{64}", "64 hexadecimal digits")
# NumPy would read beyond the words of the Mersenne Twister.
STREAM = _matching(
    r"|([0-9]{1,2}|[0-5][0-9]{2}|6[01][0-9]|62[0-4]):[0-9a-f]{4992}",
    "a state of the Mersenne Twister",
)
VERSION = _matching(r"[ -~]{1,100}", "a version")
MAX_VERSIONS = 20
VALIDATION_ROW = {
    "validation_error": FLOAT,
    "validation_accuracy": _between(0, 1),
    "validation_rmse": number(at_least=0),
}
ROW = {"epoch": integer(0, MAX_EPOCHS), "error": FLOAT, **VALIDATION_ROW, "eta": FLOAT}
KEYS = {
    "format": integer(FORMAT, FORMAT),
    "complete": BOOLEAN,
    "epoch": integer(0, MAX_EPOCHS),
    "step": integer(0),
    "total": FLOAT,
    "stream": STREAM,
    "best_epoch": integer(-1, MAX_EPOCHS),
    "temperature": _between(COLDEST, HOTTEST),
    "experiment": Validator("a mapping of keys", _mapping),
    "class_names": list_of(Validator("a name without control characters", _class_name)),
    "encoding": Validator("a mapping", _mapping),
    "fingerprint": SHA256,
    "validation_fingerprint": SHA256,
    "start": mapping_of({"sha256": SHA256}),
    "source": choice(UNVERIFIED),
    "history": list_of(mapping_of(ROW, optional=VALIDATION_ROW)),
    "versions": Validator("a mapping of names to versions", _versions),
}
OPTIONAL = ("temperature", "fingerprint", "validation_fingerprint", "start", "source")
DESCRIPTION = mapping_of(KEYS, OPTIONAL)
