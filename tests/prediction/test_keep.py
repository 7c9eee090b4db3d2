"""`mlp predict --keep`: columns of the input beside its predictions, of every kind."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

KEYS = "hidden: [3]\neta: 0.1\nbt_size: 8\nepochs: 1\n"
HEAD, TARGETS = "id,name,length,class,price,big,red\n", {
    "classification": "class",
    "regression": "price",
    "multilabel": "[big, red]",
}  # fmt: skip
ROWS = [
    f'{i + 7:03},"N, {i}",{i % 5}.50,{"ab"[i % 2]},{i}.25,{i % 2},{i // 2 % 2}\n' for i in range(24)
]
# Where each kind of predicted target has its columns in CSV.
HEADS = {"classification": ["class"], "regression": ["price"], "multilabel": ["big", "red"]}


@pytest.fixture
def predict(run_mlp):
    """Return a function that trains on a table for a task, once, and predicts."""

    def predict(*args, task="classification", **options):
        if not Path(f"{task}.npy").exists():
            Path("t.csv").write_text(HEAD + "".join(ROWS))
            others = {"class", "price", "big", "red"} - set(TARGETS[task].strip("[]").split(", "))
            ignore = f"[id, name, {', '.join(sorted(others))}]"
            data = f"{{train: t.csv, target: {TARGETS[task]}, ignore: {ignore}}}"
            Path("c.yaml").write_text(f"data: {data}\ntask: {task}\n{KEYS}")
            assert run_mlp("train", "c.yaml", "-q", "-o", f"{task}.npy").returncode == 0
            Path("some.csv").write_text(HEAD + "".join(ROWS[:3]))
        return run_mlp("predict", "--weights", f"{task}.npy", *args, **options)

    return predict


def read(run):
    """Return the rows of CSV of a run that must have succeeded silently."""
    assert (run.returncode, run.stderr) == (0, "")
    return list(csv.DictReader(io.StringIO(run.stdout)))


@pytest.mark.parametrize("task", HEADS)
@pytest.mark.parametrize("given", ["file", "stdin"])
def test_csv(predict, task, given):
    """Kept cells stand as they are written, before what is predicted, whatever the task."""
    predict("some.csv", task=task)
    words = {"file": ["some.csv"], "stdin": ["-"]}[given]
    text = Path("some.csv").read_text()
    rows = read(predict("--keep", "id,name", "--format", "csv", *words, task=task, input=text))
    assert list(rows[0]) == ["input", "row", "id", "name", *HEADS[task]]
    assert [(row["id"], row["name"]) for row in rows] == [
        ("007", "N, 0"), ("008", "N, 1"), ("009", "N, 2")
    ]  # fmt: skip


@pytest.mark.parametrize("task", HEADS)
def test_all_columns(predict, task):
    """`all` keeps every column; one that is called as an output is input[NAME]."""
    rows = read(predict("--keep", "all", "--format", "csv", "t.csv", task=task))
    kept = [f"input[{n}]" if n in HEADS[task] else n for n in HEAD.strip().split(",")]
    assert list(rows[0]) == ["input", "row", *kept, *HEADS[task]]
    assert [row["length"] for row in rows] == [f"{i % 5}.50" for i in range(24)]


def test_predictions_predicted_again(predict):
    """Headings stay different, however often the output becomes the input."""
    predict("--keep", "all", "-o", "once.csv", "some.csv")
    (head, *_) = predict("--keep", "all", "--format", "csv", "once.csv").stdout.splitlines()
    names = head.split(",")
    assert len(set(names)) == len(names)
    assert "input[input[class]]" in names


def test_top_k_and_outputs(predict):
    """Columns are kept beside several classes and their outputs, too."""
    (row, *_) = read(
        predict("--keep", "id", "--top-k", "2", "--proba", "--format", "csv", "some.csv")
    )
    assert list(row) == ["input", "row", "id", "class", "class_2", "proba", "proba_2"]


def test_text(predict):
    """In text they come first, with tabs between, and no cell can break a line."""
    predict("some.csv")
    Path("odd.csv").write_text('length,name\n1.5,"a\tb\nc"\n2.5,\n')
    first, second = predict("--keep", "name", "--keep", "length", "odd.csv").stdout.splitlines()
    assert first.split("\t")[:2] == ["a\\tb\\nc", "1.5"]
    assert second.split("\t")[:2] == ["", "2.5"]


def test_json_lines(predict):
    """In JSON they are nested under `kept`; what was JSON stays what it is."""
    predict("some.csv")
    line = predict("--keep", "id,name", "--json", "some.csv").stdout.splitlines()[0]
    assert json.loads(line)["kept"] == {"id": "007", "name": "N, 0"}
    values = {"class": None, "length": 1.5, "id": 7, "ok": True, "name": "7"}
    for text in (json.dumps(values), json.dumps([values])):
        Path("in.jsonl").write_text(text)
        for run in (
            predict("--keep", "all", "--json", "in.jsonl"),
            predict("--keep", "all", "--json", "-", input=text),
        ):
            assert json.loads(run.stdout)["kept"] == values


def test_json_has_no_nan(predict):
    """A kept value that JSON has no word for is null."""
    predict("some.csv")
    run = predict("--keep", "size", "--json", "-", input='{"length": 1.5, "size": NaN}\n')
    assert json.loads(run.stdout, parse_constant=pytest.fail)["kept"] == {"size": None}


def test_parquet(predict):
    """Of Parquet numbers stay numbers, and dates, decimals and texts are texts."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    predict("some.csv")
    columns = {
        "length": pa.array([1.5, 2.5]),
        "id": pa.array([7, None]),
        "when": pa.array([0, 1], pa.timestamp("ns")),
        "name": pa.array(["x", None]).dictionary_encode(),
        "ok": pa.array([True, False]),
    }
    parquet.write_table(pa.table(columns), "in.parquet")
    lines = predict("--keep", "all", "--json", "in.parquet").stdout.splitlines()
    kept = [json.loads(line)["kept"] for line in lines]
    assert kept[0] == {
        "length": 1.5, "id": 7, "when": "1970-01-01 00:00:00.000000000", "name": "x", "ok": True
    }  # fmt: skip
    assert (kept[1]["id"], kept[1]["name"]) == (None, None)
    parquet.write_table(pa.table({**columns, "many": pa.array([[1], [2]])}), "in.parquet")
    assert predict("--keep", "id", "in.parquet").returncode == 0
    assert "column many holds list<" in predict("--keep", "many", "in.parquet").stderr


