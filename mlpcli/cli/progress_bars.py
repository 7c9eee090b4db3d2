"""Progress: a bar on a terminal, elsewhere plain lines or nothing."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlpcli.cli import console
from mlpcli.errors import printable

if TYPE_CHECKING:
    from mlpcli.training.run import EpochReport


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
        yield lambda report: console.note(" ".join(_pairs(report)))
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
                console.note(line)

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


def _tqdm() -> Any:
    """Import tqdm without its settings in the environment, which end it where they make no sense.

    They are read when it is imported.
    """
    for name in [name for name in os.environ if name.startswith("TQDM_")]:
        del os.environ[name]
    from tqdm import tqdm

    return tqdm
