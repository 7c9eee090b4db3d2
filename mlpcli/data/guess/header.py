"""Whether a table's first line names its columns, judged by all that stands below it."""

from collections.abc import Sequence

from mlpcli.config.data_files import USUAL_WORDS
from mlpcli.data.readers.cell_forms import unit_of
from mlpcli.data.readers.notation import parse_number

# A column whose values come back so often, on average, has no value that occurs once only.
TIMES = 3


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
    is_words = all(parse_number(cell) is None for cell in first)
    return new > again if is_words and new != again else default


def _is_missing(cell: str) -> bool:
    return not cell or cell.lower() in USUAL_WORDS
