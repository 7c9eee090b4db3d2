"""The `data` key of an experiment where data are files: what it says."""

from collections.abc import Iterable
from typing import Any, NamedTuple

# What usually stands for a missing value, in lower case; spreadsheets, also German ones, and pandas
# write the last three.
USUAL_WORDS = frozenset({"na", "n/a", "nan", "null", "none", "?", "#n/a", "#nv", "<na>"})
# What may stand between a table's cells.
DELIMITERS = (",", ";", "\t", "|", " ")
# Columns that are read in training and are no features.
ROLES = ("weight", "group", "time")

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

    @property
    def text_words(self) -> frozenset[str]:
        """The words, in lower case, for cells of text and classes."""
        given = (value.strip().lower() for value in self.given if isinstance(value, str))
        return frozenset(("", *given, *(() if self.only else USUAL_WORDS)))

    @property
    def number_words(self) -> frozenset[str]:
        """The words, in lower case, for cells of numbers."""
        return self.text_words | USUAL_WORDS

    def with_words(self, words: Iterable[str | float]) -> "MissingValues":
        """Return these and further words, or numbers."""
        return self._replace(given=tuple(dict.fromkeys((*self.given, *words))))

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
