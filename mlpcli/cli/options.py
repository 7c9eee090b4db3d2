"""Options that several subcommands share."""

import os
import re
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpcli.errors import ConfigError

if TYPE_CHECKING:
    from mlpcli.config.other_data import Written
    from mlpcli.model import Model

PATH = click.Path(path_type=Path)


def together(*decorators: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that does what several do, the first of them outermost."""

    def decorate(command: Callable[..., Any]) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _default_data_dir() -> Path:
    if folder := os.environ.get("MLP_DATA_DIR"):
        return Path(folder)
    cache = os.environ.get("XDG_CACHE_HOME")
    # Not Path.home, which fails where there is none.
    return Path(cache or os.path.expanduser("~/.cache")) / "mlp"  # noqa: PTH111


data_dir = click.option(
    "--data-dir",
    type=PATH,
    default=_default_data_dir,
    show_default="MLP_DATA_DIR, else ~/.cache/mlp",
    help="Folder with one sub-folder per downloaded dataset.",
)
weights = click.option(
    "--weights", type=PATH, required=True, metavar="W.npy", help="Checkpoint written by mlp train."
)
split = click.option(
    "--split",
    type=click.Choice(["test", "train"]),
    help="Which examples to evaluate on.  [default: test]",
)
data = click.option("--data", type=PATH, metavar="FILE", help="Evaluate on these instead.")
target = click.option(
    "--target", metavar="WHERE", help="Classes of --data: a column, or a file of labels."
)
decimal = click.option(
    "--decimal",
    type=click.Choice([".", ","]),
    help="What its numbers have before decimals.  [default: as in training]",
)
delimiter = click.option(
    "--delimiter",
    type=click.Choice([",", ";", "tab", "|", "space"]),
    help="What is between its cells.  [default: as in training]",
)
unknown = click.option(
    "--unknown",
    type=click.Choice(["error", "ignore"]),
    help="What a category is that was not seen in training.  [default: as in training]",
)
report = click.option(
    "--report", type=PATH, metavar="FILE", help="Write a page on the model, as mlp report does."
)
engine = click.option(
    "--engine",
    type=click.Choice(("auto", "numpy", "numba")),
    default="auto",
    show_default=True,
    envvar="MLP_ENGINE",
    help="What computes: auto is numba where it is installed and has steps, or a large update, "
    "to compile; a run that is resumed or verified keeps its own.  [env: MLP_ENGINE]",
)
overrides = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of CONFIG; VALUE is YAML, KEY may be dotted. Repeatable.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def load_model(weights: Path, unknown: str | None) -> "Model":
    """Return the model of --weights, which takes categories as --unknown says; None as in training.

    Raises:
        CheckpointError: as `store.load` does.
    """
    from mlpcli.checkpoint import store

    model = store.load(weights)
    if unknown:
        model.encoding = model.encoding._replace(unknown=unknown)
    return model


def column(given: str | None) -> str | int | None:
    """Return a column given on the command line: its position if it is a number, or its name."""
    # No table has more columns than 18 digits count, and Python reads no more than 4300.
    return int(given) if given and re.fullmatch(r"-?[0-9]{1,18}", given) else given


def columns(given: Sequence[str]) -> str | int | tuple[str | int, ...] | None:
    """Return one column given on the command line, or several; None for none."""
    found = tuple(name for name in map(column, given) if name is not None)
    return found if len(found) > 1 else found[0] if found else None


def written(decimal: str | None, delimiter: str | None, has_table: bool = True) -> "Written":
    """Return what --decimal and --delimiter say of a table.

    Raises:
        ConfigError: if they are given, but no table is.
    """
    from mlpcli.config.other_data import Written

    for option, given in (("--decimal", decimal), ("--delimiter", delimiter)):
        if given and not has_table:
            raise ConfigError(option, "is about the table of --data", "add --data FILE")
    return Written(decimal, {"tab": "\t", "space": " "}.get(delimiter or "", delimiter))


def examples(command: Callable[..., Any]) -> Any:
    """Add the options that say on which examples a model is evaluated: a command gets them as `on`.

    Raises:
        ConfigError: from the command, if they contradict one another.
    """

    @wraps(command)
    def with_examples(
        *,
        data_dir: Path,
        split: str | None,
        data: Path | None,
        target: str | None,
        decimal: str | None,
        delimiter: str | None,
        **others: Any,
    ) -> Any:
        from mlpcli.config.other_data import EvaluationData

        if split and data:
            problem = "is of the checkpoint's own data, but --data gives other examples"
            raise ConfigError("--split", problem, "leave out one of the two")
        if target and not data:
            raise ConfigError("--target", "is about the examples of --data", "add --data FILE")
        how = written(decimal, delimiter, data is not None)
        on = EvaluationData(data_dir, split or "test", data, column(target), how)
        return command(on=on, **others)

    options = (data_dir, split, data, target, decimal, delimiter)
    return together(*options)(with_examples)


def column_list(given: Sequence[str]) -> tuple[str | int, ...]:
    """Return the columns of a repeatable option, several of which may be in one, with commas."""
    parts = (part.strip() for text in given for part in text.split(","))
    return tuple(name for name in map(column, parts) if name is not None and name != "")


def check_top_k(k: int | None, classes: int, task: str = "classification") -> None:
    """Refuse a --top-k of more classes than there are, or of what are no classes."""
    if k and task != "classification":
        raise ConfigError("--top-k", f"is about classes, but task is {task}", "leave it out")
    if k and k > classes:
        raise ConfigError(
            "--top-k", f"{k} is more than the {classes} classes", f"write {classes} or less"
        )
