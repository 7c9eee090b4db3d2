"""Columns that weigh examples, and those by which they are split."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, root_mean_squared_error

from mlpcli.checkpoint import store
from mlpcli.config.load import from_mapping
from mlpcli.data.load import fit_structure, load_data
from mlpcli.data.readers.table import Table
from mlpcli.data.splits import choose, newest, whole_groups
from mlpcli.model import new_model
from mlpcli.training.engine import choose_engine
from mlpcli.training.loop import train
from mlpcli.training.run import start_run

NAMES = ("x", "z", "colour", "who", "day", "w", "y", "q")
VALUES = {"eta": 0.1, "bt_size": 1000, "epochs": 4, "dtype": "float64", "hidden": [4]}
TASKS = {
    "classification": {"target": "y", "ignore": ["who", "day", "q"]},
    "regression": {"target": "q", "ignore": ["who", "day", "y"]},
    "multilabel": {"target": ["x", "y"], "ignore": ["who", "day", "q"]},
}


def rows(n=40):
    """Return rows of a table: x is 0 or 1, z a number that may be missing, who and day repeat."""
    return [
        {
            "x": i % 2, "z": "" if i % 7 == 3 else (i * 5) % 11, "colour": "rgb"[i % 3],
            "who": f"p{i % 8}", "day": f"2024-{1 + i // 4 % 12:02}-03", "w": (i * 3) % 4,
            "y": int((i * 5) % 11 > 4), "q": i * 1.25 + (i % 5),
        }
        for i in range(n)
    ]  # fmt: skip


def write(name="t.csv", given=None):
    """Write a table."""
    with Path(name).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, NAMES)
        writer.writeheader()
        writer.writerows(given if given is not None else rows())


def fit(task="classification", weighted=True, engine="numpy", name="t.csv", **values):
    """Train on a table; return theta, the encoding and the last error."""
    data = {"train": name, "missing": "mean", **TASKS[task]}
    data |= {"weight": "w"} if weighted else {"ignore": [*data["ignore"], "w"]}
    experiment = from_mapping({"data": data, "task": task, **VALUES, **values}, {})
    dataset = load_data(experiment, Path())
    experiment = fit_structure(experiment, dataset.encoding)
    model = new_model(experiment, dataset)
    run = start_run(experiment, model.network)
    run.engine = choose_engine(engine, experiment, lambda _: None)
    reports = list(train(experiment, run, dataset))
    return model.network.theta, dataset.encoding, reports[-1].row["error"]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    weights=st.lists(st.integers(0, 3), min_size=40, max_size=40),
    task=st.sampled_from(sorted(TASKS)),
    optimizer=st.sampled_from([{}, {"optimizer": "adam"}, {"momentum": 0.9}]),
    balanced=st.booleans(),
)
def test_a_weight_is_a_number_of_copies(weights, task, optimizer, balanced):
    """An example of weight k is as good as k copies, in parameters, encoding and error."""
    values = optimizer | ({"class_weight": "balanced"} if balanced and task[0] == "c" else {})
    # Each class and category is there with some weight.
    weights[:6] = [1, 2, 1, 3, 1, 1]
    given = [row | {"w": weight} for row, weight in zip(rows(), weights, strict=True)]
    write("weighted.csv", given)
    write("copies.csv", [row for row in given for _ in range(row["w"])])
    theta, encoding, error = fit(task, name="weighted.csv", **values)
    expected, of_copies, expected_error = fit(task, weighted=False, name="copies.csv", **values)
    np.testing.assert_allclose(theta, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(encoding.means, of_copies.means, rtol=1e-9, atol=1e-9)
    assert error == pytest.approx(expected_error, rel=1e-9)
    # A control: the weights make a difference.
    if len(set(weights)) > 1 and task == "regression":
        assert np.abs(fit(task, weighted=False, name="weighted.csv", **values)[0] - theta).max() > 0


def test_compiled_steps_know_weights():
    """The compiled engine comes to the same as NumPy's."""
    pytest.importorskip("numba")
    write()
    for values in ({"bt_size": 7}, {"bt_size": 7, "optimizer": "adam", "class_weight": "balanced"}):
        expected = fit(**values)[0]
        np.testing.assert_allclose(fit(engine="numba", **values)[0], expected, atol=1e-9)


