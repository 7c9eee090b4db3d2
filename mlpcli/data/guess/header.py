"""Whether a table's first line names its columns, judged by all that stands below it."""

import re
from collections.abc import Sequence
from itertools import pairwise

from mlpcli.config.data_files import USUAL_WORDS
from mlpcli.data.readers.cell_forms import unit_of
from mlpcli.data.readers.notation import parse_number

# A column whose values come back so often, on average, has no value that occurs once only.
TIMES = 3
YEAR = re.compile("(18|19|20)[0-9]{2}")
# So many lines below the names may tell more of them, such as units or questions.
MORE_LINES = 2


def names_columns(rows: Sequence[Sequence[str]], default: bool) -> bool:
    """Return whether the first of some rows names the columns.

    It does where a word stands above numbers alone. A row of words is an example where more of them
    come back in their columns, or are numbers with the unit of all others there, than are new in
    columns where everything else comes back.

    Args:
        rows: cells, as many in each; the first is the one in question.
        default: what the first line alone looks like.
    """
    first, *rest = [[cell.strip() for cell in row] for row in rows]
    new = again = 0
    for cell, column in zip(first, zip(*rest, strict=True), strict=False):
        values = [value for value in column if not _is_missing(value)]
        if _is_missing(cell) or not values or parse_number(cell) is not None:
            continue
        if (unit := unit_of(cell)) and all(unit_of(value) == unit for value in values):
            again += 1
            continue
        numbers = sum(parse_number(value) is not None for value in values)
        if numbers == len(values):
            return True
        again += cell in values
        repeated = len(values) >= TIMES * len(set(values)) or 2 * numbers > len(values)
        new += cell not in values and repeated
    if not again and _are_years(first) and not any(map(_are_years, rest)):
        return True
    is_words = all(parse_number(cell) is None for cell in first)
    return new > again if is_words and new != again else default


def count_more_lines(rows: Sequence[Sequence[str]]) -> int:
    """Return how many rows below the names are no examples, but tell more of the columns.

    None of their cells is a number, or comes back in its column, and two at least stand above
    numbers alone, or where everything else comes back.

    Args:
        rows: cells, as many in each, below the names.
    """
    stripped = [[cell.strip() for cell in row] for row in rows]
    for count in range(MORE_LINES, 0, -1):
        columns = [
            [value for value in column if not _is_missing(value)]
            for column in zip(*stripped[count:], strict=True)
        ]
        if columns and all(_is_apart(row, columns) for row in stripped[:count]):
            return count
    return 0


def _is_apart(row: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Return whether a row is none like those of some columns."""
    told = 0
    for cell, values in zip(row, columns, strict=True):
        if _is_missing(cell) or not values:
            continue
        if parse_number(cell) is not None or cell in values:
            return False
        are_numbers = all(parse_number(value) is not None for value in values)
        told += are_numbers or len(values) >= TIMES * len({*values})
    return told >= 2


def _are_years(row: Sequence[str]) -> bool:
    """Return whether the numbers of a row, two at least, are years in equal steps."""
    numbers = [cell for cell in row if parse_number(cell) is not None]
    if len(numbers) < 2 or not all(map(YEAR.fullmatch, numbers)):
        return False
    steps = {int(after) - int(year) for year, after in pairwise(numbers)}
    return len(steps) == 1 and steps != {0}


def _is_missing(cell: str) -> bool:
    return not cell or cell.lower() in USUAL_WORDS
