"""How numbers are written: by Python, or as a spreadsheet of some country writes them."""

import re
from functools import lru_cache
from typing import NamedTuple

# ISO 4217, and what stands for a currency where it has no sign of its own.
CODES = (
    "AED|AFN|ALL|AMD|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BHD|BIF|BMD|BND|BOB|BRL|BSD|BTN|BWP|BYN|"
    "BZD|CAD|CDF|CHF|CLP|CNY|COP|CRC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|ETB|EUR|FJD|FKP|GBP|GEL|"
    "GHS|GIP|GMD|GNF|GTQ|GYD|HKD|HNL|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|JMD|JOD|JPY|KES|KGS|KHR|KMF|"
    "KPW|KRW|KWD|KYD|KZT|LAK|LBP|LKR|LRD|LSL|LYD|MAD|MDL|MGA|MKD|MMK|MNT|MOP|MRU|MUR|MVR|MWK|MXN|"
    "MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|PGK|PHP|PKR|PLN|PYG|QAR|RON|RSD|RUB|RWF|SAR|SBD|"
    "SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SVC|SYP|SZL|THB|TJS|TMT|TND|TOP|TRY|TTD|TWD|TZS|UAH|"
    "UGX|USD|UYU|UZS|VES|VND|VUV|WST|XAF|XCD|XOF|XPF|YER|ZAR|ZMW|ZWG"
)
ABBREVIATIONS = "Rs|Fr|SFr|kr|zł|Kč|Ft|lei|руб"
SIGNS = "$¢£¤¥֏؋৲৳૱௹฿៛﷼＄￠￡￥￦\u20a0-\u20cf"
# The minus sign and what stands for it, and plus.
SIGN = "[-+\u2212\u2013]"
UNIT = rf"%|[A-Za-z]{{0,3}}[{SIGNS}]|{CODES}|{ABBREVIATIONS}"
# They stand for decimals that are all 0, as in 25.–.
DASHES = "-\u2013\u2014"
# What may stand for each separator of groups of digits.
ALIKE = {" ": " \u00a0\u202f\u2009", "'": "'\u2019", "": ""}


class WrittenNumber(NamedTuple):
    """A number as it was written."""

    value: float
    unit: str
    """%, a currency or another unit, without spaces; or nothing."""


class Notation(NamedTuple):
    """How a table writes its numbers: with a unit, and their minus anywhere."""

    decimal: str = "."
    """What stands before decimals."""
    thousands: str = ""
    """What stands between groups of three digits (Indian: of two, but for the last)."""
    units: tuple[str, ...] = ()
    """What may stand before or after a number beside % and currencies."""

    def read(self, cell: str) -> WrittenNumber | None:
        """Return the number that a cell is, as exactly as `float` does; None if it is none."""
        cell = _plain_digits(cell)
        match = _digits(self).search(cell)
        if not match:
            return None
        # A spreadsheet puts spaces of any kind between a number and what belongs to it.
        left, right = ("".join(s.split()) for s in (cell[: match.start()], cell[match.end() :]))
        signs, unit = "", ""
        if left or right:
            first, last = _sides(self)
            before, after = first.fullmatch(left), last.fullmatch(right)
            brackets = left.count("(")
            if not before or not after or brackets != right.count(")"):
                return None
            signs = "-" * brackets + "".join(
                side[name] or "" for side in (before, after) for name in ("sign1", "sign2")
            )
            units = [side["unit"] for side in (before, after) if side["unit"]]
            if len(signs) > 1 or len(units) > 1:
                return None
            unit = "".join(units)
        whole = "".join(filter(str.isdigit, match["whole"] or ""))
        decimals = (match["decimals"] or "").strip(DASHES) or match["tenths"] or "0"
        exponent = int(match["exponent"] or 0) - (2 if unit == "%" else 0)
        value = float(f"{whole}.{decimals}e{exponent}")
        return WrittenNumber(value if signs in ("", "+") else -value, unit)

    def around(self, cell: str) -> "Surroundings | None":
        """Return what stands around a number: spaces and a unit; None if there is more, or none."""
        match, number = _digits(self).search(_plain_digits(cell)), self.read(cell)
        if not match or not number:
            return None
        before, after = cell[: match.start()].removesuffix("-"), cell[match.end() :]
        if "".join((before + after).split()) != number.unit:
            return None
        return Surroundings(before, after, number.unit)


class Surroundings(NamedTuple):
    """What stands around a number, but for its minus."""

    before: str
    after: str
    unit: str


def same_unit(one: WrittenNumber, other: WrittenNumber) -> WrittenNumber | None:
    """Return that of two numbers of a column which tells the unit of both; None if they have two.

    One of them may lack it, but for %, and 1 may have the singular of the other's.
    """
    is_one = abs(one.value) == 1
    if one.unit != other.unit:
        if "%" in (one.unit, other.unit):
            return None
        if not one.unit or not other.unit:
            return one if one.unit else other
        if 1 not in (abs(one.value), abs(other.value)) or not are_forms(one.unit, other.unit):
            return None
    return other if is_one and one.unit else one


def are_forms(one: str, other: str) -> bool:
    """Return whether two words may be singular and plural: they begin alike, as kg and g do not."""
    most = max(len(one), len(other)) // 2 + 1
    return one.isalpha() and other.isalpha() and one[:most] == other[:most]


def _plain_digits(cell: str) -> str:
    """Return a cell with ASCII's digits, and what belongs to them, for those of other scripts."""
    return cell if cell.isascii() else cell.translate(_ascii_digits())


@lru_cache
def _ascii_digits() -> dict[int, str]:
    """Return what each digit of another script is, and the signs of Arabic and of full width."""
    digits = {i: str(int(chr(i))) for i in range(0x80, 0x10000) if chr(i).isdecimal()}
    return digits | dict(zip(map(ord, "٫٬٪．，％－"), ".,%.,%-", strict=True))


@lru_cache
def _sides(notation: Notation) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what may stand before digits, and after them, without spaces.

    A minus may be brackets.
    """
    given = ("".join(unit.split()) for unit in notation.units)
    unit = rf"(?P<unit>{'|'.join([UNIT, *map(re.escape, given)])})\.?"
    signed = rf"(?P<sign1>{SIGN})?(?:{unit})?(?P<sign2>{SIGN})?"
    return re.compile(rf"\(?{signed}\(?"), re.compile(rf"\)?{signed}\)?")


@lru_cache
def _digits(notation: Notation) -> re.Pattern[str]:
    """Return what finds the digits of a number in a cell."""
    point, between = re.escape(notation.decimal), ALIKE.get(notation.thousands, notation.thousands)
    grouped = rf"[1-9][0-9]{{0,2}}(?:[{between}][0-9]{{3}})+(?![0-9])|" if between else ""
    if notation.thousands == ",":
        grouped += r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?![0-9])|"
    # The point of "Rs.5" is none of these.
    return re.compile(
        rf"(?:(?P<whole>{grouped}[0-9]+)(?:{point}(?P<decimals>[{DASHES}]{{1,2}}|[0-9]*))?"
        rf"|(?<![^\W0-9_]){point}(?P<tenths>[0-9]+))(?:[eE](?P<exponent>[-+]?[0-9]{{1,5}}))?"
    )


def parse_number(cell: str, notation: Notation | None = None) -> float | None:
    """Return the number that a cell is; None for anything else.

    Args:
        cell: a text.
        notation: how numbers are written; None for what `float` makes of plain ASCII.
    """
    if notation:
        written = notation.read(cell)
        return written and written.value
    try:
        return float(cell) if cell.isascii() else None
    except ValueError:
        return None
