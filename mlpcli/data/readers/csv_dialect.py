"""How the lines of a table are written: what the first one tells, and where cells begin and end."""

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from mlpcli.config.data_files import MissingValues
from mlpcli.data.readers.lines import Line
from mlpcli.errors import DataError

DELIMITERS = (",", ";", "\t")
QUOTED = re.compile('"[^"]*"')


class CsvOptions(NamedTuple):
    """What is known of a table before it is read."""

    header: bool | None = None
    """Whether the first line has the columns' names; None to detect."""
    delimiter: str | None = None
    """What stands between cells; None to detect."""
    header_names: Collection[str] = ()
    """The columns' names in training: a first line with one of them is a header."""
    gaps: bool = False
    """Whether values may be missing: they become NaN."""
    words: frozenset[str] = MissingValues().words(text=False)
    """What stands for a missing number, in lower case."""
    numbers: tuple[float, ...] = ()
    """Numbers that do; the reader leaves them as they are."""


class Dialect(NamedTuple):
    """How the lines of a table are written."""

    where: Path | str
    """The table's name, for errors."""
    delimiter: str
    """What stands between cells."""
    width: int
    """Cells per line."""
    names: tuple[str, ...] | None
    """Of the columns, where the first line has them."""
    first: int
    """The number of the first line."""


def sniff(
    lines: Iterator[Line], where: Path | str, options: CsvOptions
) -> tuple[Dialect, Iterator[Line]]:
    """Detect from its first line how a table is written.

    Args:
        lines: all its lines; the first is taken from them.
        where: the table's name, for errors.
        options: what is known of it.

    Returns:
        The dialect, and the lines that hold examples.

    Raises:
        DataError: if there is no line, or two columns have the same name in what is a header by
            its look alone.
    """
    first = next(lines, None)
    if first is None:
        raise DataError(where, "is empty", "give a file with examples")
    delimiter = options.delimiter or max(DELIMITERS, key=QUOTED.sub("", first.text).count)
    cells = _split(first, delimiter, where)
    dialect = Dialect(where, delimiter, len(cells), None, first.number)
    names = tuple(cell.strip() for cell in cells)
    header = options.header
    if not (looks_like_names(names, options.header_names) if header is None else header):
        return dialect, chain([first], lines)
    called = _distinct(names)
    again = {new: name for new, name in zip(called, names, strict=True) if name and new != name}
    if header is None and not again.keys() <= set(options.header_names):
        problem = f"two columns are called {next(iter(again.values()))!r}"
        remedy = "give each a name of its own, or write header: false if this line is an example"
        raise DataError(f"{where}:{first.number}", problem, remedy)
    return dialect._replace(names=called), lines


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names, a later one of those that are equal with a number after it."""
    taken, counts = set(names), Counter[str]()
    given: dict[str, None] = {}
    for name in names:
        called = name
        while called in given or (called != name and called in taken):
            counts[name] += 1
            called = f"{name or 'unnamed'}.{counts[name]}"
        given[called] = None
    return tuple(given)


def split_line(line: Line, dialect: Dialect) -> list[str]:
    """Return a line's cells.

    Raises:
        DataError: naming the line, if it has more or fewer than the first, or stray quotes.
    """
    cells = _split(line, dialect.delimiter, dialect.where)
    if len(cells) != dialect.width:
        raise DataError(
            f"{dialect.where}:{line.number}",
            f"has {len(cells)} values",
            f"the first line has {dialect.width}",
        )
    return cells


def _split(line: Line, delimiter: str, where: Path | str) -> list[str]:
    text = line.text
    if '"' not in text:
        return text.rstrip("\r\n").split(delimiter)
    try:
        (cells,) = csv.reader([text], delimiter=delimiter)
    except (csv.Error, ValueError) as error:
        raise DataError(
            f"{where}:{line.number}",
            f"is not a line of quoted cells ({error})",
            'write a quote within a cell as ""',
        ) from None
    return cells


def parse_number(cell: str) -> float | None:
    """Return what `float` makes of plain ASCII; None for anything else."""
    try:
        return float(cell) if cell.isascii() else None
    except ValueError:
        return None


def looks_like_names(names: tuple[str, ...], header_names: Collection[str]) -> bool:
    """Return whether a first line has names: one that is known, or no number among them.

    Names that are numbers are known by all of them, each once: examples, too, hold numbers.
    """
    words = [name for name in names if parse_number(name) is None]
    return (
        len(words) == len(names)
        or any(word in header_names for word in words)
        or (len(set(names)) == len(names) and set(names) <= set(header_names))
    )
