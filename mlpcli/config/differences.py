"""What sets experiments apart: the keys whose values are not the same in all."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlpcli.config.schema import Experiment


def differing_keys(
    experiments: Sequence[Experiment], ignored: Sequence[str] = ()
) -> dict[str, list[Any]]:
    """Return the values of each key that differs, one per experiment; None where it is not given.

    Args:
        experiments: one or more.
        ignored: keys that make no difference.

    Returns:
        By KEY, or KEY.PART of one that is a mapping.
    """
    given = [dict(_parts(experiment.to_mapping())) for experiment in experiments]
    keys = dict.fromkeys(key for values in given for key in values if key not in ignored)
    found = {key: [values.get(key) for values in given] for key in keys}
    return {key: values for key, values in found.items() if values.count(values[0]) < len(values)}


def _parts(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a mapping, and those of mappings in it, by dotted key."""
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from _parts(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def shown(value: Any) -> str:
    """Return a value of `differing_keys` as a text."""
    return "–" if value is None else str(value)
