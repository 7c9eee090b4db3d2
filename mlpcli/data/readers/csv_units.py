"""Numbers with what a notation puts in and around them, made plain many at a time."""

from collections.abc import Mapping

import numpy as np

from mlpcli.data.readers.blocks import NEWLINE
from mlpcli.data.readers.csv_bytes import ZERO
from mlpcli.data.readers.csv_cells import ColumnUnit
from mlpcli.data.readers.csv_decimals import MINUS, Counts, Decimals, Flags, parse_decimals
from mlpcli.data.readers.notation import ALIKE, Notation, Surroundings

# So many cells are parsed one by one.
FEW = 8
# A unit is looked for in so many.
SEEN = 100


def parse_alike(
    found: Decimals, text: bytes, units: Mapping[int, ColumnUnit], notation: Notation
) -> None:
    """Parse the flagged cells that have the same unit, at the same place, all at once.

    Their flags are taken away, but for the first 1 of each column, and the first that is neither 0
    nor 1, unless its unit is known, so that these are looked at.

    Args:
        found: the cells of a text.
        text: the text.
        units: those of columns that are known, first.
        notation: how numbers are written.
    """
    values, others = found.values.reshape(-1), found.others.reshape(-1)
    width, cells = found.ends.shape[1], np.flatnonzero(others)
    while len(cells) >= FEW:
        starts, stops = bounds_of(found.ends, cells)
        parts = map(slice, starts[:SEEN].tolist(), stops[:SEEN].tolist())
        around = next(filter(None, (_unit_of(text[part], notation) for part in parts)), None)
        if around is None:
            return
        bare, is_read = _strip(_lines_of(text, found.ends, cells), around, notation)
        plain, power = without_groups(bare, "\n", notation), 2 * (around.unit == "%")
        numbers = parse_decimals(plain, "\n", notation.decimal, 1, power)
        if numbers is None:
            return
        parsed = numbers.values[:, 0]
        is_read &= ~numbers.others[:, 0]
        rest = ~is_read
        known = [i for i, of in units.items() if of.unit == around.unit and abs(of.value) != 1]
        some = np.flatnonzero(is_read & (parsed != 0) & ~np.isin(cells % width, known))
        kinds = 2 * (cells[some] % width) + (np.abs(parsed[some]) == 1)
        _, first = np.unique(kinds, return_index=True)
        is_read[some[first]] = False
        values[cells[is_read]] = parsed[is_read]
        others[cells[is_read]] = False
        if rest.all():
            return
        cells = cells[rest]


def _unit_of(cell: bytes, notation: Notation) -> Surroundings | None:
    around = notation.around(cell.decode())
    return around if around and (around.before or around.after) else None


def _lines_of(text: bytes, ends: Counts, cells: Counts) -> bytes:
    """Return some cells of a text, a line each."""
    sizes = np.diff(ends.reshape(-1), prepend=-1)
    is_one = np.zeros(len(sizes), bool)
    is_one[cells] = True
    lines = np.frombuffer(text, np.uint8)[np.repeat(is_one, sizes)]
    lines[np.cumsum(sizes[cells]) - 1] = NEWLINE
    return bytes(lines)


def _strip(lines: bytes, around: Surroundings, notation: Notation) -> tuple[bytes, Flags]:
    """Return lines without what is around a number, and which of them have it."""
    before, after = around.before.encode(), around.after.encode()
    bare = b"\n%b" % lines.replace(after + b"\n", b"\n")
    bare = bare.replace(b"\n" + before, b"\n")[1:]
    characters = np.frombuffer(bare, np.uint8)
    (_, sizes), (starts, bare_sizes) = map(_bounds_of_lines, (lines, bare))
    is_alike = sizes - bare_sizes == len(before + after)
    if around.before[-1:].isalnum():
        # The point of "Rs.5" is none.
        is_alike &= characters[starts] != ord(notation.decimal)
    return bare, is_alike


def _bounds_of_lines(lines: bytes) -> tuple[Counts, Counts]:
    """Return where lines begin, and how long they are."""
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == NEWLINE)
    starts = np.append(0, ends[:-1] + 1)
    return starts, ends - starts


def bounds_of(ends: Counts, cells: Counts) -> tuple[Counts, Counts]:
    """Return where some cells of a table begin and end, (n,) each.

    Args:
        ends: (rows, width) where the character after each cell is.
        cells: (n,) which, row by row.
    """
    stops = ends.reshape(-1)
    return np.where(cells, stops[cells - 1], -1) + 1, stops[cells]


def without_groups(data: bytes, delimiter: str, notation: Notation) -> bytes:
    """Return lines without what stands between thousands.

    Where digits are not in groups of three, it stays, and the cell is no plain decimal.
    """
    separator = notation.thousands
    if not separator or separator == delimiter:
        return data
    for other in ALIKE.get(separator, separator):
        data = data.replace(other.encode(), separator.encode())
    characters = np.frombuffer(data, np.uint8)
    marks = np.flatnonzero(characters - ZERO > 9)
    kinds = characters[marks]
    # How many digits are before each mark, and after it.
    before = np.diff(marks, prepend=-1) - 1
    after = np.append(before[1:], 0)
    previous = np.append(NEWLINE, kinds[:-1])
    is_separator, continues = kinds == ord(separator), previous == ord(separator)
    begins = np.isin(previous, (NEWLINE, MINUS, ord(delimiter)))
    begins &= (before > 0) & (before < 4) & (characters[marks - before] != ZERO)
    kept = np.ones(len(characters), bool)
    kept[marks[is_separator & (after == 3) & (begins | (continues & (before == 3)))]] = False
    return characters[kept].tobytes()
