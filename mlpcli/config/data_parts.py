"""What each part of the `data` key may be where data are files, and how it is checked."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mlpcli.config.data_files import DELIMITERS, ColumnRef, Files, MissingValues, Target
from mlpcli.config.validators import BOOLEAN, PartError, Validator, choice, parse_parts

# Characters that mean something in a table.
ASCII = '\n,;\t|"#+-.0123456789eE ABCabc'
# What may stand before decimals.
DECIMALS = (".", ",")
# A unit begins with nothing that a number has, and has no brackets, which may be a minus.
UNIT = re.compile(r"[^\d\s.,'\u2019+\-\u2212\u2013()][^()\r\n]*")
# Parts in which none may be a name, or is a value like any other.
NAMING = (
    "train",
    "target",
    "test_target",
    "ignore",
    "categorical",
    "missing_values",
    "weight",
    "group",
    "time",
    "scale",
)


def given_parts(value: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the parts of `data` that are given: others are null, or none where that is no name."""
    return {
        part: given
        for part, given in value.items()
        if part not in PARTS or not (given is None or (given == "none" and part not in NAMING))
    }


def parse_files(value: Mapping[str, Any]) -> tuple[Files, str | None]:
    """Check the mapping {train: FILE, ...}.

    Returns:
        The files, and `scale` if it is given.

    Raises:
        PartError: saying what is wrong with it.
    """
    parsed = parse_parts(PARTS, value)
    scale = parsed.pop("scale", None)
    files = Files(**parsed)
    for part in ("decimal", "delimiter"):
        if files.thousands is not None and parsed.get(part) == files.thousands:
            problem = f"{files.thousands!r} is {part}, too"
            raise PartError("thousands", problem, "leave out one of the two")
    if files.label_separator is not None and isinstance(files.target, tuple):
        problem = "is of labels in one cell, but target names several columns"
        raise PartError("label_separator", problem, "name one column, or remove it")
    return files, scale


def _text(value: Any) -> str:
    if type(value) is not str or not value:
        raise ValueError
    return value


def _name(value: Any) -> ColumnRef:
    return value if type(value) is int else _text(value)


def _names(value: Any) -> tuple[ColumnRef, ...]:
    return tuple(map(_name, value if type(value) is list else [value]))


def _units(value: Any) -> tuple[str, ...]:
    units = tuple(text.strip() for text in map(_text, value if type(value) is list else [value]))
    if not all(map(UNIT.fullmatch, units)):
        raise ValueError
    return units


def _target(value: Any) -> Target:
    if type(value) is not list:
        return _name(value)
    if len(value) < 2:
        raise ValueError
    return _names(value)


def _missing_values(value: Any) -> MissingValues:
    only = type(value) is dict
    given = value["only"] if only and list(value) == ["only"] else value
    if type(given) is not list:
        raise ValueError
    for one in given:
        if type(one) is not str and not (type(one) in (int, float) and math.isfinite(one)):
            raise ValueError
    return MissingValues(tuple(given), only)


def _test(value: Any) -> str | float:
    if type(value) is float and 0 < value < 1:
        return value
    return _text(value)


def _charset(value: Any) -> str:
    """Return a text encoding in which the characters of ASCII are what they are in ASCII."""
    with suppress(LookupError):
        if type(value) is str and ASCII.encode(value) == ASCII.encode():
            return value
    raise ValueError


def _size(value: Any) -> tuple[int, int]:
    pair = value if type(value) is list else [value, value]
    if len(pair) != 2 or any(type(side) is not int or not 0 < side <= 4096 for side in pair):
        raise ValueError
    return pair[0], pair[1]


TEXT = Validator("a name", _text)
SCALE = choice("unit", "standardize", "robust", "none")
_COLUMN = Validator("a column's name or position from 0", _name)
_COLUMNS = Validator("a list of column names or positions from 0", _names)
PARTS: dict[str, Validator] = {
    "train": Validator("a file or a folder of images", _text),
    "test": Validator("a file, a folder, or a fraction between 0 and 1", _test),
    "target": Validator(
        "a column's name or position from 0, a list of two or more, or a file of labels", _target
    ),
    "label_separator": Validator("a text such as ; or /", _text),
    "test_target": Validator("a file of labels", _text),
    "ignore": _COLUMNS,
    "categorical": _COLUMNS,
    "missing": choice("error", "mean", "drop"),
    "missing_values": Validator("a list of words and numbers, or {only: LIST}", _missing_values),
    "missing_target": choice("error", "drop"),
    "unknown": choice("error", "ignore"),
    "weight": _COLUMN,
    "group": _COLUMN,
    "time": _COLUMN,
    "header": BOOLEAN,
    "delimiter": Validator('"," or ";" or "\\t" or "|" or " "', choice(*DELIMITERS).parse),
    "bad_lines": choice("error", "skip"),
    "encoding": Validator("the name of a text encoding such as cp1252 or shift_jis", _charset),
    "decimal": Validator('"." or ","', choice(*DECIMALS).parse),
    "thousands": Validator('"," or "." or " " or "\'"', choice(",", ".", " ", "'").parse),
    "units": Validator(
        "a list of units such as kg or km/h, that begin with no digit and have no brackets", _units
    ),
    "dates": _COLUMNS,
    "day_first": BOOLEAN,
    "size": Validator("[rows, columns], each from 1 to 4096, or one number for both", _size),
    "grayscale": BOOLEAN,
    "scale": SCALE,
}
