"""Regression and several labels from configuration to prediction, as somebody uses them."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import r2_score, root_mean_squared_error

import mlpcli

REST = "eta: 0.01\nbt_size: 16\nepochs: 60\noptimizer: adam\nactivation: tanh\n"
KEYS = f"structure: [2, 16, 1]\n{REST}"
LABELS = f"structure: [2, 16, 2]\n{REST}"


def house(i):
    """Return size, age, price, rent: price is 1000 + 50 size - 3 age, and rent price / 200."""
    size, age = (37 * i) % 100, (17 * i) % 60
    price = 1000 + 50 * size - 3 * age
    return size, age, price, price / 200


def write(name="t.csv", rows=range(200), columns=("size", "age", "price"), change=lambda row: row):
    """Write a table of houses."""
    names = ("size", "age", "price", "rent")
    with Path(name).open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(change(dict(zip(names, house(i), strict=True))) for i in rows)


def configure(data="{train: t.csv, test: 0.2}", more="task: regression\n", keys=KEYS):
    """Write c.yaml."""
    Path("c.yaml").write_text(f"data: {data}\n{keys}{more}")


@pytest.fixture
def train(run_mlp):
    """Return a function that trains c.yaml and returns what the process showed."""

    def run(*args):
        found = run_mlp("train", "c.yaml", "-q", "--overwrite", *args)
        assert found.returncode == 0, found.stderr
        return found.stdout

    return run


def evaluate(run_mlp, *args):
    """Return the JSON report of c.npy."""
    return json.loads(run_mlp("evaluate", "--weights", "c.npy", "--json", *args).stdout)


def test_metrics_are_in_the_targets_units(run_mlp, train):
    """What evaluate says of a file is what scikit-learn says of the predictions for it."""
    write()
    configure()
    assert "test RMSE" in train()
    write("other.csv", range(200, 240))
    report = evaluate(run_mlp, "--data", "other.csv")
    run = run_mlp("predict", "--weights", "c.npy", "--format", "csv", "other.csv")
    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    predicted = [float(row["price"]) for row in rows]
    truth = [house(i)[2] for i in range(200, 240)]
    assert report["rmse"] == pytest.approx(root_mean_squared_error(truth, predicted), rel=1e-9)
    assert report["targets"]["price"]["r2"] == pytest.approx(r2_score(truth, predicted), rel=1e-9)
    assert report["r2"] > 0.95
    assert report["baseline"]["rmse"] > 4 * report["rmse"]
    assert report["targets"]["price"]["baseline"] == report["baseline"]
    lines = run_mlp("predict", "--weights", "c.npy", "other.csv").stdout.splitlines()
    np.testing.assert_allclose([float(line) for line in lines], predicted, rtol=1e-5)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_units_do_not_matter(run_mlp, train, factor, loss):
    """A target in other units is learned as well: it is standardised, whatever the loss."""
    reports = []
    for unit in (1.0, factor):
        write(change=lambda row, unit=unit: row | {"price": repr(row["price"] * unit - 7 * unit)})
        configure(more=f"task: regression\nloss: {loss}\n")
        train()
        reports.append(evaluate(run_mlp))
    assert reports[1]["rmse"] == pytest.approx(reports[0]["rmse"] * factor, rel=1e-3)
    assert reports[1]["r2"] == pytest.approx(reports[0]["r2"], rel=1e-3)
    assert reports[0]["r2"] > 0.9


def test_several_quantities(run_mlp, train):
    """Each target of a list has its column, its metrics and its units."""
    write(columns=("rent", "size", "age", "price"))
    keys = KEYS.replace("16, 1]", "16, 2]")
    configure("{train: t.csv, test: 0.2, target: [price, rent]}", keys=keys)
    train()
    report = evaluate(run_mlp)
    assert list(report["targets"]) == ["rent", "price"]
    rent, price = report["targets"].values()
    assert price["rmse"] > 50 * rent["rmse"]
    assert report["rmse"] == pytest.approx((price["rmse"] + rent["rmse"]) / 2)
    row = json.loads(
        run_mlp("predict", "--weights", "c.npy", "--json", "-", input="size,age\n50,9\n").stdout
    )
    assert row["predicted"] == {
        "rent": pytest.approx(17.4, rel=0.1), "price": pytest.approx(3473, rel=0.1)
    }  # fmt: skip
    run = run_mlp("predict", "--weights", "c.npy", "-o", "out.npy", "t.csv")
    assert (run.returncode, np.load("out.npy").shape) == (0, (200, 2))


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("r2>=0.9", 0), ("r2[price]>=0.9", 0), ("rmse<=3000", 0), ("median_absolute_error<1e9", 0),
        ("rmse<=1e-9", 4), ("mae[price]<1e-9", 4),
        ("accuracy>=0.9", 2), ("r2[cost]>=0.9", 2), ("recall[price]>0", 2),
    ],
)  # fmt: skip
def test_gates(run_mlp, train, gate, code):
    """Gates name metrics of quantities, of all or of one; those of classes are usage errors."""
    write()
    configure()
    train()
    run = run_mlp("evaluate", "--weights", "c.npy", "--require", gate)
    assert run.returncode == code
    assert len(run.stderr.splitlines()) == (code > 0)


def test_a_lower_error_is_no_drop(run_mlp, train):
    """`--max-drop` takes a higher RMSE for worse, and a lower one for better."""
    write()
    configure()
    train()
    report = evaluate(run_mlp)
    for factor, code in ((0.5, 4), (2, 0)):
        worse = json.dumps(report | {"rmse": report["rmse"] * factor})
        Path("base.json").write_text(worse)
        words = ["--baseline", "base.json", "--max-drop", "rmse=0.001"]
        assert run_mlp("evaluate", "--weights", "c.npy", *words).returncode == code


def test_clamp_keeps_to_what_was_seen(run_mlp, train):
    """With `clamp` no prediction is beyond the training targets; without it one may be."""
    write()
    found = {}
    for clamp in ("false", "true"):
        configure(more=f"task: regression\nclamp: {clamp}\n", keys=KEYS.replace("tanh", "relu"))
        train()
        run = run_mlp("predict", "--weights", "c.npy", "-", input="size,age\n5000,9\n50,9\n")
        found[clamp] = [float(line) for line in run.stdout.split()]
    high = max(house(i)[2] for i in range(200))
    assert found["false"][0] > 2 * high
    assert found["true"][0] <= high
    assert found["true"][1] == found["false"][1]


def test_from_python(run_mlp, train):
    """A loaded model predicts quantities, (n,) or (n, n_L), and has no probabilities."""
    write()
    configure()
    train()
    model = mlpcli.load("c.npy")
    lines = run_mlp("predict", "--weights", "c.npy", "-", input="size,age\n50,9\n3,1\n").stdout
    found = model.predict([[50, 9], [3, 1]])
    np.testing.assert_allclose(found, [float(line) for line in lines.split()], rtol=1e-5)
    with pytest.raises(mlpcli.errors.MlpError, match="quantities, not probabilities"):
        model.predict_proba([[50, 9]])
    assert repr(model) == "Model(t.csv [2, 16, 1], quantities price, 60 epochs)"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("task: regression\noutput: softmax\n", "output: is softmax, but task is regression"),
        ("task: regression\nloss: cross_entropy\n", "loss: is cross_entropy, but output is linear"),
        ("task: regression\nclass_weight: balanced\n", "class_weight: is of task classification"),
        ("task: regression\nlabel_smoothing: 0.1\n", "label_smoothing: is of task classification"),
        ("task: regression\nvalidation: 0.1\ncalibrate: true\n", "calibrate: is of task classific"),
        ("task: regression\nvalidation: 0.1\nmonitor: accuracy\n", "monitor: quantities have no"),
        (
            "task: regression\nhuber_delta: 2\n",
            "huber_delta: is a setting of huber, but loss is mse",
        ),
        ("task: regression\nthreshold: 0.4\n", "threshold: is of task multilabel, but task is reg"),
        ("output: sigmoid\n", "structure: the output layer has one neuron, but there must be one"),
        (
            "task: classification\noutput: linear\nstructure: [2, 2]\n",
            "output: is linear, but task",
        ),
        ("output: sigmoid\nloss: huber\nstructure: [2, 2]\n", "loss: is huber, but output is sigm"),
    ],
)
def test_contradictions(run_mlp, more, said):
    """Keys of another task are one-line errors with exit code 2 that name line and key."""
    write()
    configure(more=more, keys=KEYS.partition("\n")[2] if "structure" in more else KEYS)
    run = run_mlp("train", "c.yaml")
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert re.fullmatch(rf"mlp: error: c\.yaml:\d+: {re.escape(said)}.*\n", run.stderr)


@pytest.mark.parametrize("more", ["", "task: regression\n", "output: linear\n", "loss: mae\n"])
def test_the_task_is_told_by_how_the_target_looks(train, more):
    """One output for a numeric target is a regression, said or not."""
    write()
    configure(more=more)
    assert "test RMSE" in train("--set", "epochs=2")


def test_one_output_for_classes_is_a_mistake(run_mlp):
    """One output for a target that looks like classes is an error that says what to write."""
    write(change=lambda row: row | {"price": row["price"] > 3000})
    configure(more="")
    run = run_mlp("train", "c.yaml")
    assert run.returncode == 1
    assert run.stderr == (
        "mlp: error: c.yaml:2: structure: t.csv: the target looks like 2 classes: False, True; end "
        "structure with 2, or write task: regression\n"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"price": "dear"}, "t.csv:2: column price: 'dear' is not a finite number"),
        ({"price": "inf"}, "t.csv:2: column price: 'inf' is not a finite number"),
        ({"price": ""}, "t.csv:2: column price: the target is missing"),
        ({"price": 5}, "t.csv: all 160 examples have the same price, 5; name another target"),
    ],
)
def test_targets_that_cannot_be_learned(run_mlp, change, said):
    """A target that is no number, or never changes, is an error that names line and column."""
    write(change=lambda row: row | change)
    configure()
    run = run_mlp("train", "c.yaml")
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert said in run.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "--weights", "c.npy", "--top-k", "2"], "--top-k: is about classes, but task"),
        (["predict", "--weights", "c.npy", "--top-k", "1", "t.csv"], "--top-k: is about classes"),
        (["predict", "--weights", "c.npy", "--proba", "t.csv"], "--proba: the network predicts qu"),
    ],
)
def test_options_of_classes(run_mlp, train, words, said):
    """Options that are about classes exit 2 for quantities."""
    write()
    configure()
    train("--set", "epochs=2")
    run = run_mlp(*words)
    assert (run.returncode, run.stdout) == (2, "")
    assert said in run.stderr


def test_validation_resume_and_verify(run_mlp, train):
    """The history has validation_rmse in the target's units; resume and verify give the bytes."""
    write()
    configure(more="task: regression\nloss: huber\nhuber_delta: 0.5\nvalidation: 0.2\n")
    train("--history", "h.csv")
    rows = list(csv.DictReader(Path("h.csv").read_text().splitlines()))
    assert list(rows[0])[:4] == ["epoch", "error", "validation_error", "validation_rmse"]
    best = min(rows, key=lambda row: float(row["validation_error"]))
    assert 0 < float(best["validation_rmse"]) < 1000
    whole = Path("c.npy").read_bytes()
    assert run_mlp("train", "c.yaml", "-q", "--verify", "c.npy").returncode == 0
    train("--set", "epochs=20")
    assert run_mlp("train", "c.yaml", "-q", "--resume").returncode == 0
    assert Path("c.npy").read_bytes() == whole


