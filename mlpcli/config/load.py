"""YAML to Experiment: the file's keys and values, each checked, as a frozen record."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import Any, NoReturn

import yaml

from mlpcli.config.schema import KEYS, Experiment, apply_compat, check_combinations, origin_of
from mlpcli.config.validators import PartError, show
from mlpcli.errors import ConfigError, os_reason

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


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read a YAML experiment.

    Args:
        path: the file.
        overrides: "KEY=VALUE" each, VALUE as YAML; "KEY.SETTING=VALUE" reaches into a mapping.

    Raises:
        ConfigError: naming file, line and key, if the file is missing, is not YAML or says
            something that cannot be trained.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(path, os_reason(error), "give the path of a YAML experiment") from error
    values, lines = _parse(content, path)
    origins = {name: f"{path}:{line}" for name, line in lines.items()}
    for override in overrides:
        name = _set(values, override)
        origins = {n: given for n, given in origins.items() if not n.startswith(f"{name}.")}
        origins |= dict.fromkeys((name.partition(".")[0], name), f"--set {override}")
    return from_mapping(values, origins | {"": str(path)}, (path.parent,))


def _set(values: dict[Any, Any], override: str) -> str:
    """Put one override in its place, and return the name of what it sets."""
    names, equals, text = override.partition("=")
    *outer, last = names.split(".")
    try:
        value = _CoreLoader(text).get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError):
        equals = ""
    if not equals or not all([*outer, last]):
        raise ConfigError(f"--set {override}", "is not KEY=VALUE", "write --set eta=0.1")
    for name in outer:
        inside = values.get(name, {})
        # `data: mnist` is short for `data: {name: mnist}`, and so for a schedule.
        values[name] = dict(inside) if isinstance(inside, dict) else {"name": inside}
        values = values[name]
    values[last] = value
    return names


def from_mapping(
    values: Mapping[Any, Any],
    origins: Mapping[str, str],
    search_paths: tuple[Path, ...] = (Path(),),
) -> Experiment:
    """Check plain values and make an experiment of them.

    Args:
        values: keys and values as YAML or JSON gives them.
        origins: where each key was given; "" is where keys would be added.
        search_paths: what paths in the values may be relative to, in the order to try.

    Raises:
        ConfigError: if a key is unknown or missing, or a value is not what it must be.
    """
    for name in values:
        if name not in KEYS:
            raise ConfigError(origin_of(origins, name), *_unknown(str(name)))
    for name, declared in KEYS.items():
        if declared.default is MISSING and name not in values:
            example = declared.metadata["example"]
            raise ConfigError(
                origins.get("", "experiment"),
                f"key {name} is missing",
                f"add a line such as {name}: {example}",
            )
    checked = {}
    for name, value in values.items():
        kind, example = KEYS[name].metadata["kind"], KEYS[name].metadata["example"]
        try:
            checked[name] = kind.parse(value)
        except PartError as error:
            where = origin_of(origins, f"{name}.{error.part}")
            raise ConfigError(where, error.problem, error.remedy) from None
        except (OverflowError, ValueError):
            problem = f"must be {kind.expects}, not {show(value)}"
            raise ConfigError(
                origin_of(origins, name), problem, f"write {name}: {example}"
            ) from None
    if checked.get("compat"):
        apply_compat(checked, origins)
    experiment = Experiment(**checked, origins=origins, search_paths=search_paths)
    check_combinations(experiment)
    return experiment


def _unknown(name: str) -> tuple[str, str]:
    if name.lower() in SYNONYMS:
        ours = SYNONYMS[name.lower()]
        return f"is called {ours} here", f"write {ours}: {KEYS[ours].metadata['example']}"
    close = difflib.get_close_matches(name, KEYS, n=1)
    remedy = f"did you mean {close[0]}?" if close else "see configs/README.md for the keys"
    return "there is no such key", remedy


class _CoreLoader(yaml.SafeLoader):
    """YAML by the 1.2 core schema: `1e-3` is a number, `no` and `10:30` are strings."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - replaces SafeLoader's 1.1 table

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leave the node alone: 1.2 has no merge keys."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # What PyYAML lets out where a value does not fit its tag, as in `!!bool 3`.
            problem = f"found no valid {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error

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


def _parse(content: bytes, path: Path) -> tuple[dict[Any, Any], dict[str, int]]:
    """Parse YAML into a mapping and the line of each of its keys and of their parts."""

    def fail(line: int, problem: str) -> NoReturn:
        raise ConfigError(f"{path}:{line}", problem, "see configs/README.md for an example")

    try:
        text = content.decode()
        loader = _CoreLoader(text)
    except UnicodeDecodeError as error:
        fail(content.count(b"\n", 0, error.start) + 1, f"is not UTF-8: {error.reason}")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        fail(line, f"is not YAML: character #x{error.character:02x}: {error.reason}")
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            fail(1, "must hold keys and values such as eta: 0.3")
        _check_duplicates(root, fail)
        lines = {}
        for name, node in root.value:
            key = str(loader.construct_object(name))
            lines[key] = name.start_mark.line + 1
            for part, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                lines[f"{key}.{loader.construct_object(part)}"] = part.start_mark.line + 1
        return dict(loader.construct_document(root)), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        fail(mark.line + 1 if mark else 1, f"is not YAML: {problem}")
    except (OverflowError, ValueError) as error:
        # What PyYAML lets out on an escape such as "\UFFFFFFFF", which names no character.
        fail(loader.line + 1, f"is not YAML: {error}")
    except RecursionError:
        fail(loader.line + 1, "is nested too deeply")


def _check_duplicates(root: yaml.MappingNode, fail: Callable[[int, str], NoReturn]) -> None:
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
                if not isinstance(name, yaml.ScalarNode):
                    fail(line, "a key must be a word")
                if name.value in names:
                    first = names[name.value]
                    fail(line, f"key {name.value} is given twice, first on line {first}")
                names[name.value] = line
                pending.append(value)
        else:
            pending.extend(node.value)


class _CoreDumper(yaml.SafeDumper):
    """Quotes what `_CoreLoader` would not read as a string, such as `1e-3`."""

    yaml_implicit_resolvers = _CoreLoader.yaml_implicit_resolvers

    def represent_text(self, text: str) -> yaml.ScalarNode:
        # PyYAML alone would write some line ends as they are, and read them back as spaces.
        style = None if text.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_CoreDumper.add_representer(str, _CoreDumper.represent_text)


def to_yaml(mapping: Mapping[str, Any]) -> str:
    """Return plain values as YAML that `load_experiment` reads as the same values."""
    text: str = yaml.dump(
        dict(mapping),
        Dumper=_CoreDumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )
    return text
