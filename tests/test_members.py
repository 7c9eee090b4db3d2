"""`members: K` from configuration to prediction, as somebody uses it."""

import json
from pathlib import Path

import numpy as np
import pytest

import mlpcli

REST = "eta: 0.01\nbt_size: 16\nepochs: 12\noptimizer: adam\nactivation: relu\nmembers: 4\n"
KINDS = {
    "classes": "structure: [3, 8, 3]\noutput: softmax\nloss: cross_entropy\n",
    "sigmoids": "structure: [3, 8, 3]\nloss: cross_entropy\nclass_weight: balanced\n",
    "calibrated": "structure: [3, 8, 6, 3]\noutput: softmax\nloss: cross_entropy\n"
    "validation: 0.2\npatience: 3\ncalibrate: true\n",
    "regression": "structure: [3, 8, 1]\ntask: regression\nema: 0.9\n",
    "multilabel": "structure: [3, 8, 2]\ntask: multilabel\nloss: cross_entropy\n"
    "dropout: [0.1, 0.2]\n",
}
COLUMNS = {"regression": "height", "multilabel": "[left, high]"}


@pytest.fixture(params=KINDS)
def kind(request):
    """Write t.csv and c.yaml, which trains on it; return of what kind it is."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 3))
    totals = x.sum(axis=1)
    columns = {
        "height": 100 + 20 * totals,
        "left": np.where(x[:, 0] < 0, "yes", "no"),
        "high": np.where(totals > 1, "yes", "no"),
        "kind": np.array(["a", "b", "c"])[np.digitize(totals, [-1, 1])],
    }
    rows = zip(*x.T, *columns.values(), strict=True)
    text = "\n".join([",".join(["x", "y", "z", *columns]), *(",".join(map(str, r)) for r in rows)])
    Path("t.csv").write_text(text + "\n")
    target = COLUMNS.get(request.param, "kind")
    given = [name for name in columns if name not in target]
    data = f"data: {{train: t.csv, test: 0.2, target: {target}, ignore: [{', '.join(given)}]}}\n"
    Path("c.yaml").write_text(data + KINDS[request.param] + REST)
    return request.param


@pytest.fixture
def train(run_mlp):
    """Return a function that trains c.yaml with more words."""

    def run(*words):
        return run_mlp("train", "c.yaml", "-q", "--overwrite", *words)

    return run


def by_hand(record, x, output, temperature):
    """Return the mean output of the members, from what `np.load` reads of a checkpoint alone."""
    layers = sum(name.startswith("W") for name in record.dtype.names)
    outputs = []
    for k, scales in enumerate(record["scales"]):
        a = scales * x
        for layer in range(2, layers + 1):
            a = np.maximum(a @ record[f"W{layer}"].T + record[f"b{layer}"], 0)
        W, b = record[f"W{layers + 1}"], record[f"b{layers + 1}"]
        n = len(W) // len(record["scales"])
        z = a @ W[k * n : (k + 1) * n].T + b[k * n : (k + 1) * n]
        e = np.exp(z)
        functions = {"softmax": e / e.sum(axis=1, keepdims=True), "sigmoid": 1 / (1 + 1 / e)}
        outputs.append(functions.get(output, z))
    mean = np.mean(outputs, axis=0)
    if temperature:
        mean **= 1 / temperature
        mean /= mean.sum(axis=1, keepdims=True)
    return mean


def test_a_checkpoint_holds_all_members(kind, train, run_mlp):
    """What predict says is the mean of the members that anybody can read from the file."""
    done = train()
    assert done.returncode == 0, done.stderr
    record = np.load("c.npy")
    model, meta = mlpcli.load("c.npy"), json.loads(record["meta"].tobytes())
    assert record["scales"].shape == (4, 3)
    x = np.random.default_rng(1).normal(size=(5, 3))
    means, stds = (np.array(meta["encoding"][name]) for name in ("means", "deviations"))
    output = meta["experiment"]["output"]
    assert ("temperature" in meta) == (kind == "calibrated")
    expected = by_hand(record, (x - means) / stds, output, meta.get("temperature"))
    if kind == "regression":
        (quantity,) = meta["encoding"]["quantities"]
        expected = quantity["mean"] + quantity["std"] * expected[:, 0]
        np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)
    else:
        np.testing.assert_allclose(model.predict_proba(x), expected, atol=1e-5)
    Path("new.csv").write_text("x,y,z\n" + "\n".join(",".join(map(str, row)) for row in x) + "\n")
    lines = run_mlp("predict", "--weights", "c.npy", "new.csv").stdout.splitlines()
    assert len(lines) == 5
    if kind in ("classes", "sigmoids", "calibrated"):
        assert lines == model.predict(x).tolist()


def test_every_command_knows_members(kind, train, run_mlp):
    """They are checked, evaluated and shown, stopped and resumed, and trained on from."""
    checked = json.loads(run_mlp("check", "c.yaml", "--json").stdout)
    assert checked["facts"]["gradient"] < 1e-5
    assert train().returncode == 0
    content = Path("c.npy").read_bytes()
    shown = json.loads(run_mlp("show", "c.npy", "--json").stdout)
    assert shown["extras"] == {"scales": [4, 3]}
    of_layers = sum(layer["parameters"] for layer in shown["layers"])
    assert of_layers + 12 == shown["parameters"] == checked["facts"]["parameters"]
    (line,) = (line for line in run_mlp("show", "c.npy").stdout.splitlines() if "(4, 3)" in line)
    assert line.split() == ["scales", "(4,", "3)", "12"]
    report = run_mlp("evaluate", "--weights", "c.npy", "--json")
    metric = "r2" if kind == "regression" else "macro_f1"
    assert json.loads(report.stdout)[metric] > 0.4
    assert run_mlp("train", "c.yaml", "-q", "--verify", "c.npy").returncode == 0
    config = run_mlp("show", "c.npy", "--config").stdout
    Path("again.yaml").write_text(config)
    again = run_mlp("train", "again.yaml", "-q", "-o", "again.npy")
    assert (again.returncode, Path("again.npy").read_bytes() == content) == (0, True)
    assert train("--from", "c.npy", "-o", "further.npy").returncode == 0


@pytest.mark.parametrize("kind", ["classes"], indirect=True)
def test_other_members_are_no_start(kind, train):  # noqa: ARG001 - it writes the files
    """Weights of one network, or of other members, are refused as a start in one line."""
    assert train("--set", "members=2", "-o", "two.npy").returncode == 0
    done = train("--from", "two.npy")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "members: is 4, but the weights to start from are of 2" in done.stderr


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("members=1", "must be a whole number from 2, not 1"),
        ("structure=[3, 3]", "members: share their hidden layers, but there is none"),
        ("compat=article", "contradicts compat: article"),
    ],
)
@pytest.mark.parametrize("kind", ["classes"], indirect=True)
def test_what_makes_no_sense_is_one_line(kind, train, setting, problem):  # noqa: ARG001 - see above
    """Members without a hidden layer to share, one alone, and the article's are refused."""
    done = train("--set", setting)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert problem in done.stderr