def configure(more="", data="weight: w, test: 0.25", task="classification"):
    """Write c.yaml for t.csv."""
    part = TASKS[task]
    target, ignore = json.dumps(part["target"]), json.dumps(part["ignore"])
    text = f"data: {{train: t.csv, missing: mean, target: {target}, ignore: {ignore}, {data}}}\n"
    text += f"task: {task}\nhidden: [4]\neta: 0.1\nbt_size: 8\nepochs: 4\n{more}"
    Path("c.yaml").write_text(text, encoding="utf-8")


def test_a_resumed_run_has_the_same_bytes(run_mlp):
    """A weighted run goes on to the byte, with validation, which is weighted, too."""
    write()
    configure("validation: 0.2\nclass_weight: balanced\n")
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    assert run_mlp("train", "c.yaml", "-q", "-o", "d.npy", "--set", "epochs=2").returncode == 0
    assert run_mlp("train", "c.yaml", "-q", "-o", "d.npy", "--resume").returncode == 0
    assert Path("c.npy").read_bytes() == Path("d.npy").read_bytes()
    write(given=[row | {"w": 1} for row in rows()])
    run = run_mlp("train", "c.yaml", "-q", "-o", "d.npy", "--resume", "--set", "epochs=5")
    assert "was trained on other data" in run.stderr


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        ("-1", "t.csv:4: column w: '-1' will not do; give a number from 0 as weight"),
        ("", "t.csv:4: column w: is missing; give a number from 0 as weight"),
        ("NaN", "t.csv:4: column w: is missing; give a number from 0 as weight"),
        ("heavy", "t.csv:4: column w: 'heavy' is not a finite number"),
    ],
)
def test_wrong_weights_are_named(run_mlp, weight, said):
    """A weight below 0, one that is missing and one that is no number are errors with a line."""
    given = rows()
    given[2]["w"] = weight
    write(given=given)
    configure()
    run = run_mlp("train", "c.yaml", "-q")
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert run.stderr.startswith(f"mlp: error: {said}")


def test_no_weight_at_all(run_mlp):
    """Weights that are all 0 are an error."""
    write(given=[row | {"w": 0} for row in rows()])
    configure()
    assert "t.csv: column w: all weights are 0" in run_mlp("train", "c.yaml", "-q").stderr


