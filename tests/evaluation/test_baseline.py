"""What a model must be better than, and the line about one that is not."""

import json
from pathlib import Path

import numpy as np
import pytest
from builders import NAMES

from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint import store
from mlpcli.data.commonest import commonest, fit_commonest
from mlpcli.data.dataset import Examples
from mlpcli.data.encoding import Encoding
from mlpcli.evaluation.baseline import baseline_accuracy, no_better

KEYS = "structure: [2, 4, {}], eta: {}, bt_size: 16, epochs: 3"
USELESS = "is no better than always saying the {}, "


def write(task, eta):
    """Write a table of two features, what is to be learned of them, and how."""
    x = np.random.default_rng(0).normal(size=(100, 2))
    targets = {
        "classification": [f"{'cd'[i % 4 == 0]}" for i in range(100)],
        "regression": (10 + x.sum(axis=1)).tolist(),
        "multilabel": [f"{i % 2},{int(i % 3 == 0)}" for i in range(100)],
    }[task]
    header = "a,b,y,z" if task == "multilabel" else "a,b,y"
    lines = [f"{a},{b},{t}" for (a, b), t in zip(x.tolist(), targets, strict=True)]
    Path("t.csv").write_text("\n".join([header, *lines]) + "\n")
    target = "[y, z]" if task == "multilabel" else "y"
    outputs = 1 if task == "regression" else 2
    keys = KEYS.format(outputs, eta)
    data = f"{{train: t.csv, test: 0.2, target: {target}}}"
    Path("t.yaml").write_text(f"{{data: {data}, {keys}, task: {task}}}")


@pytest.mark.parametrize(
    ("task", "said"),
    [("classification", "commonest"), ("regression", "mean"), ("multilabel", "commonest")],
)
def test_a_useless_model_is_called_so(run_mlp, task, said):
    """Training far too slowly ends with one line that says so, and so does evaluating it."""
    write(task, 1e-9)
    run = run_mlp("train", "t.yaml", "-q")
    assert run.returncode == 0
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("t.npy: test ")
    assert USELESS.format(said) in run.stderr
    assert f"always the {said}: test " in run.stdout
    run = run_mlp("evaluate", "--weights", "t.npy", "--json")
    assert (run.returncode, run.stderr.count("\n")) == (0, 1)
    assert USELESS.format(said) in run.stderr
    json.loads(run.stdout)


def test_a_useful_model_is_not(run_mlp):
    """What has learned something ends without a word."""
    write("regression", 0.1)
    assert run_mlp("train", "t.yaml", "-q").stderr == ""
    assert run_mlp("evaluate", "--weights", "t.npy").stderr == ""


def test_the_commonest_is_that_of_training():
    """The class that the training data, without what is set aside, have most of is judged."""
    encoding = Encoding(2, "none", NAMES)
    test = Examples(np.zeros((10, 2)), np.array([2] * 6 + [0] * 4))
    assert baseline_accuracy(encoding, test) == 0.6
    fitted = fit_commonest(encoding, np.array([0, 0, 1, 1, 1]), np.array([0, 1, 2]))
    assert (fitted.commonest, baseline_accuracy(fitted, test)) == ((0,), 0.4)
    labels = np.array([[1, 0], [0, 0], [1, 0]], np.uint8)
    assert commonest(labels) == (1, 0)
    several = Encoding(2, "none", ("u", "v"), task="multilabel")
    assert baseline_accuracy(several, Examples(np.zeros((3, 2)), labels)) == 2 / 3


def test_it_is_in_the_checkpoint(run_mlp):
    """A checkpoint keeps it, and what is none of the classes is refused."""
    write("classification", 0.1)
    assert run_mlp("train", "t.yaml", "-q").returncode == 0
    assert store.load("t.npy").encoding.commonest == (0,)
    arrays, meta = checkpoint.read(Path("t.npy"))
    meta["encoding"]["commonest"] = [2]
    Path("bad.npy").write_bytes(checkpoint.serialise(arrays, meta))
    assert "contradicts itself" in run_mlp("show", "bad.npy").stderr


@pytest.mark.parametrize(
    ("ours", "theirs", "better"),
    [
        ({"accuracy": 0.5}, {"accuracy": 0.5}, False),
        ({"accuracy": 0.6}, {"accuracy": 0.5}, True),
        ({"accuracy": 1.0}, {"accuracy": 1.0}, True),
        ({"rmse": 2.0, "r2": 0.1}, {"rmse": 1.0, "r2": -0.1}, True),
        ({"rmse": 2.0, "r2": -0.2}, {"rmse": 3.0, "r2": -0.1}, False),
        ({"rmse": 2.0, "r2": None}, {"rmse": 3.0, "r2": None}, True),
        ({"rmse": 3.0, "r2": None}, {"rmse": 3.0, "r2": None}, False),
    ],
)
def test_better(ours, theirs, better):
    """Higher accuracy or R² is better, lower RMSE where there is no R²; nothing beats 1."""
    assert (no_better(ours, theirs) == "") == better
