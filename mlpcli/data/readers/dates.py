"""Dates and times as tables write them: seconds from 1970 on, by the clock on the wall."""

import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

DAY, EPOCH = 86_400, date(1970, 1, 1).toordinal()
# Two digits stand for a year from 1969 to 2068, as POSIX says.
CENTURY = 69
# By their first letters; English, German, French.
MONTHS = (
    ("jan",), ("feb", "fév", "fev"), ("mar", "mär", "mrz"), ("apr", "avr"), ("may", "mai"),
    ("jun", "juin"), ("jul", "juil"), ("aug", "aoû", "aou"), ("sep",), ("oct", "okt"), ("nov",),
    ("dec", "dez", "déc"),
)  # fmt: skip
# Of a time zone what is written after a time; MEZ is German for CET.
_ZONE = r"(?:UTC|MEZ|MESZ|[A-Z]{1,3}T)(?:[+-]\d{1,2}(?::?\d\d)?)?"
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d(?:[.,]\d{1,9})?))?"
    rf"(?: ?(?P<half>[aApP])\.?[mM]\.?)?(?: ?(?:Z|{_ZONE}|[+-]\d\d(?::?\d\d)?))?"
)
# A colon is between them in SAS and in the logs of web servers.
_BETWEEN = r"(?:[T :]|, ?)"
# A date is by year, month, day; by day or month, the other, year; or by the month's name. Without
# a day it is the first of its month, quarter or week.
_DATES = (
    r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})",
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
    r"(?P<year>\d{4})(?:-|-?M)(?P<month>\d\d)",
    r"(?P<first>\d{1,2})(?P<sep>[./])(?P<second_>\d{1,2})(?P=sep)(?P<year>\d{4}|\d\d)",
    r"(?P<first>\d{1,2})-(?P<second_>\d{1,2})-(?P<year>\d{4})",
    r"(?P<day>\d{1,2})\.?[-/ ]?(?P<name>[^\W\d_]{3,9})\.?(?:[-/,] ?| )?(?P<year>\d{4}|\d\d)",
    r"(?P<name>[^\W\d_]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
    r"(?P<month>\d{1,2})/(?P<year>\d{4})",
    r"(?P<year>\d{4})[- ]?Q(?P<quarter>[1-4])",
    r"Q(?P<quarter>[1-4])[-/ ]?(?P<year>\d{4})",
    r"(?P<year>\d{4})-?W(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?",
    r"(?P<name>[^\W\d_]{3,9})(?:-|\.?[-/ ](?=\d{4}))(?P<year>\d{4}|\d\d)",
)
_WEEKDAY = r"(?:[^\W\d_]{2,10}, ?)?"
_FORMS = [
    *(re.compile(f"{_WEEKDAY}{form}(?:{_BETWEEN}{_TIME})?") for form in _DATES),
    re.compile(
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)T"
        r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?)?"
    ),
    # As C writes it, and others with a zone before the year.
    re.compile(
        rf"[^\W\d_]{{2,10}} (?P<name>[^\W\d_]{{3,9}}) (?P<day>\d\d?) {_TIME} (?P<year>\d{{4}})"
    ),
    re.compile(_TIME),
]


class WrittenDate(NamedTuple):
    """A date or time as it was written."""

    by_day: float | None
    """Seconds from 1970 on if its day is before its month; None where it is no date then."""
    by_month: float | None
    """The same if its month is first."""
    day_first: bool | None = None
    """Which of them is so; None where it tells neither."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether the order makes a difference, and is not told."""
        return self.day_first is None and self.by_day != self.by_month

    def seconds(self, day_first: bool | None = None) -> float | None:
        """Return the seconds from 1970 on; None where it is no date in that order.

        Args:
            day_first: what 3/4/2024 means; None where that is not known.
        """
        order = self.day_first if day_first is None else day_first
        return self.by_month if order is False else self.by_day


def read_date(text: str) -> WrittenDate | None:
    """Return the date, time or both that a text is; None if it is none."""
    stripped = " ".join(text.split())
    match = next(filter(None, (form.fullmatch(stripped) for form in _FORMS)), None)
    if match is None:
        return None
    found = match.groupdict()
    time = _time(found)
    if time is None:
        return None
    if "year" not in found:
        return WrittenDate(time, time)
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 1900 if year >= CENTURY else 2000
    if "first" not in found:
        seconds = _by_parts(found, year, time)
        return None if seconds is None else WrittenDate(seconds, seconds)
    first, second = int(found["first"]), int(found["second_"])
    by_day, by_month = (
        _seconds(date, year, month, day, time) for month, day in ((second, first), (first, second))
    )
    if by_day is None and by_month is None:
        return None
    # Where points are between the numbers, days are first.
    order = None
    if by_month is None or (by_day is not None and found.get("sep") == "."):
        order = True
    elif by_day is None:
        order = False
    return WrittenDate(by_day, by_month, order)


def _by_parts(found: dict[str, str | None], year: int, time: float) -> float | None:
    """Return the seconds from 1970 on of a date whose parts are told; None for one that is none."""
    if week := found.get("week"):
        return _seconds(date.fromisocalendar, year, int(week), int(found["weekday"] or 1), time)
    if quarter := found.get("quarter"):
        return _seconds(date, year, 3 * int(quarter) - 2, 1, time)
    month = _month(found["name"]) if "name" in found else int(found["month"] or 0)
    return _seconds(date, year, month, int(found.get("day") or 1), time)


def _time(found: dict[str, str | None]) -> float | None:
    """Return the seconds from midnight, 0 where there is no time; None for one that is none."""
    hour, minute = int(found.get("hour") or 0), int(found.get("minute") or 0)
    second = float((found.get("second") or "0").replace(",", "."))
    if half := found.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "pP" else 0)
    if hour > 23 or minute > 59 or second >= 61:
        return None
    return hour * 3600 + minute * 60 + second


def _month(name: str | None) -> int:
    """Return the number of a month by its name, 0 for another word."""
    word = (name or "").lower()
    return next((i for i, starts in enumerate(MONTHS, 1) if word.startswith(starts)), 0)


def _seconds(
    calendar: Callable[[int, int, int], date], year: int, part: int, day: int, time: float
) -> float | None:
    """Return the seconds from 1970 on; None for a date that the calendar does not have."""
    try:
        return (calendar(year, part, day).toordinal() - EPOCH) * DAY + time
    except ValueError:
        return None
