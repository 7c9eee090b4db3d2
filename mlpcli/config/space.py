"""What `mlp tune` may choose from: ranges and choices of keys, as YAML and `--space` give them."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from math import inf, nan
from pathlib import Path
from typing import Any, NamedTuple

from mlpcli.config.load import given_in, parse_experiment
from mlpcli.config.schema import Experiment, origin_of
from mlpcli.config.validators import show
from mlpcli.config.yaml_core import parse_file, parse_value, to_yaml
from mlpcli.errors import ConfigError

_RANGE = re.compile(r"(log:)?\s*(.+?)\.\.(.+)", re.DOTALL)


class Dimension(NamedTuple):
    """What one key may be: a range, with both ends, or some choices."""

    key: str
    where: str
    """Where it was given, for errors."""
    low: int | float = 0
    high: int | float = 0
    log: bool = False
    """Whether a range is searched by factors, not by differences."""
    choices: tuple[str, ...] = ()
    """JSON of each value; () for a range."""

    @property
    def text(self) -> str:
        """The range or the choices as `--space` takes them."""
        listed = f"[{', '.join(self.choices)}]"
        return listed if self.choices else f"{'log:' * self.log}{self.low}..{self.high}"

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values that are tried before the search: both ends of a range, or every choice."""
        return self.choices or (self.low, self.high)


def parse_space(content: bytes, path: Path, options: Sequence[str]) -> list[Dimension]:
    """Return what may be chosen from: of the key `tune` of a file, and of `--space KEY=VALUES`.

    Args:
        content: YAML.
        path: of the file, for errors.
        options: "KEY=VALUES" each, which replace the file's.

    Raises:
        ConfigError: if something is no range and no list of choices.
    """
    values, lines = parse_file(content, path)
    given = values.get("tune") or {}
    if type(given) is not dict:
        where, problem = f"{path}:{lines['tune']}", f"tune is {show(given)}, not ranges of keys"
        raise ConfigError(where, problem, "write tune: {eta: log:0.001..1}")
    origins = {name: f"{path}:{line}" for name, line in lines.items()}
    space = {
        str(key): _dimension(str(key), value, origin_of(origins, f"tune.{key}"))
        for key, value in given.items()
    }
    for option in options:
        key, equals, text = option.partition("=")
        where = f"--space {option}"
        try:
            value = parse_value(f"[{text}]")
        except ValueError:
            equals = ""
        if not key or not equals or not value:
            raise ConfigError(where, "is not KEY=VALUES", "write --space eta=log:0.001..1")
        # One range, or one list, is meant for itself.
        space[key] = _dimension(key, value[0] if len(value) == 1 else value, where)
    return list(space.values())


def _dimension(key: str, value: Any, where: str) -> Dimension:
    if type(value) is list and value:
        return Dimension(key, where, choices=tuple(json.dumps(choice) for choice in value))
    found = _RANGE.fullmatch(value) if type(value) is str else None
    low, high = map(_number, found.groups()[1:]) if found else (nan, nan)
    if found is None or not -inf < low < high < inf:
        problem = f"{key} is {show(value)}, neither a range nor a list"
        raise ConfigError(where, problem, "write LOW..HIGH, log:LOW..HIGH or [CHOICE, ...]")
    if found[1] and low <= 0:
        problem = f"{key} has a logarithmic range from {low}"
        raise ConfigError(where, problem, "write a LOW above 0, or leave log: out")
    return Dimension(key, where, low, high, bool(found[1]))


def _number(text: str) -> int | float:
    """Return the number that YAML makes of a text; NaN for anything else."""
    try:
        value = parse_value(text)
    except ValueError:
        return nan
    return value if type(value) in (int, float) else nan


