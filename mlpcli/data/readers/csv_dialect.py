"""How the lines of a table are written: what the first one tells, and where cells begin and end."""

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from mlpcli.config.data_files import DELIMITERS, Files, MissingValues
from mlpcli.data.readers.csv_start import (
    AHEAD,
    SEPARATOR,
    SPACE,
    find_start,
    is_comment,
    may_be_title,
)
from mlpcli.data.readers.lines import Line
from mlpcli.data.readers.notation import Notation, parse_number
from mlpcli.errors import DataError, WidthError

# What to do about lines that have more or fewer cells.
SKIP = "or leave such lines out in training: bad_lines: skip, under data"
SPACES = re.compile('("[^"]*")| +')


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
    notation: Notation | None = None
    """How numbers are written; None for what Python's `float` takes."""
    skip_bad: bool = False
    """Whether lines with more or fewer cells than the first are left out."""
    bare: bool = False
    """Whether nothing can stand above the table."""


def csv_options(files: Files, header_names: Collection[str]) -> CsvOptions:
    """Return what a configuration tells of its tables.

    Args:
        files: the configuration.
        header_names: names that tell a header.
    """
    missing = files.missing_values
    return CsvOptions(
        files.header,
        files.delimiter,
        header_names,
        files.missing != "error",
        missing.words(text=False),
        missing.numbers,
        notation_of(files),
        files.bad_lines == "skip",
    )


def json_options(files: Files, header_names: Collection[str], header: bool) -> CsvOptions:
    """Return what there is to know of JSON values that have become lines of a table.

    Args:
        files: the configuration.
        header_names: names that tell a header.
        header: whether values are objects, whose names are the first line.
    """
    options = csv_options(files, header_names)
    return options._replace(header=header, delimiter=",", bare=True)


def notation_of(files: Files) -> Notation | None:
    """Return how a configuration says that numbers are written, if it does."""
    if files.decimal is None and files.thousands is None and not files.units:
        return None
    return Notation(files.point, files.thousands or "", files.units)


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
    above: tuple[Line, ...] = ()
    """What stands above that, and is left out."""


def sniff(
    lines: Iterator[Line], where: Path | str, options: CsvOptions, waits: bool = True
) -> tuple[Dialect, Iterator[Line]]:
    """Detect from its first lines how a table is written.

    Args:
        lines: all its lines; the first are taken from them.
        where: the table's name, for errors.
        options: what is known of it.
        waits: whether lines may be waited for; else there is another only after what hardly is one
            of the table.

    Returns:
        The dialect, and the lines that hold examples.

    Raises:
        DataError: if there is no line, or two columns have the same name in what is a header by
            its look alone.
    """
    head, above, delimiter = [], 0, options.delimiter or ","
    for line in lines:
        head.append(line)
        enough = options.bare or not (waits or may_be_title(line.text, options.delimiter))
        if enough or len(head) > AHEAD:
            break
    if not head:
        raise DataError(where, "is empty", "give a file with examples")
    if not options.bare:
        _check_separator(head[0], where)
        texts = [line.text for line in head]
        above, delimiter = find_start(
            texts, options.delimiter, lambda row: _is_header(row, options)
        )
    table: Iterator[Line] = chain(head[above:], lines)
    if delimiter == SPACE:
        table = map(single_spaced, table)
    first = next(table)
    if not options.bare:
        first = _with_corner(first, head[above + 1 :], delimiter, where, options)
    cells = _split(first, delimiter, where)
    names = tuple(cell.strip() for cell in cells)
    dialect = Dialect(where, delimiter, len(cells), None, first.number, tuple(head[:above]))
    if not (_is_header(names, options) if options.header is None else options.header):
        return dialect, chain([first], table)
    called = _distinct(names)
    again = {new: name for new, name in zip(called, names, strict=True) if name and new != name}
    if options.header is None and not again.keys() <= set(options.header_names):
        problem = f"two columns are called {next(iter(again.values()))!r}"
        remedy = "give each a name of its own, or write header: false if this line is an example"
        raise DataError(f"{where}:{first.number}", problem, remedy)
    return dialect._replace(names=called), table


