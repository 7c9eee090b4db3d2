"""`embeddings: periodic` from configuration to prediction, as somebody uses it."""

import json
from pathlib import Path

import numpy as np
import pytest

import mlpcli

KEYS = "hidden: [16]\nactivation: relu\noptimizer: adam\neta: 0.01\nbt_size: 32\nepochs: 20\n"
CLASSES = "output: softmax\nloss: cross_entropy\n"
# What is learned of the table, and with what.
KINDS = {
    "plain": CLASSES,
    "members": CLASSES + "members: 3\nvalidation: 0.2\ncalibrate: true\nema: 0.9\n",
    "ntk": CLASSES + "parametrization: ntk\nfeature_scale: true\ndropout: [0.1, 0.1]\n",
}


@pytest.fixture(params=KINDS)
def kind(request):
    """Write t.csv, with a wave of three periods, and c.yaml, which trains on it."""
    rng = np.random.default_rng(0)
    x, word = rng.uniform(-3, 3, 300), rng.choice(["u", "v", "w"], 300)
    answer = np.where(np.sin(np.pi * x) > 0, "yes", "no")
    rows = [f"{a},{w},{b}" for a, w, b in zip(x.tolist(), word, answer, strict=True)]
    Path("t.csv").write_text("\n".join(["x,word,y", *rows]) + "\n")
    data = "data: {train: t.csv, test: 0.2}\n"
    Path("c.yaml").write_text(data + KEYS + KINDS[request.param] + "embeddings: periodic\n")
    return request.param


def test_every_command_knows_them(kind, run_mlp):
    """They are checked, trained, shown, verified to the byte, evaluated, and trained on from."""
    checked = json.loads(run_mlp("check", "c.yaml", "--json").stdout)
    assert checked["facts"]["gradient"] < 1e-5
    done = run_mlp("train", "c.yaml", "-q")
    assert done.returncode == 0, done.stderr
    shown = json.loads(run_mlp("show", "c.npy", "--json").stdout)
    assert shown["extras"]["frequencies"] == [1, 8]
    # Three categories, and a cosine and a sine for each frequency.
    assert shown["layers"][0]["W"] == [16, 3 + 2 * 8]
    assert shown["parameters"] == checked["facts"]["parameters"]
    assert run_mlp("train", "c.yaml", "-q", "--verify", "c.npy").returncode == 0
    report = json.loads(run_mlp("evaluate", "--weights", "c.npy", "--json").stdout)
    assert report["accuracy"] > (0.5 if kind == "ntk" else 0.7)
    assert run_mlp("train", "c.yaml", "-q", "--from", "c.npy", "-o", "d.npy").returncode == 0


@pytest.mark.parametrize("kind", ["plain"], indirect=True)
def test_a_checkpoint_says_what_is_computed(kind, run_mlp):  # noqa: ARG001 - it writes the files
    """What is predicted follows from what anybody can read of the file, by the paper's formula."""
    run_mlp("train", "c.yaml", "-q")
    record = np.load("c.npy")
    encoding = json.loads(record["meta"].tobytes())["encoding"]
    x = (np.linspace(-3, 3, 7) - encoding["means"][0]) / encoding["deviations"][0]
    v = 2 * np.pi * x[:, np.newaxis] * record["frequencies"][0]
    words = np.tile([0.0, 1.0, 0.0], (7, 1))
    a = np.hstack([words, np.cos(v), np.sin(v)])
    z = np.maximum(a @ record["W2"].T + record["b2"], 0) @ record["W3"].T + record["b3"]
    Path("new.csv").write_text("x,word\n" + "".join(f"{n},v\n" for n in np.linspace(-3, 3, 7)))
    lines = run_mlp("predict", "--weights", "c.npy", "new.csv").stdout.splitlines()
    assert lines == [mlpcli.load("c.npy").encoding.class_names[i] for i in z.argmax(axis=1)]


def test_a_run_goes_on_to_the_byte(kind, run_mlp):  # noqa: ARG001 - it writes the files
    """Half of the epochs, and the rest resumed, give the bytes of a whole run."""
    run_mlp("train", "c.yaml", "-q", "-o", "whole.npy")
    assert run_mlp("train", "c.yaml", "-q", "--set", "epochs=10").returncode == 0
    assert run_mlp("train", "c.yaml", "-q", "--resume").returncode == 0
    assert Path("c.npy").read_bytes() == Path("whole.npy").read_bytes()


@pytest.mark.parametrize("kind", ["plain"], indirect=True)
def test_other_embeddings_are_no_start(kind, run_mlp):  # noqa: ARG001 - it writes the files
    """Weights of a network without them are refused as a start in one line."""
    run_mlp("train", "c.yaml", "-q", "--set", "embeddings=none", "-o", "plain.npy")
    done = run_mlp("train", "c.yaml", "-q", "--from", "plain.npy")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "embeddings: is periodic, but the weights to start from have other" in done.stderr


def test_a_table_without_numbers_has_none(run_mlp):
    """Where all columns are categories, nothing is embedded, and it trains."""
    rows = [f"{'uv'[i % 2]},{'ab'[i % 3 // 2]},{'ny'[i % 2]}" for i in range(60)]
    Path("t.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    Path("c.yaml").write_text("data: {train: t.csv}\n" + KEYS + CLASSES + "embeddings: periodic\n")
    done = run_mlp("train", "c.yaml", "-q")
    assert done.returncode == 0, done.stderr
    assert "extras" not in json.loads(run_mlp("show", "c.npy", "--json").stdout)
