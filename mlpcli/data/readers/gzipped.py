"""Files that may be gzip-compressed."""

import gzip
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from mlpcli.errors import DataError

MAGIC = b"\x1f\x8b"


def check_regular(path: Path) -> None:
    """Refuse what is no file, before it is opened: a pipe waits, and a device never ends.

    Raises:
        DataError: if it is a pipe or a device.
        OSError: if there is nothing.
    """
    mode = path.stat().st_mode
    # Opening a folder is an error by itself.
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return
    remedy = "write it to a file, or give mlp predict - and standard input"
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        raise DataError(path, "is a pipe, and it must be read more than once", remedy)
    raise DataError(path, "is not a regular file", remedy)


@contextmanager
def open_maybe_gzipped(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """Open a file, plain or gzip-compressed, to read its content.

    Args:
        path: the file.

    Yields:
        The content, and whether it was compressed.

    Raises:
        DataError: if it is a pipe, or compressed data turn out to be damaged while they are read.
        OSError: if the file cannot be read.
    """
    check_regular(path)
    with path.open("rb") as raw:
        compressed = raw.read(len(MAGIC)) == MAGIC
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if compressed else raw
        try:
            yield stream, compressed
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                path, f"is damaged: it cannot be unpacked ({error})", "fetch it again"
            ) from error
