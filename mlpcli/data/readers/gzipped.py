"""Files that may be gzip-compressed."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from mlpcli.data.readers.regular import open_regular
from mlpcli.errors import DataError

MAGIC = b"\x1f\x8b"


@contextmanager
def open_maybe_gzipped(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """Open a file, plain or gzip-compressed, to read its content.

    Args:
        path: the file.

    Yields:
        The content, and whether it was compressed.

    Raises:
        DataError: as `open_regular` does, or if compressed data turn out to be damaged while they
            are read.
        OSError: if the file cannot be read.
    """
    with open_regular(path) as raw:
        compressed = raw.read(len(MAGIC)) == MAGIC
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if compressed else raw
        try:
            yield stream, compressed
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                path, f"is damaged: it cannot be unpacked ({error})", "fetch it again"
            ) from error
