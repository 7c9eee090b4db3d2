"""Tables of plain and other numbers: parsed many at a time as they are one by one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlpcli.config.data_files import Files
from mlpcli.data.files import read_training, training_source
from mlpcli.data.readers import blocks, csv_units
from mlpcli.data.readers.blocks import block_of
from mlpcli.data.readers.csv_cells import Columns, LateTextError, parse_cells
from mlpcli.data.readers.csv_dialect import CsvOptions, Dialect
from mlpcli.data.readers.csv_numbers import parse_numbers, parse_plain
from mlpcli.data.readers.lines import Line
from mlpcli.data.readers.notation import Notation
from mlpcli.data.readers.table import ColumnSelection
from mlpcli.errors import DataError

NOTATIONS = [None, Notation(","), Notation(",", "."), Notation(".", ","), Notation(",", " "),
             Notation(".", "'"), Notation(",", "", ("kg", "g", "m2"))]  # fmt: skip
plain = st.text("0123456789.,' -", min_size=1, max_size=9)
grouped = (
    st.integers(-(10**9), 10**9)
    .map("{:,}".format)
    .flatmap(lambda text: st.sampled_from(",.' ").map(lambda mark: text.replace(",", mark)))
)
priced = st.sampled_from(
    [
        "1.217,93 €",
        "-1,5 €",
        "€ 5",
        "€ -5",
        "-€ 5",
        "0 €",
        "5 €€",
        " 7",
        "12 %",
        "-0,35 %",
        "NA",
        "",
        "1e5",
        "(3)",
        "1\u202f234",
        "x",
        "1,5\t",
        "5 kg",
        "-1,5kg",
        "7 g",
        "g 1",
        "3 m2",
    ]
)
cells = st.one_of(grouped, plain, priced, st.integers(0, 99).map(str))


def parsed(parse, rows, notation, delimiter=";"):
    """Return what a parser makes of rows, as bytes, with units and codes; or its error."""
    selection = ColumnSelection(4, (0, 1, 2), target=3)
    columns = Columns(selection, {3: {}}, CsvOptions(gaps=True, notation=notation), {}, {})
    lines = [Line(i, delimiter.join(row) + "\n") for i, row in enumerate(rows, 1)]
    try:
        found = parse(block_of(lines), Dialect("t.csv", delimiter, 4, None, 1), columns)
    except (DataError, LateTextError) as error:
        return repr(error)
    return None if found is None else (found.tobytes(), columns.units, columns.codes)


@given(
    st.lists(st.tuples(cells, cells, cells, st.sampled_from("ab")), min_size=1, max_size=8),
    st.sampled_from(NOTATIONS),
    st.integers(1, 4),
)
# One cell alone, since of several that are wrong another may be named.
@example([("1.2345", "1", "1.234.567", "a")], NOTATIONS[2], 8)
@example([("0.123", "1", "-1.234", "a")], NOTATIONS[2], 8)
@example([("1234.567", "1", "1.234,5", "a")], NOTATIONS[2], 8)
@example([("12.34.567", "1", "1", "a")], NOTATIONS[2], 8)
@example([("1,5.000", "1", "1", "a")], NOTATIONS[2], 8)
@example([("", "1", "1", "a"), ("1", "1", "1", "a")], NOTATIONS[1], 8)
def test_tables_are_as_read_cell_by_cell(rows, notation, few):
    """In every notation, values, units, classes and errors are those of one cell after another."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(csv_units, "FEW", few)
        found = parsed(parse_numbers, rows, notation)
    expected = parsed(parse_cells, rows, notation)
    if isinstance(found, str):
        # Of several that are wrong, another may be named.
        assert isinstance(expected, str)
    else:
        assert found[0] == expected[0]
        assert found[2] == expected[2]
        units = [{j: unit for j, (unit, *_) in each[1].items()} for each in (found, expected)]
        assert units[0] == units[1]


def test_a_column_has_one_unit():
    """Plain numbers and those with % in one column are an error, in whatever order they come."""
    plain = [("5", "1", "1", "a")] * 3
    percent = [("5 %", "1", "1", "a")]
    gap = [("", "1", "1", "a")]
    for rows in (plain + percent, percent + plain, gap + plain + percent, percent + gap + plain):
        assert "but line" in parsed(parse_numbers, rows, Notation(","))


@pytest.mark.parametrize(
    "form",
    ["{} %", "{}%", "{} €", "€ {}", "$ {}", "{} CHF", " {}", "({})", "{} kg", "{}m2", "m²{}"],
)
def test_columns_of_one_unit_are_as_read_cell_by_cell(form):
    """Numbers that all have a unit are those read one by one, and another unit is an error."""
    numbers = [*("0", "1,5", "1.234,25", "0,1", "12.345.678,9", "7", "1e3", "3,", "5", "0,007")]
    # Brackets are a minus already.
    numbers += [] if "(" in form else ["-0", "-1.234,25", "-7", "-,25"]
    rows = [(form.format(number), number, "1", "a") for number in numbers]
    notation, foreign = Notation(",", ".", ("kg", "m2", "m²")), "5" if "%" in form else "5 %"
    found = parsed(parse_numbers, rows, notation)
    assert found == parsed(parse_cells, rows, notation)
    assert not isinstance(found, str)
    for other in (foreign, "5 £", "x"):
        odd = [*rows, *[(other, "1", "1", "a")] * 9]
        outcomes = [parsed(parse, odd, notation) for parse in (parse_numbers, parse_cells)]
        assert outcomes[0] == outcomes[1]
        assert isinstance(outcomes[0], str) or other == "5 £"


