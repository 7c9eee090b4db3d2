"""An experiment: what the YAML file says, checked, as a frozen record."""

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml

from mlpcli import compat
from mlpcli.errors import ConfigError

SYNONYMS = {
    "batch_size": "bt_size",
    "batchsize": "bt_size",
    "dataset": "data",
    "hidden_layer_sizes": "structure",
    "iterations": "epochs",
    "layer_sizes": "structure",
    "layers": "structure",
    "learning_rate": "eta",
    "lr": "eta",
    "max_iter": "epochs",
    "n_epochs": "epochs",
    "random_seed": "seed",
    "random_state": "seed",
    "sizes": "structure",
    "step_size": "eta",
}


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
    """Which data: a dataset's name, and the scaling of its inputs if not the default."""

    name: str
    scale: str | None = None


SCALES = choice("unit", "none")


def _data(value: Any) -> DataSource:
    if type(value) is str and value:
        return DataSource(value)
    if type(value) is dict and type(value.get("name")) is str and set(value) <= {"name", "scale"}:
        return DataSource(value["name"], SCALES.parse(value["scale"]) if "scale" in value else None)
    raise ValueError


def key(kind: Kind, example: str, default: Any = MISSING) -> Any:
    """Declare a key of the configuration: its kind, a line that shows it, and its default."""
    return field(default=default, metadata={"kind": kind, "example": example})


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A validated experiment. Its fields are the keys of the YAML file.

    `places` says where each key was given, as "FILE:LINE"; it does not take part in comparisons.
    """

    data: DataSource = key(
        Kind("a dataset's name, or {name: NAME, scale: unit or none}", _data), "data: mnist"
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

    def where(self, name: str) -> str:
        """Return where a key was given, for the beginning of an error: "FILE:LINE: KEY"."""
        return _where(self.places, name)

    def to_mapping(self) -> dict[str, Any]:
        """Return the experiment as plain YAML or JSON values; `from_mapping` is the way back."""
        mapping = {name: getattr(self, name) for name in KEYS if getattr(self, name) is not None}
        data = {name: part for name, part in self.data._asdict().items() if part is not None}
        return mapping | {"data": data, "structure": list(self.structure)}


KEYS: dict[str, Field[Any]] = {f.name: f for f in fields(Experiment) if f.metadata}


def load_experiment(path: Path) -> Experiment:
    """Read a YAML experiment.

    Raises:
        ConfigError: naming file, line and key, if the file is missing, is not YAML or says
            something that cannot be trained.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(path, _reason(error), "give the path of a YAML experiment") from error
    values, lines = _parse(text, path)
    places = {name: f"{path}:{line}" for name, line in lines.items()}
    return from_mapping(values, places | {"": str(path)})


def from_mapping(values: Mapping[Any, Any], places: Mapping[str, str]) -> Experiment:
    """Check plain values and make an experiment of them.

    Args:
        values: keys and values as YAML or JSON gives them.
        places: where each key was given; "" is where keys would be added.

    Raises:
        ConfigError: if a key is unknown or missing, or a value is not what it must be.
    """
    for name in values:
        if name not in KEYS:
            raise ConfigError(_where(places, name), *_unknown(str(name)))
    for name, declared in KEYS.items():
        if declared.default is MISSING and name not in values:
            example = declared.metadata["example"]
            raise ConfigError(
                places.get("", "experiment"),
                f"key {name} is missing",
                f"add a line such as {example}",
            )
    checked = {}
    for name, value in values.items():
        kind, example = KEYS[name].metadata["kind"], KEYS[name].metadata["example"]
        try:
            checked[name] = kind.parse(value)
        except ValueError:
            problem = f"must be {kind.expects}, not {_show(value)}"
            raise ConfigError(_where(places, name), problem, f"write {example}") from None
    if checked.get("compat"):
        _decide_for_compat(checked, places)
    experiment = Experiment(**checked, places=places)
    _check_together(experiment)
    return experiment


