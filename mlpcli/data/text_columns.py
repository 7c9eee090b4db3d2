"""Texts that look like numbers or dates: never categories without a word."""

import json
import re
from collections import Counter
from collections.abc import Sequence

from mlpcli.config.data_files import Files
from mlpcli.data.readers.cell_forms import common_form, common_units, units_in, without_unit
from mlpcli.data.readers.notation import parse_number
from mlpcli.data.readers.table import Table
from mlpcli.errors import DataError, join_names

# A column looks like what so large a share of its texts does, of so many that are looked at.
SHARE = 0.75
TEXTS = 1000
# Of more different texts than are categories as a rule, those are numbers of some form that begin
# with a digit, and of which nearly all have one of so few shapes, but for their digits.
MANY_TEXTS, MOST_SHAPES = 20, 5
DIGITS = re.compile("[0-9]+")
BEGINS_WITH_DIGIT = re.compile(r"\W*[0-9]")


def check_forms(table: Table, files: Files) -> None:
    """Refuse columns of text that look like numbers or dates, unless they are to be categories.

    Args:
        table: training examples.
        files: how they were read.

    Raises:
        DataError: naming the first such cell, and the key to write.
    """
    for j, texts in table.texts.items():
        name = table.reference(j)
        position = table.position(j)
        if {name, position, position - len(table.names or ())} & {*files.categorical}:
            continue
        found = common_form([texts[code] for code in table.codes(j)[:TEXTS]], SHARE)
        if not found:
            continue
        form, cell = found
        row = int((table.values[:, j] == texts.index(cell)).argmax())
        key = f"dates: [{name}]" if form.kind == "date" else form.keys
        raise DataError(
            table.row(row),
            f"{table.column(j)}: {cell[:40]!r} looks like a {form.kind}, but is not read as one",
            f"write {key} under data, or categorical: [{name}] if it is a category",
            column=name,
        )


def unit_note(texts: Sequence[str]) -> str:
    """Return what to say of texts that are numbers in a form that is not read; else ""."""
    return "; ".join(units_found(texts))


def units_found(texts: Sequence[str]) -> tuple[str, ...]:
    """Return that texts are numbers, and what would read them; () if they are not."""
    units, are_read = units_in(texts), True
    if not units:
        units, are_read = tuple(common_units(texts[:TEXTS], SHARE)), False
    if not units:
        return _unread_numbers(texts[:TEXTS])
    note = f"numbers with {join_names([*map(repr, units)], 3)}"
    if not are_read:
        return note, "in one unit they would be read as such"
    numbers = map(without_unit, texts[:TEXTS])
    odd = common_form([text for text in numbers if parse_number(text) is None], SHARE)
    keys = f"{odd[0].keys}, and " if odd and odd[0].kind == "number" else ""
    return note, f"{keys}units: {json.dumps(units, ensure_ascii=False)} under data reads them"


def _unread_numbers(texts: Sequence[str]) -> tuple[str, ...]:
    """Return that texts are numbers of a form that no key reads, such as 7h 30m; () if not."""
    if len(texts) <= MANY_TEXTS:
        return ()
    shapes = {text: DIGITS.sub("0", text) for text in texts if BEGINS_WITH_DIGIT.match(text)}
    common = Counter(shapes.values()).most_common(MOST_SHAPES)
    if sum(count for _, count in common) < SHARE * len(texts):
        return ()
    # Plain numbers may be meant as categories.
    odd = [text for text in shapes if parse_number(text) is None]
    shown = next((text for shape, _ in common for text in odd if shapes[text] == shape), None)
    if shown is None:
        return ()
    return f"numbers such as {shown[:40]!r} in a form that is not read", "write them plainly"