def test_tables_without_a_header(run_mlp):
    """Columns without names are kept by position, and called by it."""
    Path("t.csv").write_text("".join(f"{i},{i % 5},{'ab'[i % 2]}\n" for i in range(24)))
    Path("c.yaml").write_text(f"data: {{train: t.csv, ignore: [0]}}\n{KEYS}")
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    run = run_mlp("predict", "--weights", "c.npy", "--keep", "0,-1", "--format", "csv", "t.csv")
    head, first, *_ = run.stdout.splitlines()
    assert head == "input,row,0,2,class"
    assert first.startswith("t.csv,0,0,a,")


def test_more_rows_than_are_predicted_at_once(predict, monkeypatch):
    """Every row keeps its own cells, however many are read and predicted at a time."""
    from mlpcli.nn import inference
    from mlpcli.prediction import inputs

    predict("some.csv")
    monkeypatch.setattr(inputs, "CHUNK_CHARACTERS", 100)
    monkeypatch.setattr(inference, "CHUNK_ROWS", 2)
    rows = read(predict("--keep", "id", "--format", "csv", "t.csv"))
    assert [int(row["id"]) for row in rows] == [int(row["row"]) + 7 for row in rows]
    assert len(rows) == 24


def test_a_name_like_a_number(predict):
    """A column called 2019 is meant by 2019, and not a position."""
    predict("some.csv")
    run = predict("--keep", "2019", "-", input="length,2019\n1.5,x\n")
    assert run.stdout.split("\t")[0] == "x"


def test_what_is_kept_is_not_said_to_be_ignored(predict):
    """The note on columns that were not there in training is about those that are not kept."""
    predict("some.csv")
    run = predict("--keep", "size", "-", input="length,size,weight\n1.5,x,3\n")
    assert "weight was not there in training" in run.stderr
    assert "size" not in run.stderr


def test_a_name_that_is_not_there(predict):
    """It is an error that lists what is."""
    run = predict("--keep", "id,surname", "some.csv", task="classification")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "mlp: error: some.csv:1: there is no column 'surname'; the columns are 'id', 'name', "
        "'length', 'class', 'price', 'big', 'red'\n"
    )


def test_inputs_with_other_columns(predict):
    """Inputs whose columns differ make no one table, but lines of JSON."""
    predict("some.csv")
    Path("other.csv").write_text("length,size\n1.5,3\n")
    words = ["--keep", "all", "some.csv", "other.csv"]
    run = predict("--format", "csv", *words)
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert "mlp: error: other.csv: its columns to keep are not those before: id, " in run.stderr
    lines = predict("--json", *words).stdout.splitlines()
    assert json.loads(lines[-1])["kept"] == {"length": "1.5", "size": "3"}


def test_refusals(predict):
    """An array is no place for columns of the input, and has none to keep."""
    predict("some.csv")
    run = predict("--keep", "id", "-o", "out.npy", "some.csv")
    assert run.returncode == 2
    assert "an array holds predictions alone" in run.stderr
    assert not Path("out.npy").exists()
    np.save("in.npy", np.ones((2, 1)))
    run = predict("--keep", "0", "in.npy")
    assert (run.returncode, run.stdout) == (1, "")
    assert "in.npy: is no table, and has no columns to keep; leave out --keep" in run.stderr


def test_each_image_of_a_folder_is_named(run_mlp):
    """`input` is the file of each image, in the folder's order."""
    image = pytest.importorskip("PIL.Image")
    for i in range(12):
        path = Path("d", "ab"[i % 2], f"{i:02}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        image.fromarray(np.full((4, 4), i, np.uint8)).save(path)
    Path("c.yaml").write_text(f"data: {{train: d}}\n{KEYS}")
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    words = ["predict", "--weights", "c.npy"]
    rows = read(run_mlp(*words, "--format", "csv", "d"))
    expected = [f"d/{name}/{i:02}.png" for name in "ab" for i in range("ab".index(name), 12, 2)]
    assert [row["input"] for row in rows] == expected
    lines = run_mlp(*words, "--json", "d/b", "d/a/00.png").stdout.splitlines()
    assert [json.loads(line)["input"] for line in lines] == [*expected[6:], "d/a/00.png"]
