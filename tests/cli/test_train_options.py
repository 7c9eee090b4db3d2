"""`mlp train`: overrides, starting weights, history files, threads, validation, divergence."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint import store

CONFIG = """\
data: parity
structure: [10, 3, 2]
eta: 0.3
bt_size: 8
epochs: 3
"""


@pytest.fixture(autouse=True)
def config():
    """Write a small experiment, c.yaml, in the current folder."""
    Path("c.yaml").write_text(CONFIG, encoding="utf-8")


def test_set_overrides_and_is_stored(run_mlp):
    """The checkpoint holds the effective experiment: the file's keys and the overrides."""
    run = run_mlp("train", "c.yaml", "--set", "epochs=2", "--set", "schedule.name=cosine", "-q")
    assert run.returncode == 0
    stored = store.load(Path("c.npy")).experiment
    assert (stored.epochs, stored.schedule.name, stored.eta) == (2, "cosine", 0.3)


def test_wrong_set_names_itself(run_mlp):
    """A wrong override is an error of its own, exit 2, and writes nothing."""
    run = run_mlp("train", "c.yaml", "--set", "eta=0")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("mlp: error: --set eta=0: eta: must be a number above 0, not 0;")
    assert not Path("c.npy").exists()


def test_from_continues_with_those_weights(run_mlp):
    """With an eta of almost nothing, `--from W.npy` ends at W's weights."""
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    again = ["train", "c.yaml", "-q", "--set", "eta=1e-30", "--from", "c.npy", "-o", "d.npy"]
    assert run_mlp(*again).returncode == 0
    np.testing.assert_allclose(np.load("d.npy")["W2"], np.load("c.npy")["W2"])
    assert (np.load("d.npy")["W2"] != 0).all()


def test_from_another_structure_is_refused(run_mlp):
    """Weights of another structure are refused with both, exit 2."""
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    run = run_mlp("train", "c.yaml", "--set", "structure=[10, 2]", "--from", "c.npy", "-o", "d.npy")
    assert run.returncode == 2
    assert "is [10, 2], but the weights to start from are of [10, 3, 2]" in run.stderr
    assert not Path("d.npy").exists()


def test_the_checkpoint_knows_what_it_started_from(run_mlp):
    """It holds the SHA-256 at the end of that file, when it is resumed too; others hold nothing."""
    assert run_mlp("train", "c.yaml", "-q", "-o", "w.npy").returncode == 0
    assert "start" not in checkpoint.read(Path("w.npy")).meta
    words = ["train", "c.yaml", "-q", "--from", "w.npy"]
    assert run_mlp(*words).returncode == 0
    expected = {"sha256": np.load("w.npy")["sha256"].tobytes().hex()}
    assert checkpoint.read(Path("c.npy")).meta["start"] == expected
    assert run_mlp("train", "c.yaml", "-q", "--resume", "--set", "epochs=4").returncode == 0
    assert checkpoint.read(Path("c.npy")).meta["start"] == expected
    assert run_mlp(*words, "-o", "whole.npy", "--set", "epochs=4").returncode == 0
    assert Path("whole.npy").read_bytes() == Path("c.npy").read_bytes()


def test_resume_from_other_weights_is_refused(run_mlp):
    """A run is resumed with --from where it started from that file, and with no other."""
    assert run_mlp("train", "c.yaml", "-q", "-o", "w.npy").returncode == 0
    assert run_mlp("train", "c.yaml", "-q", "-o", "other.npy", "--set", "seed=1").returncode == 0
    words = ["train", "c.yaml", "-q", "--resume", "--from"]
    assert run_mlp(*words, "w.npy").returncode == 0
    assert run_mlp(*words, "w.npy").returncode == 0
    refused = run_mlp(*words, "other.npy")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--from: is another file than the one that c.npy started from" in refused.stderr
    refused = run_mlp(*words, "other.npy", "-o", "w.npy")
    assert refused.returncode == 2
    assert refused.stderr == ("mlp: error: w.npy: started from random weights; leave out --from\n")


VALIDATED = ["--set", "validation=0.2", "--set", "schedule=cosine"]


