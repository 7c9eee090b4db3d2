"""`hidden` in place of `structure`, from configuration to prediction."""

import json
from pathlib import Path

import pytest

from mlpcli.checkpoint import store
from mlpcli.config.load import load_experiment
from mlpcli.data.load import fit_structure, load_data

REST = "eta: 0.05\nbt_size: 8\nepochs: 3\n"


def write(target=lambda i: "ab"[i % 2], more=""):
    """Write t.csv, with two features and one target, and c.yaml."""
    rows = [f"{i % 7},{i / 9},{target(i)}\n" for i in range(60)]
    Path("t.csv").write_text("x,z,what\n" + "".join(rows), encoding="utf-8")
    text = f"data: {{train: t.csv, test: 0.2}}\nhidden: [5, 4]\n{REST}{more}"
    Path("c.yaml").write_text(text, encoding="utf-8")


def test_it_stands_for_the_structure(run_mlp):
    """The checkpoint is that of the structure written out, to the byte."""
    write()
    written = (
        Path("c.yaml")
        .read_text(encoding="utf-8")
        .replace("hidden: [5, 4]", "structure: [2, 5, 4, 2]")
    )
    Path("s.yaml").write_text(written, encoding="utf-8")
    for name in ("c", "s"):
        run = run_mlp("train", f"{name}.yaml", "-q")
        assert run.returncode == 0, run.stderr
    assert Path("c.npy").read_bytes() == Path("s.npy").read_bytes()
    found = json.loads(run_mlp("show", "c.npy", "--json").stdout)["experiment"]
    assert (found["structure"], "hidden" in found) == ([2, 5, 4, 2], False)


def test_it_is_resumed_and_checked(run_mlp):
    """--resume takes the same file for the same run; check shows the structure."""
    write()
    assert run_mlp("train", "c.yaml", "-q", "--set", "epochs=1").returncode == 0
    assert run_mlp("train", "c.yaml", "-q", "--resume").returncode == 0
    assert run_mlp("train", "c.yaml", "-q", "--verify", "c.npy").returncode == 0
    run = run_mlp("train", "c.yaml", "-q", "--resume", "--set", "hidden=[5]")
    assert "structure is [2, 5, 2] here and [2, 5, 4, 2] there" in run.stderr
    assert json.loads(run_mlp("check", "c.yaml", "--json").stdout)["experiment"]["structure"] == [
        2, 5, 4, 2,
    ]  # fmt: skip


def test_no_hidden_layer(run_mlp):
    """An empty list is a network without hidden layers."""
    write()
    assert run_mlp("train", "c.yaml", "-q", "--set", "hidden=[]").returncode == 0
    assert store.load("c.npy").network.structure == (2, 2)


def test_a_number_is_a_regression(run_mlp):
    """A target that is no class is learned as a quantity, and the checkpoint and history say so."""
    write(lambda i: i * 1.25, "validation: 0.2\n")
    run = run_mlp("train", "c.yaml", "-q", "--history", "h.jsonl")
    assert "test RMSE" in run.stdout, run.stderr
    model = store.load("c.npy")
    assert (model.experiment.task, model.experiment.output) == ("regression", "linear")
    assert model.network.structure == (2, 5, 4, 1)
    row = json.loads(Path("h.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert {"validation_error", "validation_rmse"} <= set(row)
    assert run_mlp("train", "c.yaml", "-q", "--verify", "c.npy").returncode == 0


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ("output: softmax\n", 1, "the target is a number with 60 different values"),
        ("loss: cross_entropy\n", 1, "the target is a number with 60 different values"),
        (
            "class_weight: balanced\n",
            2,
            "class_weight: is of task classification, but task is regression",
        ),
    ],
)
def test_what_is_given_decides(run_mlp, more, code, said):
    """Keys that are of classes are not overruled by a target that is a number."""
    write(lambda i: i * 1.25, more)
    run = run_mlp("train", "c.yaml", "-q")
    assert (run.returncode, run.stderr.count("\n")) == (code, 1)
    assert said in run.stderr


def test_several_labels():
    """A list of targets has as many outputs, and the Python interface makes the structure."""
    Path("t.csv").write_text("x,p,q\n" + "1,1,0\n2,0,1\n3,1,1\n" * 9, encoding="utf-8")
    Path("c.yaml").write_text(f"data: {{train: t.csv, target: [p, q]}}\nhidden: [3]\n{REST}")
    experiment = load_experiment(Path("c.yaml"))
    fitted = fit_structure(experiment, load_data(experiment, Path()).encoding)
    assert (fitted.structure, fitted.learns) == ((1, 3, 2), "multilabel")
    assert fit_structure(fitted, load_data(fitted, Path()).encoding) is fitted
