"""What `mlp tune` may choose from: ranges and choices of keys, as YAML and `--space` give them."""

import json
import re
from collections.abc import Mapping, Sequence
from math import inf, nan
from pathlib import Path
from typing import Any, NamedTuple

from mlpcli.config.load import parse_content
from mlpcli.config.schema import KEYS, origin_of
from mlpcli.config.validators import show
from mlpcli.config.yaml_core import parse_value
from mlpcli.errors import ConfigError, MlpError
from mlpcli.tuning.template import Template

_RANGE = re.compile(r"(log:)?\s*(.+?)\.\.(.+)", re.DOTALL)
# A grid has so many values of a range.
GRID_VALUES = 5
# What decides which examples are trained on, judged and tested, so that results would not compare.
_DECIDES_EXAMPLES = {
    "seed": "use --seeds",
    "compat": "remove it",
    "validation": "use --folds",
    "task": "remove it",
}


class Dimension(NamedTuple):
    """What one key may be: a range, with both ends, or some choices."""

    key: str
    where: str
    """Where it was given, for errors."""
    low: int | float = 0
    high: int | float = 0
    log: bool = False
    """Whether a range is searched by factors, not by differences."""
    choices: tuple[Any, ...] = ()
    """YAML's values; () for a range."""

    @property
    def text(self) -> str:
        """The range or the choices as `--space` takes them."""
        listed = f"[{', '.join(map(json.dumps, self.choices))}]"
        return listed if self.choices else f"{'log:' * self.log}{self.low}..{self.high}"

    @property
    def is_whole(self) -> bool:
        """Whether a range is of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Both ends of a range, or every choice."""
        return self.choices or (self.low, self.high)

    @property
    def labels(self) -> tuple[Any, ...]:
        """What stands for each choice in a study, which knows no lists: their JSON."""
        return tuple(json.dumps(c) if isinstance(c, list | dict) else c for c in self.choices)

    def value(self, label: Any) -> Any:
        """Return the value that a study's number or label stands for."""
        return self.choices[self.labels.index(label)] if self.choices else label

    def admits(self, value: Any) -> bool:
        """Return whether a value can be chosen."""
        if self.choices:
            return value in self.choices
        return type(value) in (int, float) and self.low <= value <= self.high

    def label(self, value: Any) -> Any:
        """Return the number or label that stands for a value in a study."""
        return self.labels[self.choices.index(value)] if self.choices else value

    def grid(self) -> tuple[Any, ...]:
        """Return the choices, or at most `GRID_VALUES` values of the range, evenly spaced."""
        if self.choices:
            return self.labels
        low, high, steps = self.low, self.high, GRID_VALUES - 1
        if self.log:
            values = [low * (high / low) ** (i / steps) for i in range(steps + 1)]
        else:
            values = [low + (high - low) * i / steps for i in range(steps + 1)]
        values[-1] = high
        rounded = map(round, values) if self.is_whole else (float(f"{v:.10g}") for v in values)
        return tuple(dict.fromkeys(rounded))


Space = tuple[Dimension, ...]


def parse_space(content: bytes, path: Path, options: Sequence[str]) -> Space:
    """Return what may be chosen: the key `tune` of a file, and `--space KEY=VALUES`.

    Args:
        content: YAML.
        path: of the file, for errors.
        options: "KEY=VALUES" each, which replace the file's.

    Raises:
        ConfigError: if something is no range and no list of choices.
    """
    values, origins = parse_content(content, path)
    given = values.get("tune") or {}
    if type(given) is not dict:
        problem = f"is {show(given)}, not ranges of keys"
        raise ConfigError(origins["tune"], problem, "write tune: {eta: log:0.001..1}")
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
    return tuple(space.values())


def _dimension(key: str, value: Any, where: str) -> Dimension:
    if remedy := _DECIDES_EXAMPLES.get(key):
        problem = "decides which examples are learned and judged: results would not compare"
        raise ConfigError(where, problem, remedy)
    if key == "data" or (key.startswith("data.") and key != "data.scale"):
        problem = "says which examples there are: results would not compare"
        raise ConfigError(where, problem, "leave it as it is; data.scale may be chosen")
    if type(value) is list and value:
        return Dimension(key, where, choices=tuple(value))
    found = _RANGE.fullmatch(value) if type(value) is str else None
    low, high = map(_number, found.groups()[1:]) if found else (nan, nan)
    if inf > low >= high > -inf:
        raise ConfigError(where, f"goes from {low} to {high}", "write the lower end first")
    if found is None or not -inf < low < high < inf:
        problem = f"is {show(value)}, neither a range nor a list"
        raise ConfigError(where, problem, "write LOW..HIGH, log:LOW..HIGH or [CHOICE, ...]")
    if found[1] and low <= 0:
        problem = f"is a logarithmic range from {low}"
        raise ConfigError(where, problem, "write a LOW above 0, or leave log: out")
    if _takes_fractions(key, low, high):
        low, high = float(low), float(high)
    return Dimension(key, where, low, high, bool(found[1]))


def _takes_fractions(key: str, low: float, high: float) -> bool:
    """Return whether a key may be something between whole numbers."""
    if key not in KEYS:
        return False
    try:
        # Halfway between whole ends it is one for sure by this factor.
        KEYS[key].metadata["validator"].parse(low + (high - low) * 0.37)
    except (MlpError, OverflowError, ValueError):
        return False
    return True


def _number(text: str) -> int | float:
    """Return the number that YAML makes of a text; NaN for anything else."""
    try:
        value = parse_value(text)
    except ValueError:
        return nan
    return value if type(value) in (int, float) else nan


def check_space(template: Template, space: Space) -> None:
    """Try both ends of every range, and every choice.

    Raises:
        ConfigError: naming the first that makes no sense.
    """
    for dimension in space:
        for value in dimension.ends:
            try:
                template.experiment({dimension.key: value})
            except ConfigError as error:
                key = str(error.where).rpartition(": ")[2]
                # What is chosen of one key may contradict another.
                about = "" if key == dimension.key else f"{key} "
                problem = about + error.problem
                raise ConfigError(dimension.where, problem, error.remedy) from None


def choices_as_given(template: Template, space: Space) -> dict[str, Any]:
    """Return the choices that leave a configuration as it is, however it writes what they are.

    Args:
        template: the configuration.
        space: what `check_space` has checked.
    """
    given = _effective(template, {})
    return {
        dimension.key: dimension.label(choice)
        for dimension in space
        for choice in dimension.choices
        if _effective(template, {dimension.key: choice}) == given
    }


def _effective(template: Template, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an experiment; none, false and 0 all stand for what is left out."""
    return {key: value for key, value in template.experiment(chosen).to_mapping().items() if value}


def chosen_values(space: Space, labels: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a study's numbers and labels stand for."""
    return {d.key: d.value(labels[d.key]) for d in space if d.key in labels}