def _decide_for_compat(checked: dict[str, Any], places: Mapping[str, str]) -> None:
    """Set what `compat: article` decides; refuse keys that contradict it."""
    decided = compat.DECIDES | {"data": DataSource(checked["data"].name, compat.SCALE)}
    for name, value in decided.items():
        if name == "data" and checked["data"].scale is None:
            checked["data"] = value
        if checked.setdefault(name, value) != value:
            given = f"scale: {checked['data'].scale}" if name == "data" else checked[name]
            meant = f"scale: {compat.SCALE}" if name == "data" else value
            raise ConfigError(
                _where(places, name),
                f"{given} contradicts compat: article, which means {meant}",
                "remove one of the two",
            )


def _where(places: Mapping[str, str], name: object) -> str:
    place = places.get(str(name), places.get("", "experiment"))
    return f"{place}: {name}"


def _check_together(experiment: Experiment) -> None:
    """Refuse values that are right alone and make no sense together or for what they mean."""
    if experiment.structure[-1] == 1:
        raise ConfigError(
            experiment.where("structure"),
            "the output layer has one neuron, and there is one per class",
            "use two for a yes-or-no question: end the list with 2",
        )


def _unknown(name: str) -> tuple[str, str]:
    if name.lower() in SYNONYMS:
        ours = SYNONYMS[name.lower()]
        return f"is called {ours} here", f"write {KEYS[ours].metadata['example']}"
    close = difflib.get_close_matches(name, KEYS, n=1)
    remedy = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(KEYS)}"
    return "there is no such key", remedy


def _show(value: Any) -> str:
    """Return a value as a short piece of YAML, for an error."""
    text = (
        "null" if value is None else str(value).lower() if value in (True, False) else repr(value)
    )
    return text if len(text) <= 60 else text[:57] + "..."


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


class _CoreLoader(yaml.SafeLoader):
    """YAML by the 1.2 core schema: `1e-3` is a number, `no` and `10:30` are strings."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - replaces SafeLoader's 1.1 table

    def construct_int(self, node: yaml.ScalarNode) -> int:
        text = node.value
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))

    def construct_float(self, node: yaml.ScalarNode) -> float:
        return float(re.sub(r"\.(inf|nan)$", r"\1", node.value.lower()))


for _tag, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
_CoreLoader.add_constructor("tag:yaml.org,2002:int", _CoreLoader.construct_int)
_CoreLoader.add_constructor("tag:yaml.org,2002:float", _CoreLoader.construct_float)


def _parse(text: bytes, path: Path) -> tuple[dict[Any, Any], dict[str, int]]:
    """Parse YAML into a mapping and the line of each of its keys."""

    def fail(line: int, problem: str) -> NoReturn:
        raise ConfigError(f"{path}:{line}", problem, "see configs/README.md for an example")

    try:
        loader = _CoreLoader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            fail(1, "must hold keys and values such as eta: 0.3")
        _refuse_duplicates(root, fail)
        lines = {str(name.value): name.start_mark.line + 1 for name, _ in root.value}
        return dict(loader.construct_document(root)), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        fail(mark.line + 1 if mark else 1, f"is not YAML: {error.problem or error.context}")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        fail(1, f"is not YAML: {error}")


def _refuse_duplicates(root: yaml.MappingNode, fail: Callable[[int, str], NoReturn]) -> None:
    """Refuse a key given twice, here or in a mapping inside; PyYAML would keep the last."""
    pending: list[yaml.Node] = [root]
    seen_nodes = set()
    while pending:
        node = pending.pop()
        if id(node) in seen_nodes or not isinstance(node, yaml.CollectionNode):
            continue
        seen_nodes.add(id(node))
        if isinstance(node, yaml.MappingNode):
            names: dict[str, int] = {}
            for name, value in node.value:
                line = name.start_mark.line + 1
                if str(name.value) in names:
                    first = names[str(name.value)]
                    fail(line, f"key {name.value} is given twice, first on line {first}")
                names[str(name.value)] = line
                pending.append(value)
        else:
            pending.extend(node.value)
