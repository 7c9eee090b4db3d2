"""The keys of an experiment: what each may be, and what they may not be together."""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from mlpcli.data_keys import Files, parse_files, parse_scale
from mlpcli.errors import ConfigError


class Kind(NamedTuple):
    """What a key's value must be: in words, and as a function that returns it or raises."""

    expects: str
    parse: Callable[[Any], Any]


def whole(low: int, high: int | None = None) -> Kind:
    """Return the kind of whole numbers from `low` to `high`."""

    def parse(value: Any) -> int:
        if type(value) is not int or value < low or (high is not None and value > high):
            raise ValueError
        return value

    return Kind(f"a whole number from {low}" + (f" to {high}" if high is not None else ""), parse)


def number(above: float) -> Kind:
    """Return the kind of finite numbers greater than `above`."""

    def parse(value: Any) -> float:
        if type(value) not in (int, float) or not math.isfinite(value) or value <= above:
            raise ValueError
        return float(value)

    return Kind(f"a number above {above:g}", parse)


def choice(*names: str) -> Kind:
    """Return the kind of words among `names`."""

    def parse(value: Any) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return Kind(" or ".join(names), parse)


def _layer_sizes(value: Any) -> tuple[int, ...]:
    if type(value) is not list or len(value) < 2:
        raise ValueError
    return tuple(whole(1).parse(size) for size in value)


class DataSource(NamedTuple):
    """Which data: a dataset's name or training file, and the scaling if not the default."""

    name: str
    scale: str | None = None
    files: Files | None = None

    def to_mapping(self) -> dict[str, Any]:
        """Return the value of the `data` key."""
        which = self.files.to_mapping() if self.files else {"name": self.name}
        return which | ({"scale": self.scale} if self.scale else {})


def _data(value: Any) -> DataSource:
    if type(value) is str and value:
        return DataSource(value)
    if type(value) is dict and "train" in value:
        files, scale = parse_files(value)
        return DataSource(files.train, scale, files)
    if type(value) is dict and type(value.get("name")) is str and set(value) <= {"name", "scale"}:
        return DataSource(value["name"], parse_scale(value["scale"]) if "scale" in value else None)
    raise ValueError


def key(kind: Kind, example: str, default: Any = MISSING) -> Any:
    """Declare a key of the configuration: its kind, a line that shows it, and its default."""
    return field(default=default, metadata={"kind": kind, "example": example})


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A validated experiment. Its fields are the keys of the YAML file.

    `places` says where each key was given, as "FILE:LINE", and `folders` what its paths may be
    relative to; neither takes part in comparisons.
    """

    data: DataSource = key(
        Kind("a dataset's name, {name: NAME, scale: SCALE} or {train: FILE, ...}", _data),
        "data: mnist",
    )
    structure: tuple[int, ...] = key(
        Kind("a list of two or more layer sizes, each a whole number from 1", _layer_sizes),
        "structure: [784, 32, 10]",
    )
    eta: float = key(number(above=0), "eta: 0.3")
    bt_size: int = key(whole(1), "bt_size: 32")
    epochs: int = key(whole(1), "epochs: 20")
    seed: int = key(whole(0, 2**32 - 1), "seed: 0", default=0)
    init: str = key(choice("lecun", "normal"), "init: lecun", default="lecun")
    dtype: str = key(choice("float32", "float64"), "dtype: float32", default="float32")
    compat: str | None = key(choice("article"), "compat: article", default=None)
    places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    folders: tuple[Path, ...] = field(default=(Path(),), compare=False, repr=False)

    def where(self, name: str) -> str:
        """Return where a key was given, for the beginning of an error: "FILE:LINE: KEY"."""
        return place(self.places, name)

    def to_mapping(self) -> dict[str, Any]:
        """Return the experiment as plain YAML or JSON values; `from_mapping` is the way back."""
        mapping = {name: getattr(self, name) for name in KEYS if getattr(self, name) is not None}
        return mapping | {"data": self.data.to_mapping(), "structure": list(self.structure)}


KEYS: dict[str, Field[Any]] = {f.name: f for f in fields(Experiment) if f.metadata}


def check_together(experiment: Experiment) -> None:
    """Refuse values that are right alone and make no sense together or for what they mean."""
    if experiment.structure[-1] == 1:
        raise ConfigError(
            experiment.where("structure"),
            "the output layer has one neuron, and there is one per class",
            "use two for a yes-or-no question: end the list with 2",
        )


def place(places: Mapping[str, str], name: object) -> str:
    """Return where a key was given, for the beginning of an error: "FILE:LINE: KEY"."""
    given = places.get(str(name), places.get("", "experiment"))
    return f"{given}: {name}"
