"""Of an exported module what makes features of a row's cells, and says what is wrong with one."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from mlpcli.data.readers.dates import DAY, EPOCH, read_date

Record = Mapping[str, Any]
TRUTHS = {"true": 1.0, "false": 0.0}


def _read_number(column: Record, cell: Any, missing: Record) -> list[float]:
    number = as_number(cell)
    if number is None or not math.isfinite(number):
        word = _text(cell).strip().lower()
        number = None
        if word and word not in missing["number_words"]:
            if word not in TRUTHS:
                raise ValueError(f"{word[:40]!r} is not a finite number")
            number = TRUTHS[word]
    if number is None or number in missing["numbers"]:
        if column["fill"] is None:
            raise ValueError("the value is missing")
        number = column["fill"]
    if column["bins"]:
        return [share / column["spread"] for share in _shares(number, column["bins"])]
    return [_scaled(number, column["center"], column["spread"], column["limit"])]


def _scaled(number: float, center: float, spread: float, limit: float | None) -> float:
    x = (number - center) / spread
    return x if limit is None else x / math.sqrt(1 + (x / limit) * (x / limit))


def _shares(number: float, bins: Sequence[float]) -> list[float]:
    """Return how much of each bin a number has passed; at both ends the line goes on."""
    shares = [(number - low) / (high - low) for low, high in pairwise(bins)]
    shares[1:] = [max(share, 0.0) for share in shares[1:]]
    shares[:-1] = [min(share, 1.0) for share in shares[:-1]]
    return shares


def _read_category(column: Record, cell: Any, missing: Record) -> list[float]:
    categories = column["categories"]
    text = _text(cell)
    word = text.strip().lower()
    if text not in categories or not word:
        if not word or word in missing["text_words"] or as_number(text) in missing["numbers"]:
            if column["fill"] is None:
                raise ValueError("the category is missing")
            return list(column["fill"])
        truths = {known.lower(): known for known in categories if known.lower() in TRUTHS}
        text = truths.get(text.lower(), text)
    if text in categories:
        found = list(column["off"])
        i = categories.index(text)
        # Without what is off, the column is one feature.
        found[i : i + 1] = [column["on"][i]]
        return found
    if not column["ignore_unknown"]:
        raise ValueError(f"{text[:40]!r} is no category seen in training")
    return [0.0] * max(1, len(column["off"]))


def _read_date(column: Record, cell: Any, missing: Record) -> list[float]:
    text = _text(cell)
    word, features = text.strip().lower(), column["fill"]
    if word and word not in missing["text_words"] and as_number(text) not in missing["numbers"]:
        features = _date_features(column, text)
    elif features is None:
        raise ValueError("the date is missing")
    scaling = zip(features, column["centers"], column["spreads"], strict=True)
    return [_scaled(*each, column["limit"]) for each in scaling]


def _date_features(column: Record, text: str) -> list[float]:
    """Return the features of the parts of a date, cycles as sine and cosine."""
    written, day_first = read_date(text), column["day_first"]
    if written and day_first is None and written.is_ambiguous:
        raise ValueError(f"{text[:40]!r} may have its day or its month first")
    seconds = written and written.seconds(day_first)
    if seconds is None:
        raise ValueError(f"{text[:40]!r} is no date")
    days = math.floor(seconds / DAY)
    day = date.fromordinal(days + EPOCH)
    parts = {
        "year": day.year,
        "month": day.month - 1,
        "weekday": day.weekday(),
        "time": seconds - days * DAY,
    }
    features: list[float] = []
    for name, period in zip(column["parts"], column["periods"], strict=True):
        angle = 2 * math.pi / period * parts[name] if period else 0.0
        features += [math.sin(angle), math.cos(angle)] if period else [parts[name]]
    return features


def _text(cell: Any) -> str:
    """Return the text of a cell, "" for None and NaN."""
    return "" if cell is None or (isinstance(cell, float) and math.isnan(cell)) else str(cell)


def as_number(cell: Any) -> float | None:
    """Return the number that a cell is or holds, None for any other text."""
    try:
        return None if isinstance(cell, str) and not cell.isascii() else float(cell)
    except (ValueError, TypeError, OverflowError):
        return None


READERS = {"Number": _read_number, "Category": _read_category, "Date": _read_date}
