"""Numbers and dates in forms that are not read unless a key says so: which key that is."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from mlpcli.data.readers.dates import read_date
from mlpcli.data.readers.notation import Notation, parse_number

# Those with fewer keys first.
NOTATIONS = (
    Notation(),
    Notation(","),
    *(Notation(".", thousands) for thousands in (",", " ", "'")),
    *(Notation(",", thousands) for thousands in (".", " ", "'")),
)
# A number with a unit after it, such as kg, mg/dL, m2, sq ft or °C.
WITH_UNIT = re.compile(
    r"\s*[-+\u2212\u2013]?[0-9](?:[0-9.,'\u2019]|\s(?=[0-9]))*\s*"
    r"(?P<unit>(?:[^\W\d_]|°)[\w°/.%·^* -]{0,19}?)\s*"
)
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


def only_unit(cells: Iterable[str]) -> str | None:
    """Return the unit of all numbers among some texts, but of zeros; None if that is not so.

    Texts without a digit are no numbers; any other must be one with that unit.
    """
    found = None
    for cell in cells:
        match = WITH_UNIT.fullmatch(cell)
        if match is None:
            if any(digit in cell for digit in "123456789"):
                return None
            continue
        unit = " ".join(match["unit"].split())
        found = found or unit_of(cell)
        if unit != found:
            return None
    return found


def without_unit(cell: str) -> str:
    """Return a number without the unit after it; any other text as it is."""
    match = WITH_UNIT.fullmatch(cell)
    return cell[: match.start("unit")].rstrip() if match else cell


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
