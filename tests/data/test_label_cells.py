"""Several labels in one cell are learned as a table with a column of yes and no for each is."""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pytest

from mlpcli.checkpoint import store
from mlpcli.config.load import load_experiment
from mlpcli.data.label_cells import separator_in

LABELS = ("big", "odd", "red")
KEYS = "structure: [2, 8, 3]\neta: 0.01\nbt_size: 16\nepochs: 2\noptimizer: adam\n"
TAGS = {"train": "t.csv", "test": 0.2, "target": "tags", "label_separator": "|"}


def examples(n=90):
    """Return numbers, and the labels that go with them, of which an example may have none."""
    rng = random.Random(5)
    for _ in range(n):
        x = [rng.randint(0, 9), rng.randint(0, 9)]
        yield x, {"big": x[0] > 5, "odd": x[1] % 2 == 1, "red": x[0] < x[1]}


def cell(has, between="|"):
    """Return labels as somebody writes them: in any order, some twice, with spaces around."""
    had = [label for label in reversed(LABELS) if has[label]]
    return f" {between} ".join([*had, *had[:1]])


def write(name, cells=cell, change=lambda tags: tags):
    """Write examples as a table with a column of labels."""
    rows = [(*x, change(cells(has))) for x, has in examples()]
    if name.endswith(".csv"):
        with Path(name).open("w", newline="") as stream:
            csv.writer(stream).writerows([("x", "y", "tags"), *rows])
        return
    found = [dict(zip(("x", "y", "tags"), row, strict=True)) for row in rows]
    if name.endswith(".jsonl"):
        found = [row | {"tags": row["tags"] or None} for row in found]
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in found))
        return
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pa.Table.from_pylist(found), name)


def train(run_mlp, data, name="c"):
    """Train NAME.yaml of some data; return the model."""
    Path(f"{name}.yaml").write_text(f"data: {json.dumps(data)}\n{KEYS}output: sigmoid\n")
    run = run_mlp("train", f"{name}.yaml", "-q", "--overwrite")
    assert run.returncode == 0, run.stderr
    return store.load(Path(f"{name}.npy"))


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_cells_of_labels_are_columns_of_yes_and_no(run_mlp, name):
    """They train to the same weights, and are evaluated to the same figures, split by label too."""
    write(name)
    model = train(run_mlp, TAGS | {"train": name})
    with Path("plain.csv").open("w", newline="") as stream:
        lines = [(*x, *(int(has[label]) for label in LABELS)) for x, has in examples()]
        csv.writer(stream).writerows([("x", "y", *LABELS), *lines])
    plain = train(run_mlp, {"train": "plain.csv", "test": 0.2, "target": [*LABELS]}, "plain")
    assert model.encoding.class_names == LABELS
    assert np.array_equal(model.network.theta, plain.network.theta)
    for more in (["--data", name], []):
        one = json.loads(run_mlp("evaluate", "--weights", "c.npy", "--json", *more).stdout)
        alike = ["--data", "plain.csv"] if more else []
        other = json.loads(run_mlp("evaluate", "--weights", "plain.npy", "--json", *alike).stdout)
        assert one["labels"] == other["labels"]
        assert one["accuracy"] == other["accuracy"]


def test_labels_are_predicted_as_they_are_given(run_mlp):
    """Text and CSV have them in one cell, JSON lines as a list."""
    write("t.csv")
    model = train(run_mlp, TAGS | {"missing": "mean"})
    Path("some.csv").write_text("x,y\n9,1\n1,9\n5,2\n")
    predict = ("predict", "--weights", "c.npy", "some.csv")
    lists = [json.loads(line)["labels"] for line in run_mlp(*predict, "--json").stdout.splitlines()]
    assert any(len(labels) > 1 for labels in lists) or not any(lists)
    cells = ["|".join(labels) for labels in lists]
    assert run_mlp(*predict).stdout.splitlines() == cells
    rows = [*csv.reader(run_mlp(*predict, "--format", "csv", "--proba").stdout.splitlines())]
    assert rows[0] == ["input", "row", "tags", *(f"proba[{name}]" for name in LABELS)]
    assert [row[2] for row in rows[1:]] == cells
    assert model.experiment.data.files.label_separator == "|"


