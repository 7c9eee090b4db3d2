"""Columns of text that hold numbers, in tables whose other columns are numbers by their type."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.csv_dialect import CsvOptions
from mlpcli.data.readers.notation import Notation, WrittenNumber, same_unit
from mlpcli.data.readers.table import Table
from mlpcli.errors import DataError, UnitError

# A column that may be one of texts is of numbers if so large a share of its texts are.
SHARE = 0.75
MISSING = WrittenNumber(math.nan, "")


def read_written(
    table: Table, columns: Iterable[int], options: CsvOptions, notation: Notation, detect: bool
) -> Table:
    """Return a table in which texts that are numbers are such.

    Args:
        table: with the texts of `columns`, in the order in which they come.
        columns: those of `values` in question.
        options: what stands for a missing number.
        notation: how numbers are written.
        detect: whether a column with other texts than numbers, most of all, is one of texts.

    Raises:
        DataError: naming row and column, if a text is no number, or one of another unit.
    """
    values, texts = table.values.astype(np.float64), dict(table.texts)
    for j in columns:
        read = [
            MISSING if text.strip().lower() in options.words else notation.read(text)
            for text in table.texts[j]
        ]
        numbers = sum(number not in (None, MISSING) for number in read)
        if detect and numbers < SHARE * sum(number is not MISSING for number in read):
            continue
        found, given = _values(table, j, read), ~np.isnan(values[:, j])
        values[given, j] = found[values[given, j].astype(np.intp)]
        del texts[j]
    return table._replace(values=values, texts=texts) if len(texts) < len(table.texts) else table


def _values(table: Table, j: int, read: list[WrittenNumber | None]) -> NDArray[np.float64]:
    """Return what the texts of a column stand for.

    Raises:
        DataError: as `read_written` does.
    """
    told: WrittenNumber | None = None
    for code, number in enumerate(read):
        if number is None or math.isinf(number.value):
            raise _refusal(table, j, code, "is not a finite number", "correct it")
        if not number.value or number is MISSING:
            continue
        same = same_unit(told or number, number)
        if same is None:
            others = told and told.unit
            problem = f"is in {number.unit or 'no unit'}, but others are in {others or 'none'}"
            raise _refusal(table, j, code, problem, "give a column one unit", UnitError)
        told = same
    return np.array([number.value for number in read if number])


def _refusal(
    table: Table,
    j: int,
    code: int,
    problem: str,
    remedy: str,
    kind: type[DataError] = DataError,
) -> DataError:
    row, text = int((table.values[:, j] == code).argmax()), table.texts[j][code]
    return kind(
        table.row(row),
        f"{table.column(j)}: {text[:40]!r} {problem}",
        f"{remedy}, or list the column under categorical or ignore",
        column=table.reference(j),
    )
