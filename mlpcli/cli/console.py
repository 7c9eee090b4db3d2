"""How things are shown: results on stdout, everything else on stderr."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from mlpcli.cli.text_tables import as_count
from mlpcli.errors import json_line, printable

if TYPE_CHECKING:
    from mlpcli.training.run import EpochReport, StepReport


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


@contextmanager
def epochs(
    total: int, done: int, quiet: bool, plain: bool
) -> Iterator[Callable[["EpochReport"], None]]:
    """Show epochs as they end: a bar on a terminal, plain lines elsewhere.

    Args:
        total: how many epochs there will be.
        done: how many of them a resumed run has behind it.
        quiet: show nothing at all.
        plain: show lines on a terminal, too.
    """
    if quiet:
        yield lambda _: None
        return
    if plain or sys.stderr is None or not sys.stderr.isatty():
        yield lambda report: note(" ".join(_pairs(report)))
        return
    with _tqdm()(
        total=total, initial=done, unit="epoch", file=sys.stderr, dynamic_ncols=True
    ) as shown:

        def show(report: "EpochReport") -> None:
            speed = report.examples / report.seconds
            pairs = ", ".join(_pairs(report)[1:])
            shown.set_postfix_str(f"{pairs}, {speed:,.0f} examples/s", False)
            shown.update()

        yield show


@contextmanager
def trials(total: int, quiet: bool) -> Iterator[Callable[[int, str, Sequence[str]], None]]:
    """Show trials of a search as they end: a bar on a terminal, plain lines elsewhere.

    Yields:
        What to tell how many have ended, what the best is, and a line for each that is new.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():

        def show_lines(_ended: int, _best: str, lines: Sequence[str]) -> None:
            for line in () if quiet else lines:
                note(line)

        yield show_lines
        return
    with _tqdm()(total=total, unit="trial", file=sys.stderr, dynamic_ncols=True) as shown:

        def show(ended: int, best: str, _: Sequence[str]) -> None:
            shown.set_postfix_str(printable(best), False)
            shown.update(ended - shown.n)

        yield show


def _pairs(report: "EpochReport") -> list[str]:
    """Return an epoch's names and values, from `epoch` and `error` on."""
    row = {name: value for name, value in report.row.items() if name != "eta"}
    return [f"{name} {value:.5g}" for name, value in row.items()]


@contextmanager
def transfer(label: str, size: int, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show bytes as they arrive: a bar on a terminal, nothing elsewhere.

    Yields:
        What to tell how many bytes are there, and how many of them were when the transfer began.
    """
    disable = quiet or sys.stderr is None or not sys.stderr.isatty()
    with _tqdm()(total=size, desc=label, unit="B", unit_scale=True, disable=disable) as shown:

        def show(there: int, began: int) -> None:
            if disable:
                return
            if began != shown.initial or there < shown.n:
                # The rate counts from here.
                shown.initial = shown.n = shown.last_print_n = began
                shown.start_t = shown.last_print_t = time.time()
            shown.update(there - shown.n)

        yield show


def is_attended() -> bool:
    """Return whether somebody can be asked: a terminal both shows the question and answers."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def ask(question: str) -> bool:
    """Ask something on a terminal; whatever is not yes is no."""
    click.echo(f"{question} [y/N] ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _tqdm() -> Any:
    """Import tqdm without its settings in the environment, which end it where they make no sense.

    They are read when it is imported.
    """
    for name in [name for name in os.environ if name.startswith("TQDM_")]:
        del os.environ[name]
    from tqdm import tqdm

    return tqdm
