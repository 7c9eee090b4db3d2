"""Columns and categories that other examples have, and those of the training had not."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from mlpcli.checkpoint import store
from mlpcli.data.encode import encode
from mlpcli.data.known_columns import select_known
from mlpcli.data.readers.table import Table
from mlpcli.prediction.inputs import read_input

ROWS = [f"{'red' if i % 3 else 'blue'},{i % 7},{'no' if i % 2 else 'yes'}\n" for i in range(42)]
KEYS = "hidden: [4]\neta: 0.1\nbt_size: 8\nepochs: 2\n"
SEEN, UNSEEN = "colour,age\nred,1\n", "age,colour,size\n1,green,9\n2,red,9\n3,green,9\n4,white,9\n"
COUNTED = "3 values are of no category seen in training, and count as none: column colour 3"
IGNORED = "column size was not there in training, and ignored"


@pytest.fixture
def train(run_mlp):
    """Return a function that trains on the table, and returns what was said."""

    def run(unknown="ignore", scale="standardize", more=""):
        Path("t.csv").write_text("colour,age,y\n" + "".join(ROWS), encoding="utf-8")
        data = f"{{train: t.csv, unknown: {unknown}, scale: {scale}, test: v.csv}}"
        Path("c.yaml").write_text(f"data: {data}\n{KEYS}{more}", encoding="utf-8")
        Path("v.csv").write_text("colour,age,y\nred,1,no\ngreen,1,yes\n", encoding="utf-8")
        return run_mlp("train", "c.yaml", "--overwrite", "-q" if unknown == "error" else "-v")

    return run


def inputs(kind):
    """Write the unseen rows as an input of some kind; return its name and standard input."""
    rows = [line.split(",") for line in UNSEEN.splitlines()]
    objects = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    if kind == "csv":
        Path("u.csv").write_text(UNSEEN, encoding="utf-8")
        return "u.csv", ""
    if kind == "parquet":
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        columns = {"age": [1, 2, 3, 4], "colour": [row[1] for row in rows[1:]], "size": [9] * 4}
        parquet.write_table(pa.table(columns), "u.parquet")
        return "u.parquet", ""
    lines = "".join(json.dumps(row | {"age": int(row["age"])}) + "\n" for row in objects)
    return "-", UNSEEN if kind == "pipe" else lines


@pytest.mark.parametrize("kind", ["csv", "parquet", "pipe", "json"])
def test_unknown_categories_are_counted(run_mlp, train, kind):
    """Each input of predict is answered in full; one line counts, one names the extra column."""
    assert train().returncode == 0
    name, text = inputs(kind)
    run = run_mlp("predict", "--weights", "c.npy", name, input=text)
    assert (run.returncode, len(run.stdout.splitlines())) == (0, 4), run.stderr
    assert run.stderr.splitlines() == [f"{name}: {IGNORED}", COUNTED]


def test_they_are_an_error_by_default(train):
    """Without `unknown: ignore` the first one ends it, and the line says what to do."""
    run = train("error")
    assert run.returncode == 1
    assert run.stderr == (
        "mlp: error: v.csv:3: column colour: 'green' is no category seen in training; the "
        "categories are blue, red; mlp predict or evaluate --unknown ignore, or unknown: ignore "
        "under data, takes others for none\n"
    )


def test_unknown_needs_no_other_training(run_mlp, train):
    """`--unknown` of predict and evaluate overrules the training: none, or an error."""
    assert train().returncode == 0
    expected = run_mlp("predict", "--weights", "c.npy", "--proba", *inputs("csv")[:1])
    files = "{train: t.csv, scale: standardize}"
    Path("c.yaml").write_text(f"data: {files}\n{KEYS}", encoding="utf-8")
    assert run_mlp("train", "c.yaml", "-q", "--overwrite").returncode == 0
    predict = ("predict", "--weights", "c.npy", "--proba", "u.csv")
    refused = run_mlp(*predict)
    assert refused.returncode == 1
    said = (
        "u.csv:2: column colour: 'green' is no category seen in training, nor are 2 or more after"
    )
    assert said in refused.stderr
    run = run_mlp(*predict, "--unknown", "ignore")
    assert (run.stdout, run.stderr) == (expected.stdout, expected.stderr)
    judge = ("evaluate", "--weights", "c.npy", "--data", "v.csv", "--unknown")
    assert "1 value is of no category seen" in run_mlp(*judge, "ignore").stderr
    assert run_mlp(*judge, "error").returncode == 1


def test_train_and_evaluate_count(run_mlp, train):
    """`train` counts those of a test file, and `evaluate` those of any."""
    note = "v.csv: 1 value is of no category seen in training, and count as none: column colour 1"
    note = note.replace("count as", "counts as")
    assert f"t.csv: {note}" in train(more="validation: v.csv\n").stderr
    assert note in run_mlp("evaluate", "--weights", "c.npy").stderr
    Path("e.csv").write_text("size,colour,age,y\n1,red,1,no\n1,white,2,no\n", encoding="utf-8")
    run = run_mlp("evaluate", "--weights", "c.npy", "--data", "e.csv", "--json")
    assert json.loads(run.stdout)["examples"] == 2
    assert run.stderr.splitlines() == [f"e.csv: {IGNORED}", note.replace("v.csv", "e.csv")]


@pytest.mark.parametrize("scale", ["standardize", "robust", "none", "unit"])
def test_an_unknown_category_is_zero_to_the_network(train, scale):
    """Its column's features are 0 as the network sees them, however they are scaled."""
    assert train(scale=scale).returncode == 0
    model = store.load("c.npy")
    Path("u.csv").write_text(UNSEEN, encoding="utf-8")
    (batch,) = read_input("u.csv", model.encoding, model.experiment.data.files)
    width = model.encoding.input_columns[0].width
    np.testing.assert_array_equal(batch.features[[0, 2, 3], :width], 0)
    assert (batch.features[1, :width] != 0).any()


def test_missing_is_not_unknown(run_mlp, train):
    """A missing category keeps its policy: it is refused, or has the share of each."""
    train()
    run = run_mlp("predict", "--weights", "c.npy", "-", input="colour,age\n,1\n")
    assert (run.returncode, run.stdout) == (1, "")
    assert "the category is missing" in run.stderr


def test_a_needed_column_is_still_needed(run_mlp, train):
    """Extra columns do not stand for a missing one."""
    train()
    run = run_mlp("predict", "--weights", "c.npy", "-", input="color,age\nred,1\n")
    assert run.stderr == (
        "mlp: error: -:1: column colour is missing; the columns are colour, age\n"
    )


def test_endless_texts_take_no_memory(train):
    """Of an endless table no texts are kept beyond the rows that are being answered."""
    train()
    from mlpcli.prediction.inputs import read_stream

    model = store.load("c.npy")
    lines = b"colour,age\n" + b"".join(b"c%d,1\n" % i for i in range(50))
    select = select_known(model.encoding, labelled=False)
    files = model.experiment.data.files
    tables = read_stream(io.BytesIO(lines), model.encoding, 1, files, select)
    assert {len(table.texts[0]) for table in tables} == {1}


def test_the_checkpoint_knows(train):
    """The policy is part of the encoding, so that everything that encodes has it."""
    train()
    encoding = store.load("c.npy").encoding
    assert encoding.unknown == "ignore"
    table = Table("a", np.array([[0.0, 1.0]]), texts={0: ("green",)})
    assert encode(encoding, table, "float32")[0, :2].tolist() == [0, 0]