@pytest.mark.parametrize(
    ("data", "more", "said"),
    [
        ("group: who, time: day", "", "data.time: splits by time, and data.group by groups"),
        ("weight: y", "", "data.weight: t.csv:1: column y is a target"),
        ("weight: wait", "", "data.weight: t.csv:1: there is no column 'wait'"),
        ("time: colour", "", "t.csv:2: column colour: 'r' will not do; give numbers, or dates"),
        ("weight: w", "compat: article\n", "contradicts compat: article"),
    ],
)
def test_contradictions(run_mlp, data, more, said):
    """Columns that cannot have a role are named, with the key that gives it."""
    write()
    configure(more, data)
    run = run_mlp("train", "c.yaml", "-q")
    assert run.stderr.count("\n") == 1
    assert said in run.stderr


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_evaluation_is_weighted(run_mlp, task):
    """`evaluate` says what scikit-learn does with the weights; predict needs no such column."""
    write()
    configure(task=task)
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    found = json.loads(
        run_mlp("evaluate", "--weights", "c.npy", "--data", "t.csv", "--json").stdout
    )
    # Without the columns that are no features.
    lines = [f"{r['x']},{r['z']},{r['colour']}" for r in rows()]
    text = "\n".join(["x,z,colour", *lines]) + "\n"
    run = run_mlp("predict", "--weights", "c.npy", "--format", "csv", "-", input=text)
    assert run.stderr == ""
    predicted = list(csv.DictReader(io.StringIO(run.stdout)))
    weights = [row["w"] for row in rows()]
    if task == "regression":
        truth, answers = [r["q"] for r in rows()], [float(p["q"]) for p in predicted]
        expected = root_mean_squared_error(truth, answers, sample_weight=weights)
        assert found["rmse"] == pytest.approx(expected, rel=1e-6)
    else:
        truth, answers = [str(r["y"]) for r in rows()], [p["class"] for p in predicted]
        expected = accuracy_score(truth, answers, sample_weight=weights)
        assert found["accuracy"] == pytest.approx(expected, rel=1e-12)
    assert found["weighted"] is True
    shown = run_mlp("evaluate", "--weights", "c.npy", "--data", "t.csv").stdout
    assert "all figures are weighted: 40 examples count as 60\n" in shown
    assert run_mlp("check", "c.yaml").returncode == 0


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("scale", ["standardize", "robust"])
def test_every_figure_is_that_of_copies(run_mlp, task, scale):
    """Whatever is measured, scaled by or calibrated: an example of weight k counts as k copies."""
    given = rows()
    copies = [row for row in given for _ in range(row["w"])]
    write("weighted.csv", given)
    write("copies.csv", copies)
    parts = TASKS[task] | {"missing": "mean", "scale": scale}
    found = {}
    calibrate = {} if task == "regression" else {"calibrate": True}
    for name, ignore, more in (("weighted", [], {"weight": "w"}), ("copies", ["w"], {})):
        data = {**parts, "train": f"{name}.csv", **more, "ignore": [*parts["ignore"], *ignore]}
        keys = VALUES | {"data": data, "task": task, "validation": f"{name}.csv"} | calibrate
        Path(f"{name}.yaml").write_text(json.dumps(keys))
        run = run_mlp("train", f"{name}.yaml", "-q", "--json", "--engine", "numpy")
        assert run.returncode == 0, run.stderr
        trained = json.loads(run.stdout)
        words = ["--data", f"{name}.csv", "--json", "--require", "error<=1000"]
        words += ["--top-k", "2"] if task == "classification" else []
        report = json.loads(run_mlp("evaluate", "--weights", f"{name}.npy", *words).stdout)
        gates = report.pop("gates")
        assert gates[0]["value"] == report["error"]
        found[name] = (*numbers(report), *numbers(trained["train"]), *numbers(trained["baseline"]))
    assert len(found["copies"]) > 10
    for one, other in zip(found["weighted"], found["copies"], strict=True):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9)


def numbers(value):
    """Return all numbers in a JSON value, in order."""
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return [number for part in parts for number in numbers(part)]
    return [value] if type(value) in (int, float) else []


def test_weights_that_are_no_numbers_of_copies():
    """Of fractions only the proportions count, in everything."""
    write(given=[row | {"w": row["w"] / 7} for row in rows()])
    write("more.csv", given=[row | {"w": row["w"] * 3 / 7} for row in rows()])
    for values in ({}, {"data": {"scale": "robust"}}):
        del values
        found = [fit(name=name)[0] for name in ("t.csv", "more.csv")]
        np.testing.assert_allclose(*found, rtol=1e-9)


@given(arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 9)), st.floats(0.05, 0.95))
def test_groups_stay_together(groups, fraction):
    """No group is on both sides, each example is on one, and no single group would do better."""
    alike = np.arange(len(groups)) % 2
    kept, out = whole_groups(groups, alike, fraction, np.random.default_rng(0))
    assert sorted([*kept, *out]) == list(range(len(groups)))
    assert not set(groups[kept]) & set(groups[out])


def test_groups_have_their_share_of_each_class():
    """Of many small groups about a fraction of every class is chosen."""
    groups = np.arange(600) // 3
    alike = (groups % 5 == 0).astype(int)
    _, out = whole_groups(groups, alike, 0.2, np.random.default_rng(1))
    assert np.abs(np.bincount(alike[out]) - [96, 24]).max() <= 3


@given(arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 30)), st.floats(0.05, 0.95))
def test_the_newest_are_last(times, fraction):
    """What is chosen is newer than all the rest, and no cut comes nearer to the fraction."""
    kept, out = newest(times, fraction)
    assert sorted([*kept, *out]) == list(range(len(times)))
    if len(set(times)) == 1:
        assert not len(out)
        return
    assert times[kept].max() < times[out].min()
    nearest = min(
        abs((times > t).sum() - fraction * len(times)) for t in set(times) - {times.max()}
    )
    assert abs(len(out) - fraction * len(times)) == pytest.approx(nearest)


