"""Threads that take each step together: what is whose, and where they wait for one another.

Of every layer each thread has some of the neurons below: it alone reads and changes their weights,
and computes what these neurons pass on, so that all of it stays near its processor. What they make
of the next layer's weighted inputs together, and delta, is all that they tell one another.
"""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from mlpcli.jit import compiled
from mlpcli.nn.compiled import blas

# Numbers of a cache line, so that two threads that write do not disturb one another.
LINE = 16
# How often a thread looks for the others before it lets another process have its turn.
LOOKS = 1 << 10


def _find_yield() -> bool:
    """Give compiled code the system's function that lets others have a turn; return whether."""
    try:
        function = ctypes.CDLL(None).sched_yield
    except (TypeError, AttributeError):  # Windows has none
        return False
    binding.add_symbol("mlp_yield", ctypes.cast(function, ctypes.c_void_p).value)
    return True


YIELDS = _find_yield()
AVAILABLE = blas.SETTABLE and YIELDS
_yield = types.ExternalFunction("mlp_yield", types.int32())


@compiled
def share(n: int, me: int, team: int) -> tuple[int, int]:
    """Return where a thread's part of n things begins and ends."""
    return n * me // team, n * (me + 1) // team


def new_meeting(team: int) -> NDArray[np.int64]:
    """Return what `meet` counts in: arrivals of all, and for each thread those that it awaits."""
    return np.zeros((team + 1, LINE), np.int64)


@compiled
def meet(meeting: NDArray[np.int64], me: int, team: int) -> None:
    """Wait until every thread of the team is here; what each has written before, all see then."""
    if team == 1:
        return
    meeting[me + 1, 0] += team
    awaited, looks = meeting[me + 1, 0], 0
    _arrive(meeting)
    while _arrived(meeting) < awaited:
        looks += 1
        if YIELDS and looks > LOOKS:
            _yield()


@intrinsic  # type: ignore[untyped-decorator] # numba has no types
def _arrive(_: Any, meeting: Any) -> Any:
    """Add 1 to the first number of an array, as one operation among threads."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        counter = _counter(context, builder, signature, arguments)
        return builder.atomic_rmw("add", counter, ir.IntType(64)(1), "seq_cst")

    return types.int64(meeting), write


@intrinsic  # type: ignore[untyped-decorator]
def _arrived(_: Any, meeting: Any) -> Any:
    """Return the first number of an array as it is in memory now."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        counter = _counter(context, builder, signature, arguments)
        return builder.load_atomic(counter, "acquire", 8)

    return types.int64(meeting), write


def _counter(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Return where the first number of the array is that such a function is given."""
    return context.make_array(signature.args[0])(context, builder, arguments[0]).data


class Team:
    """A number of threads, this one being the first; the others wait between calls."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._others = ThreadPoolExecutor(size - 1, "mlp-step") if size > 1 else None
        if self._others:
            # All start now: one that could not would let the others wait in compiled code.
            together = Barrier(size)
            for _ in range(size - 1):
                self._others.submit(together.wait)
            together.wait()

    def call(self, function: Callable[[int], Any]) -> Any:
        """Call a function of the thread's number in all of them; return what it gave the first."""
        if not self._others:
            return function(0)
        with blas.one_thread():
            others = [self._others.submit(function, i) for i in range(1, self.size)]
            result = function(0)
            for other in others:
                other.result()
        return result
