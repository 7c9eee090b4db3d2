"""Missing values: found; refused, dropped with their examples, or left for their column's mean."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import MissingValues
from mlpcli.data.encoding import Encoding
from mlpcli.data.readers.notation import parse_number
from mlpcli.data.readers.table import Labels, Table, Values, blocks, column_name
from mlpcli.errors import DataError

# How a word is said to be a text or class like any other.
KEEP = "write missing_values: {only: []} under data"


def mark_missing(
    table: Table, missing_values: MissingValues, encoding: Encoding | None = None
) -> Table:
    """Make NaN of what stands for a missing value, and no class of such a name.

    Args:
        table: as it was read, with NaN for empty cells.
        missing_values: what stands for a missing value.
        encoding: what was learned in training: its categories and classes are never missing.
    """
    values, labels = table.values, table.labels
    marked: dict[int | None, dict[str, int]] = {}
    known = encoding.input_columns if encoding else []
    for j, texts in table.texts.items():
        # `encode` refuses a table of more columns.
        kept = known[j].categories if j < len(known) else ()
        if codes := _marked_codes(texts, missing_values, kept):
            column = values[:, j]
            marked[j] = {texts[code]: int((column == code).sum()) for code in codes}
            values = _with_gaps(values, table.values)
            values[np.isin(column, codes), j] = np.nan
    if labels is not None:
        kept = encoding.class_names if encoding else ()
        if codes := _marked_codes(labels.names, missing_values, kept):
            of_rows = labels.codes.reshape(len(labels.codes), -1)
            counts = ((of_rows == code).any(axis=1).sum() for code in codes)
            marked[None] = {labels.names[i]: int(n) for i, n in zip(codes, counts, strict=True)}
            missing = np.isin(labels.codes, codes)
            labels = labels._replace(codes=np.where(missing, -1, labels.codes))
    for part, columns in _number_gaps(table, missing_values.numbers):
        values = _with_gaps(values, table.values)
        values[part][columns] = np.nan
    return table._replace(values=values, labels=labels, marked=marked)


def _marked_codes(
    texts: Sequence[str], missing_values: MissingValues, kept: Collection[str]
) -> list[int]:
    """Return the codes of texts that stand for a missing value."""
    words, numbers = missing_values.text_words, missing_values.numbers
    return [
        code
        for code, text in enumerate(texts)
        if text not in kept
        and (text.strip().lower() in words or (numbers and parse_number(text) in numbers))
    ]


def _with_gaps(values: Values, original: Values) -> Values:
    """Return a copy of the original values that can hold NaN; where it is one, itself."""
    if values is not original:
        return values
    return original.astype(np.result_type(original.dtype, np.float32))


def _number_gaps(
    table: Table, numbers: Sequence[float]
) -> Iterator[tuple[slice, NDArray[np.bool]]]:
    """Yield which values of successive rows are numbers that stand for a missing one."""
    kind = table.values.dtype if table.values.dtype.kind == "f" else np.float64
    for part, values in blocks(table.values) if numbers else ():
        found = np.isin(values, np.array(numbers, kind))
        found[:, list(table.texts)] = False
        if found.any():
            yield part, found


def marked_notes(table: Table) -> list[str]:
    """Return, for the user, which words in text and classes were taken for missing values."""
    notes = []
    for j, counts in table.marked.items():
        name = _target_name(table) if j is None else table.column(j)
        listed = ", ".join(
            f"{word!r} in {n} row{'' if n == 1 else 's'}" for word, n in counts.items() if n
        )
        kind = "class" if j is None else "category"
        if listed:
            notes.append(f"{name}: {listed} counts as missing; if it is a {kind}, {KEEP}")
    return notes


def _target_name(table: Table, which: int = 0) -> str:
    if not table.selection or not table.selection.targets:
        return "the target"
    return column_name(table.names, table.selection.targets[which])


def _keep_hint(table: Table, column: int | None) -> str:
    """Return what to do, too, where a word was taken for a missing value."""
    words = ", ".join(repr(word) for word, n in table.marked.get(column, {}).items() if n)
    return f"; {words} counts as missing, or {KEEP}" if words else ""


def handle_missing(table: Table, policy: str, of_targets: str | None = None) -> Table:
    """Refuse values that are not finite, and treat those that are missing as a policy says.

    Args:
        table: examples, labelled or not.
        policy: `error`; `drop` the examples, which needs labels; `mean` leaves values to `encode`.
        of_targets: what to do about missing targets, `error` or `drop`; None for `policy`.

    Raises:
        DataError: naming the place of a value that may not be.
    """
    targets_drop = (of_targets or policy) == "drop"
    if table.labels is not None and targets_drop:
        # Nothing else that such an example lacks matters.
        table = _without(table, _lack_targets(table.labels))
    gaps = np.zeros(len(table.values), bool)
    if table.values.dtype.kind == "f":
        for part, values in blocks(table.values):
            finite = np.isfinite(values)
            if not finite.all():
                gaps[part] = ~finite.all(axis=1)
                _check_values(table, np.isinf(values), part.start)
    drop = policy == "drop" and table.labels is not None
    if gaps.any() and policy != "mean" and not drop:
        row = int(gaps.argmax())
        _check_values(table, np.isnan(table.values[row : row + 1]), row)
    if table.labels is not None and not targets_drop:
        _check_targets(table, table.labels)
    return _without(table, gaps) if drop else table


def _without(table: Table, dropped: NDArray[np.bool]) -> Table:
    """Return the table without some examples.

    Raises:
        DataError: if none is left.
    """
    if not dropped.any():
        return table
    if dropped.all():
        raise DataError(table.where, "every example lacks a value", "use missing: mean")
    return table.take(np.flatnonzero(~dropped))


def _lack_targets(labels: Labels) -> NDArray[np.bool]:
    """Return which examples lack a target, or one of several, (n,)."""
    return np.asarray((labels.codes < 0).reshape(len(labels.codes), -1).any(axis=1))


def _check_targets(table: Table, labels: Labels) -> None:
    """Report the first target that is missing, if one is.

    Raises:
        DataError: naming its place.
    """
    for row, *which in np.argwhere(labels.codes < 0)[:1].tolist():
        name = f"{_target_name(table, *which)}: " if table.selection else ""
        raise DataError(
            table.row(row),
            f"{name}the target is missing",
            "fill it in, or train with missing_target: drop" + _keep_hint(table, None),
        )


def _check_values(table: Table, bad: NDArray[np.bool], start: int) -> None:
    """Report the first of some values that may not be, if there is any.

    Raises:
        DataError: naming its place.
    """
    for row, column in np.argwhere(bad)[:1].tolist():
        value = table.values[start + row, column]
        if column in table.texts or column in table.dates:
            kind = "date" if column in table.dates else "category"
            problem = f"{table.column(column)}: the {kind} is missing"
            remedy = "fill it in, or train with missing: mean (or drop)"
            remedy += _keep_hint(table, column)
            raise DataError(table.row(start + row), problem, remedy)
        place = f"in row {start + row}, {table.column(column)}"
        if table.lines is not None:
            place = f"on line {table.lines[start + row]}, {table.column(column)}"
        remedy = "replace it with a finite number, or train with missing: mean or drop"
        if np.isinf(value):
            # No policy takes it for missing: it may be as well a mistake in the arithmetic before.
            remedy = "replace it with a finite number, or with NaN if it is missing"
        raise DataError(table.where, f"holds {value} {place}", remedy)