def _check_separator(first: Line, where: Path | str) -> None:
    """Refuse what a first line says to be between cells if no table is read so.

    Raises:
        DataError: naming it.
    """
    said = SEPARATOR.fullmatch(first.text)
    if said and said[1] not in DELIMITERS:
        problem = f"says that {said[1]!r} is between cells"
        remedy = "write the table with one of , ; | a tab or spaces"
        raise DataError(f"{where}:{first.number}", problem, remedy)


def _with_corner(
    first: Line, rows: Sequence[Line], delimiter: str, where: Path | str, options: CsvOptions
) -> Line:
    """Return a line of names, one less than rows of numbers have cells, with an empty one more.

    R writes no name above those of the rows. Where all rows end with a delimiter, and it does not,
    it is the last one that has no name.
    """
    if delimiter == SPACE:
        rows = [*map(single_spaced, rows)]
    names, heads, is_last = _split(first, delimiter, where), [], True
    for row in rows:
        cells = _split(row, delimiter, where)
        if len(cells) != len(names) + 1:
            return first
        heads.append(cells[0].strip())
        is_last = is_last and not cells[-1].strip()
    if not rows or not (is_last or _name_rows(heads, rows, delimiter)):
        return first
    if not _is_header(names, options) or _is_header(_split(rows[0], delimiter, where), options):
        return first
    text = first.text.rstrip("\r\n")
    return first._replace(text=text + delimiter if is_last else delimiter + text)


def _name_rows(heads: Sequence[str], rows: Sequence[Line], delimiter: str) -> bool:
    """Return whether the first cells of rows are names: all different, and quoted or no numbers.

    Those that count from 1 are names, too. Amid commas, words without quotes are not: a row may
    have one cell more for a decimal comma.
    """
    are_names = all(
        row.text.lstrip().startswith('"') or (delimiter != "," and parse_number(head) is None)
        for head, row in zip(heads, rows, strict=True)
    )
    counts = len(heads) > 2 and [*heads] == [str(i + 1) for i in range(len(heads))]
    return len({*heads}) == len(heads) and (are_names or counts)


def _is_header(cells: Sequence[str], options: CsvOptions) -> bool:
    names = tuple(cell.strip() for cell in cells)
    return looks_like_names(names, options.header_names, options.notation)


def single_spaced(line: Line) -> Line:
    """Return a line with one space between cells, and none around them."""
    text = SPACES.sub(lambda found: found[1] or SPACE, line.text.strip(" \r\n"))
    return line._replace(text=text + "\n")


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
        WidthError: naming the line, if it has more or fewer than the first.
        DataError: naming the line, if it has stray quotes.
    """
    cells = _split(line, dialect.delimiter, dialect.where)
    if len(cells) != dialect.width:
        raise _another_width(line, len(cells), dialect)
    return cells


def has_all_cells(line: Line, dialect: Dialect) -> bool:
    """Return whether a line has as many cells as the first.

    Raises:
        DataError: naming the line, if it has stray quotes.
    """
    return len(_split(line, dialect.delimiter, dialect.where)) == dialect.width


def _another_width(line: Line, width: int, dialect: Dialect) -> WidthError:
    problem, remedy = f"has {width} values", f"the first line has {dialect.width}"
    if is_comment(line.text):
        problem += ", and begins as a comment does"
        remedy = "remove it: comments are left out above a table, and not amid it"
    elif width > dialect.width and line.number <= dialect.first + AHEAD:
        remedy += ": remove it if it stands above the table"
    elif width > dialect.width:
        remedy += f": quote a cell with {dialect.delimiter!r} in it, {SKIP}"
    else:
        remedy += f": fill it up, {SKIP}"
    return WidthError(f"{dialect.where}:{line.number}", problem, remedy)


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


def looks_like_names(
    names: tuple[str, ...], header_names: Collection[str], notation: Notation | None = None
) -> bool:
    """Return whether a first line has names: one that is known, or no number among them.

    Names that are numbers are known by all of them, each once: examples, too, hold numbers.
    """
    words = [name for name in names if not _is_bare_number(name, notation)]
    return (
        len(words) == len(names)
        or any(word in header_names for word in words)
        or (len(set(names)) == len(names) and set(names) <= set(header_names))
    )


def _is_bare_number(name: str, notation: Notation | None) -> bool:
    """Return whether a cell is a number without % or a currency: a column may be called 10%."""
    if notation is None:
        return parse_number(name) is not None
    written, plain = notation.read(name), notation._replace(units=()).read(name)
    return written is not None and not (plain and plain.unit)
