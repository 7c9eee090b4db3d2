"""A configuration of which some keys are yet to be chosen."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mlpcli.config.load import from_given, parse_content, put
from mlpcli.config.schema import Experiment
from mlpcli.config.yaml_core import to_yaml


class Template(NamedTuple):
    """A configuration as plain values, to be changed in some keys."""

    values: dict[Any, Any]
    origins: dict[str, str]
    folder: Path
    """What its paths are relative to."""

    def experiment(self, chosen: Mapping[str, Any]) -> Experiment:
        """Return the experiment with some keys as chosen.

        Raises:
            ConfigError: if what is chosen makes no sense.
        """
        return from_given(self.filled(chosen), self.origins, (self.folder,))

    def filled(self, chosen: Mapping[str, Any]) -> dict[Any, Any]:
        """Return the values with some keys, which may be dotted, as chosen."""
        values = dict(self.values)
        for key, value in chosen.items():
            if key == "hidden":
                self._set_hidden(values, value)
            else:
                if key == "structure":
                    values.pop("hidden", None)
                put(values, key, value)
        return values

    def _set_hidden(self, values: dict[Any, Any], value: Any) -> None:
        """Give the hidden layers these sizes, or all of them one, however the file writes them."""
        if not isinstance(value, list):
            value = [value] * (self.experiment({}).hidden_layers or 1)
        structure = values.get("structure")
        if isinstance(structure, list):
            values["structure"] = [structure[0], *value, structure[-1]]
        else:
            values["hidden"] = value

    def yaml(self, chosen: Mapping[str, Any], folder: Path) -> str:
        """Return the configuration as YAML, keys as chosen, with paths as seen from a folder."""
        filled = self.filled(chosen).items()
        values = {k: v for k, v in filled if v is not None or k in self.values}
        data = values.get("data")
        if isinstance(data, dict):
            values["data"] = {name: self._seen_from(folder, part) for name, part in data.items()}
        if "validation" in values:
            values["validation"] = self._seen_from(folder, values["validation"])
        return to_yaml(values)

    def _seen_from(self, folder: Path, value: Any) -> Any:
        """Return a path relative to the configuration as one relative to a folder."""
        if not isinstance(value, str) or Path(value).is_absolute():
            return value
        path = self.folder / value
        return Path(os.path.relpath(path, folder)).as_posix() if path.exists() else value


def read_template(content: bytes, path: Path, overrides: tuple[str, ...]) -> Template:
    """Return a configuration, without what may be chosen of it.

    Raises:
        ConfigError: if it is not YAML, or an override is not KEY=VALUE.
    """
    values, origins = parse_content(content, path, overrides)
    values.pop("tune", None)
    return Template(values, origins, path.parent)