def test_the_draw_decides():
    """Without groups and times it is the stratified split that it always was."""
    alike = np.arange(50) % 2
    table = Table("t", np.zeros((50, 1)))
    for some in (None, table):
        _, out = choose(some, alike, 0.2, np.random.default_rng(3))
        assert np.bincount(alike[out]).tolist() == [5, 5]


@pytest.mark.parametrize("role", ["group", "time"])
def test_splits_of_a_file(role):
    """Test and validation have whole groups, or the newest and then the newest of the rest."""
    write()
    column = {"group": "who", "time": "day"}[role]
    data = {"train": "t.csv", "target": "q", "ignore": ["w"], "missing": "mean", role: column}
    data |= {"test": 0.25, "categorical": ["day"] if role == "group" else []}
    values = VALUES | {"task": "regression", "validation": 0.25}
    dataset = load_data(from_mapping({"data": data, **values}, {}), Path())
    encoding = dataset.encoding
    assert [c.name for c in encoding.input_columns] == [
        name for name in NAMES if name not in ("w", "q", column)
    ]
    of = {round(row["q"], 6): row[column] for row in rows()}

    def seen(labels):
        return [
            of[round(q, 6)] for q in (labels * encoding.target_stds + encoding.target_means)[:, 0]
        ]

    trained = set(seen(dataset.train.labels[dataset.train_rows]))
    validated, tested = set(seen(dataset.validation.labels)), set(seen(dataset.test.labels))
    assert trained and validated and tested
    assert not (trained & validated or trained & tested or validated & tested)
    if role == "time":
        assert max(trained) < min(validated) and max(validated) < min(tested)