@pytest.mark.parametrize("unit", ["Rs", "m²"])
def test_columns_of_several_units_are_as_read_cell_by_cell(unit):
    """Each column may have a unit of its own, and a point after a letter's unit is none of it."""
    row, notation = (f"{unit}12.5", "7 %", "1 234.5 €", "a"), Notation(".", " ", ("m²",))
    rows = [row] * 20 + [(f"{unit}.5", "-0.5 %", "7 €", "b"), (f"{unit}0", "", "n/a", "a")]
    for odd in (("1", "1", "1", "a"), ("1 €", "1 %", "1 €", "a"), (f"{unit}1", "€1", "1 €", "a")):
        for table in (rows, [*rows, odd], [odd, *rows]):
            outcomes = [parsed(parse, table, notation) for parse in (parse_plain, parse_cells)]
            assert outcomes[0] == outcomes[1]
    assert not isinstance(parsed(parse_plain, rows, notation), str)
    percent = [(" 7%", "1", "1", "a")] * 20 + [(" 8", "1", "1", "a")]
    assert "but line" in parsed(parse_numbers, percent, Notation(","))


def test_few_plain_numbers_are_left_to_others():
    """Where many cells are no plain decimals, NumPy's own parser is faster."""
    assert parsed(parse_plain, [("1e5", " 2", "3", "a")] * 9, None) is None
    assert parsed(parse_plain, [("", "", "3", "a")] * 9, None) is not None


def quoted(cell):
    """Return a cell in quotes."""
    return '"' + cell.replace('"', '""') + '"'


odd = st.sampled_from(["1;5", 'say "no"', "two\nlines", ' "1"', "1", "", " ", "NA", "1.5", "x"])


@given(st.lists(st.tuples(odd, odd, odd, odd).map(lambda row: [*map(quoted, row)]), min_size=1))
@example([['"1"', "1.5", '""', '"a"'], ["1", '"1.5"', '"NA"', "a"]])
@example([['"1"', "2", '"3""', "a"]])
@example([['"1;5"', "2", "a"]])
@example([["1", "2", "3", 'x"a"']])
@example([["1", "2", "3", '"a"x']])
def test_quoted_tables_are_as_read_cell_by_cell(rows):
    """Where quotes are around cells alone they are parsed as others are, else cell by cell."""
    found = parsed(parse_numbers, rows, None)
    plain = not any(mark in cell[1:-1] for row in rows for cell in row for mark in '"\n')
    plain &= all(len(row) == 4 for row in rows)
    if plain or found is not None:
        assert found is not None
        expected = parsed(parse_cells, rows, None)
        assert found == expected or (isinstance(found, str) and isinstance(expected, str))


@given(st.lists(st.tuples(grouped, cells, st.sampled_from(["a,b", "a"])), min_size=1, max_size=8))
def test_quoted_groups_between_commas_are_as_read_cell_by_cell(rows):
    """In "1,234.50" the comma is the delimiter, too; what is quoted is still parsed at once."""
    rows = [[*map(quoted, (one, other, "1", name))] for one, other, name in rows]
    notation = Notation(".", ",")
    found = parsed(parse_numbers, rows, notation, ",")
    assert found is not None
    expected = parsed(parse_cells, rows, notation, ",")
    assert found == expected or (isinstance(found, str) and isinstance(expected, str))


@pytest.mark.parametrize(
    ("keys", "form"),
    [
        ({}, "{:.17g}"),
        ({"decimal": ","}, "{:.6f}"),
        ({"decimal": ",", "thousands": "."}, "{:,.2f}"),
    ],
)
def test_tables_of_many_blocks(monkeypatch, keys, form):
    """A table of several blocks, with gaps, texts and classes, is read as it was written."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1 << 13)
    values = np.random.default_rng(0).normal(size=(1_000, 6)) * 10_000
    swap = str.maketrans(",.", ".,") if keys else {}
    rows = [[form.format(x).translate(swap) for x in row] for row in values.tolist()]
    lines = [";".join([*row, "ab"[i % 2]]) for i, row in enumerate(rows)]
    Path("t.csv").write_text("a;b;c;d;e;f;y\n" + "\r\n".join(lines))
    files = Files(train="t.csv", delimiter=";", **keys)
    table = read_training(files, training_source(files, [Path()]))
    expected = [[float(form.format(x).replace(",", "")) for x in row] for row in values.tolist()]
    np.testing.assert_array_equal(table.values, expected)
    assert table.labels.codes.tolist() == [0, 1] * 500
