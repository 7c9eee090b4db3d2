"""Tables as spreadsheets of many countries export them train to the weights of the plain table."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlpcli.checkpoint import store
from mlpcli.config.data_parts import parse_files
from mlpcli.config.other_data import Written
from mlpcli.data.dataset import Preparation
from mlpcli.data.files import load_files
from mlpcli.errors import MlpError
from mlpcli.prediction.inputs import read_input

ROWS = 60


def rows():
    """Return amounts, shares, days and classes, the same every time."""
    rng = random.Random(1)
    for i in range(ROWS):
        amount = rng.randint(-9_999_999, 9_999_999) / 100
        day = (rng.randint(2020, 2024), rng.randint(1, 12), rng.randint(1, 28))
        yield amount, rng.randint(0, 1000) / 10, day, "yes" if amount > 0 else "no", i


def swapped(text, decimal, thousands):
    """Write a number of US habits with other separators."""
    return text.translate(str.maketrans({",": thousands, ".": decimal}))


def lakh(amount):
    """Write a number as in India: groups of two digits, but for the last."""
    whole, decimals = f"{abs(amount):.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(0, i - 2) : i] for i in range(len(head), 0, -2)][::-1]
    return ("-" if amount < 0 else "") + ",".join([*groups, tail]) + "." + decimals


def brackets(amount):
    """Write a negative number as accountants do."""
    return f"(${-amount:,.2f})" if amount < 0 else f"${amount:,.2f}"


# Delimiter, how amount, share and day are written.
EXPORTS = {
    "german": (";", lambda a: swapped(f"{a:,.2f} €", ",", "."), "{:.1f} %", "{2:02}.{1:02}.{0}"),
    "austrian": (";", lambda a: swapped(f"€ {a:,.2f}", ",", "."), "{:.1f}%", "{2}.{1}.{0}"),
    "sap": (";", lambda a: swapped(f"{abs(a):,.2f}" + "-" * (a < 0), ",", "."), "{:.1f} %",
            "{2:02}.{1:02}.{0}"),
    "french": (";", lambda a: swapped(f"{a:,.2f}", ",", "\u202f"), "{:.1f} %", "{2:02}/{1:02}/{0}"),
    "no-break": (";", lambda a: swapped(f"{a:,.2f}\u00a0€", ",", "\u00a0"), "{:.1f}\u00a0%",
                 "{2:02}/{1:02}/{0}"),
    "spaces": ("\t", lambda a: swapped(f"{a:,.2f}", ",", " "), "{:.1f}%", "{0}-{1:02}-{2:02}"),
    "indian": (",", lambda a: f'"₹{lakh(a)}"', "{:.1f}%", "{2:02}-{1:02}-{0}"),
    "rupees": ("\t", lambda a: f"Rs. {lakh(a)}", "{:.1f}%", "{2:02}/{1:02}/{0}"),
    "us": (",", lambda a: f'"{a:,.2f}"', "{:.1f}%", "{1}/{2}/{0}"),
    "accounting": (",", lambda a: f'"{brackets(a)}"', "{:.1f}%", "{1}/{2}/{0}"),
    "typeset": ("|", lambda a: f"{a:,.2f} USD".replace("-", "\u2212"), "{:.1f}%", "{1}/{2}/{0}"),
    "swiss": (";", lambda a: swapped(f"CHF {a:,.2f}", ".", "'"), "{:.1f}%", "{2}.{1}.{0}"),
    "apostrophes": (";", lambda a: swapped(f"{a:,.2f}", ".", "\u2019"), "{:.1f}%",
                    "{2:02}.{1:02}.{0}"),
}  # fmt: skip


def write(name, bom=False):
    """Write the table as a country exports it; return its path."""
    delimiter, amount, share, day = EXPORTS[name]
    comma = "," if "," in amount(0.5) and "." not in amount(0.5) else "."
    lines = [delimiter.join(["amount", "share", "day", "y"])]
    for value, percent, date, y, _ in rows():
        written = share.format(percent).replace(".", comma)
        if delimiter == ",":
            written = f'"{written}"'
        lines.append(delimiter.join([amount(value), written, day.format(*date), y]))
    path = Path(f"{name}.csv")
    path.write_bytes(("\ufeff" * bom + "\r\n".join(lines) + "\r\n").encode())
    return path


def write_plain():
    """Write the table as Python does."""
    lines = ["amount,share,day,y"]
    for amount, percent, (year, month, day), y, _ in rows():
        lines.append(f"{amount},{percent}e-2,{year}-{month:02}-{day:02},{y}")
    Path("plain.csv").write_text("\n".join(lines) + "\n")


def train(run_mlp, name):
    """Let mlp look at a table, and train a little; return the weights and the configuration."""
    made = run_mlp("init", name)
    assert made.returncode == 0, made.stderr
    stem = Path(name).stem
    run = run_mlp("train", f"{stem}.yaml", "-q", "--set", "epochs=2")
    assert run.returncode == 0, run.stderr
    return store.load(Path(f"{stem}.npy")), Path(f"{stem}.yaml").read_text()


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_train_to_the_same_weights(run_mlp, name):
    """What init finds out reads every number and date: weights are those of the plain table."""
    write_plain()
    plain, _ = train(run_mlp, "plain.csv")
    path = write(name, bom=name in ("german", "us"))
    model, config = train(run_mlp, f"{name}.csv")
    assert "decimal: " in config
    assert 'dates: ["day"]' in config
    for one, other in zip(model.network.weights, plain.network.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    # The export itself, and plain numbers with --decimal, are read as the plain table is.
    expected = np.vstack([b.features for b in read_input("plain.csv", plain.encoding)])
    files = model.experiment.data.files
    like = Written(".", ",").like(files)
    for table, read in ((str(path), files), ("plain.csv", like)):
        found = np.vstack([batch.features for batch in read_input(table, model.encoding, read)])
        np.testing.assert_array_equal(found, expected)


def test_pandas_reads_the_same_numbers():
    """pandas, told of separators, reads the amounts that mlp reads."""
    pandas = pytest.importorskip("pandas")
    delimiter, decimal, thousands = ";", ",", "."
    lines = [swapped(f"{a:,.2f}", decimal, thousands) + delimiter + y for a, _, _, y, _ in rows()]
    Path("t.csv").write_text("amount;y\n" + "\n".join(lines) + "\n")
    files, _ = parse_files({"train": "t.csv", "decimal": decimal, "thousands": thousands})
    found = load_files(files, Preparation("none", dtype="float64")).train.features[:, 0]
    table = pandas.read_csv("t.csv", sep=delimiter, decimal=decimal, thousands=thousands)
    np.testing.assert_array_equal(found, table["amount"])


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["12,5", "7,25", "3,0"], 't.csv:2: column x: .12,5. looks like a number, .*decimal: ","'),
        (["1", "2", "12,5"], "t.csv:4: column x: '12,5' is not a finite number; write decimal: "),
        (["12 %", "7 %", "3 %"], "column x: '12 %' looks like a number, .* write decimal: \"\\.\""),
        (["1 234", "5 678", "9"], 't.csv:2: column x: .* thousands: " "'),
        (["2023-01-05", "2023-02-05", "2024-01-05"], "t.csv:2: .* like a date, .* dates: .x."),
        (["1", "2", "2023-01-05"], "t.csv:4: column x: .* looks like a date: write dates: .x. "),
    ],
)  # fmt: skip
def test_what_is_not_read_is_said(run_mlp, cells, said):
    """A column of numbers or dates in another form is an error with line, column and key."""
    lines = [f"{cell};{i};{'ab'[i % 2]}\n" for i, cell in enumerate(cells * 2)]
    Path("t.csv").write_text("x;n;y\n" + "".join(lines))
    Path("c.yaml").write_text(
        "data: {train: t.csv}\nstructure: [2, 2]\neta: 1\nbt_size: 1\nepochs: 1\n"
    )
    run = run_mlp("train", "c.yaml")
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert re.search(said, run.stderr), run.stderr
    assert run_mlp("init", "t.csv").returncode == 0
    assert run_mlp("train", "t.yaml", "-q", "--set", "epochs=1").returncode == 0


def test_a_column_has_one_unit():
    """Two currencies, or % and none, are refused where the second one is, naming both lines."""
    for second, said in (("5 USD", "in USD, but line 2 in €"), ("5 %", "in %, but line 2 in €")):
        Path("t.csv").write_text(f"x;y\n5 €;a\n7;b\n{second};a\n")
        files, _ = parse_files({"train": "t.csv", "decimal": ","})
        with pytest.raises(MlpError, match=rf"t\.csv:4: column x: .* {said}"):
            load_files(files, Preparation())


ODD = st.text("0123456789.,' ()-+%$€eE:/T#;|\"abZ\u2212\u00a0\u20ac", max_size=12)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(st.tuples(ODD, ODD), min_size=2, max_size=8),
    keys=st.fixed_dictionaries(
        {},
        optional={
            "decimal": st.sampled_from([".", ","]),
            "thousands": st.sampled_from([" ", "'"]),
            "units": st.sampled_from([["T"], ["e", "E/b"], ["b 5", "Z:"]]),
            "dates": st.just(["b"]),
            "missing": st.sampled_from(["mean", "drop"]),
        },
    ),
)
def test_odd_cells_never_end_in_a_traceback(cells, keys):
    """Whatever cells hold, a table is read, or refused in one line that names the file."""
    lines = [f"{a}\t{b}\t{'xy'[i % 2]}\n" for i, (a, b) in enumerate(cells)]
    Path("odd.csv").write_text("a\tb\ty\n" + "".join(lines), encoding="utf-8")
    files, _ = parse_files({"train": "odd.csv", "delimiter": "\t", **keys})
    try:
        dataset = load_files(files, Preparation())
    except MlpError as error:
        assert "odd.csv" in str(error)
        assert "\n" not in str(error)
    else:
        assert np.isfinite(dataset.train.features.astype(np.float64)).all()


def write_typed(name, form):
    """Write the table as JSON lines or Parquet: what a country exports as texts, the rest typed."""
    _, amount, share, day = EXPORTS[name]
    comma = "," if "," in amount(0.5) and "." not in amount(0.5) else "."
    found = [
        {
            "amount": amount(value).strip('"'),
            "share": share.format(percent).replace(".", comma),
            "day": day.format(*date),
            "size": value / 3,
            "y": y,
        }
        for value, percent, date, y, _ in rows()
    ]
    if form == "jsonl":
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
        return
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(
        pa.Table.from_pylist(found), f"{name}.parquet"
    )


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("name", ["german", "french", "accounting", "swiss"])
def test_texts_beside_typed_numbers(run_mlp, name, form):
    """Texts in JSON and Parquet are read by the same keys, and numbers there are what they are."""
    lines = ["amount,share,day,size,y"]
    for amount, percent, (year, month, day), y, _ in rows():
        lines.append(f"{amount},{percent}e-2,{year}-{month:02}-{day:02},{amount / 3},{y}")
    Path("plain.csv").write_text("\n".join(lines) + "\n")
    plain, _ = train(run_mlp, "plain.csv")
    write_typed(name, form)
    model, config = train(run_mlp, f"{name}.{form}")
    assert "decimal: " in config
    for one, other in zip(model.network.weights, plain.network.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    table = f"{name}.{form}"
    words = ["predict", "--weights", f"{name}.npy", "--proba"]
    expected = run_mlp(*words, table)
    assert expected.returncode == 0, expected.stderr
    assert (
        expected.stdout
        == run_mlp("predict", "--weights", "plain.npy", "--proba", "plain.csv").stdout
    )
    if form == "jsonl":
        assert run_mlp(*words, "-", input=Path(table).read_text()).stdout == expected.stdout


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_words_among_numbers_of_a_notation(run_mlp, form):
    """A word among such numbers is found to stand for a missing one, in every format."""
    found = [
        {"x": "k.A." if i % 9 == 0 else f"1.{i:03},5", "n": i % 7, "y": "ab"[i % 2]}
        for i in range(60)
    ]
    if form == "csv":
        lines = [";".join(map(str, row.values())) for row in found]
        Path("t.csv").write_text("x;n;y\n" + "\n".join(lines) + "\n")
    elif form == "jsonl":
        Path("t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    else:
        pa = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pa.Table.from_pylist(found), "t.parquet")
    model, config = train(run_mlp, f"t.{form}")
    assert 'missing_values: ["k.A."]' in config
    assert [column.role for column in model.encoding.columns] == ["number", "number", "target"]


def test_a_text_in_json_is_written_as_all_are():
    """1.217 is a little above one as a number of JSON, but as a German text over a thousand."""
    lines = ['{"x": 1.217, "y": "a"}\n', '{"x": "1.217", "y": "b"}\n']
    Path("t.jsonl").write_text("".join(2 * lines))
    files, _ = parse_files({"train": "t.jsonl", "decimal": ",", "thousands": "."})
    found = load_files(files, Preparation("none", dtype="float64")).train.features[:, 0]
    assert found.tolist() == [1.217, 1217] * 2


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            ["1,5", "2,5", "3,5", "x", "4,5"],
            "t.parquet: row 3: column x: 'x' is not a finite number",
        ),
        (["5 €", "7", "8", "9 USD"], "row 3: column x: '9 USD' is in USD, but others are in €"),
        (
            ["5 %", "7"],
            "row 1: column x: '7' is in no unit, but others are in %; give a column one",
        ),
    ],
)
def test_what_is_not_read_in_parquet_is_said(cells, said):
    """Row and column are named, and what to do."""
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"x": cells, "y": ["a", "b", "a", "b", "a"][: len(cells)]})
    pytest.importorskip("pyarrow.parquet").write_table(table, "t.parquet")
    files, _ = parse_files({"train": "t.parquet", "decimal": ","})
    with pytest.raises(MlpError, match=re.escape(said)):
        load_files(files, Preparation())
