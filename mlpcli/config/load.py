"""YAML to Experiment: the file's keys and values, each checked, as a frozen record."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import Any

from mlpcli.config.combinations import check_combinations
from mlpcli.config.compat import apply_compat
from mlpcli.config.presets import fill
from mlpcli.config.schema import KEYS, Experiment, origin_of
from mlpcli.config.validators import PartError, show
from mlpcli.config.yaml_core import parse_file, parse_value
from mlpcli.errors import ConfigError, did_you_mean, os_reason

# A configuration has a few hundred; a YAML file of this size is parsed in a second or two.
MOST_BYTES = 1 << 17
SYNONYMS = {
    "batch_size": "bt_size",
    "batchsize": "bt_size",
    "dataset": "data",
    "hidden_layer_sizes": "hidden",
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
    return parse_experiment(read_content(path), path, overrides)


def read_content(path: Path) -> bytes:
    """Return the bytes of a configuration, and of a larger file only enough to show that it is.

    Raises:
        ConfigError: if it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(path, os_reason(error), "give the path of a YAML experiment") from error


def parse_experiment(content: bytes, path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Check the content of a YAML experiment, as `load_experiment` does."""
    values, origins = parse_content(content, path, overrides)
    # What `mlp tune` may choose: see tuning/space.py.
    values.pop("tune", None)
    return from_given(values, origins, (path.parent,))


def parse_content(
    content: bytes, path: Path, overrides: Sequence[str] = ()
) -> tuple[dict[Any, Any], dict[str, str]]:
    """Return the plain values of a YAML experiment, overridden, and where each was given.

    Raises:
        ConfigError: if it is too large or no YAML, or an override is not KEY=VALUE.
    """
    if len(content) > MOST_BYTES:
        raise ConfigError(path, f"has more than {MOST_BYTES} bytes", "give a YAML experiment")
    values, lines = parse_file(content, path)
    origins = {name: f"{path}:{line}" for name, line in lines.items()}
    for override in overrides:
        name = _set(values, override)
        origins = {n: given for n, given in origins.items() if not n.startswith(f"{name}.")}
        origins |= dict.fromkeys((name.partition(".")[0], name), _given(override))
    return values, origins | {"": str(path)}


def from_given(
    values: Mapping[Any, Any],
    origins: Mapping[str, str],
    search_paths: tuple[Path, ...] = (Path(),),
    task: str | None = None,
) -> Experiment:
    """Make an experiment of plain values, what is left open filled in by the preset if any.

    Args:
        values: as for `from_mapping`, and so are the others.
        origins: see there.
        search_paths: see there.
        task: what is learned; None for what the values tell.

    Raises:
        ConfigError: as `from_mapping` does.
    """
    if _is_not_given("preset", values.get("preset")):
        return from_mapping(values, origins, search_paths)
    _check_value("preset", values["preset"], origins)
    # What tells the task is the same whatever it is.
    task = task or _parse(*fill(values, origins, ""), search_paths).learns
    return from_mapping(*fill(values, origins, task), search_paths)


def _set(values: dict[Any, Any], override: str) -> str:
    """Put one override in its place, and return the name of what it sets."""
    names, equals, text = override.partition("=")
    given = _given(override)
    try:
        value = parse_value(text)
    except ValueError:
        equals = ""
    if not equals or not all(names.split(".")):
        raise ConfigError(given, "is not KEY=VALUE", "write --set eta=0.1")
    if ours := SYNONYMS.get(names.lower()):
        remedy = f"write --set {shlex.quote(f'{ours}={text}')}"
        raise ConfigError(f"{given}: {names}", f"is called {ours} here", remedy)
    put(values, names, value)
    return names


def put(values: dict[Any, Any], names: str, value: Any) -> None:
    """Put a value in its place, which a dotted name says; mappings on the way there are copied."""
    *outer, last = names.split(".")
    for name in outer:
        inside = values.get(name, {})
        # `data: mnist` is short for `data: {name: mnist}`, and so for a schedule.
        values[name] = dict(inside) if isinstance(inside, dict) else {"name": inside}
        values = values[name]
    values[last] = value


def _given(override: str) -> str:
    """Return what an override is called in an error."""
    return f"--set {override if len(override) <= 200 else override[:197] + '...'}"


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
    experiment = _parse(values, origins, search_paths)
    check_combinations(experiment)
    return experiment


def _parse(
    values: Mapping[Any, Any], origins: Mapping[str, str], search_paths: tuple[Path, ...]
) -> Experiment:
    """Check each value alone and make an experiment of them."""
    for name in values:
        if name not in KEYS:
            raise _unknown_key(str(name), origin_of(origins, name))
    for name, declared in KEYS.items():
        if declared.default is MISSING and name not in values:
            example = declared.metadata["example"]
            raise ConfigError(
                origins.get("", "experiment"),
                f"key {name} is missing",
                f"add a line such as {name}: {example}",
            )
    checked = {
        name: _check_value(name, value, origins)
        for name, value in values.items()
        if not _is_not_given(name, value)
    }
    _check_sizes(checked, origins)
    if checked.get("compat"):
        apply_compat(checked, origins)
    return Experiment(**checked, origins=origins, search_paths=search_paths)


def _is_not_given(name: str, value: Any) -> bool:
    """Return whether an optional key is given as none, which stands for its default."""
    return value in (None, "none") and KEYS[name].default is not MISSING


def _check_sizes(checked: Mapping[str, Any], origins: Mapping[str, str]) -> None:
    """Make sure that `structure` is given, or `hidden` in its place.

    Raises:
        ConfigError: if neither is, or both are.
    """
    if "structure" in checked and "hidden" in checked:
        where, problem = origin_of(origins, "hidden"), "stands for structure, which is given, too"
        raise ConfigError(where, problem, "remove one of the two")
    if "structure" not in checked and "hidden" not in checked:
        where = origins.get("", "experiment")
        remedy = "add a line such as structure: [784, 32, 10], or hidden: [32]"
        raise ConfigError(where, "key structure is missing", remedy)


def _check_value(name: str, value: Any, origins: Mapping[str, str]) -> Any:
    validator, where = KEYS[name].metadata["validator"], origin_of(origins, name)
    try:
        return validator.parse(value)
    except PartError as error:
        where = origin_of(origins, f"{name}.{error.part}")
        raise ConfigError(where, error.problem, error.remedy) from None
    except (OverflowError, ValueError):
        problem = f"must be {validator.expects}, not {show(value)}"
        raise ConfigError(where, problem, f"write {_example(where, name)}") from None


def _unknown_key(name: str, where: str) -> ConfigError:
    if name.lower() in SYNONYMS:
        ours = SYNONYMS[name.lower()]
        return ConfigError(where, f"is called {ours} here", f"write {_example(where, ours)}")
    remedy = did_you_mean(name, list(KEYS)) or "see configs/README.md for the keys"
    return ConfigError(where, "there is no such key", remedy)


def _example(where: str, name: str) -> str:
    """Return how a key is given there: as a line of the file, or by `--set`."""
    example = KEYS[name].metadata["example"]
    if where.startswith("--set "):
        return f"--set {shlex.quote(f'{name}={example}')}"
    return f"{name}: {example}"
