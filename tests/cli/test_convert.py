"""`mlp convert`: the article's pickled weights become a checkpoint, which says so."""

import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import mlpcli
from mlpcli.checkpoint import format as checkpoint


def pickle_weights(path, weights, biases):
    """Save weights and biases as the article does: an object array of two lists."""
    # np.array would look into lists of one array.
    pair = np.empty(2, object)
    pair[0], pair[1] = weights, biases
    np.save(path, pair, allow_pickle=True)


@pytest.fixture
def article(parity_weights):
    """Pickle the weights of a trained parity network as the article does; return the network."""
    network = mlpcli.load(parity_weights).network
    biases = [b.reshape(-1, 1).copy() for b in network.biases]
    pickle_weights("article.npy", [W.copy() for W in network.weights], biases)
    return network


def random_network(structure, dtype="f8"):
    """Pickle a network of random weights."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(n, m)).astype(dtype) for m, n in pairwise(structure)]
    pickle_weights("article.npy", weights, [np.zeros((len(W), 1), dtype) for W in weights])


def test_it_is_used_like_any_other(run_mlp, article, parity_weights):
    """The converted network gives the same outputs and metrics, and training goes on from it."""
    run = run_mlp("convert", "article.npy", "new.npy")
    assert (run.returncode, run.stderr) == (0, "")
    assert "new.npy, from an unverified source" in run.stdout
    before, after = mlpcli.load(parity_weights), mlpcli.load("new.npy")
    bits = np.random.default_rng(1).integers(0, 2, (50, 10))
    np.testing.assert_array_equal(before.predict_proba(bits), after.predict_proba(bits))
    assert after.network.theta.tobytes() == article.theta.tobytes()
    reports = []
    for path in (parity_weights, "new.npy"):
        run = run_mlp("evaluate", "--weights", path, "--json")
        assert run.returncode == 0, run.stderr
        reports.append(json.loads(run.stdout) | {"weights": ""})
    assert reports[0] == reports[1]
    run = run_mlp("predict", "--weights", "new.npy", "-", input="1,0,1,1,0,0,0,0,0,0\n")
    assert (run.returncode, run.stdout) == (0, "odd\n" if "odd" in run.stdout else "even\n")
    text = "data: parity\nstructure: [10, 3, 2]\neta: 0.3\nbt_size: 8\nepochs: 1\ndtype: float64\n"
    Path("c.yaml").write_text(text, encoding="utf-8")
    run = run_mlp("train", "c.yaml", "-q", "--from", "new.npy", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["test"]["accuracy"] == 1


def test_its_source_is_unverified(run_mlp, article):  # noqa: ARG001 - the file is what matters
    """`mlp show` says so, in text and JSON, and there is no run to resume or history to print."""
    assert run_mlp("convert", "article.npy", "new.npy").returncode == 0
    assert checkpoint.read(Path("new.npy")).meta["source"] == "unverified"
    assert "source    unverified" in run_mlp("show", "new.npy").stdout
    assert json.loads(run_mlp("show", "new.npy", "--json").stdout)["source"] == "unverified"
    assert run_mlp("show", "new.npy", "--history").stdout == "epoch,error\n"
    Path("c.yaml").write_text(run_mlp("show", "new.npy", "--config").stdout, encoding="utf-8")
    run = run_mlp("train", "c.yaml", "-q", "--resume", "-o", "new.npy")
    assert run.returncode == 2
    assert (
        "was converted, and holds no run to go on with; start a new one with --from" in run.stderr
    )
    assert run_mlp("train", "c.yaml", "-q", "-o", "new.npy").returncode == 2


@pytest.mark.parametrize(
    ("structure", "options", "name", "classes"),
    [
        ((10, 2), (), "parity", ["odd", "even"]),
        ((784, 4, 10), (), "mnist", list("0123456789")),
        ((784, 10), ("--data", "fashion-mnist"), "fashion-mnist", None),
        ((4, 5, 3), ("--data", "iris", "--activation", "tanh"), "iris", ["0", "1", "2"]),
        ((10, 2), ("--scale", "unit", "--data", "bits"), "bits", ["0", "1"]),
    ],
)
@pytest.mark.parametrize("dtype", ["f4", ">f8"])
def test_what_it_was_trained_on(run_mlp, structure, options, name, classes, dtype):
    """Data and classes come from the sizes or from `--data`, and the dtype from the arrays."""
    random_network(structure, dtype)
    run = run_mlp("convert", "article.npy", "new.npy", *options)
    assert run.returncode == 0, run.stderr
    model = mlpcli.load("new.npy")
    assert model.experiment.data.name == name
    assert model.experiment.structure == structure
    assert model.experiment.dtype == ("float32" if dtype == "f4" else "float64")
    assert model.experiment.activation == ("tanh" if "tanh" in options else "sigmoid")
    assert model.encoding.scale == ("unit" if "unit" in options else "none")
    assert classes is None or list(model.encoding.class_names) == classes


@pytest.mark.parametrize(
    ("structure", "options", "code", "problem"),
    [
        (
            (4, 3),
            (),
            2,
            "has 4 inputs and 3 outputs, and the article's networks have others; add --data",
        ),
        (
            (4, 3),
            ("--data", "mnist"),
            2,
            "--data mnist: has other numbers of features and classes than the network's 4 in",
        ),
        ((4, 1), ("--data", "iris"), 2, "the output layer has one neuron"),
        ((4, 3), ("--activation", "cubic"), 2, "'cubic' is not one of"),
        ((2,) * 400, ("--data", "deep"), 2, "the header of a .npy file"),
    ],
)
def test_what_is_refused(run_mlp, structure, options, code, problem):
    """What is not known, or does not fit, is one line; nothing is written."""
    random_network(structure)
    run = run_mlp("convert", "article.npy", "new.npy", *options)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (code, "", 1)
    assert problem in run.stderr
    assert not Path("new.npy").exists()


def test_nothing_is_replaced(run_mlp, article):  # noqa: ARG001 - the file is what matters
    """A file in the way is kept without `--overwrite`, and the file that is read in any case."""
    Path("new.npy").write_bytes(b"mine")
    run = run_mlp("convert", "article.npy", "new.npy")
    assert (run.returncode, run.stdout) == (2, "")
    assert "new.npy: exists; add --overwrite" in run.stderr
    assert Path("new.npy").read_bytes() == b"mine"
    assert run_mlp("convert", "article.npy", "new.npy", "--overwrite").returncode == 0
    assert mlpcli.load("new.npy").history == []
    before = Path("article.npy").read_bytes()
    os.link("article.npy", "same.npy")
    for name in ("article.npy", "same.npy"):
        run = run_mlp("convert", "article.npy", name, "--overwrite")
        assert run.returncode == 2
        assert "both input and output" in run.stderr
    assert Path("article.npy").read_bytes() == before


def test_nothing_is_run(run_mlp):
    """A pickle that would run code is refused, and does not."""

    class Trap:
        def __reduce__(self):
            return os.mkdir, ("sprung",)

    np.save("article.npy", np.array([[Trap()], [Trap()]], dtype=object), allow_pickle=True)
    run = run_mlp("convert", "article.npy", "new.npy")
    assert (run.returncode, run.stdout) == (1, "")
    assert "which was not run" in run.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["article.npy"]


@pytest.mark.parametrize(
    "words",
    ["show article.npy", "evaluate --weights article.npy", "predict --weights article.npy -",
     "train c.yaml -q --from article.npy -o new.npy", "train c.yaml -q --resume -o article.npy"],
)  # fmt: skip
def test_other_commands_name_it(run_mlp, article, words):  # noqa: ARG001 - the file is what matters
    """A command that is given a pickled file says how to make a checkpoint of it."""
    text = "data: parity\nstructure: [10, 3, 2]\neta: 0.3\nbt_size: 8\nepochs: 1\n"
    Path("c.yaml").write_text(text, encoding="utf-8")
    run = run_mlp(*words.split())
    assert (run.returncode, run.stdout) == (1, "")
    assert "make a checkpoint of it: mlp convert OLD.npy NEW.npy" in run.stderr
