"""Columns of dates and times: from the texts of a table to numbers, and from these to features."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.dates import DAY, WrittenDate, read_date
from mlpcli.data.readers.table import Table
from mlpcli.errors import AmbiguousDateError, DataError

# What is made of a date, and how many features each part is: cycles are a sine and a cosine.
PARTS = {"year": 1, "month": 2, "weekday": 2, "time": 2}
# How often each of the cycles starts anew.
PERIODS = {"month": 12, "weekday": 7, "time": DAY}
# Of sines and cosines: those of midnight and noon, or of March and November, are equal but for
# rounding, which must not pass for a spread.
DIGITS = 14
# 1970 began on a Thursday.
FIRST_WEEKDAY = 3


def date_parts(seconds: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
    """Return year, month (0 to 11), weekday (0 is Monday) and time (seconds) of dates, each (n,).

    Args:
        seconds: (n,) from 1970 on.
    """
    days = np.floor(seconds / DAY)
    dates = days.astype(np.int64).astype("datetime64[D]")
    months = dates.astype("datetime64[M]").astype(np.int64)
    return {
        "year": 1970 + np.floor_divide(months, 12).astype(np.float64),
        "month": np.mod(months, 12).astype(np.float64),
        "weekday": np.mod(days + FIRST_WEEKDAY, 7),
        "time": seconds - days * DAY,
    }


def fit_parts(seconds: NDArray[np.floating]) -> tuple[str, ...]:
    """Return the names of the parts that vary; the year where none does."""
    found = date_parts(seconds)
    starts_month = (seconds // DAY).astype(np.int64).astype("datetime64[D]")
    if (starts_month == starts_month.astype("datetime64[M]")).all():
        # Days are not told: which weekday a month begins with says nothing.
        del found["weekday"]
    varying = tuple(name for name, part in found.items() if (part != part[0]).any())
    return varying or ("year",)


def date_features(seconds: NDArray[np.floating], parts: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the features of dates, (n, sum of `PARTS`): cycles as sine and cosine.

    Args:
        seconds: (n,) from 1970 on.
        parts: names of `PARTS`.
    """
    found = date_parts(seconds)
    columns = []
    for name in parts:
        if name not in PERIODS:
            columns.append(found[name])
            continue
        angle = 2 * np.pi / PERIODS[name] * found[name]
        columns += [np.sin(angle).round(DIGITS), np.cos(angle).round(DIGITS)]
    return np.column_stack(columns)


def date_text(seconds: float) -> str:
    """Return a date, a time, or both by ISO 8601; seconds of the first day of 1970 are a time."""
    date, _, time = str(np.datetime64(round(seconds), "s")).partition("T")
    return time if 0 <= seconds < DAY else date if seconds % DAY == 0 else f"{date} {time}"


def feature_names(parts: tuple[str, ...]) -> list[str]:
    """Return what each feature of a date is called."""
    return [
        f"{way}{name}"
        for name in parts
        for way in (("sine of ", "cosine of ") if name in PERIODS else ("",))
    ]


def read_dates(table: Table, columns: Mapping[int, bool | None], comma: bool = False) -> Table:
    """Make numbers of the texts of columns of dates: seconds from 1970 on.

    Args:
        table: as it was read, with NaN for missing values.
        columns: by position among its values, whether days are before months; None as the dates
            tell.
        comma: whether numbers have a decimal comma, as where days are first.

    Raises:
        DataError: naming line and column, if a text is no date, or dates contradict one another.
        AmbiguousDateError: if no date tells whether days are first.
    """
    texts = {j: table.texts[j] for j in columns if j in table.texts}
    written = {j: [read_date(text) for text in texts[j]] for j in texts}
    told = {j: _told_order(dates) for j, dates in written.items() if columns[j] is None}
    orders = {**columns, **told}
    # What one column tells is so in the others.
    known = {order for order in told.values() if order is not None}
    default = known.pop() if len(known) == 1 else comma or None
    values = table.values.astype(np.float64) if texts else table.values
    for j, dates in written.items():
        ambiguous = [bool(date and date.is_ambiguous) for date in dates]
        if orders[j] is None and any(ambiguous):
            orders[j] = default
            if default is None:
                _refuse(table, j, ambiguous, AmbiguousDateError)
        seconds = [date and date.seconds(orders[j]) for date in dates]
        _refuse(table, j, [number is None for number in seconds], DataError, orders[j])
        given = ~np.isnan(values[:, j])
        values[given, j] = np.array(seconds, np.float64)[values[given, j].astype(np.intp)]
    kept = {j: of_one for j, of_one in table.texts.items() if j not in texts}
    return table._replace(values=values, texts=kept, dates=orders)


def _told_order(dates: Sequence[WrittenDate | None]) -> bool | None:
    """Return whether days are first by the first date that tells; None where none does."""
    return next((date.day_first for date in dates if date and date.day_first is not None), None)


def _refuse(
    table: Table,
    j: int,
    odd: Sequence[bool],
    kind: type[DataError],
    day_first: bool | None = None,
) -> None:
    """Report the first row of a column that has one of some texts, if any has.

    Args:
        table: with texts in column j.
        j: the column.
        odd: of each text, whether it may not be.
        kind: an `AmbiguousDateError`, or an error about what is no date.
        day_first: in which order it is none.

    Raises:
        DataError: of that kind.
    """
    column = table.values[:, j]
    rows = np.flatnonzero(np.isin(column, np.flatnonzero(odd)))
    if not len(rows):
        return
    text = table.texts[j][int(column[rows[0]])]
    problem, remedy = "is no date", "correct it, or list the column under categorical or ignore"
    if kind is AmbiguousDateError:
        problem = "may have its day or its month first, and no other date tells"
        remedy = "write day_first: true (or false)"
    elif day_first is not None and read_date(text):
        problem = f"is no date with the {'day' if day_first else 'month'} first, as others have it"
        remedy = f"correct it, or write day_first: {str(not day_first).lower()}"
    raise kind(
        table.row(int(rows[0])),
        f"{table.column(j)}: {text[:40]!r} {problem}",
        remedy,
        column=table.reference(j),
    )
