"""Options that several subcommands share."""

import os
import re
from pathlib import Path

import click

from mlpcli.errors import ConfigError

PATH = click.Path(path_type=Path)


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
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def column(given: str | None) -> str | int | None:
    """Return a column given on the command line: its position if it is a number, or its name."""
    # No table has more columns than 18 digits count, and Python reads no more than 4300.
    return int(given) if given and re.fullmatch(r"-?[0-9]{1,18}", given) else given


def check_top_k(k: int | None, classes: int) -> None:
    """Refuse a --top-k of more classes than there are."""
    if k and k > classes:
        raise ConfigError(
            "--top-k", f"{k} is more than the {classes} classes", f"write {classes} or less"
        )
