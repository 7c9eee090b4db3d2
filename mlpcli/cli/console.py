"""How things are shown: results on stdout, everything else on stderr."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mlpcli.training.run import EpochReport, StepReport


def result(text: str) -> None:
    """Print a line of the result."""
    click.echo(text)


def note(text: str) -> None:
    """Print a line about the work."""
    click.echo(text, err=True)


def result_json(value: Any) -> None:
    """Print a result for programs: one line of JSON."""
    import json

    # JSON is UTF-8 in every locale; what is no character becomes an escape of its own.
    click.echo(json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace"))


def styled(text: str, **style: Any) -> str:
    """Return a text with a colour or weight, which is dropped where no terminal reads it.

    NO_COLOR (no-color.org) drops it everywhere.
    """
    return text if os.environ.get("NO_COLOR") else click.style(text, **style)


def section(heading: str, *lines: str) -> None:
    """Print lines under a heading, after a blank line."""
    for line in ("", styled(heading, bold=True), *lines):
        result(line)


def format_accuracy(accuracy: float | None, correct: int, examples: int) -> str:
    """Return an accuracy with its counts."""
    shown = "-" if accuracy is None else f"{accuracy:.4f}"
    return f"{shown} ({correct} of {examples})"


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
    from tqdm import tqdm

    with tqdm(
        total=total, initial=done, unit="epoch", file=sys.stderr, dynamic_ncols=True
    ) as shown:

        def show(report: "EpochReport") -> None:
            speed = report.examples / report.seconds
            pairs = ", ".join(_pairs(report)[1:])
            shown.set_postfix_str(f"{pairs}, {speed:,.0f} examples/s", False)
            shown.update()

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
    from tqdm import tqdm

    disable = quiet or sys.stderr is None or not sys.stderr.isatty()
    with tqdm(total=size, desc=label, unit="B", unit_scale=True, disable=disable) as shown:

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
