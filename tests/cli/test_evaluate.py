"""`mlp evaluate`: needs nothing but the checkpoint, and says exactly how good it is."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlpcli import model
from mlpcli.checkpoint import store
from mlpcli.cli.main import mlp
from mlpcli.data import load
from mlpcli.data.load import load_data

TEXT = """\
parity test
accuracy 1.0000 (324 of 324)
mean error {:.5g}
"""


@pytest.fixture(scope="module")
def weights(parity_weights):
    """Return the checkpoint of ten epochs of configs/parity.yaml, enough for accuracy 1.0."""
    return parity_weights


@pytest.fixture
def digits():
    """Write a data directory `data` with six training and three test images of two classes."""
    folder = Path("data/mnist")
    folder.mkdir(parents=True)
    for split, n in (("train", 6), ("t10k", 3)):
        images = np.zeros((n, 28, 28), np.uint8)
        images[1::2] = 255
        labels = np.arange(n, dtype=np.uint8) % 2
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            path = folder / f"{split}-{name}-ubyte.gz"
            path.write_bytes(head + array.tobytes())  # raw: the reader goes by content
    Path("tiny.yaml").write_text(
        "{data: mnist, structure: [784, 8, 10], eta: 3.0, bt_size: 6, epochs: 100}"
    )
    return Path("data")


def test_text(run_mlp, weights):
    """Accuracy with counts, the mean of the article's E, and accuracy per class, on stdout."""
    judged = store.load(weights)
    test = load_data(judged.experiment, Path("unused")).test
    a = np.concatenate([outputs.copy() for outputs in judged.predict_batches(test.features)])
    error = np.mean(np.sum((np.eye(2)[test.labels] - a) ** 2, axis=1))
    run = run_mlp("evaluate", "--weights", weights)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(TEXT.format(error))
    table = [line.split() for line in run.stdout.splitlines() if line.startswith(("odd", "even"))]
    assert [(row[0], row[2], row[4]) for row in table[:2]] == [
        ("odd", "1.0000", "162"), ("even", "1.0000", "162"),
    ]  # fmt: skip


@pytest.mark.parametrize(("split", "examples"), [("test", 324), ("train", 700)])
def test_json(run_mlp, weights, split, examples):
    """`--json` prints one object with the same numbers, for either split."""
    run = run_mlp("evaluate", "--weights", weights, "--split", split, "--json")
    judged = json.loads(run.stdout)
    assert 0 < judged.pop("error") < 0.02
    per_class = {"accuracy": 1.0, "correct": examples // 2, "examples": examples // 2}
    assert (
        judged
        | {
            "weights": str(weights),
            "data": "parity",
            "split": split,
            "accuracy": 1.0,
            "correct": examples,
            "examples": examples,
        }
        == judged
    )
    for row in judged["classes"].values():
        assert row | per_class == row
    assert list(judged["classes"]) == ["odd", "even"]
    assert (run.stdout.count("\n"), run.stderr) == (1, "")


def test_the_checkpoint_knows_its_scaling(run_mlp, monkeypatch, digits):
    """A network of scaled pixels is judged on scaled pixels; an absent class shows no accuracy."""
    assert run_mlp("train", "tiny.yaml", "-q", "--data-dir", digits).returncode == 0
    monkeypatch.setenv("MLP_DATA_DIR", str(digits.resolve()))
    lines = run_mlp("evaluate", "--weights", "tiny.npy").stdout.splitlines()
    assert lines[:2] == ["mnist test", "accuracy 1.0000 (3 of 3)"]
    start = next(i for i, line in enumerate(lines) if line.startswith("class "))
    recalls = [line.split()[2::2] for line in lines[start + 1 : start + 4]]
    assert recalls == [["1.0000", "2"], ["1.0000", "1"], ["-", "0"]]


def test_a_missing_dataset_names_the_command(run_mlp, digits):
    """Where the data are gone, exit 1 says which file is missing and what to run."""
    assert run_mlp("train", "tiny.yaml", "-q", "--data-dir", digits).returncode == 0
    run = run_mlp("evaluate", "--weights", "tiny.npy", "--data-dir", "elsewhere")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "mlp: error: elsewhere/mnist/t10k-images-idx3-ubyte.gz: there is no such file; "
        "run mlp download mnist\n"
    )


def test_no_test_split(monkeypatch, weights):
    """A dataset without test examples can be judged on its training examples, and says so."""
    monkeypatch.setattr(load, "open_split", lambda *_: None)
    with pytest.raises(model.DataError, match="parity: has no test split; use --split train"):
        mlp(["evaluate", "--weights", str(weights)], standalone_mode=False)


def pickled(_):
    """Write an array of Python objects, as the article's own code does."""
    np.save("bad.npy", np.array([None, 1], object), allow_pickle=True)


def plain(_):
    """Write an ordinary array of numbers."""
    np.save("bad.npy", np.zeros((3, 10)))


def changed(content):
    """Write a checkpoint in which one bit of a weight is another."""
    middle = len(content) // 2
    flipped = bytes([content[middle] ^ 1])
    Path("bad.npy").write_bytes(content[:middle] + flipped + content[middle + 1 :])


BAD = {
    "missing": (lambda _: None, "cannot be read: no such file or directory"),
    "folder": (lambda _: Path("bad.npy").mkdir(), "is not a regular file"),
    "empty": (lambda _: Path("bad.npy").touch(), "is not an mlp checkpoint"),
    "foreign": (lambda _: Path("bad.npy").write_text("PK"), "is not an mlp checkpoint"),
    "truncated": (lambda c: Path("bad.npy").write_bytes(c[:-1]), "is damaged: it has"),
    "longer": (lambda c: Path("bad.npy").write_bytes(c + b"\0"), "is damaged: it has"),
    "changed": (changed, "is damaged: its checksum is wrong"),
    "pickled": (pickled, "holds pickled Python objects, which can run code, and was not opened"),
    "plain": (plain, "is not an mlp checkpoint: it holds another kind of array"),
}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--data", "in.csv", "--split", "train"], "--split: is of the checkpoint's own data, but"),
        (["--target", "y"], "--target: is about the examples of --data; add --data FILE"),
    ],
)
@pytest.mark.parametrize("command", [["evaluate", "--weights"], ["report", "-o", "r.html"]])
def test_examples_are_named_once(run_mlp, weights, command, words, problem):
    """A split of the checkpoint's own data and other examples exclude one another."""
    run = run_mlp(*command, weights, *words)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"mlp: error: {problem}")


@pytest.mark.parametrize(("write", "problem"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("command", [["evaluate"], ["predict", "-"]], ids=["evaluate", "predict"])
def test_bad_weights_are_one_line(run_mlp, weights, command, write, problem):
    """What is not a whole checkpoint is refused with exit 1, naming the file and what is wrong."""
    write(weights.read_bytes())
    run = run_mlp(*command, "--weights", "bad.npy", input="")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert run.stderr.startswith(f"mlp: error: bad.npy: {problem}")
    assert "; " in run.stderr
