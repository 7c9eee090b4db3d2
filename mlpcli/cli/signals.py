"""Stopping a run: a signal is noted, and acted on when the mini-batch is finished."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from mlpcli.errors import Killed

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


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

    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
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