@pytest.mark.parametrize(
    ("data", "more", "change", "said"),
    [
        (
            {},
            "task: classification",
            None,
            "c.yaml:1: data.label_separator: is of labels, but task",
        ),
        ({"target": ["tags", "x"]}, "", None, "but target names several columns"),
        ({}, "", lambda _: "", "t.csv: no example has a label; name another target"),
        ({}, "", lambda tags: tags or "NA", "the target is missing; fill it in, or train with "),
        ({}, "", lambda tags: tags.replace("big", "b\tg"), "has a control character"),
        ({"label_separator": 3}, "", None, "must be a text such as ; or /, not 3"),
    ],
)
def test_refusals(run_mlp, data, more, change, said):
    """What makes no sense of labels in one cell is refused in one line that says why."""
    write("t.csv", change=change or (lambda tags: tags))
    Path("c.yaml").write_text(f"data: {json.dumps(TAGS | data)}\n{KEYS}{more}\n")
    run = run_mlp("train", "c.yaml", "-q")
    assert run.returncode in (1, 2)
    assert said in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_label_that_was_not_there_in_training(run_mlp):
    """Another file may have no other labels; the error names its line."""
    write("t.csv")
    train(run_mlp, TAGS)
    Path("new.csv").write_text("x,y,tags\n1,2,red\n3,4,red|blue\n")
    run = run_mlp("evaluate", "--weights", "c.npy", "--data", "new.csv")
    assert run.returncode == 1
    assert "new.csv:3: label 'blue' was not seen in training; the labels are big, odd, red" in (
        run.stderr
    )


@pytest.mark.parametrize("between", ["|", ";", ",", "/"])
def test_init_finds_labels(run_mlp, between):
    """It writes what is between them, says so, and trains; a missing cell is left out."""
    write("t.csv", lambda has: cell(has, between), lambda tags: "NA" if tags[:3] == "odd" else tags)
    made = run_mlp("init", "t.csv")
    assert f"label_separator: {between!r} is between labels, of which a cell has several" in (
        made.stdout
    )
    assert "counts as missing" in made.stdout
    experiment = load_experiment(Path("t.yaml"))
    assert (experiment.task, experiment.data.files.label_separator) == ("multilabel", between)
    trained = run_mlp("train", "t.yaml", "-q", "--set", "epochs=1")
    assert trained.returncode == 0, trained.stderr
    assert store.load(Path("t.npy")).encoding.class_names == LABELS


def test_labels_with_differing_case_are_found(run_mlp):
    """`mlp check` names labels that may be one."""
    write("t.csv", change=lambda tags: tags.replace("red | red", "Red"))
    Path("c.yaml").write_text(f"data: {json.dumps(TAGS)}\n{KEYS.replace('8, 3', '8, 4')}")
    assert "labels differ in case or spaces only: 'Red' and 'red'" in (
        run_mlp("check", "c.yaml").stdout
    )


@pytest.mark.parametrize(
    "texts",
    [
        ["Doe, Jane", "Roe, Ann", "Smith", "Poe, Sam"],
        ["1,5", "2,5", "2", "1", "5,5", "5,1", "2,1"],
        ["A+", "A", "B+", "B", "AB+", "AB"],
        ["animal/cat", "animal/dog", "animal", "plant/tree", "plant"],
        ["01/02/2024", "02/02/2024", "02/01/2024", "01/01/2024", "2024"],
        ["red|big", "red|small", "big|blue", "blue|small"],
        ["red", "big", "blue"],
        ["A", "B", "A/B", "C"],
    ],
)
def test_what_are_no_labels(texts):
    """Names, numbers, dates, marks, parts of a whole, and one class alone are no labels."""
    assert separator_in(dict.fromkeys(texts, 20)) is None


def test_labels_come_back():
    """Labels that hardly ever come back, or hardly ever together, are not taken for such."""
    texts = ["a|b", "a", "b", "a|b|c", "c", "b|c"]
    assert separator_in(dict.fromkeys(texts, 10)) == "|"
    assert separator_in(dict.fromkeys(texts, 1)) is None
    assert separator_in({text: 1 if "|" in text else 100 for text in texts}) is None
