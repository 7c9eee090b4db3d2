"""Signals that ask for an end: none is lost, whatever code it comes upon.

A signal is noted and raised as `Interrupted`, which also ends a read that waits. Foreign code may
swallow what is raised in it (NumPy makes a ValueError of it in a converter, a finaliser prints it):
`check` raises what was noted again. A run that saves its work defers all that.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from mlpcli.errors import Interrupted, Killed

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_noted: list[int] = []


def install() -> None:
    """Note and raise signals, but for those that the caller's shell had ignored."""
    _noted.clear()
    for number in SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _raise)


def uninstall() -> None:
    """Let signals end the process at once: there is nothing to be cleared away any more."""
    for number in SIGNALS:
        if signal.getsignal(number) is _raise:
            signal.signal(number, signal.SIG_DFL)


def check() -> None:
    """Raise the signal that has come, if foreign code has swallowed it: call it between chunks.

    Raises:
        Interrupted: if one has come.
    """
    if _noted:
        raise Interrupted(_noted[0])


def _raise(number: int, _: FrameType | None) -> NoReturn:
    _noted.append(number)
    raise Interrupted(number)


@contextmanager
def defer_signals() -> Iterator[list[signal.Signals]]:
    """Note the first signal that asks for an end; a second one is an error wherever it comes.

    Files that are not whole, and locks, are then removed on the way out; a third signal ends the
    process without that.

    A signal that the caller's shell had ignored stays ignored (`nohup`, jobs in the background).
    A closed pipe is an error of the write here, not the end of the process.

    Yields:
        A list that the signal is put into.

    Raises:
        Killed: at the second signal.
    """
    received: list[signal.Signals] = []
    before: dict[signal.Signals, Any] = {}

    def note(number: int, _: FrameType | None) -> None:
        if received:
            for other in before:
                signal.signal(other, signal.SIG_DFL)
            raise Killed(number)
        received.append(signal.Signals(number))

    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, note)
    pipe = getattr(signal, "SIGPIPE", None)
    pipe_before = signal.signal(pipe, signal.SIG_IGN) if pipe is not None else None
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if pipe is not None:
            signal.signal(pipe, pipe_before)
