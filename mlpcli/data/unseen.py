"""What other examples have that those of the training had not: columns, and categories."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from mlpcli.data.encode import category_codes
from mlpcli.data.encoding import Encoding
from mlpcli.data.pixels import units_note
from mlpcli.data.readers.table import Table, column_name
from mlpcli.errors import join_names


def extra_columns(table: Table) -> list[str]:
    """Return what the columns are called that were not there in training."""
    extra = table.selection.extra if table.selection else ()
    return [column_name(table.names, position) for position in extra]


def extra_note(where: object, names: list[str]) -> str:
    """Return, for the user, that columns are ignored."""
    was = "was" if len(names) == 1 else "were"
    return f"{where}: {join_names(names, 5)} {was} not there in training, and ignored"


def count_unknown(encoding: Encoding, table: Table) -> Counter[str]:
    """Count, by the name of their column, the values that are no category seen in training."""
    counts: Counter[str] = Counter()
    for j in table.texts if encoding.unknown == "ignore" else ():
        unknown = np.flatnonzero(category_codes(encoding, table, j) < 0)
        if len(unknown):
            counts[table.column(j)] += int(np.isin(table.values[:, j], unknown).sum())
    return +counts


def unknown_note(counts: Mapping[str, int]) -> str:
    """Return, for the user, how many values had no category."""
    total = sum(counts.values())
    listed = join_names([f"{name} {n}" for name, n in counts.items()], 5)
    are, count = ("value is", "counts") if total == 1 else ("values are", "count")
    return f"{total} {are} of no category seen in training, and {count} as none: {listed}"


def skipped_notes(table: Table) -> list[str]:
    """Return, for the user, how many lines were left out, and which is the first."""
    if not table.skipped:
        return []
    count, first = len(table.skipped), f"{table.where}:{table.skipped[0]}"
    lines = "line was" if count == 1 else f"and {count - 1} more lines were"
    return [f"{first}: {lines} left out: more or fewer cells than the first line has"]


def unseen_notes(encoding: Encoding, table: Table) -> list[str]:
    """Return, for the user, all that a whole table has and the training had not."""
    notes = skipped_notes(table)
    if names := extra_columns(table):
        notes.append(extra_note(table.where, names))
    if counts := count_unknown(encoding, table):
        notes.append(f"{table.where}: {unknown_note(counts)}")
    if note := units_note(encoding, table):
        notes.append(note)
    return notes
