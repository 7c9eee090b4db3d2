"""The `data` key of an experiment where data are files: what it may say."""

import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from mlpcli.config.validators import BOOLEAN, PartError, Validator, choice, parse_parts

# What usually stands for a missing value, in lower case; spreadsheets, also German ones, and pandas
# write the last three.
USUAL_WORDS = frozenset({"na", "n/a", "nan", "null", "none", "?", "#n/a", "#nv", "<na>"})
# What may stand between a table's cells.
DELIMITERS = (",", ";", "\t", "|", " ")
# Characters that mean something in a table.
ASCII = '\n,;\t|"#+-.0123456789eE ABCabc'
# What may stand before decimals.
DECIMALS = (".", ",")
# A unit begins with nothing that a number has, and has no brackets, which may be a minus.
UNIT = re.compile(r"[^\d\s.,'\u2019+\-\u2212\u2013()][^()\r\n]*")
ColumnRef = str | int
"""A column: its name, or its position from 0 (-1 is the last)."""


Target = ColumnRef | tuple[ColumnRef, ...]
"""One column, or several."""


class MissingValues(NamedTuple):
    """What stands for a missing value, beside an empty cell."""

    given: tuple[str | float, ...] = ()
    """Words, whatever their case, and numbers."""
    only: bool = False
    """Whether the usual words are texts and classes like any other."""

    def words(self, text: bool) -> frozenset[str]:
        """Return the words, in lower case, for cells of text and classes, or of numbers."""
        given = {value.strip().lower() for value in self.given if isinstance(value, str)}
        return frozenset(given if text and self.only else given | USUAL_WORDS) | {""}

    def with_words(self, words: Iterable[str]) -> "MissingValues":
        """Return these and further words, beside the usual ones."""
        return MissingValues(tuple(dict.fromkeys((*self.given, *words))))

    @property
    def numbers(self) -> tuple[float, ...]:
        """Return the numbers."""
        return tuple(value for value in self.given if not isinstance(value, str))

    def to_plain(self) -> Any:
        """Return the YAML or JSON value."""
        return {"only": list(self.given)} if self.only else list(self.given)


class Files(NamedTuple):
    """Which files hold the data, and how they are to be read."""

    train: str = ""
    """A table, an array or a folder of images by class; relative to the configuration."""
    test: str | float | None = None
    """Another such file, or the fraction of `train` to set aside."""
    target: Target | None = None
    """The columns with the targets (None: the last); of arrays, the file or array with them."""
    label_separator: str | None = None
    """What stands between labels, where an example has all of them in one cell."""
    test_target: str | None = None
    """`target` of the test file, where classes stand in a file of their own."""
    ignore: tuple[ColumnRef, ...] = ()
    """Columns that are no features."""
    categorical: tuple[ColumnRef, ...] = ()
    """Columns to be one-hot encoded although they may look like numbers."""
    missing: str = "error"
    """What to do about missing values: error, mean or drop."""
    header: bool | None = None
    """Whether a table's first line names its columns (None to detect)."""
    delimiter: str | None = None
    """What stands between a table's cells (None to detect)."""
    bad_lines: str = "error"
    """What to do about lines with more or fewer cells than the first: error or skip."""
    encoding: str | None = None
    """What the lines of a table are written in that are not UTF-8 (None: there are none)."""
    decimal: str | None = None
    """What stands before decimals (None: a point), in numbers as spreadsheets write them."""
    thousands: str | None = None
    """What stands between groups of digits, in such numbers."""
    units: tuple[str, ...] = ()
    """What may stand before or after such numbers, beside % and currencies."""
    dates: tuple[ColumnRef, ...] = ()
    """Columns of dates and times."""
    day_first: bool | None = None
    """Whether 3/4/2024 is in April (None: as the column's other dates tell)."""
    size: tuple[int, int] | None = None
    """Rows and columns to which images are resized."""
    grayscale: bool | None = None
    """Whether images become gray (None: where they are)."""
    missing_values: MissingValues = MissingValues()
    """What stands for a missing value."""
    missing_target: str | None = None
    """What to do about a missing target: error or drop (None: drop if `missing` is, else error)."""
    unknown: str = "error"
    """What to do about categories that were not seen in training: error or ignore."""
    weight: ColumnRef | None = None
    """The column that says how much each example counts."""
    group: ColumnRef | None = None
    """The column that says which examples stay on one side of every split."""
    time: ColumnRef | None = None
    """The column by which examples are split, the newest last."""

    @property
    def point(self) -> str:
        """What stands before decimals."""
        return self.decimal or ("," if self.thousands == "." else ".")

    def to_mapping(self) -> dict[str, Any]:
        """Return plain YAML or JSON values, without defaults; `parse_files` is the way back."""
        return {
            name: _plain(value)
            for name, value in self._asdict().items()
            if value != self._field_defaults[name]
        }


def _plain(value: Any) -> Any:
    if isinstance(value, MissingValues):
        return value.to_plain()
    return list(value) if isinstance(value, tuple) else value


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
# Columns that are read in training and are no features.
ROLES = ("weight", "group", "time")


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
