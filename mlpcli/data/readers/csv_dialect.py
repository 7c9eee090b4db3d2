"""How the lines of a table are written: what is known before it is read, and their cells."""

import csv
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from mlpcli.config.data_files import Files, MissingValues
from mlpcli.data.readers.csv_start import AHEAD, is_comment
from mlpcli.data.readers.lines import Line
from mlpcli.data.readers.notation import Notation
from mlpcli.errors import DataError, WidthError

# What to do about lines that have more or fewer cells.
SKIP = "or leave such lines out in training: bad_lines: skip, under data"


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
    words: frozenset[str] = MissingValues().number_words
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
        missing.number_words,
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


def split_line(line: Line, dialect: Dialect) -> list[str]:
    """Return a line's cells.

    Raises:
        WidthError: naming the line, if it has more or fewer than the first.
        DataError: naming the line, if it has stray quotes.
    """
    cells = split_cells(line, dialect.delimiter, dialect.where)
    if len(cells) != dialect.width:
        raise _another_width(line, len(cells), dialect)
    return cells


def has_all_cells(line: Line, dialect: Dialect) -> bool:
    """Return whether a line has as many cells as the first.

    Raises:
        DataError: naming the line, if it has stray quotes.
    """
    return len(split_cells(line, dialect.delimiter, dialect.where)) == dialect.width


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


def split_cells(line: Line, delimiter: str, where: Path | str) -> list[str]:
    """Return a line's cells, however many.

    Raises:
        DataError: naming the line, if it has stray quotes.
    """
    text = line.text
    if '"' not in text:
        return text.rstrip("\r\n").split(delimiter)
    try:
        (cells,) = csv.reader([text], delimiter=delimiter)
    except (csv.Error, ValueError) as error:
        # Lines are joined up to the next quote.
        is_stray = "\n" in text.rstrip("\r\n")
        raise DataError(
            f"{where}:{line.number}",
            "has a quote in a cell without quotes around it"
            if is_stray
            else f"is not a line of quoted cells ({error})",
            'write such a cell in quotes, and a quote within it as ""',
        ) from None
    return cells
