"""YAML to Experiment: the file's keys and values, each checked, as a frozen record."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING
from pathlib import Path
from typing import Any, NoReturn

import yaml

from mlpcli import compat
from mlpcli.errors import ConfigError
from mlpcli.keys import KEYS, Experiment, check_together, place

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
    return from_mapping(values, places | {"": str(path)}, (path.parent,))


def from_mapping(
    values: Mapping[Any, Any],
    places: Mapping[str, str],
    folders: tuple[Path, ...] = (Path(),),
) -> Experiment:
    """Check plain values and make an experiment of them.

    Args:
        values: keys and values as YAML or JSON gives them.
        places: where each key was given; "" is where keys would be added.
        folders: what paths in the values may be relative to, in the order to try.

    Raises:
        ConfigError: if a key is unknown or missing, or a value is not what it must be.
    """
    for name in values:
        if name not in KEYS:
            raise ConfigError(place(places, name), *_unknown(str(name)))
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
        except ValueError as error:
            problem = str(error) or f"must be {kind.expects}, not {_show(value)}"
            raise ConfigError(place(places, name), problem, f"write {example}") from None
    if checked.get("compat"):
        _decide_for_compat(checked, places)
    experiment = Experiment(**checked, places=places, folders=folders)
    check_together(experiment)
    return experiment


def _decide_for_compat(checked: dict[str, Any], places: Mapping[str, str]) -> None:
    """Set what `compat: article` decides; refuse keys that contradict it."""
    decided = compat.DECIDES | {"data": checked["data"]._replace(scale=compat.SCALE)}
    for name, value in decided.items():
        if name == "data" and checked["data"].scale is None:
            checked["data"] = value
        if checked.setdefault(name, value) != value:
            given = f"scale: {checked['data'].scale}" if name == "data" else checked[name]
            meant = f"scale: {compat.SCALE}" if name == "data" else value
            raise ConfigError(
                place(places, name),
                f"{given} contradicts compat: article, which means {meant}",
                "remove one of the two",
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
