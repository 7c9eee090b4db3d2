"""Numbers and dates in forms that are not read unless a key says so: which key that is."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from mlpcli.data.readers.dates import read_date
from mlpcli.data.readers.notation import Notation, are_forms, parse_number

# Those with fewer keys first.
NOTATIONS = (
    Notation(),
    Notation(","),
    *(Notation(".", thousands) for thousands in (",", " ", "'")),
    *(Notation(",", thousands) for thousands in (".", " ", "'")),
)
NUMBER = r"(?P<number>[-+\u2212\u2013]?[0-9](?:[0-9.,'\u2019]|\s(?=[0-9]))*)"
# A number with a unit after it, such as kg, mg/dL, m2, sq ft or °C; or before it, such as approx.
WITH_UNIT = re.compile(rf"\s*{NUMBER}\s*(?P<unit>(?:[^\W\d_]|°)[\w°/.%·^* -]{{0,19}}?)\s*")
UNIT_FIRST = re.compile(rf"\s*(?P<unit>(?:[^\W\d_]|[~≈])(?:[^\W\d]|[.: ]){{0,19}}?)\s*{NUMBER}\s*")
ONE = re.compile(r"[-+\u2212\u2013]?1([.,]0*)?")
# What stands before numbers is rather a part of names, such as Room 5 or v1.2, unless so many are
# different, and some are no whole ones.
MANY_NUMBERS = 20
# Of several units, those are told that stand after so many different numbers.
NUMBERS_PER_UNIT = 3
# Texts with more of them are rather addresses or codes.
MOST_UNITS = 3


class Form(NamedTuple):
    """What a cell looks like."""

    kind: str
    """number or date."""
    notations: tuple[Notation, ...] = ()
    """Those that read a number."""

    @property
    def keys(self) -> str:
        """What to write so that such numbers are read; where it may be two things, both."""
        first = self.notations[0]
        keys = f'decimal: "{first.decimal}"' + (
            f' and thousands: "{first.thousands}"' if first.thousands else ""
        )
        # 1,234 is more than a thousand, or more than 1.
        if {Notation(","), Notation(".", ",")} <= {*self.notations}:
            keys += ' (or thousands: ",")'
        return keys


def form_of(cell: str) -> Form | None:
    """Return what a cell looks like that `float` does not read; None for a text."""
    if parse_number(cell) is not None:
        return None
    if notations := tuple(notation for notation in NOTATIONS if notation.read(cell)):
        return Form("number", notations)
    return Form("date") if read_date(cell) else None


def common_form(cells: Iterable[str], share: float) -> tuple[Form, str] | None:
    """Return what so large a share of some texts looks like, and the first that does; or None."""
    forms = [(form_of(cell), cell) for cell in cells]
    for kind in ("number", "date"):
        found = [(form, cell) for form, cell in forms if form and form.kind == kind]
        if found and len(found) >= share * len(forms):
            counts = {
                notation: sum(notation in form.notations for form, _ in found)
                for notation in NOTATIONS
            }
            most = max(counts.values())
            best = tuple(notation for notation in NOTATIONS if counts[notation] == most)
            return Form(kind, best if kind == "number" else ()), found[0][1]
    return None


def unit_of(cell: str) -> str | None:
    """Return what stands after a number that no notation reads without being told; or None."""
    match = WITH_UNIT.fullmatch(cell)
    return " ".join(match["unit"].split()) if match and not form_of(cell) else None


def units_in(cells: Collection[str]) -> tuple[str, ...]:
    """Return the unit of all numbers among some texts, but of zeros; () if that is not so.

    It stands after each of them, or before each. Texts without a digit are no numbers; any other
    must be one with that unit. Singular and plural are both returned, if 1 alone has the one.
    """
    after = _numbers_by_unit(cells, WITH_UNIT)
    if len(after) == 2 and are_forms(*after):
        return tuple(after) if any(all(map(ONE.fullmatch, each)) for each in after.values()) else ()
    if after:
        return tuple(after) if len(after) == 1 else ()
    before = _numbers_by_unit(cells, UNIT_FIRST)
    many = [
        len(each) > MANY_NUMBERS and not all(map(str.isdigit, each)) for each in before.values()
    ]
    return tuple(before) if many == [True] else ()


def _numbers_by_unit(cells: Iterable[str], pattern: re.Pattern[str]) -> dict[str, set[str]]:
    """Return the numbers of each unit; {} if a text with another digit than 0 is none with one."""
    found: dict[str, set[str]] = {}
    for cell in cells:
        match = pattern.fullmatch(cell)
        if match:
            unit = " ".join(match["unit"].split())
            if unit not in found and form_of(cell):
                return {}
            found.setdefault(unit, set()).add(match["number"])
        elif any(digit in cell for digit in "123456789"):
            return {}
    return found


def without_unit(cell: str) -> str:
    """Return a number without the unit after or before it; any other text as it is."""
    match = WITH_UNIT.fullmatch(cell) or UNIT_FIRST.fullmatch(cell)
    return match["number"] if match else cell


def common_units(cells: Collection[str], share: float) -> list[str]:
    """Return what stands after so large a share of some texts, which are numbers; [] for none.

    One unit, or several, the commonest first, of which each stands after some numbers.
    """
    counts = Counter(filter(None, map(unit_of, cells))).most_common()
    told = [pair for i, pair in enumerate(counts) if i == 0 or pair[1] >= NUMBERS_PER_UNIT]
    total = sum(count for _, count in told)
    if len(told) > MOST_UNITS or total < max(2, share * len(cells)):
        return []
    return [unit for unit, _ in told]