def test_check_and_show(run_mlp, train):
    """`check` knows the range and the baseline, finds far targets; `show` knows mean and range."""
    write(
        change=lambda row: (
            row | {"price": 1e7 if row["size"] == 37 and row["age"] == 17 else row["price"]}
        )
    )
    configure(more="task: regression\n", data="{train: t.csv}")
    found = json.loads(run_mlp("check", "c.yaml", "--json").stdout)
    assert found["facts"]["quantities"]["price"]["high"] == 1e7
    assert found["facts"]["baseline"]["rmse"]["price"] > 1e5
    assert "class_counts" not in found["facts"]["train"]
    assert [finding["name"] for finding in found["findings"]] == ["far-targets"]
    train("--set", "epochs=2")
    shown = json.loads(run_mlp("show", "c.npy", "--json").stdout)
    assert (shown["task"], shown["quantities"]) == ("regression", ["price"])
    assert shown["targets"]["price"]["high"] == 1e7
    assert "target price" in run_mlp("show", "c.npy").stdout
    again = run_mlp("show", "c.npy", "--config").stdout
    Path("again.yaml").write_text(again)
    assert run_mlp("train", "again.yaml", "-q").returncode == 0
    assert Path("again.npy").read_bytes() == Path("c.npy").read_bytes()


