"""Telling from its first lines how a table is written, and whether they name its columns."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path

from mlpcli.config.data_files import DELIMITERS
from mlpcli.data.readers.csv_dialect import CsvOptions, Dialect, split_cells
from mlpcli.data.readers.csv_start import AHEAD, SEPARATOR, SPACE, find_start, may_be_title
from mlpcli.data.readers.lines import Line
from mlpcli.data.readers.notation import Notation, parse_number
from mlpcli.errors import DataError

SPACES = re.compile('("[^"]*")| +')


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
    cells = split_cells(first, delimiter, where)
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
    names, heads, is_last = split_cells(first, delimiter, where), [], True
    for row in rows:
        cells = split_cells(row, delimiter, where)
        if len(cells) != len(names) + 1:
            return first
        heads.append(cells[0].strip())
        is_last = is_last and not cells[-1].strip()
    if not rows or not (is_last or _name_rows(heads, rows, delimiter)):
        return first
    if not _is_header(names, options) or _is_header(
        split_cells(rows[0], delimiter, where), options
    ):
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
