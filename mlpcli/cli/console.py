"""How things are shown: results on stdout, everything else on stderr."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mlpcli.cli.text_tables import as_count
from mlpcli.errors import json_line, printable

if TYPE_CHECKING:
    from mlpcli.training.run import StepReport


class Styled(NamedTuple):
    """A text with a colour or weight, which is dropped where no terminal reads it.

    NO_COLOR (no-color.org) drops it everywhere.
    """

    text: str
    style: dict[str, Any]

    def __str__(self) -> str:
        text = printable(self.text)
        return text if os.environ.get("NO_COLOR") else click.style(text, **self.style)


def result(*parts: str | Styled) -> None:
    """Print a line of the result, or several: with nothing raw from files but line ends."""
    click.echo("".join(map(_shown, parts)))


def _shown(part: str | Styled) -> str:
    if isinstance(part, Styled):
        return str(part)
    return "\n".join(map(printable, part.split("\n")))


def note(text: str) -> None:
    """Print a line about the work."""
    click.echo(printable(text), err=True)


def result_json(value: Any) -> None:
    """Print a result for programs: one line of JSON."""
    # UTF-8 in every locale.
    click.echo(json_line(value).encode())


def styled(text: str, **style: Any) -> Styled:
    """Return a part of a result with a colour or weight."""
    return Styled(text, style)


def warn_no_better(where: object, split: str, problem: str) -> None:
    """Say of a model that it has learned nothing that helps; "" says nothing."""
    if problem:
        note(f"{where}: {split} {problem}; try another eta, more epochs, or other features")


def section(heading: str, *lines: str | Sequence[str | Styled]) -> None:
    """Print lines, or parts of lines, under a heading, after a blank line."""
    result("")
    result(styled(heading, bold=True))
    for line in lines:
        result(*([line] if isinstance(line, str) else line))


def format_accuracy(accuracy: float | None, correct: float, examples: float) -> str:
    """Return an accuracy with its counts."""
    shown = "-" if accuracy is None else f"{accuracy:.4f}"
    return f"{shown} ({as_count(correct)} of {as_count(examples)})"


def step_line(report: "StepReport") -> None:
    """Print a line for one SGD step."""
    note(f"epoch {report.epoch} step {report.step} error {report.error:.5g}")


def is_attended() -> bool:
    """Return whether somebody can be asked: a terminal both shows the question and answers."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def ask(question: str) -> bool:
    """Ask something on a terminal; whatever is not yes is no."""
    click.echo(f"{question} [y/N] ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
