"""Successive lines of a table, many at a time: one text where each of its lines is a row."""

import codecs
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from mlpcli.data.readers.charsets import open_text
from mlpcli.data.readers.lines import LONGEST_LINE, Line, decode_lines, join_quoted
from mlpcli.data.readers.table import check_expansion

# What is read, and parsed, at a time: what is made of it stays in the processor's cache.
BLOCK_BYTES = 1 << 19
# No character of UTF-8 has more bytes.
MOST_BYTES = 4
NEWLINE, SPACE, QUOTE = b'\n "'


class Block(NamedTuple):
    """Lines that follow one another, but for blank ones."""

    data: bytes
    """Their text, each with a line feed at its end."""
    numbers: Sequence[int]
    """(n,) where they are."""
    joined: Sequence[Line] | None = None
    """The lines, where not each of the text is one, or may not be."""

    @property
    def lines(self) -> Sequence[Line]:
        """The lines, each alone."""
        if self.joined is not None:
            return self.joined
        texts = self.data.decode().removesuffix("\n").split("\n")
        return [Line(n, f"{text}\n") for n, text in zip(self.numbers, texts, strict=True)]

    def after(self, count: int) -> "Block":
        """Return the block without so many of its first lines."""
        if not count:
            return self
        if self.joined is not None or count >= len(self.numbers):
            return block_of(self.lines[count:])
        return Block(self.data.split(b"\n", count)[count], self.numbers[count:])


def block_of(lines: Sequence[Line]) -> Block:
    """Return a block of given lines."""
    text = "".join([line.text for line in lines]).replace("\r\n", "\n")
    data = (text if text.endswith("\n") or not text else f"{text}\n").encode()
    return Block(data, [line.number for line in lines], lines)


def blocks_of(lines: Iterable[Line], characters: int) -> Iterator[Block]:
    """Yield lines in blocks of about so many characters, but of one line at least."""
    pending: list[Line] = []
    size = 0
    for line in lines:
        pending.append(line)
        size += len(line.text)
        if size >= characters:
            yield block_of(pending)
            pending, size = [], 0
    if pending:
        yield block_of(pending)


def read_blocks(path: Path, charset: str | None = None) -> Iterator[Block]:
    """Yield the lines of a file, plain or gzip-compressed, as `read_lines` has them.

    Args:
        path: the file.
        charset: what lines are written in that are not UTF-8; None if there are none.

    Raises:
        DataError: if it is damaged or no such text.
        OSError: if it cannot be read.
    """
    number, total = 1, 0
    with open_text(path) as (stream, compressed):
        for data in _whole_lines(stream):
            total += len(data)
            if compressed:
                check_expansion(path, total)
            if (block := _plain(data, number)) is not None:
                number += len(block.numbers)
                yield block
            else:
                source = decode_lines(io.BytesIO(data), path, number, charset)
                yield block_of([*join_quoted(source, path, number)])
                number += len(data.splitlines())


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a stream in parts that end where a line does, and no quote is open.

    A line that is too long to be one is cut.
    """
    rest = b""
    # As much again each time, so that a long line is not looked at over and over.
    while read := stream.read(max(BLOCK_BYTES, len(rest))):
        rest += read
        end = _last_end(rest)
        if not end and len(rest) >= MOST_BYTES * LONGEST_LINE:
            end = len(rest)
        if end:
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _last_end(data: bytes) -> int:
    """Return where the last line ends before which all quotes are closed; 0 if none does."""
    end = _end_before(data, len(data))
    is_open = data.count(b'"', 0, end) % 2 if b'"' in data else 0
    while end and is_open:
        before = _end_before(data, data.rfind(b'"', 0, end))
        is_open = (is_open + data.count(b'"', before, end)) % 2
        end = before
    return end


def _end_before(data: bytes, limit: int) -> int:
    # An \r that is the last byte may be half of an end.
    return data.rfind(b"\n", 0, limit) + 1 or data.rfind(b"\r", 0, min(limit, len(data) - 1)) + 1


def _plain(data: bytes, first: int) -> Block | None:
    """Return the lines from line `first` on; None if any may be blank, go on or end otherwise."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if b"\r" in data or data.startswith(codecs.BOM_UTF8):
        return None
    if len(data) >= LONGEST_LINE:
        return None
    try:
        data.isascii() or data.decode()
    except UnicodeDecodeError:
        return None
    if not data.endswith(b"\n"):
        data += b"\n"
    characters = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(characters == NEWLINE)
    # A first line that is blank comes after the last one.
    before = characters[ends - 1]
    if ((before == NEWLINE) | (before == SPACE)).any():
        return None
    if b'"' in data:
        quotes = np.flatnonzero(characters == QUOTE)
        if (np.searchsorted(quotes, ends) % 2).any():
            return None
    return Block(data, range(first, first + len(ends)))