def test_arrays(run_mlp, train):
    """Quantities of arrays: in their last columns, in a file beside, and in an archive."""
    rows = np.array([house(i) for i in range(200)])
    x, y = rows[:, :2], rows[:, 2:]
    np.save("both.npy", rows)
    np.save("x.npy", x)
    np.save("y.npy", y)
    np.savez("xy.npz", x=x, y=y)
    keys = KEYS.replace("16, 1]", "16, 2]")
    reports = []
    for data in ("{train: both.npy, target: [2, -1]}", "{train: x.npy}", "{train: xy.npz}"):
        configure(data, keys=keys)
        train()
        reports.append(evaluate(run_mlp, "--split", "train"))
        assert list(reports[-1]["targets"]) == ["target_1", "target_2"]
    assert reports[0]["targets"] == reports[1]["targets"] == reports[2]["targets"]
    assert run_mlp("predict", "--weights", "c.npy", "x.npy").stdout.count("\t") == 200


def labelled(row):
    """Return a house with two labels: it is large, and it is old."""
    return row | {"price": int(row["size"] > 50), "rent": ["no", "yes"][row["age"] > 30]}


def test_several_labels(run_mlp, train):
    """Labels are columns of yes and no: predicted as a set, evaluated one by one and together."""
    columns = ("size", "age", "price", "rent")
    write(columns=columns, change=labelled)
    configure("{train: t.csv, test: 0.2, target: [price, rent]}", "loss: cross_entropy\n", LABELS)
    assert "test subset accuracy " in train()
    report = evaluate(run_mlp)
    assert report["accuracy"] > 0.9
    assert list(report["labels"]) == ["price", "rent"]
    assert report["labels"]["price"]["f1"] > 0.9
    table = "size,age\n95,50\n95,5\n5,5\n"
    run = run_mlp("predict", "--weights", "c.npy", "-", input=table)
    assert run.stdout == "price\trent\nprice\n\n"
    run = run_mlp("predict", "--weights", "c.npy", "--format", "csv", "-", input=table)
    assert run.stdout == "input,row,price,rent\n-,0,1,1\n-,1,1,0\n-,2,0,0\n"
    run = run_mlp("predict", "--weights", "c.npy", "--json", "--proba", "-", input=table)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line["labels"] for line in lines] == [["price", "rent"], ["price"], []]
    assert lines[2]["proba"]["price"] < 0.5
    assert mlpcli.load("c.npy").predict([[95, 5]]).tolist() == [[1, 0]]
    run = run_mlp(
        "evaluate", "--weights", "c.npy", "--require", "micro_f1>=0.9", "--require", "f1[rent]>0.5"
    )
    assert run.returncode == 0
    assert "macro F1" in run.stdout
    assert run_mlp("evaluate", "--weights", "c.npy", "--require", "r2>=0").returncode == 2
    facts = json.loads(run_mlp("check", "c.yaml", "--json").stdout)["facts"]
    assert facts["labels"]["price"] > 50


