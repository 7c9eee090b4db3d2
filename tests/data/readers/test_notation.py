"""Numbers as spreadsheets write them: each form of each country is the number that it means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.data.readers.cell_forms import NOTATIONS, form_of
from mlpcli.data.readers.notation import Notation, parse_number

GERMAN, FRENCH, US, SWISS = (
    Notation(",", "."),
    Notation(",", " "),
    Notation(".", ","),
    Notation(".", "'"),
)


@pytest.mark.parametrize(
    ("notation", "cell", "value", "unit"),
    [
        (GERMAN, "1.234.567,5", 1234567.5, ""),
        (GERMAN, " -1.234,50 € ", -1234.5, "€"),
        (GERMAN, "12,5 %", 0.125, "%"),
        (GERMAN, "1,5E+03", 1500, ""),
        (FRENCH, "1 234,5", 1234.5, ""),
        (FRENCH, "1\u00a0234,5", 1234.5, ""),
        (FRENCH, "1\u202f234\u00a0€", 1234, "€"),
        (US, "$1,234.50", 1234.5, "$"),
        (US, "($1,234.50)", -1234.5, "$"),
        (US, "$ (5.00)", -5, "$"),
        (US, "-$5", -5, "$"),
        (US, "$-5", -5, "$"),
        (US, "12.5-", -12.5, ""),
        (US, "\u221212.5", -12.5, ""),
        (US, "(12.5)", -12.5, ""),
        (US, "₹12,34,567.8", 1234567.8, "₹"),
        (US, "Rs. 1,23,456", 123456, "Rs"),
        (US, "Rs.500", 500, "Rs"),
        (US, "US$ 5", 5, "US$"),
        (SWISS, "CHF 1'234.50", 1234.5, "CHF"),
        (SWISS, "1\u2019234 Fr.", 1234, "Fr"),
        (SWISS, "CHF 3'957.–", 3957, "CHF"),
        (SWISS, "-25.-", -25, ""),
        (GERMAN, "12,--", 12, ""),
        (GERMAN, "1.234,-- €", 1234, "€"),
        (Notation(), "٥١٩٩٫١", 5199.1, ""),
        (US, "-٣٬٥٧٥", -3575, ""),
        (US, "₹१,२३,४५६.७", 123456.7, "₹"),
        (US, "￥１，２３４．５", 1234.5, "￥"),
        (US, "－１２％", -0.12, "%"),
        (Notation(), ".5", 0.5, ""),
        (Notation(), "+5.", 5, ""),
        (Notation(), "0.1%", 0.001, "%"),
    ],
)
def test_what_is_a_number(notation, cell, value, unit):
    """Groups, decimals, minus signs, % and currencies are read, correctly rounded."""
    assert notation.read(cell) == (value, unit)


@pytest.mark.parametrize(
    ("notation", "cell"),
    [
        (GERMAN, "12.5"),
        (GERMAN, "1.2345"),
        (GERMAN, "0.123"),
        (US, "1,23"),
        (US, "1234,567"),
        (US, "--5"),
        (US, "(-5)"),
        (US, "(5"),
        (US, "5 kg"),
        (US, "$5 EUR"),
        (US, "1 234"),
        (US, "1.2.3"),
        (US, "2023-01-05"),
        (US, "5.-3"),
        (US, "5---"),
        (US, "12:30"),
        (US, ""),
        (US, "€"),
        (US, "nan"),
    ],
)
def test_what_is_none(notation, cell):
    """What a notation does not write is no number, not another one."""
    assert notation.read(cell) is None


@given(
    number=st.decimals(-(10**12), 10**12, places=3, allow_nan=False, allow_infinity=False),
    notation=st.sampled_from(NOTATIONS),
    unit=st.sampled_from(["", "€", " USD", "\u00a0kr"]),
)
def test_numbers_come_back(number, notation, unit):
    """Any number that is grouped and marked by a notation is read as `float` reads it plainly."""
    text = f"{number:,.3f}".translate(str.maketrans(",.", "_@"))
    text = text.replace("_", notation.thousands).replace("@", notation.decimal) + unit
    assert parse_number(text, notation) == float(number)
    form = form_of(text)
    assert form is None or notation in form.notations


@given(text=st.text("0123456789.,' ()-+%$€eEksrRUSD:/\u2212\u00a0", max_size=20))
def test_any_cell_is_a_number_or_not(text):
    """No cell makes the parser fail, and what it gives is a number."""
    for notation in NOTATIONS:
        value = parse_number(text, notation)
        assert value is None or not np.isnan(value)
    form_of(text)