def test_history_csv(run_mlp):
    """A row per epoch, with a heading: what was printed, eta in force, seconds and speed."""
    run = run_mlp("train", "c.yaml", *VALIDATED, "--history", "h.csv")
    rows = list(csv.DictReader(Path("h.csv").read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["epoch", "error", "validation_error", "validation_accuracy", "eta",
                             "seconds", "examples_per_second"]  # fmt: skip
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    names = ("error", "validation_error", "validation_accuracy")
    assert run.stderr.splitlines() == [
        " ".join([f"epoch {row['epoch']}", *(f"{name} {float(row[name]):.5g}" for name in names)])
        for row in rows
    ]
    assert float(rows[-1]["eta"]) < float(rows[0]["eta"]) < 0.3
    assert all(float(row["seconds"]) > 0 < float(row["examples_per_second"]) for row in rows)


def test_history_json_lines(run_mlp):
    """The same as one JSON object per line; what is not known is null."""
    run_mlp("train", "c.yaml", "-q", "--history", "h.jsonl")
    rows = [json.loads(line) for line in Path("h.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["epoch"], row["eta"], row["validation_error"]) for row in rows] == [
        (0, 0.3, None), (1, 0.3, None), (2, 0.3, None),
    ]  # fmt: skip


def test_history_of_another_kind_is_refused(run_mlp):
    """A name that says neither CSV nor JSON lines is refused before training."""
    run = run_mlp("train", "c.yaml", "--history", "h.txt")
    assert run.returncode == 2
    assert (
        run.stderr == "mlp: error: --history h.txt: ends in neither .csv nor .jsonl; name it so\n"
    )


def test_history_that_cannot_be_written_is_named(run_mlp):
    """A history in no folder is an error about --history, for a new run and for a resumed one."""
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    for options in (["--overwrite"], ["--resume"]):
        run = run_mlp("train", "c.yaml", "-q", "--history", "nofolder/h.csv", *options)
        assert (run.returncode, run.stdout) == (1, "")
        assert run.stderr == (
            "mlp: error: nofolder/h.csv: cannot be written: no such file or directory; "
            "choose another place with --history\n"
        )


# Weights are multiplied by about -1e10 in every step, one an epoch: some epochs until float32 ends.
DIVERGING = [
    *("--set", "epochs=20", "--set", "bt_size=700", "--set", "eta=1", "--set", "weight_decay=1e10"),
    *("--set", "activation=relu", "--set", "output=softmax", "--set", "loss=cross_entropy"),
]


def test_divergence_keeps_the_last_good_epoch(run_mlp):
    """A run that diverges exits 3, naming epoch and step, and leaves the last finite epoch."""
    run = run_mlp("train", "c.yaml", *DIVERGING)
    *epochs, message = run.stderr.splitlines()
    assert (run.returncode, run.stdout) == (3, "")
    assert f"eta: training diverged at epoch {len(epochs)}, step 0: the error is " in message
    assert message.endswith("lower eta (now 1), add warmup: 1 or clip_norm: 1, or check the data")
    kept = store.load(Path("c.npy"))
    assert len(kept.history) == len(epochs) > 1
    assert np.isfinite(kept.network.theta).all()


def test_history_is_flushed_row_by_row(run_mlp):
    """Every epoch that was printed is in the file, though the run then failed."""
    run = run_mlp("train", "c.yaml", *DIVERGING, "--history", "h.csv")
    lines = Path("h.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(run.stderr.splitlines()) > 2


def test_threads_are_set_before_numpy_is_loaded(mlp_process, tmp_path):
    """`--threads 1` limits the matrix library: what it reads is set when NumPy is imported."""
    spy = tmp_path / "sitecustomize.py"
    spy.write_text(
        "import os, sys\n"
        "class Spy:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'numpy':\n"
        "            print('threads', os.environ.get('OPENBLAS_NUM_THREADS'), file=sys.stderr)\n"
        "sys.meta_path.insert(0, Spy())\n",
        encoding="utf-8",
    )

    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    }
    env.pop("OPENBLAS_NUM_THREADS", None)
    run = mlp_process("train", "c.yaml", "-q", "--threads", "1", env=env)
    assert (run.returncode, run.stderr) == (0, "threads 1\n")


def test_best_epoch_is_named(run_mlp):
    """With validation the result says which epoch's weights the file holds."""
    run = run_mlp("train", "c.yaml", "-q", *VALIDATED)
    best = checkpoint.read(Path("c.npy")).meta["best_epoch"]
    assert run.stdout.splitlines()[0] == f"weights c.npy of epoch {best}, the best"
    result = json.loads(
        run_mlp("train", "c.yaml", "-q", *VALIDATED, "--overwrite", "--json").stdout
    )
    assert result["best_epoch"] == best


def test_a_class_that_is_not_there_is_refused(run_mlp):
    """A class weight for a class that the data do not have names the line and the classes."""
    Path("c.yaml").write_text(CONFIG + "class_weight: {seven: 2}\n", encoding="utf-8")
    run = run_mlp("train", "c.yaml")
    assert run.returncode == 2
    assert run.stderr == (
        "mlp: error: c.yaml:6: class_weight.seven: there is no class seven; "
        "the classes are odd, even\n"
    )


def test_images_to_distort_are_needed(run_mlp):
    """`augment` on data that are no images is refused."""
    run = run_mlp("train", "c.yaml", "--set", "augment={shift: 1}")
    assert run.returncode == 2
    assert "augment: parity has no images to distort; remove it" in run.stderr


@pytest.mark.parametrize(("there", "copies"), [(False, 2), (True, 1)])
def test_a_later_save_has_room_beside_the_first(run_mlp, monkeypatch, there, copies):
    """Before training there is room for the checkpoint of an epoch and for the next one."""
    asked = []
    monkeypatch.setattr(
        "mlpcli.atomic.check_writable", lambda *_, copies: asked.append(copies), raising=True
    )
    if there:
        Path("w.npy").touch()
    run_mlp("train", "c.yaml", "-q", "-o", "w.npy", "--overwrite")
    assert asked == [copies]