def test_threshold(run_mlp, train):
    """A higher threshold gives fewer labels."""
    write(columns=("size", "age", "price", "rent"), change=labelled)
    given = []
    for threshold in (0.01, 0.5, 0.99):
        more = f"loss: cross_entropy\nthreshold: {threshold}\n"
        configure("{train: t.csv, target: [price, rent]}", more, LABELS.replace("60", "10"))
        train()
        given.append(len(run_mlp("predict", "--weights", "c.npy", "t.csv").stdout.split()))
    assert given[0] > given[1] > given[2]


def test_labels_that_are_neither_yes_nor_no(run_mlp):
    """A list of targets that are no labels is an error that names the task to write."""
    write(columns=("size", "age", "price", "rent"))
    configure("{train: t.csv, target: [price, rent]}", "", LABELS)
    run = run_mlp("train", "c.yaml")
    assert run.returncode == 1
    assert "t.csv:2: column price: '1000' is neither yes nor no; " in run.stderr
    assert "cells with several labels need label_separator, and quantities" in run.stderr
    assert "task: regression" in run.stderr


def test_init_tells_several_targets(run_mlp):
    """`mlp init` with several targets writes labels or quantities, whichever they are."""
    columns = ("size", "age", "price", "rent")
    write(columns=columns)
    words = ["--target", "price", "--target", "rent"]
    run = run_mlp("init", "t.csv", *words)
    assert "task: regression (several targets that are numbers)" in run.stdout
    write("l.csv", columns=columns, change=labelled)
    run = run_mlp("init", "l.csv", *words)
    assert "task: multilabel (several targets, each yes or no)" in run.stdout
    for name in ("t", "l"):
        run = run_mlp("train", f"{name}.yaml", "-q", "--set", "epochs=2")
        assert (run.returncode, run.stderr) == (0, "")


def test_a_split_has_small_and_large_quantities():
    """Every tenth of the targets gives its share to the test, however few examples there are."""
    from mlpcli.data.splits import strata_of_quantities, stratified

    for n in (5, 20, 101):
        numbers = np.random.default_rng(n).normal(size=(n, 1))
        strata = strata_of_quantities(numbers, 0.2)
        _, out = stratified(strata, 0.2, np.random.default_rng(0))
        assert len(out) == pytest.approx(n / 5, abs=2)
        ranks = np.argsort(np.argsort(numbers[:, 0]))
        if n > 5:
            assert ranks[out].min() < n / 4
            assert ranks[out].max() >= 3 * n / 4


def test_a_target_beyond_the_arithmetic(run_mlp):
    """A target so far from all others that its error is no number is named, before any training."""
    Path("t.csv").write_text("x,y\n" + "".join(f"{i},{i % 7}.5\n" for i in range(40)))
    Path("far.csv").write_text("x,y\n1,2.5\n2,1e300\n")
    keys = "hidden: [3]\ntask: regression\neta: 0.1\nbt_size: 8\nepochs: 1\n"
    Path("c.yaml").write_text(f"data: {{train: t.csv, test: far.csv}}\n{keys}")
    run = run_mlp("train", "c.yaml")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert "far.csv:3: y 1e+300 is too far from the targets in training for float32" in run.stderr
