"""What the columns of a table look like, before anything is decided about what they are for."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import ColumnRef
from mlpcli.data.fit import too_many_texts
from mlpcli.data.label_cells import separator_in
from mlpcli.data.readers.cell_forms import unit_of
from mlpcli.data.readers.notation import Notation
from mlpcli.data.readers.table import Table
from mlpcli.data.targets import as_number

# What a column of numbers of the rows is called, and what it ends with: of whole numbers that are
# all different, such a name tells what they are.
ROW_NAMES = (
    re.compile(
        r"(|#|i|n[°º]|№|idx|index|key|obs|case|record|uuid|guid|__index_level_0__|unnamed.*|ids?|nr|"
        r"no|num|number|rows?([_ .-]?(names?|no|nr|num|number|id|index))?|"
        r"(lfd|sl?|se?r|serial)[_ .]*(nr|no|number)|"
        r".*[_ .-](id|nr|no|num|number|key|numero|número)|.*(nr|nummer))\.?",
        re.IGNORECASE,
    ),
    re.compile(r".*[a-z](Id|ID|Nr|No|Number|Key)"),
)
# Of fewer rows, other things than the rows are counted, too.
MANY_ROWS = 10
YEARS = (1800, 2100)
# A column is of numbers, with words for what is missing, if it has so many different numbers and a
# word or two, or more words in a tenth of its rows.
DIFFERENT_NUMBERS = 5
FEW_WORDS, MOST_WORDS, WORD_LENGTH = 2, 20, 40
FEW_ROWS = 0.1
# A number such as -999 stands for a missing one.
STAND_IN = re.compile("-99+(.9+)?")


@dataclass(frozen=True)
class Look:
    """What the cells of a column are."""

    name: str | None
    """None where the table has no header."""
    position: int
    """In the file, from 0."""
    values: NDArray[Any]
    """(n,) numbers, or codes of texts, NaN where nothing is given."""
    is_given: NDArray[np.bool]
    """(n,)."""
    different: NDArray[Any]
    """Those that occur, in ascending order, (k,)."""
    counts: NDArray[np.intp]
    """How often each of them occurs, (k,)."""
    texts: tuple[str, ...]
    """Of a column of texts: that of each of them."""
    notation: Notation | None = None
    """How numbers among them are written."""

    @property
    def reference(self) -> ColumnRef:
        """How a configuration refers to it."""
        return self.name or self.position

    @property
    def called(self) -> str:
        """What a user calls it."""
        return f"column {self.name or f'{self.position} (from 0)'}"

    @property
    def given(self) -> int:
        """How many rows have a value."""
        return int(self.counts.sum())

    @property
    def is_text(self) -> bool:
        """Whether the cells are texts."""
        return bool(self.texts)

    @property
    def are_all_different(self) -> bool:
        """Whether no value comes back."""
        return len(self.different) == self.given

    @cached_property
    def words(self) -> dict[str, int]:
        """The texts that are no finite numbers, and how often each occurs."""
        pairs = zip(self.texts, self.counts.tolist(), strict=False)
        return {text: count for text, count in pairs if as_number(text, self.notation) is None}

    @property
    def is_mixed(self) -> bool:
        """Whether some cells are numbers and some are texts."""
        return 0 < len(self.words) < len(self.texts)

    @property
    def is_numbers_but_words(self) -> bool:
        """Whether a few words stand among numbers, as for what is missing."""
        words = self.words
        rows, numbers = sum(words.values()), len(self.texts) - len(words)
        share = rows / max(1, self.given)
        most = MOST_WORDS if share <= FEW_ROWS else FEW_WORDS
        # Marks, such as "..", are no categories, and neither are ever different numbers.
        are_gaps = share <= 1 / 2 or too_many_texts(numbers, self.given - rows)
        are_gaps |= not any(map(has_letters_or_digits, words))
        return (
            0 < len(words) <= most
            and are_gaps
            and numbers >= DIFFERENT_NUMBERS
            and not any(len(word) > WORD_LENGTH or unit_of(word) for word in words)
        )

    @property
    def stand_in(self) -> float | None:
        """The number that stands for a missing one, such as -999; None where there is none.

        It is the least, of nines alone, more than once, and farther from the others than these
        are from one another.
        """
        if self.is_text or len(self.different) <= DIFFERENT_NUMBERS:
            return None
        least, next_one, largest = self.different[[0, 1, -1]].tolist()
        is_far = next_one - least > largest - next_one
        if STAND_IN.fullmatch(f"{least:.15g}") and is_far and self.counts[0] > 1:
            return float(least)
        return None

    @cached_property
    def label_separator(self) -> str | None:
        """What is between several labels in one cell; None where these are plainly none."""
        return separator_in(dict(zip(self.texts, self.counts.tolist(), strict=False)))

    @property
    def is_names(self) -> bool:
        """Whether the cells are texts, too different to be categories."""
        return self.is_text and too_many_texts(len(self.texts), self.given)

    @property
    def numbers_rows(self) -> bool:
        """Whether the cells are numbers that tell rows apart and nothing else.

        They are whole and all different in all rows, and the name says so; or the column is the
        first, and they count up or down by one, as no years do.
        """
        values = self.different
        if self.is_text or not len(values) or len(values) < len(self.values):
            return False
        if not (values == np.rint(values)).all():
            return False
        if self.name is not None and any(p.fullmatch(self.name) for p in ROW_NAMES):
            return True
        if self.position > 0 or len(values) < MANY_ROWS:
            return False
        are_years = YEARS[0] <= values[0] and values[-1] <= YEARS[1]
        steps = np.abs(np.diff(self.values.astype(np.float64)))
        return bool((steps == 1).all()) and not are_years

    @property
    def can_be_learned(self) -> bool:
        """Whether there are values to tell apart, and enough of each to learn from."""
        if len(self.different) < 2 or self.numbers_rows:
            return False
        names = self.is_names or (self.is_text and self.are_all_different)
        return not names or self.is_numbers_but_words or self.label_separator is not None


def has_letters_or_digits(text: str) -> bool:
    """Return whether a text is more than a mark, such as a point."""
    return any(map(str.isalnum, text))


def look_at(table: Table, notation: Notation | None) -> dict[int, Look]:
    """Look at the columns of a table; return them by their position in the file."""
    columns = (_look(table, j, notation) for j in range(table.values.shape[1]))
    return {column.position: column for column in columns}


def _look(table: Table, j: int, notation: Notation | None) -> Look:
    column = table.values[:, j]
    is_given = ~np.isnan(column) if column.dtype.kind == "f" else np.ones(len(column), bool)
    different, counts = np.unique(column[is_given], return_counts=True)
    texts: tuple[str, ...] = ()
    if j in table.texts:
        texts = tuple(table.texts[j][int(code)] for code in different)
    position = table.position(j)
    name = table.names[position] if table.names else None
    return Look(name, position, column, is_given, different, counts, texts, notation)