class Template(NamedTuple):
    """A configuration of which some keys are yet to be chosen."""

    content: bytes
    path: Path
    overrides: tuple[str, ...]

    def experiment(self, chosen: Mapping[str, Any]) -> Experiment:
        """Return the experiment with some keys as chosen, JSON as text.

        Raises:
            ConfigError: if what is chosen makes no sense.
        """
        return parse_experiment(self.content, self.path, (*self.overrides, *self.settings(chosen)))

    def yaml(self, chosen: Mapping[str, Any], folder: Path) -> str:
        """Return the configuration as YAML, keys as chosen, with paths as seen from a folder."""
        given, _ = given_in(self.content, self.path, (*self.overrides, *self.settings(chosen)))
        values = {name: value for name, value in given.items() if value != "none"}
        if isinstance(values.get("data"), dict):
            values["data"] = {k: self._seen_from(folder, v) for k, v in values["data"].items()}
        if "validation" in values:
            values["validation"] = self._seen_from(folder, values["validation"])
        return to_yaml(values)

    def _seen_from(self, folder: Path, value: Any) -> Any:
        """Return a path relative to the configuration as one relative to a folder."""
        if not isinstance(value, str) or Path(value).is_absolute():
            return value
        path = self.path.parent / value
        return Path(os.path.relpath(path, folder)).as_posix() if path.exists() else value

    def settings(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Yield what is chosen as `--set` takes it."""
        for key, value in chosen.items():
            if key == "hidden":
                yield "structure=none"
            if key == "structure":
                yield "hidden=none"
            # One width is meant for all hidden layers.
            every = key == "hidden" and not isinstance(value, str)
            text = json.dumps([value] * self._layers() if every else value)
            yield f"{key}={value if isinstance(value, str) else text}"

    def _layers(self) -> int:
        return parse_experiment(self.content, self.path, self.overrides).hidden_layers or 1


def check_space(template: Template, space: Sequence[Dimension]) -> None:
    """Try both ends of every range, and every choice.

    Raises:
        ConfigError: naming the first that makes no sense.
    """
    for dimension in space:
        for value in dimension.ends:
            try:
                template.experiment({dimension.key: value})
            except ConfigError as error:
                raise ConfigError(dimension.where, error.problem, error.remedy) from None


def default_space(template: Template, experiment: Experiment, n: int) -> list[Dimension]:
    """Return ranges around a configuration, of the keys that it leaves free.

    Args:
        template: the configuration.
        experiment: the same, with a structure.
        n: number of training examples.
    """
    where, eta, decay = str(template.path), experiment.eta, experiment.weight_decay
    sizes = tuple(str(m) for m in (16, 32, 64, 128, 256) if 2 * m <= n)
    proposed = [
        Dimension("eta", where, eta / 10, eta * 10, log=True),
        Dimension("weight_decay", where, *(decay / 30, decay * 3) if decay else (1e-6, 0.1), True),
        Dimension("hidden", where, 16, 512, log=True),
        Dimension("dropout", where, 0.0, 0.5),
        Dimension("bt_size", where, choices=sizes),
    ]
    return [d for d in proposed if d.ends and _is_free(template, experiment, d)]


def _is_free(template: Template, experiment: Experiment, dimension: Dimension) -> bool:
    """Return whether all of a range makes sense in a configuration."""
    if dimension.key in ("hidden", "dropout") and not experiment.hidden_layers:
        return False
    try:
        check_space(template, [dimension])
    except ConfigError:
        return False
    return True


def given_point(experiment: Experiment, space: Sequence[Dimension]) -> dict[str, Any]:
    """Return what a configuration itself has chosen, as far as the space has it."""
    structure = list(experiment.structure)
    mapping = experiment.to_mapping() | {"hidden": structure[1:-1]}
    point: dict[str, Any] = {}
    for dimension in space:
        value = mapping.get(dimension.key)
        if dimension.choices:
            if (text := json.dumps(value)) in dimension.choices:
                point[dimension.key] = text
            continue
        if isinstance(value, list):
            value = value[0] if value and len(set(value)) == 1 else None
        if isinstance(value, int | float) and dimension.low <= value <= dimension.high:
            point[dimension.key] = value
    return point
