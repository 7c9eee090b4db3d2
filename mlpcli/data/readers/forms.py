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
# A number with a word after it, such as kg, mg/dL or °C.
WITH_UNIT = re.compile(r"\s*[-+]?[0-9][0-9.,']*\s*(?P<unit>[^\W\d_][^\s\d]{0,11}|°\w?)\s*")


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


def common_unit(cells: Collection[str], share: float) -> str | None:
    """Return the word that so large a share of some texts have after a number; None for none.

    No notation reads such numbers.
    """
    matches = (WITH_UNIT.fullmatch(cell) for cell in cells)
    units = Counter(match["unit"] for match in matches if match)
    unit, count = max(units.items(), key=lambda item: item[1], default=("", 0))
    return unit if count > 1 and count >= share * len(cells) else None
