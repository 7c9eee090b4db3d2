"""How a table writes its numbers and dates: found out from the texts that are neither plainly."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from mlpcli.config.data_files import ColumnRef, Files
from mlpcli.data.columns import with_dates
from mlpcli.data.guess.record import shown_reference
from mlpcli.data.missing import mark_missing
from mlpcli.data.readers.cell_forms import NOTATIONS, Form, common_form, units_in, without_unit
from mlpcli.data.readers.dates import read_date
from mlpcli.data.readers.notation import Notation, parse_number
from mlpcli.data.readers.table import Table
from mlpcli.errors import AmbiguousDateError, DataError, join_names

# So many texts of a column are looked at, of which such a share must be of one form.
TEXTS = 2000
SHARE = 0.9
DIGITS = re.compile(r"[0-9][0-9.]*")
THREE_DIGITS = re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{3})*")
# Fewer numbers with three digits after a point may have them by chance.
FEW_POINTS = 5
# So many words may stand for a missing date.
FEW_WORDS = 2


def guess_notation(
    table: Table, delimiter: str, typed: bool = False, other: Collection[int] = ()
) -> tuple[Notation, list[str]] | None:
    """Return the notation by which more is read as numbers than without it, and why.

    More columns count first; in these, more texts: few of them may be above a thousand, or below 0.

    Args:
        table: with all its columns, those of texts and numbers as texts.
        delimiter: what is between its cells.
        typed: whether columns that are numbers are so by their type, however texts write them.
        other: positions of columns that are something else.

    Returns:
        The notation and what it reads; None if plain numbers are what there is.
    """
    columns = [j for j in table.texts if table.position(j) not in other]
    units = {j: found for j in columns if (found := units_in(table.texts[j]))}
    given = {j: _sample(table, j) for j in columns}
    texts = {j: given[j].without_units() if j in units else given[j] for j in columns}
    numeric = [j for j in range(table.values.shape[1]) if j not in table.texts]
    stay = {
        notation: sum(typed or _stays_number(table, j, notation) for j in numeric)
        for notation in NOTATIONS
    }
    plain = _score(given.values(), None, len(numeric))
    scores = {notation: _score(texts.values(), notation, stay[notation]) for notation in NOTATIONS}
    most = max(scores.values())
    if most < plain:
        return None
    best = [notation for notation in NOTATIONS if scores[notation] == most]
    of_numbers = [column.all for column in texts.values() if column.are_numbers(best[0])]
    notation, doubt = _choose(best, [*chain.from_iterable(of_numbers)], delimiter)
    if most == plain and notation == Notation():
        return None
    read = [j for j in columns if texts[j].are_numbers(notation)]
    findings = _finding([texts[j].all for j in read], notation, doubt)
    if with_unit := [j for j in read if j in units]:
        words = {j: " and ".join(map(repr, units[j])) for j in with_unit}
        listed = [f"{words[j]} in {shown_reference(table.reference(j))}" for j in with_unit]
        findings.append(f"numbers with {join_names(listed)} are read as numbers")
    of_all = dict.fromkeys(unit for j in with_unit for unit in units[j])
    return notation._replace(units=tuple(of_all)), findings


def _choose(
    best: list[Notation], texts: Sequence[str], delimiter: str
) -> tuple[Notation, Notation | None]:
    """Return the notation of some texts, of those that read most, and what else it may be."""
    decimal, thousands, points = Notation(","), Notation(".", ","), Notation(",", ".")
    if best[0] == Notation() and points in best and (digits := _with_three_digits(texts)):
        if any(number.count(".") > 1 for number in digits):
            return points, None
        told = delimiter == ";" or any("." not in number for number in digits)
        return (points, best[0]) if told else (best[0], points)
    if best[0] != decimal or thousands not in best:
        return best[0], None
    return (thousands, decimal) if _group_thousands(texts, delimiter) else (decimal, thousands)


def _finding(columns: list[list[str]], notation: Notation, doubt: Notation | None) -> list[str]:
    """Return, with an example, how numbers are read; and how else they might have been meant."""

    def is_odd(text: str) -> bool:
        in_doubt = doubt and parse_number(text, doubt) != parse_number(text, notation)
        return bool(in_doubt) or parse_number(text) is None

    odd = [text for texts in columns for text in texts if is_odd(text)]
    longest = sorted(odd, key=len, reverse=True)
    shown = next((text for text in longest if notation.read(text)), None)
    if shown is None:
        return []
    finding = f"numbers: {shown.strip()!r} is {parse_number(shown, notation):.12g}"
    if doubt and doubt.read(shown):
        keys = Form("number", (doubt,)).keys
        finding += f"; if it is {parse_number(shown, doubt):.12g}, write {keys} instead"
    return [finding]


class _Texts(NamedTuple):
    """Some of the different texts of a column."""

    plain: list[str]
    """Of those that are plain numbers."""
    others: list[str]
    plain_count: int
    """How many there are in all."""
    other_count: int

    @property
    def all(self) -> list[str]:
        """All that are looked at."""
        return self.plain + self.others

    def without_units(self) -> "_Texts":
        """Return the same without what stands after or before numbers."""
        plain, others = ([*map(without_unit, part)] for part in self[:2])
        return self._replace(plain=plain, others=others)

    def count_read(self, notation: Notation | None) -> float:
        """Return how many of all are numbers, about; a few with % are none of plain ones."""
        most_are_plain = self.plain_count > self.other_count

        def is_read(text: str) -> bool:
            if notation is None:
                return parse_number(text) is not None
            written = notation.read(text)
            return written is not None and not (most_are_plain and written.unit == "%")

        pairs = ((self.plain, self.plain_count), (self.others, self.other_count))
        return sum(n * sum(map(is_read, texts)) / len(texts) for texts, n in pairs if texts)

    def are_numbers(self, notation: Notation | None) -> bool:
        """Return whether nearly all of them are numbers."""
        read = self.count_read(notation)
        return read > 0 and read >= SHARE * (self.plain_count + self.other_count)


def _sample(table: Table, j: int) -> _Texts:
    texts = [table.texts[j][code] for code in table.codes(j)]
    plain = [text for text in texts if parse_number(text) is not None]
    others = [text for text in texts if parse_number(text) is None]
    return _Texts(plain[:TEXTS], others[:TEXTS], len(plain), len(others))


def _score(columns: Iterable[_Texts], notation: Notation | None, others: int) -> tuple[int, float]:
    """Return how many columns are numbers in a notation, and how many texts of these are.

    Args:
        columns: those of texts.
        notation: one; None for plain numbers.
        others: how many columns are numbers beside them.
    """
    read = [column.count_read(notation) for column in columns if column.are_numbers(notation)]
    return len(read) + others, sum(read)


def _stays_number(table: Table, j: int, notation: Notation) -> bool:
    """Return whether a column of plain numbers is one in a notation, too."""
    if notation.decimal == ".":
        return True
    column = table.values[:, j].astype(np.float64)
    column = column[np.isfinite(column)]
    fractions = column[column != np.rint(column)]
    # Points between groups of three digits look like decimals, but not of 0, or above a thousand.
    thousands = np.abs(fractions * 1000)
    grouped = np.abs(thousands - np.rint(thousands)) < 1e-6 * thousands
    grouped &= (thousands >= 1000) & (thousands < 1e6)
    return not len(fractions) or (notation.thousands == "." and bool(grouped.all()))


def _with_three_digits(texts: Sequence[str]) -> list[str]:
    """Return the digits of numbers, but of 0, if points stand before three of them, always.

    So they do between thousands: decimals that always have three digits would be 500.000, too.
    """
    digits = [found[0] for text in texts if (found := DIGITS.search(text)) and found[0] != "0"]
    is_so = all(map(THREE_DIGITS.fullmatch, digits)) and sum("." in d for d in digits) >= FEW_POINTS
    return digits if is_so else []


def are_grouped_by_points(cells: Sequence[str]) -> bool:
    """Return whether points among some cells, without which the others are, are of thousands."""
    digits = _with_three_digits(cells)
    return any("." not in number for number in digits)


def _group_thousands(texts: Sequence[str], delimiter: str) -> bool:
    """Return whether commas, with three digits after each, are rather between groups of digits."""
    whole = [len(text) for text in texts if text.isdigit()]
    if whole:
        return max(whole) <= 3
    return delimiter == ","


def _few_words(table: Table, j: int) -> list[str]:
    """Return the texts of a column of dates that are none, if these are one or two words.

    Zeros and what is between them, such as 0000-00-00, are a word, too.
    """
    texts = (table.texts[j][code] for code in table.codes(j))
    words = [text for text in texts if read_date(text) is None]
    are_words = not any(digit in word for word in words for digit in "123456789")
    return words if len(words) <= FEW_WORDS and are_words else []


def guess_dates(
    table: Table, files: Files, other: Collection[int], day_first: bool
) -> tuple[Table, Files, list[str]]:
    """Return a table with its dates as such, the configuration that says so, and why.

    Args:
        table: with all its columns.
        files: the configuration so far.
        other: positions of columns that are something else.
        day_first: what 3/4/2024 is taken for where no date tells.
    """
    files = files._replace(dates=(*files.dates, *_look_like_dates(table, other)))
    findings: list[str] = []
    while True:
        try:
            read = with_dates(table, files)
            break
        except AmbiguousDateError as error:
            files = files._replace(day_first=day_first)
            first = "day" if day_first else "month"
            findings.append(
                f"{error.problem}: the {first} is taken to be first; day_first: "
                f"{str(not day_first).lower()} says otherwise"
            )
        except DataError as error:
            (j,) = (j for j in table.texts if table.reference(j) == error.column)
            if words := _few_words(table, j):
                files = files._replace(missing_values=files.missing_values.with_words(words))
                table = mark_missing(table, files.missing_values)
                listed = join_names([*map(repr, words)])
                findings.append(
                    f"{table.column(j)} has dates, and {listed}, which counts as missing"
                )
            else:
                findings.append(f"{error.problem}; {error.remedy}")
                dates = tuple(name for name in files.dates if name != error.column)
                files = files._replace(dates=dates)
    if files.dates:
        findings.append(f"dates: {join_names([*map(shown_reference, files.dates)])}")
    return read, files, findings


def _look_like_dates(table: Table, other: Collection[int]) -> Iterator[ColumnRef]:
    """Yield the columns of texts of which nearly all are dates, but for some that are not."""
    for j, texts in table.texts.items():
        if table.position(j) not in other:
            form = common_form([texts[code] for code in table.codes(j)[:TEXTS]], SHARE)
            if form and form[0].kind == "date":
                yield table.reference(j)
