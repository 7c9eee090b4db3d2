"""A reader of pickled lists of arrays that makes, imports and calls nothing.

Python's unpickler calls what a file names, and NumPy's own functions trust the state that they are
given. Here a pickle is a program for a small machine that knows the opcodes and the names of lists
of arrays, of the protocols 2 to 5, and no others; whatever the program asks to have made stays a
record, `Made`. What the records mean is for the caller to say.

A step reads on and never back, and adds at most one value, so that time and memory grow with the
size of the pickle. Values may hold one another, or themselves: never compare, hash or print one
before its type is known.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NoReturn

import numpy as np

# A layer takes about 60 steps, and a checkpoint's header names no 300 layers.
MAX_STEPS = 100_000
# No two lines that name something known are longer.
MAX_NAMES = 80
# The first opcode, and the protocol.
PROTOCOLS = (b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5")


class PickleError(Exception):
    """A pickle that is damaged, or no list of arrays."""


class Known(Enum):
    """What a list of arrays may name."""

    RECONSTRUCT = auto()
    FROMBUFFER = auto()
    NDARRAY = auto()
    DTYPE = auto()
    ENCODE = auto()
    BYTES = auto()


NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): Known.RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): Known.RECONSTRUCT,
    ("numpy.core.numeric", "_frombuffer"): Known.FROMBUFFER,
    ("numpy._core.numeric", "_frombuffer"): Known.FROMBUFFER,
    ("numpy", "ndarray"): Known.NDARRAY,
    ("numpy", "dtype"): Known.DTYPE,
    # Protocol 2 has no bytes: it writes them as text to be encoded, and none as bytes().
    ("_codecs", "encode"): Known.ENCODE,
    ("__builtin__", "bytes"): Known.BYTES,
}


@dataclass(eq=False, repr=False, slots=True)
class Made:
    """What a pickle asks to have made.

    Args:
        function: what would be called.
        arguments: with what.
        state: what the result would be given then.
    """

    function: Known
    arguments: tuple[object, ...]
    state: object = None


@dataclass(eq=False, repr=False, slots=True)
class _Machine:
    """A pickle's reader: where it is, and what it has put down.

    Args:
        content: the pickle.
        at: the position of the next byte.
        frame_end: where the current frame ends.
        stack: the values since the last mark.
        marked: the values before it, a list for each mark.
        memo: the values to be used again.
    """

    content: memoryview
    at: int = 0
    frame_end: int = 0
    stack: list[object] = field(default_factory=list)
    marked: list[list[object]] = field(default_factory=list)
    memo: dict[int, object] = field(default_factory=dict)


def unpickle(content: memoryview) -> object:
    """Return what a pickle holds, of None, bool, int, str, memoryview, tuple, list, Known and Made.

    Args:
        content: the pickle and nothing after it. Bytes in it are returned as views of it.

    Raises:
        PickleError: if it is damaged, too long, or asks for what no list of arrays needs.
    """
    machine = _Machine(content)
    if bytes(_take(machine, 2)) not in PROTOCOLS:
        raise PickleError("is no pickle of the protocols 2 to 5")
    try:
        for _ in range(MAX_STEPS):
            start = machine.at
            opcode = bytes(_take(machine, 1))
            if opcode == b".":
                return _result(machine)
            STEPS.get(opcode, _unknown)(machine)
            if start < machine.frame_end < machine.at:
                _damaged("a frame ends amid an opcode")
    except LookupError:
        _damaged("it uses what it never put down")
    except UnicodeDecodeError:
        _damaged("its text is not UTF-8")
    raise PickleError(f"takes more than {MAX_STEPS:,} steps to read")


def _damaged(how: str) -> NoReturn:
    raise PickleError(f"is damaged: {how}")


def _result(machine: _Machine) -> object:
    if machine.at != len(machine.content):
        _damaged("something follows its end")
    if machine.marked or len(machine.stack) != 1:
        _damaged("it leaves values unused")
    return machine.stack[0]


def _take(machine: _Machine, count: int) -> memoryview:
    """Return the next bytes, and move behind them."""
    start, stop = machine.at, machine.at + count
    if stop > len(machine.content):
        _damaged("it ends early")
    machine.at = stop
    return machine.content[start:stop]


# What follows an opcode, or is on the stack, becomes a value.
Value = Callable[[_Machine], object]
Step = Callable[[_Machine], None]


def _number(width: int, signed: bool = False) -> Callable[[_Machine], int]:
    return lambda machine: int.from_bytes(_take(machine, width), "little", signed=signed)


def _counted(width: int) -> Callable[[_Machine], memoryview]:
    return lambda machine: _take(machine, _number(width)(machine))


def _long(machine: _Machine) -> int:
    return int.from_bytes(_counted(1)(machine), "little", signed=True)


def _text(width: int) -> Callable[[_Machine], str]:
    def value(machine: _Machine) -> str:
        encoded = _counted(width)(machine)
        # Names are ASCII and bytes are latin1: one other character would make text four times as
        # large as its UTF-8, where the bytes of latin1 end at 0xC3.
        if np.frombuffer(encoded, np.uint8).max(initial=0) > 0xC3:
            _damaged("its text is not latin1")
        return str(encoded, "utf-8")

    return value


def _to_mark(machine: _Machine) -> list[object]:
    values, machine.stack = machine.stack, machine.marked.pop()
    return values


def _last(count: int) -> Value:
    return lambda machine: tuple([machine.stack.pop() for _ in range(count)][::-1])


def _got(key: Callable[[_Machine], int]) -> Value:
    return lambda machine: machine.memo[key(machine)]


def _named(machine: _Machine) -> Known:
    text = bytes(machine.content[machine.at : machine.at + MAX_NAMES]).decode("latin1")
    module, _, rest = text.partition("\n")
    name, newline, _ = rest.partition("\n")
    if not newline:
        _damaged("it names nothing that is known")
    machine.at += len(module) + len(name) + 2
    return _known(module, name)


def _stacked(machine: _Machine) -> Known:
    name, module = machine.stack.pop(), machine.stack.pop()
    # Of tuples in tuples, the hash that a look-up takes would overflow the stack.
    if not (isinstance(module, str) and isinstance(name, str)):
        _damaged("a name is no text")
    return _known(module, name)


def _known(module: str, name: str) -> Known:
    if found := NAMES.get((module, name)):
        return found
    asked = f"{module[:40]}.{name[:40]}"
    raise PickleError(f"asks for {asked!r}, which no list of arrays needs, and which was not run")


def _called(machine: _Machine) -> Made:
    arguments, function = machine.stack.pop(), machine.stack.pop()
    if not (isinstance(function, Known) and isinstance(arguments, tuple)):
        _damaged("it calls what is no function")
    return Made(function, arguments)


def _push(value: Value) -> Step:
    def step(machine: _Machine) -> None:
        found = value(machine)  # which may leave another stack
        machine.stack.append(found)

    return step


def _put(key: Callable[[_Machine], int]) -> Step:
    def step(machine: _Machine) -> None:
        machine.memo[key(machine)] = machine.stack[-1]

    return step


def _mark(machine: _Machine) -> None:
    machine.marked.append(machine.stack)
    machine.stack = []


def _extend(values: Callable[[_Machine], list[object]]) -> Step:
    def step(machine: _Machine) -> None:
        found = values(machine)
        target = machine.stack[-1]
        if not isinstance(target, list):
            _damaged("it appends to what is no list")
        target.extend(found)

    return step


def _build(machine: _Machine) -> None:
    state, made = machine.stack.pop(), machine.stack[-1]
    if not isinstance(made, Made) or made.state is not None:
        _damaged("it gives a state to what takes none")
    made.state = state


def _frame(machine: _Machine) -> None:
    # Before the length is read: the frame counts from after it.
    inside = machine.at - 1 < machine.frame_end
    machine.frame_end = _number(8)(machine) + machine.at
    if inside or machine.frame_end > len(machine.content):
        _damaged("a frame is longer than what holds it")


def _unknown(machine: _Machine) -> NoReturn:
    opcode = machine.content[machine.at - 1]
    raise PickleError(f"uses the pickle opcode 0x{opcode:02x}, which no list of arrays needs")


STEPS: dict[bytes, Step] = {
    b"N": _push(lambda _: None),
    b"\x88": _push(lambda _: True),
    b"\x89": _push(lambda _: False),
    b"K": _push(_number(1)),
    b"M": _push(_number(2)),
    b"J": _push(_number(4, signed=True)),
    b"\x8a": _push(_long),
    b"C": _push(_counted(1)),
    b"B": _push(_counted(4)),
    b"\x8e": _push(_counted(8)),
    b"\x96": _push(_counted(8)),  # a bytearray
    b"\x8c": _push(_text(1)),
    b"X": _push(_text(4)),
    b"\x8d": _push(_text(8)),
    b")": _push(lambda _: ()),
    b"\x85": _push(_last(1)),
    b"\x86": _push(_last(2)),
    b"\x87": _push(_last(3)),
    b"t": _push(lambda machine: tuple(_to_mark(machine))),
    b"]": _push(lambda _: []),
    b"(": _mark,
    b"a": _extend(lambda machine: [machine.stack.pop()]),
    b"e": _extend(_to_mark),
    b"q": _put(_number(1)),
    b"r": _put(_number(4)),
    b"\x94": _put(lambda machine: len(machine.memo)),
    b"h": _push(_got(_number(1))),
    b"j": _push(_got(_number(4))),
    b"c": _push(_named),
    b"\x93": _push(_stacked),
    b"R": _push(_called),
    b"b": _build,
    b"\x95": _frame,
}
