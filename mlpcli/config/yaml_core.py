"""YAML by the 1.2 core schema, with line numbers: read into plain values, and written from them."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from mlpcli.errors import ConfigError

# Lists and mappings within one another. Nothing here needs more than three; scanning takes
# quadratic time in them.
DEEPEST = 100


def parse_value(text: str) -> Any:
    """Return the plain value that a piece of YAML stands for.

    Raises:
        ValueError: if it is not YAML.
    """
    try:
        return _CoreLoader(text).get_single_data()
    except (yaml.YAMLError, OverflowError) as error:
        raise ValueError(text) from error


def parse_file(content: bytes, path: Path) -> tuple[dict[Any, Any], dict[str, int]]:
    """Parse the content of a file that holds one mapping.

    Returns:
        The mapping, and the line, from 1, of each KEY and KEY.PART.

    Raises:
        ConfigError: naming file and line, if it is no YAML, or gives a key twice.
    """

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


class _CoreLoader(yaml.SafeLoader):
    """YAML by the 1.2 core schema: `1e-3` is a number, `no` and `10:30` are strings."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - replaces SafeLoader's 1.1 table

    def fetch_flow_collection_start(self, token: Any) -> None:
        self._check_depth()
        super().fetch_flow_collection_start(token)

    def add_indent(self, column: int) -> bool:
        self._check_depth()
        return bool(super().add_indent(column))

    def _check_depth(self) -> None:
        if self.flow_level + len(self.indents) > DEEPEST:
            problem = f"nested more than {DEEPEST} deep"
            raise yaml.scanner.ScannerError(None, None, problem, self.get_mark())

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
