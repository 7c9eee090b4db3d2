"""Lines of text: decoded, bounded, and joined where a quoted cell runs over several."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from mlpcli.data.readers.gzipped import open_maybe_gzipped
from mlpcli.data.readers.table import check_expansion
from mlpcli.errors import DataError

# A line, or a quoted cell with its line breaks, may not have more characters.
LONGEST_LINE = 1 << 24


class Line(NamedTuple):
    """A line, with those that a quoted cell runs on to."""

    number: int
    text: str


def decode_lines(stream: BinaryIO, where: object) -> Iterator[str]:
    r"""Yield the lines of UTF-8 text, each with its end and no longer than `LONGEST_LINE`.

    Lines end with \n, \r\n or, as those of classic Mac files do, \r alone.

    Raises:
        DataError: naming the line, if it is not UTF-8.
    """
    for number, line in enumerate(_split_lines(stream), 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise DataError(
                f"{where}:{number}", "is not UTF-8", "convert the file to UTF-8"
            ) from None


def _split_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a stream; one longer than `LONGEST_LINE` in parts."""
    rest = b""
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


def join_quoted(source: Iterable[str], where: object) -> Iterator[Line]:
    """Yield the lines that are not blank, those of a quoted cell joined.

    Raises:
        DataError: naming the line, if it is endless or a quote is not closed.
    """
    first, size, quotes = 0, 0, 0
    pending: list[str] = []
    for number, line in enumerate(source, 1):
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
        raise DataError(f"{where}:{first}", "a quote is not closed", 'close it with "')


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a file, plain or gzip-compressed, as `join_quoted` does.

    Raises:
        DataError: if it is damaged or no such text.
        OSError: if it cannot be read.
    """
    with open_maybe_gzipped(path) as (stream, compressed):
        source = decode_lines(stream, path)
        yield from join_quoted(limit_expansion(source, path) if compressed else source, path)


def json_lines(source: Iterable[str], where: str, point: str = ".") -> Iterator[Line]:
    """Turn JSON lines into lines of a table: arrays as they are, objects by their names.

    The first line is a header where the first value is an object. Numbers are written with `point`
    before decimals, as texts are that hold numbers.

    Raises:
        DataError: naming the line, if one is no such value.
    """
    names: list[str] | None = None
    for number, text in enumerate(source, 1):
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{where}:{number}", f"is not JSON ({error})", "write one value per line"
            ) from None
        if isinstance(value, dict):
            if names is None:
                names = list(value)
                yield Line(number, _line(names))
            if set(value) != set(names):
                odd = sorted(set(value) ^ set(names))[0]
                raise DataError(
                    f"{where}:{number}",
                    f"{odd!r} is here or on the first line, and not on both",
                    "give every line the same names",
                )
            value = [value[name] for name in names]
        elif not isinstance(value, list) or names is not None:
            raise DataError(
                f"{where}:{number}", "is another kind of value", "give objects, or arrays"
            )
        yield Line(number, _line([_cell(cell, point) for cell in value]))


def _cell(value: Any, point: str) -> Any:
    """Return a JSON value as a cell of a table."""
    if isinstance(value, float):
        return str(value).replace(".", point)
    return "" if value is None else value


def _line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(cells)
    return text.getvalue()
