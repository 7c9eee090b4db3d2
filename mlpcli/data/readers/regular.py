"""Regular files, opened to be read once: what changes meanwhile, or is no file, is an error."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.table import check_expansion
from mlpcli.errors import DataError

# What is set aside before any data have arrived.
FIRST_BYTES = 1 << 26


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a file, and make sure afterwards that nobody has changed it.

    Args:
        path: the file.

    Raises:
        DataError: if it is a pipe or a device, or has changed before it was read.
        OSError: if it cannot be read.
    """
    with open(path, "rb", opener=_open) as stream:
        before = os.fstat(stream.fileno())
        if not stat.S_ISREG(before.st_mode):
            device = stat.S_ISBLK(before.st_mode) or stat.S_ISCHR(before.st_mode)
            problem = "is a device" if device else "is a pipe, and it must be read more than once"
            remedy = "write it to a file, or give mlp predict - and standard input"
            raise DataError(path, problem, remedy)
        yield stream
        after = os.fstat(stream.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise DataError(
                path, "changed while it was read", "try again when it is written completely"
            )


def _open(path: str, flags: int) -> int:
    # A pipe that nobody writes to would be waited for.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_exactly(
    stream: IO[bytes], expected: int, path: Path, compressed: bool
) -> NDArray[np.uint8]:
    """Read so many bytes, growing the array as data arrive: a header alone allocates nothing.

    Args:
        stream: what to read.
        expected: how many bytes the file announces.
        path: its name.
        compressed: whether the file may hold far more than its size.

    Raises:
        DataError: if there are fewer, or far more than the size of a compressed file.
    """
    array = np.empty(min(expected, FIRST_BYTES), np.uint8)
    filled = 0
    while filled < expected:
        if filled == len(array):
            array.resize(min(expected, 2 * filled), refcheck=False)
        count = stream.readinto(array[filled:].data)  # type: ignore[attr-defined]
        if not count:
            raise DataError(
                path,
                f"is damaged: its header announces {expected} bytes, and it holds {filled}",
                "fetch it again",
            )
        filled += count
        if compressed:
            check_expansion(path, filled)
    return array
