"""A model as one Python module that needs only the standard library."""

import re
from importlib import import_module
from pathlib import Path
from pprint import pformat
from typing import Any

from mlpcli.export import standalone
from mlpcli.export.steps import Steps, to_mapping

BASE64_COLUMNS = 76
IMPORT = re.compile(r"^from (mlpcli\.\S+) import .*\n+", re.MULTILINE)
PLACE = "MODEL: dict[str, Any] = {}\n"


def render(steps: Steps, about: str) -> str:
    """Return the text of a module that predicts what a model does.

    It is `standalone.py`, with the steps in it, and all that it imports of mlp.

    Args:
        steps: the model.
        about: a line for its docstring, of printable ASCII.
    """
    head, rest = _source(standalone.__name__)
    before, after = rest.split(PLACE)
    model, repeat = _folded(to_mapping(steps)), ""
    if len(set(steps.columns)) == 1:
        model["columns"] = model["columns"][:1]
        repeat = f'MODEL["columns"] *= {len(steps.columns)}\n'
    literal = pformat(model, width=100, sort_dicts=False)
    return (
        f'{head}\n\n{about}\n"""\n{before}MODEL: dict[str, Any] = (\n{literal}\n)\n{repeat}{after}'
    )


def _source(module: str) -> tuple[str, str]:
    """Return a module's docstring, without the quotes after it, and the rest of its text.

    In place of what it imports of mlp there is the text of that, without its docstring.
    """
    text = Path(str(import_module(module).__file__)).read_text(encoding="utf-8")
    head, rest = text.split('"""\n', 1)
    return head, IMPORT.sub(lambda found: _source(found[1])[1].lstrip("\n") + "\n\n", rest)


def _folded(value: Any) -> Any:
    """Return JSON values whose base64 has line ends, at which `pformat` breaks it."""
    if isinstance(value, list):
        return [_folded(part) for part in value]
    if not isinstance(value, dict):
        return value
    folded = {name: _folded(part) for name, part in value.items()}
    if "base64" in folded:
        text = folded["base64"]
        starts = range(0, len(text), BASE64_COLUMNS)
        folded["base64"] = "".join(text[i : i + BASE64_COLUMNS] + "\n" for i in starts)
    return folded
