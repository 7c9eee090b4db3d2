"""The history file of `mlp train`: a row per epoch, CSV or JSON lines by its name."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpcli.errors import ConfigError

if TYPE_CHECKING:
    from mlpcli.training import EpochReport

COLUMNS = (
    "epoch",
    "error",
    "validation_error",
    "validation_accuracy",
    "eta",
    "seconds",
    "examples_per_second",
)


@contextmanager
def history_file(
    path: Path | None, done: Sequence[dict[str, Any]] = ()
) -> Iterator[Callable[["EpochReport"], None]]:
    """Write a row per epoch as it ends, each flushed.

    Args:
        path: a .csv or .jsonl file; None for no history.
        done: rows of the epochs that a resumed run has behind it. Their lines are kept where the
            file has them; lines of later epochs, which will be run again, are dropped.

    Raises:
        ConfigError: if the name is another one.
    """
    if path is None:
        yield lambda _: None
        return
    if path.suffix not in (".csv", ".jsonl"):
        raise ConfigError(f"--history {path}", "ends in neither .csv nor .jsonl", "name it so")
    line_of = _json_line if path.suffix == ".jsonl" else _csv_line
    kept = _lines_by_epoch(path) if done else {}
    with path.open("w", encoding="utf-8", newline="") as stream:
        if path.suffix == ".csv":
            stream.write(",".join(COLUMNS) + "\n")
        for row in done:
            stream.write(kept.get(row["epoch"]) or line_of(row))
        stream.flush()

        def write(report: "EpochReport") -> None:
            pace = round(report.examples / report.seconds, 1)
            times = {"seconds": round(report.seconds, 6), "examples_per_second": pace}
            stream.write(line_of(report.row | times))
            stream.flush()

        yield write


def _csv_line(row: dict[str, Any]) -> str:
    cells = [row.get(name) for name in COLUMNS]
    return ",".join("" if cell is None else repr(cell) for cell in cells) + "\n"


def _json_line(row: dict[str, Any]) -> str:
    return json.dumps({name: row.get(name) for name in COLUMNS}) + "\n"


def _lines_by_epoch(path: Path) -> dict[int, str]:
    """Return the whole lines of a history file by their epoch."""
    lines = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    for line in text.splitlines(keepends=True):
        try:
            epoch = json.loads(line)["epoch"] if line[0] == "{" else int(line.split(",")[0])
        except (ValueError, KeyError, TypeError):
            continue
        if line.endswith("\n"):
            lines[epoch] = line
    return lines