WAYS = {
    "ISO": "{0}-{1:02}-03",
    "with a zone": "{0}-{1:02}-03T10:30+05:30",
    "German": "03.{1:02}.{0}",
    "French": "03/{1:02}/{0} 08:00",
    "numbers": "{0}{1:02}03",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_times_as_people_write_them(way, form):
    """The newest are the test, however dates are written, and they are the same in all ways."""
    days = [(2023 + i % 3, 1 + i * 5 % 12) for i in range(36)]
    given = [{"x": i, "day": way.format(*day), "y": "ab"[i % 2]} for i, day in enumerate(days)]
    text = "".join(json.dumps(row) + "\n" for row in given)
    if form == "csv":
        text = "x,day,y\n" + "".join(f"{r['x']},{r['day']},{r['y']}\n" for r in given)
    Path(f"d.{form}").write_text(text)
    data = {"train": f"d.{form}", "time": "day", "test": 0.25, "scale": "none", "day_first": True}
    dataset = load_data(from_mapping({"data": data, **VALUES}, {}), Path())
    newest_days = [i for i, day in enumerate(days) if day in sorted(set(days))[-3:]]
    assert sorted(dataset.test.features[:, 0].tolist()) == newest_days


def test_times_of_parquet():
    """Dates and timestamps of Parquet split as texts do, with and without a zone."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    hours = [(i * 7) % 24 for i in range(24)]
    seconds = pa.array([hour * 3600 for hour in hours])
    for kind in (pa.timestamp("s"), pa.timestamp("s", "UTC"), pa.time32("s")):
        times = seconds.cast("int32").cast(kind) if kind == pa.time32("s") else seconds.cast(kind)
        table = {"x": range(24), "when": times, "y": ["a", "b"] * 12}
        parquet.write_table(pa.table({k: pa.array(v) for k, v in table.items()}), "d.parquet")
        data = {"train": "d.parquet", "time": "when", "test": 0.25, "scale": "none"}
        dataset = load_data(from_mapping({"data": data, **VALUES}, {}), Path())
        assert sorted(hours[i] for i in dataset.test.features[:, 0].astype(int)) == [*range(18, 24)]


def test_times_that_may_be_two(run_mlp):
    """Where no date tells whether its day is first, the key to write is named."""
    Path("d.csv").write_text(
        "x,day,y\n" + "".join(f"{i},3/{i + 1}/2024,{i % 2}\n" for i in range(9))
    )
    keys = "hidden: [3]\neta: 1\nbt_size: 4\nepochs: 1\n"
    Path("c.yaml").write_text(f"data: {{train: d.csv, time: day, test: 0.3}}\n{keys}")
    run = run_mlp("train", "c.yaml", "-q")
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert "d.csv:2: column day: '3/1/2024' may have its day or its month first" in run.stderr
    assert "write day_first: true (or false)" in run.stderr


@pytest.mark.parametrize("form", ["csv", "without a header", "parquet"])
def test_init_is_told(run_mlp, form):
    """What --weight, --group and --time name is written as keys, and is no feature or target."""
    columns = {"who": [f"p{i // 4}" for i in range(48)], "x": [i % 7 for i in range(48)]}
    columns |= {"kind": ["a", "b"] * 24, "w": [1 + i % 3 for i in range(48)]}
    columns["day"] = [f"2024-01-{1 + i % 28:02}" for i in range(48)]
    path, lines = (
        Path("d.parquet"),
        [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)],
    )
    if form == "parquet":
        pa = pytest.importorskip("pyarrow")
        days = pa.array(columns["day"]).cast(pa.date32())
        table = pa.table({**columns, "day": days})
        pytest.importorskip("pyarrow.parquet").write_table(table, path)
    else:
        path = Path("d.csv")
        path.write_text("\n".join([",".join(columns), *lines][form != "csv" :]) + "\n")
    names = (
        dict(zip(columns, range(5), strict=True)) if "without" in form else {n: n for n in columns}
    )
    for role, name, ignored in (("group", "who", "day"), ("time", "day", "who")):
        words = [f"--{role}", names[name], "--weight", names["w"], "--ignore", names[ignored]]
        run = run_mlp("init", path, "-o", f"{role}.yaml", *words)
        assert (run.returncode, run.stderr) == (0, "")
        assert f"{role}: column {names[name]}\nweight: column {names['w']}\n" in run.stdout or (
            f"weight: column {names['w']}\n{role}: column {names[name]}\n" in run.stdout
        )
        run = run_mlp("train", f"{role}.yaml", "-q", "--set", "epochs=1")
        assert run.returncode == 0, run.stderr
        model = store.load(Path(f"{role}.npy"))
        roles = [column.role for column in model.encoding.columns]
        assert roles == ["ignored", "number", "target", "ignored", "ignored"]
        assert model.experiment.data.files.target == names["kind"]
    run = run_mlp("init", path, "-o", "-", "--weight", "none")
    assert "there is no column 'none'; the columns are" in run.stderr


def test_only_tables_have_such_columns(run_mlp):
    """An array has no column that could be told of, and the option is named."""
    np.save("a.npy", np.arange(60.0).reshape(20, 3) % 2)
    run = run_mlp("init", "a.npy", "--group", "1")
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert (
        "is no table, of which columns or a header could be told; leave out --group" in run.stderr
    )


def test_the_target_is_the_last_that_is_nothing_else(run_mlp):
    """Where no target is given, a column of weights or one that is ignored is not it."""
    write()
    keys = "hidden: [3]\neta: 1\nbt_size: 4\nepochs: 1\n"
    data = "{train: t.csv, weight: w, ignore: [q, who, day], missing: mean}"
    Path("c.yaml").write_text(f"data: {data}\n{keys}")
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    assert [c.role for c in store.load(Path("c.npy")).encoding.columns][6] == "target"


def test_too_few_groups(run_mlp):
    """A column with one value cannot be split."""
    write(given=[row | {"who": "me"} for row in rows()])
    configure(data="group: who, test: 0.25")
    run = run_mlp("train", "c.yaml", "-q")
    assert "has too few examples of different groups to set 0.25 of them aside" in run.stderr
    assert run.returncode == 1


def test_arrays_have_no_such_columns(run_mlp):
    """Roles are of columns of tables: an array has none."""
    np.save("a.npy", np.arange(60.0).reshape(20, 3) % 2)
    Path("c.yaml").write_text(
        "data: {train: a.npy, weight: 1}\nhidden: []\neta: 1\nbt_size: 9\nepochs: 1\n"
    )
    run = run_mlp("train", "c.yaml", "-q", "-o", "w.npy")
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert "c.yaml:1: data.weight: a.npy: has no columns with names" in run.stderr
