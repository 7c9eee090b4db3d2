"""Lines of text: decoded, bounded, and joined where a quoted cell runs over several."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from mlpcli.data.readers.charsets import open_text
from mlpcli.data.readers.table import check_expansion
from mlpcli.errors import DataError

# A line, or a quoted cell with its line breaks, may not have more characters.
LONGEST_LINE = 1 << 24
# More blank lines, one after the other, than anybody writes: a stream of them might never end.
MOST_BLANK = 1 << 22


class Line(NamedTuple):
    """A line, with those that a quoted cell runs on to."""

    number: int
    text: str
    values: tuple[Any, ...] = ()
    """Of JSON: what its cells are written from."""


def decode_lines(
    stream: BinaryIO,
    where: object,
    first: int = 1,
    charset: str | None = None,
    head: bytes = b"",
) -> Iterator[str]:
    r"""Yield the lines of UTF-8 text, each with its end and no longer than `LONGEST_LINE`.

    Lines end with \n, \r\n or, as those of classic Mac files do, \r alone.

    Args:
        stream: what to read.
        where: its name, for errors.
        first: the number of its first line.
        charset: what lines are written in that are not UTF-8; None if there are none.
        head: what was read of the stream before.

    Raises:
        DataError: naming the line, if it is neither, or blank as are too many before it.
    """
    blank = 0
    for number, line in enumerate(_split_lines(stream, head), first):
        blank = blank + 1 if line.isspace() else 0
        if blank > MOST_BLANK:
            problem = f"is blank, as are {MOST_BLANK} lines before it"
            raise DataError(f"{where}:{number}", problem, "check that it is a table")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            yield _decode_otherwise(line, f"{where}:{number}", charset)


def _decode_otherwise(line: bytes, where: str, charset: str | None) -> str:
    """Return the text of a line that is not UTF-8.

    Raises:
        DataError: if it is none in the encoding that is given, either.
    """
    if charset:
        with suppress(UnicodeDecodeError):
            return line.decode(charset)
    neither = f"neither UTF-8 nor {charset}" if charset else "not UTF-8"
    remedy = "convert the file to UTF-8, or say with encoding, under data, what it is"
    raise DataError(where, f"is {neither}", f"{remedy} (cp1252 of western Windows)")


def _split_lines(stream: BinaryIO, rest: bytes) -> Iterator[bytes]:
    """Yield the lines of what is left of a stream; one longer than `LONGEST_LINE` in parts."""
    for read in iter(lambda: stream.readline(LONGEST_LINE), b""):
        if not rest and read.find(b"\r", 0, -2) < 0 and read.endswith(b"\n"):
            yield read
            continue
        # No more lines than one are left for the next part, and at least the last byte: an \r may
        # be half of an end.
        *lines, rest = (rest + read).splitlines(keepends=True)
        yield from lines
        if rest.endswith(b"\n") or len(rest) >= LONGEST_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def limit_expansion(source: Iterable[str], path: Path) -> Iterator[str]:
    """Yield the lines of a compressed file, unless they are far more than its size.

    Raises:
        DataError: if they are.
    """
    total = 0
    for line in source:
        total += len(line)
        check_expansion(path, total)
        yield line


def join_quoted(source: Iterable[str], where: object, start: int = 1) -> Iterator[Line]:
    """Yield the lines that are not blank, those of a quoted cell joined.

    Args:
        source: all lines.
        where: the table's name, for errors.
        start: the number of the first line.

    Raises:
        DataError: naming the line, if it is endless or a quote is not closed.
    """
    first, size, quotes = 0, 0, 0
    pending: list[str] = []
    for number, line in enumerate(source, start):
        # Most lines; to count the quotes of one takes longer than to find that it has none.
        if not pending and '"' not in line and line[-1:] == "\n":
            if not line.isspace() or line.strip(" \r\n"):
                yield Line(number, line)
            continue
        first, size, quotes = first or number, size + len(line), quotes + line.count('"')
        pending.append(line)
        if size >= LONGEST_LINE:
            raise DataError(
                f"{where}:{first}",
                f"goes on for {LONGEST_LINE} characters",
                "check that it is a table, and that its quotes are closed",
            )
        if quotes % 2:
            continue
        text = "".join(pending)
        if text.strip(" \r\n"):
            # The parsers of bytes know \n and \r\n.
            yield Line(first, text[:-1] + "\n" if text.endswith("\r") else text)
        first, size, quotes = 0, 0, 0
        pending.clear()
    if pending:
        remedy = 'close it with ", or, if it is part of a cell, quote the cell and write it as ""'
        raise DataError(f"{where}:{first}", "a quote is not closed", remedy)


def read_lines(path: Path, charset: str | None = None) -> Iterator[Line]:
    """Yield the lines of a file, plain or gzip-compressed, as `join_quoted` does.

    Args:
        path: the file.
        charset: as `decode_lines` has it.

    Raises:
        DataError: if it is damaged or no such text.
        OSError: if it cannot be read.
    """
    yield from join_quoted(file_text(path, charset), path)


def file_text(path: Path, charset: str | None = None) -> Iterator[str]:
    """Yield the lines of a file, plain or gzip-compressed, as `decode_lines` does.

    Args:
        path: the file.
        charset: as `decode_lines` has it.

    Raises:
        DataError: if it is damaged or no text.
        OSError: if it cannot be read.
    """
    with open_text(path) as (stream, compressed):
        source = decode_lines(stream, path, charset=charset)
        yield from limit_expansion(source, path) if compressed else source
