"""The history file of `mlp train`: a row per epoch, CSV or JSON lines by its name."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

from mlpcli import atomic
from mlpcli.config.schema import VALIDATION_METRICS
from mlpcli.errors import ConfigError, MlpError, OutputError, os_reason
from mlpcli.training.run import EpochReport


def history_columns(task: str) -> tuple[str, ...]:
    """Return the columns of the history of a task, in whose rows some may be empty."""
    validation = ("validation_error", f"validation_{VALIDATION_METRICS[task]}")
    return ("epoch", "error", *validation, "eta", "seconds", "examples_per_second")


# In bytes; numbers take a fraction of it.
LONGEST_ROW = 1 << 12


def check_history(path: Path, columns: tuple[str, ...]) -> None:
    """Make sure that a file that is to hold the history is new, empty, or a history already.

    Raises:
        ConfigError: if it holds anything else, which would be lost.
    """
    # A device, or a pipe, holds nothing that could be lost.
    if not path.is_file():
        return
    try:
        with path.open("rb") as stream:
            line = stream.readline(LONGEST_ROW)
    except OSError:
        return  # Who opens it for writing says what is wrong.
    if line and not _is_history(line, path.suffix, columns):
        remedy = "add --overwrite to replace it, or choose another name"
        raise ConfigError(f"--history {path}", "exists and holds no history of mlp train", remedy)


def _is_history(line: bytes, suffix: str, columns: tuple[str, ...]) -> bool:
    """Return whether a file's first line is that of a history of this kind."""
    if suffix == ".csv":
        return line.strip() == ",".join(columns).encode()
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and tuple(row) == columns


@contextmanager
def history_file(
    path: Path | None, done: Sequence[dict[str, Any]], columns: tuple[str, ...]
) -> Iterator[Callable[[EpochReport], None]]:
    """Write a row per epoch as it ends.

    Args:
        path: a .csv or .jsonl file; None for no history.
        done: rows of the epochs that a resumed run has behind it. Their lines are kept where the
            file has them; lines of later epochs, which will be run again, are dropped.
        columns: what `history_columns` returned.

    Raises:
        ConfigError: if the name is another one.
        OutputError: if it cannot be opened for writing.
        MlpError: when a row cannot be written.
    """
    if path is None:
        yield lambda _: None
        return
    if path.suffix not in (".csv", ".jsonl"):
        raise ConfigError(f"--history {path}", "ends in neither .csv nor .jsonl", "name it so")
    csv = path.suffix == ".csv"
    line_of = _csv_line if csv else _json_line
    heading = ",".join(columns) + "\n" if csv else ""
    if done:
        kept = _lines_by_beginning(path)
        lines = (line_of(row, columns) for row in done)
        text = heading + "".join(kept.get(_beginning(line), line) for line in lines)
        # Not cut and written anew: a process that ends amid that would lose what was there.
        atomic.write(path, text.encode(), "--history")
    with _opened(path, "ab" if done else "wb") as stream:

        def put(text: str) -> None:
            content = text.encode()
            try:
                while content:
                    content = content[stream.write(content) :]
            except OSError as error:
                problem = f"cannot be written: {os_reason(error)}"
                raise MlpError(path, problem, "check the disk") from error

        def write(report: EpochReport) -> None:
            pace = round(report.examples / report.seconds, 1)
            times = {"seconds": round(report.seconds, 6), "examples_per_second": pace}
            put(line_of(report.row | times, columns))

        if not done:
            put(heading)
        yield write


def _opened(path: Path, mode: str) -> FileIO:
    try:
        # Unbuffered: nothing is left to be written, or to fail, when it is closed.
        return FileIO(path, mode)
    except OSError as error:
        problem = f"cannot be written: {os_reason(error)}"
        raise OutputError(path, problem, "choose another place with --history") from error


def _csv_line(row: dict[str, Any], columns: tuple[str, ...]) -> str:
    cells = [row.get(name) for name in columns]
    return ",".join("" if cell is None else repr(cell) for cell in cells) + "\n"


def _json_line(row: dict[str, Any], columns: tuple[str, ...]) -> str:
    return json.dumps({name: row.get(name) for name in columns}) + "\n"


def _beginning(line: str) -> str:
    """Return what a line says of its epoch, without the timings at its end."""
    return line.rpartition(', "seconds"')[0] if line[0] == "{" else line.rsplit(",", 2)[0]


def _lines_by_beginning(path: Path) -> dict[str, str]:
    """Return the whole lines of a history file by what they say of their epochs."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    lines = text.splitlines(keepends=True)
    return {_beginning(line): line for line in lines if line.endswith("\n")}
