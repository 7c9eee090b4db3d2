"""Numbers with a unit, such as 1248 CC or 23.4 kmpl, train as the same numbers without it."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.checkpoint import store
from mlpcli.config.data_parts import PARTS, parse_files
from mlpcli.data.dataset import Preparation
from mlpcli.data.files import load_files
from mlpcli.data.readers.cell_forms import units_in
from mlpcli.data.readers.notation import Notation, parse_number
from mlpcli.errors import MlpError
from mlpcli.prediction.inputs import read_input

ROWS = 60
PLAIN = ("{}", "{}", "{}", "{}")
FORMS = {
    "cars": ("{} CC", "{}kmpl", "{} km/h", "{:,} sq ft"),
    "laboratory": ("{} mg/dL", "{} °C", "{}µg", "{:,}m²"),
    "columns alike": ("{} kg", "{} kg", "{} L/100 km", "{:,} m2"),
}


def rows(forms):
    """Return cells of four columns, and a quantity in thousands of something, always the same."""
    rng = random.Random(3)
    for _ in range(ROWS):
        numbers = [rng.randint(800, 3000), rng.randint(100, 400) / 10, rng.randint(-90, 90)]
        area = rng.randint(500, 4000)
        cells = [form.format(x) for form, x in zip(forms, [*numbers, area], strict=True)]
        yield [*cells, f"{area + numbers[0]} k" if forms != PLAIN else area + numbers[0]]


def write(name, forms):
    """Write the table as CSV, JSON lines or Parquet."""
    names = ["a", "b", "c", "d", "price"]
    if name.endswith(".csv"):
        lines = [";".join(map(str, row)) for row in rows(forms)]
        Path(name).write_text(";".join(names) + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
        return
    found = [dict(zip(names, row, strict=True)) for row in rows(forms)]
    if name.endswith(".jsonl"):
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in found))
        return
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pa.Table.from_pylist(found), name)


def train(run_mlp, name):
    """Let mlp look at a table, and train a little; return the model and what init said."""
    made = run_mlp("init", name)
    assert made.returncode == 0, made.stderr
    run = run_mlp("train", f"{Path(name).stem}.yaml", "-q", "--set", "epochs=2")
    assert run.returncode == 0, run.stderr
    return store.load(Path(f"{Path(name).stem}.npy")), made.stdout


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("forms", FORMS)
def test_columns_with_units_train_as_plain_ones(run_mlp, forms, ending):
    """Weights and predictions are those of the plain table, whether rows have the unit or not."""
    write("plain.csv", PLAIN)
    plain, _ = train(run_mlp, "plain.csv")
    write(f"t.{ending}", FORMS[forms])
    model, said = train(run_mlp, f"t.{ending}")
    assert f"numbers with {FORMS[forms][0][3:]!r} in a, " in said
    assert "'k' in price are read as numbers" in said
    for one, other in zip(model.network.weights, plain.network.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    expected = [batch.features for batch in read_input("plain.csv", plain.encoding)]
    for name in (f"t.{ending}", "plain.csv"):
        found = [b.features for b in read_input(name, model.encoding, model.experiment.data.files)]
        np.testing.assert_array_equal(np.vstack(found), np.vstack(expected))
    runs = [run_mlp("evaluate", "--weights", name, "--json") for name in ("plain.npy", "t.npy")]
    figures = [json.loads(run.stdout) for run in runs]
    assert figures[0]["rmse"] == figures[1]["rmse"]


def test_a_table_without_a_header(run_mlp):
    """A first line of numbers with units is an example, for init and on standard input."""
    lines = [f"{i % 17} kg,{i % 13} km,{'ab'[i % 2]}\n" for i in range(ROWS)]
    Path("t.csv").write_text("".join(lines))
    _, said = train(run_mlp, "t.csv")
    assert "header: none, the first line is an example" in said
    for lines in ("5 kg,7 km\n6 kg,8 km\n", "5,7\n6,8\n"):
        run = run_mlp("predict", "--weights", "t.npy", "-", input=lines)
        assert len(run.stdout.splitlines()) == 2, run.stderr


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["5 kg", "7 kg", "7 g"], r"t\.csv:4: column x: '7 g' is in g, but line 2 in kg; give a"),
        (["5 kg", "7 kg", "7 lb"], r"t\.csv:4: column x: '7 lb' is not a finite number; correct"),
        (["5 kg", "7 kg", "7 €"], r"t\.csv:4: column x: '7 €' is in €, but line 2 in kg"),
        (["5 kg", "7 kg", "kg"], r"t\.csv:4: column x: 'kg' is not a finite number"),
    ],
)
def test_a_column_has_one_unit(cells, said):
    """A second unit is refused, with line and column, and so is one that is not told."""
    Path("t.csv").write_text("x;y\n" + "".join(f"{x};{'ab'[i % 2]}\n" for i, x in enumerate(cells)))
    files, _ = parse_files({"train": "t.csv", "units": ["kg", "g"]})
    with pytest.raises(MlpError, match=said):
        load_files(files, Preparation())


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_singular_and_plural_are_one_unit(run_mlp, ending):
    """Both are written, and read as the number, many cells at a time, too; 7 month is refused."""
    rows = [{"x": f"{i % 9} month{'s' * (i % 9 != 1)}", "y": "ab"[i % 9 > 4]} for i in range(90)]
    plain = [row | {"x": i % 9} for i, row in enumerate(rows)]

    def write_rows(name, rows):
        lines = [json.dumps(row) for row in rows]
        if name.endswith(".csv"):
            lines = ["x;y", *(f"{row['x']};{row['y']}" for row in rows)]
        Path(name).write_text("\n".join(lines) + "\n")

    write_rows(f"t.{ending}", rows)
    write_rows(f"plain.{ending}", plain)
    model, said = train(run_mlp, f"t.{ending}")
    assert "numbers with 'months' and 'month' in x are read as numbers" in said
    other, _ = train(run_mlp, f"plain.{ending}")
    np.testing.assert_array_equal(model.network.theta, other.network.theta)
    write_rows(f"t.{ending}", [*rows, {"x": "7 month", "y": "a"}])
    run = run_mlp("train", "t.yaml", "-q", "--overwrite")
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert "x: '7 month' is in month, but " in run.stderr


def test_many_numbers_with_a_unit_say_how_they_are_read():
    """Where they are too many for categories, the error names units, and the decimal comma."""
    lines = [f"{i},5 km;{'ab'[i % 2]}\n" for i in range(60)]
    Path("t.csv").write_text("far;y\n" + "".join(lines))
    files, _ = parse_files({"train": "t.csv", "units": ["km"]})
    said = "column far has 60 different texts in 60 rows, numbers with 'km'; "
    said += r'decimal: ",", and units: \["km"\] under data reads them, or write ignore: \[far\]'
    with pytest.raises(MlpError, match=said):
        load_files(files, Preparation())
    load_files(files._replace(decimal=","), Preparation())


def test_a_unit_before_numbers(run_mlp):
    """Where all numbers have it, they are read, with the decimal comma that they have, too."""
    lines = [f"ca. {i % 30},{i % 10};Room {i % 7};{'ab'[i % 50 > 24]}\n" for i in range(100)]
    Path("t.csv").write_text("size;room;y\n" + "".join(lines), encoding="utf-8")
    model, said = train(run_mlp, "t.csv")
    assert "numbers with 'ca.' in size are read as numbers" in said
    assert [column.role for column in model.encoding.columns] == ["number", "category", "target"]
    kept = run_mlp("init", "t.csv", "--categorical", "size", "-o", "kept.yaml")
    keys = 'decimal: ",", and units: ["ca."] under data reads them'
    assert f"numbers with 'ca.'; {keys}" in kept.stdout


@pytest.mark.parametrize(
    ("cells", "units"),
    [
        (["5 kg", "1 kg", "0", "", "k.A."], ("kg",)),
        (["1,234 sq ft", "1 sq  ft"], ("sq ft",)),
        (["-3.5 °C", "4 °C"], ("°C",)),
        (["16GB", "8GB"], ("GB",)),
        (["1 month", "12 months", "0 months"], ("month", "months")),
        (["5 Jahre", "1,0 Jahr", "-1 Jahr"], ("Jahre", "Jahr")),
        (["1 an", "3 ans"], ("an", "ans")),
        (["1 kg", "500 g"], ()),
        (["1 m", "500 mm"], ()),
        (["1 min", "30 ms"], ()),
        (["1 year", "12 months"], ()),
        (["1 day", "3 days", "3 day"], ()),
        (["1 day", "3 days", "2 weeks"], ()),
        ([f"approx {i}.5" for i in range(30)], ("approx",)),
        ([f"ca. {i},5" for i in range(30)], ("ca.",)),
        ([f"~{i}.25" for i in range(30)], ("~",)),
        ([f"Room {i}" for i in range(30)], ()),
        ([f"v1.{i}" for i in range(9)], ()),
        ([f"{'ab'[i % 2]} {i}.5" for i in range(30)], ()),
        ([f"EUR {i}.5" for i in range(30)], ()),
        ([*(f"approx {i}.5" for i in range(30)), "7"], ()),
        (["5 kg", "7"], ()),
        (["5 kg", "500 g"], ()),
        (["12A", "12B"], ()),
        (["19M", "14k"], ()),
        (["1st", "2nd"], ()),
        (["5 Main St", "7 Oak Ave"], ()),
        (["A12", "A13"], ()),
        (["Room 5", "Room 6"], ()),
        (["5-10 kg", "6-12 kg"], ()),
        (["10 min 5 s", "9 min 4 s"], ()),
        (["10:30 am", "11:15 am"], ()),
        (["5 EUR", "6 EUR"], ()),
        (["12 %", "13 %"], ()),
        (["2024-01-05", "2024-02-05"], ()),
        (["5 kg", "B12"], ()),
        (["5", "7"], ()),
    ],
)
def test_what_is_a_unit_of_a_column(cells, units):
    """Init proposes what stands after, or before, all numbers, never what tells names apart."""
    assert units_in(cells) == units


def test_two_units_are_said_by_init(run_mlp):
    """Columns in two units are no numbers, which init says of those ignored and of categories."""
    cells = [
        (f"{i + 1} {'g' if i % 3 else 'kg'}", f"{i % 9} {'kg' if i % 2 else 'g'}", f"{i} kg")
        for i in range(ROWS)
    ]
    lines = [
        f"{';'.join(row)};{'€$'[i % 7 == 0]}{i + 1};{'ab'[i % 2]}\n" for i, row in enumerate(cells)
    ]
    Path("t.csv").write_text("all;some;one;sum;y\n" + "".join(lines))
    model, said = train(run_mlp, "t.csv")
    assert "numbers with 'kg' in one are read as numbers" in said
    units = "has numbers with 'g', 'kg'; in one unit they would be read as such"
    assert f"ignored: column all {units}\n" in said
    assert f"column some {units}: 18 categories\n" in said
    assert "read as text: column sum: '€2' is in €, but line 2 in $" in said
    assert model.experiment.data.files.units == ("kg",)


def test_a_category_with_a_unit_says_how_it_is_read(run_mlp):
    """Where units are not told, the note on a column of categories names the key to write."""
    lines = [f"{i % 5}0mg;{i % 7};{'ab'[i % 2]}\n" for i in range(ROWS)]
    Path("t.csv").write_text("dose;n;y\n" + "".join(lines))
    run = run_mlp("init", "t.csv", "--categorical", "dose")
    assert "(numbers with 'mg'; units: [\"mg\"] under data reads them)" in run.stdout, run.stdout


unit_texts = st.sampled_from(["kg", "km/h", "sq ft", "m2", "°C", "L/100 km", "µg", "Mo.", "%/a"])


@given(
    number=st.decimals(-(10**9), 10**9, places=2, allow_nan=False, allow_infinity=False),
    notation=st.sampled_from([Notation(), Notation(",", "."), Notation(".", ","), Notation(",")]),
    unit=unit_texts,
    space=st.sampled_from(["", " ", "\u00a0", "  "]),
    before=st.booleans(),
)
def test_numbers_come_back(number, notation, unit, space, before):
    """A number is read as without its unit, in every notation, and not where that is not told."""
    text = f"{number:,.2f}".translate(str.maketrans(",.", "_@"))
    text = text.replace("_", notation.thousands).replace("@", notation.decimal)
    written = f"{text}{space}{unit}"
    if before and not any(map(str.isdigit, unit)):
        written = f"{unit}{space}{text}"
    told = notation._replace(units=("g", unit, "s"))
    assert parse_number(written, told) == float(number)
    assert parse_number(written, notation) is None
    assert parse_number(f"{written}g", told) is None


@pytest.mark.parametrize("unit", ["5", "5kg", ".kg", "-kg", "(kg)", "kg (net)", "", " ", "k\nm", 5])
def test_what_is_no_unit_is_refused(unit):
    """A unit that might be part of a number is a mistake of the configuration."""
    with pytest.raises(ValueError):
        PARTS["units"].parse([unit])
    assert PARTS["units"].parse("km/h") == ("km/h",)
