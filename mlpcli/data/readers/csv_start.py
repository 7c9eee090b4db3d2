"""Where a table of text begins, and what stands between its cells."""

import re
from collections.abc import Callable, Sequence

from mlpcli.config.data_files import DELIMITERS, MissingValues
from mlpcli.data.readers.cell_forms import form_of
from mlpcli.data.readers.notation import parse_number

# Cells of a line with a name and its value.
PAIR = 2
# So many lines are looked at.
AHEAD = 20
# What a spreadsheet may write first.
SEPARATOR = re.compile(r'"?sep=(.)"?[\s,;|]*', re.IGNORECASE)
QUOTED = re.compile('"[^"]*"')
PROTECTED = re.compile('[",;\t| ]')
*PRINTED, SPACE = DELIMITERS


def is_comment(text: str) -> bool:
    """Return whether a line begins as a comment does, though it may be one of the table."""
    return text.lstrip().startswith("#")


def may_be_title(text: str, delimiter: str | None) -> bool:
    """Return whether a line, seen alone, may stand above a table: it has one cell, of words."""
    if is_comment(text) or SEPARATOR.fullmatch(text):
        return True
    cells = _cells(text, delimiter or max(PRINTED, key=text.count))
    return len(_trimmed(cells)) <= 1 and parse_number(cells[0]) is None


def find_start(
    lines: Sequence[str], delimiter: str | None, names_columns: Callable[[list[str]], bool]
) -> tuple[int, str]:
    """Return how many lines stand above a table, and what is between its cells.

    Above may be what a spreadsheet says of its delimiter, comments, lines of one cell, and, where
    the table has a header, lines that are shorter by two cells and more. A name and a value may
    stand above three columns, too, unless the three may be a row of which the two are the names,
    and above two, as `_header_below_pairs` tells.

    Args:
        lines: the first ones of a file, at least one.
        delimiter: what is between cells, if that is known and no line says otherwise.
        names_columns: tells whether a row of cells may be a header.
    """
    if len(lines) > 1 and (said := SEPARATOR.fullmatch(lines[0])) and said[1] in DELIMITERS:
        above, between = find_start(lines[1:], said[1], names_columns)
        return above + 1, between
    for kinds in ((delimiter,),) if delimiter else (PRINTED, (SPACE,)):
        rows: dict[str, list[list[str]]] = {}
        for i, line in enumerate(lines):
            between = _commonest(line, kinds)
            if between not in rows:
                rows[between] = [_cells(other, between) for other in lines]
            if _begins(rows[between], i, between, names_columns):
                return i, between
    first = next((i for i, line in enumerate(lines) if not is_comment(line)), 0)
    return first, delimiter or _commonest(lines[first], DELIMITERS)


def _begins(
    rows: list[list[str]], i: int, between: str, names_columns: Callable[[list[str]], bool]
) -> bool:
    """Return whether a table begins with row i: most rows below are as wide, and none above is."""
    if len(rows[i]) == PAIR and (header := _header_below_pairs(rows, names_columns)) is not None:
        return i == header
    row, below = rows[i], [len(other) for other in rows[i + 1 :] if not is_comment(other[0])]
    if len(_trimmed(row)) < 2 or 2 * below.count(len(row)) < len(below):
        return False
    if is_comment(row[0]) and not (below and _heads(row, rows[i + 1 :], names_columns)):
        return False
    names = names_columns(row)
    padded = len(_trimmed(row)) <= len(row) - 2
    if (
        names
        and padded
        and any(_is_full(other) and names_columns(other) for other in rows[i + 1 :])
    ):
        return False
    above = [other for other in rows[:i] if not is_comment(other[0])]
    if between == SPACE:
        return not above
    shorter = len(row) - 2
    if names and len(row) == PAIR + 1 and _names_all(row, rows[i + 1 :], names_columns):
        shorter = PAIR
    return all(len(other) == 1 or (names and len(_trimmed(other)) <= shorter) for other in above)


def _header_below_pairs(
    rows: list[list[str]], names_columns: Callable[[list[str]], bool]
) -> int | None:
    """Return which row names two columns below lines of a name and a value; None for none.

    It is told by the first cells: words above, and in all rows below, two or more, numbers or
    dates. A value above is one, too, so that no line there is the header, above one of units.
    """
    header = max((i for i, row in enumerate(rows) if not _is_value(row[0])), default=0)
    above, below = [row for row in rows[:header] if not is_comment(row[0])], rows[header + 1 :]
    pairs = [row for row in above if len(_trimmed(row)) == PAIR]
    if any(len(row) != PAIR for row in (rows[header], *below)) or len(below) < 2:
        return None
    if any(_is_value(row[0]) or len(row) > PAIR for row in above):
        return None
    if not any(_is_value(row[1]) for row in pairs):
        return None
    return header if names_columns(rows[header]) and _are_names(rows[header]) else None


def _is_value(cell: str) -> bool:
    """Return whether a cell is a number, written in any way, or a date."""
    return parse_number(cell) is not None or form_of(cell) is not None


def _names_all(
    row: list[str], below: list[list[str]], names_columns: Callable[[list[str]], bool]
) -> bool:
    """Return whether a row has a name for every column, and all rows below have numbers."""
    return bool(below) and _are_names(row) and not any(map(names_columns, below))


def _are_names(row: list[str]) -> bool:
    """Return whether a row has another word in each cell, none of which means a missing value."""
    names = {cell.strip().lower() for cell in row}
    return len(names) == len(row) and not names & MissingValues().number_words


def _heads(
    comment: list[str], below: list[list[str]], names_columns: Callable[[list[str]], bool]
) -> bool:
    """Return whether a line with # is a header: of just so many cells, above numbers if of two.

    Names without # below it, above a row of none, are the header.
    """
    row, *rest = below
    if is_comment(row[0]) or len(comment) != len(row):
        return False
    if rest and names_columns(row) and not names_columns(rest[0]):
        return False
    return len(row) > 2 or any(parse_number(cell) is not None for cell in row)


def _is_full(row: list[str]) -> bool:
    return len(_trimmed(row)) == len(row)


def _commonest(text: str, kinds: Sequence[str]) -> str:
    """Return what there is most of in a line; a space only where there is nothing else."""
    unquoted = QUOTED.sub("", text.strip(" "))
    best = max((kind for kind in kinds if kind != SPACE), key=unquoted.count, default=SPACE)
    return best if best in unquoted or SPACE not in kinds or SPACE not in unquoted else SPACE


def _cells(text: str, between: str) -> list[str]:
    """Return the cells of a line, roughly: quotes, and what they protect, are left out."""
    plain = QUOTED.sub(lambda quoted: PROTECTED.sub("", quoted[0]), text).rstrip("\r\n")
    if between == SPACE:
        return plain.split() or [""]
    return plain.split(between)


def _trimmed(row: list[str]) -> list[str]:
    """Return a row without the empty cells at its end."""
    return row[: max((i for i, cell in enumerate(row, 1) if cell.strip()), default=0)]
