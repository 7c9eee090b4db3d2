"""Text that is not UTF-8: told by its first bytes, or by what a configuration says of it."""

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from mlpcli.data.readers.gzipped import open_maybe_gzipped
from mlpcli.errors import DataError

# By the mark that such a text begins with. That of UTF-16 is the beginning of UTF-32's.
MARKS = (
    ((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), "utf-32"),
    ((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16"),
)
# As Windows writes western European languages.
WESTERN = "cp1252"
CHUNK = 1 << 18


class _AsUtf8(io.RawIOBase):
    """The bytes of a text in UTF-8, made of a stream of it in another encoding."""

    def __init__(self, stream: io.BufferedIOBase, charset: str, where: object, head: bytes) -> None:
        self._stream, self._charset, self._where = stream, charset, where
        self._decoder = codecs.getincrementaldecoder(charset)()
        self._left = self._decode(head)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Put the next bytes into a buffer; return how many, 0 at the end."""
        # Of a pipe, what has come is not kept waiting for more.
        while not self._left and (data := self._stream.read1(CHUNK)):
            self._left = self._decode(data)
        if not self._left:
            self._decode(b"", final=True)
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _decode(self, data: bytes, final: bool = False) -> bytes:
        """Return what comes next.

        Raises:
            DataError: if it is no such text.
        """
        try:
            return self._decoder.decode(data, final).encode()
        except UnicodeDecodeError:
            problem = f"is damaged: it begins as {self._charset.upper()} and does not go on so"
            raise DataError(self._where, problem, "convert it to UTF-8") from None


@contextmanager
def open_text(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """Open a file of text, plain or gzip-compressed; UTF-16 and UTF-32 become UTF-8.

    Yields:
        The content, and whether it was compressed.

    Raises:
        DataError: if it is damaged.
        OSError: if it cannot be read.
    """
    with open_maybe_gzipped(path) as (stream, compressed):
        text, head = as_utf8(stream, path)
        if head:
            stream.seek(0)
        yield text, compressed


def as_utf8(stream: BinaryIO, where: object) -> tuple[BinaryIO, bytes]:
    """Return a stream of text, UTF-16 and UTF-32 as UTF-8, and the bytes that were read of others.

    Of others no more is read than tells them apart, so that no line waits for the next.

    Args:
        stream: what to read, from its beginning.
        where: its name, for errors.
    """
    head = stream.read(1)
    if any(mark.startswith(head) for marks, _ in MARKS for mark in marks):
        head += stream.read(3)
    charset = next((name for marks, name in MARKS if head.startswith(marks)), None)
    if not charset:
        return stream, head
    decoded = _AsUtf8(cast(io.BufferedIOBase, stream), charset, where, head)
    return io.BufferedReader(decoded, CHUNK), b""


def likely_charset(path: Path) -> str | None:
    """Return in what a text that is not UTF-8 is likely to be written; None if it is, or no text.

    Raises:
        DataError: as `open_text` does.
        OSError: if it cannot be read.
    """
    likely = not _is_text_in(path, "utf-8") and _is_text_in(path, WESTERN)
    return WESTERN if likely else None


def _is_text_in(path: Path, charset: str) -> bool:
    decoder = codecs.getincrementaldecoder(charset)()
    with open_text(path) as (stream, _):
        try:
            while data := stream.read(CHUNK):
                if "\0" in decoder.decode(data):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
