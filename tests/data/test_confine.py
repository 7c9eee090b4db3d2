"""What a checkpoint may have `mlp evaluate` read, and what is told of it."""

import os
from pathlib import Path

import numpy as np
import pytest
from fuzz.checkpoints import sealed

from mlpcli.checkpoint import format as checkpoint

CONFIG = "data: {train: %s, test: 0.25}\nstructure: [2, 2]\neta: 0.1\nbt_size: 4\nepochs: 1\n"
ARRAYS = "data: {train: x.npy, target: y.npy}\nstructure: [2, 2]\neta: 0.1\nbt_size: 4\nepochs: 1\n"
TABLE = "a,b,kind\n" + "".join(f"{i},{i / 7:.3f},{'xy'[i % 2]}\n" for i in range(20))
SECRET = "password=hunter2\ntoken,swordfish\n"


@pytest.fixture
def secret(tmp_path):
    """Write a file outside the current folder; return its path."""
    path = tmp_path / "secret.txt"
    path.write_text(SECRET, encoding="utf-8")
    return path


@pytest.fixture
def forged(run_mlp):
    """Return a function that trains c.npy, and has it name other data."""

    def forge(config=CONFIG % "t.csv", **data):
        Path("t.csv").write_text(TABLE, encoding="utf-8")
        np.save("x.npy", np.arange(40.0).reshape(20, 2))
        np.save("y.npy", np.arange(20) % 2)
        Path("c.yaml").write_text(config, encoding="utf-8")
        assert run_mlp("train", "c.yaml", "-q", "--overwrite").returncode == 0
        arrays, meta = checkpoint.read(Path("c.npy"))
        meta["experiment"]["data"] |= data
        Path("c.npy").write_bytes(sealed(arrays, meta))

    return forge


def refused(run_mlp, split="train"):
    """Return the line in which `mlp evaluate` declines, which quotes nothing of the secret."""
    run = run_mlp("evaluate", "--weights", "c.npy", "--split", split)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.count("\n") == 1
    for word in ("password", "hunter2", "token", "swordfish"):
        assert word not in run.stderr
    return run.stderr


OUTSIDE = (
    "is no file below the current folder or the checkpoint's, and only the checkpoint names it"
)


def test_paths_that_lead_out(run_mlp, forged, secret):
    """An absolute path, one through .., a link and a link inside a folder are not followed."""
    Path("link.csv").symlink_to(secret)
    Path("folder/a").mkdir(parents=True)
    Path("folder/a/1.png").symlink_to(secret)
    for name in (secret, "../secret.txt", "link.csv", "folder", "/etc/passwd", "/etc", "/", ".."):
        forged(train=str(name))
        assert OUTSIDE in refused(run_mlp), name
        forged(test=str(name))
        assert OUTSIDE in refused(run_mlp, "test"), name


def test_labels_that_lead_out(run_mlp, forged, secret):
    """Nor is a file of labels, named or found beside the data by its name."""
    forged(ARRAYS, target=str(secret))
    assert OUTSIDE in refused(run_mlp)
    forged(ARRAYS, test="x.npy", test_target=str(secret))
    assert OUTSIDE in refused(run_mlp, "test")
    forged(ARRAYS)
    arrays, meta = checkpoint.read(Path("c.npy"))
    del meta["experiment"]["data"]["target"]
    Path("c.npy").write_bytes(sealed(arrays, meta))
    Path("y.npy").unlink()
    Path("y.npy").symlink_to(secret)
    assert OUTSIDE in refused(run_mlp)


def test_what_is_no_file(run_mlp, forged):
    """Devices, named pipes and /proc are refused and not waited for, wherever they are."""
    os.mkfifo("pipe")
    for name in ("/dev/zero", "/dev/stdin", "/proc/self/environ", "/proc/self/mem", "pipe"):
        forged(train=name)
        assert OUTSIDE in refused(run_mlp), name
    Path.cwd().joinpath("environ").symlink_to("/proc/self/environ")
    forged(train="environ")
    assert OUTSIDE in refused(run_mlp)


@pytest.mark.parametrize(
    "content", [SECRET, "hunter2\n", "token,hunter2\n1,2\n" * 9, "", "\0token"]
)
def test_nothing_is_quoted(run_mlp, forged, content):
    """Of a file in these folders, which is not like the data, no content is shown."""
    forged(train="secret.txt", test="secret.txt")
    Path("secret.txt").write_text(content, encoding="utf-8")
    for split in ("train", "test"):
        assert refused(run_mlp, split).startswith("mlp: error: secret.txt")
    forged(ARRAYS, target="secret.txt")
    refused(run_mlp)


def test_what_is_named_is_read(run_mlp, forged, secret):
    """The control: data below these folders are read, by an absolute path, a link or `--data`."""
    forged()
    Path("again.csv").symlink_to("t.csv")
    for name in ("t.csv", str(Path("t.csv").resolve()), "again.csv", "./t.csv"):
        forged(train=name)
        assert run_mlp("evaluate", "--weights", "c.npy", "--split", "train").returncode == 0
    secret.write_text(TABLE, encoding="utf-8")
    assert run_mlp("evaluate", "--weights", "c.npy", "--data", secret).returncode == 0
    # A configuration is the user's own, and may name any file.
    forged(CONFIG % secret)
    assert OUTSIDE in refused(run_mlp)
    assert run_mlp("train", "c.yaml", "-q", "--resume", "--set", "epochs=2").returncode == 0
    run = run_mlp("evaluate", "--weights", "c.npy", "--data", "../secret.txt", "--target", "0")
    assert "was not seen in training" in run.stderr


def test_a_network_of_another_width(run_mlp, forged):
    """A checkpoint that names a dataset of another width or of more classes is refused."""
    forged()
    arrays, meta = checkpoint.read(Path("c.npy"))
    meta["experiment"]["data"] = {"name": "parity"}
    Path("c.npy").write_bytes(sealed(arrays, meta))
    assert "parity: has 10 features and 2 classes, and the network" in refused(run_mlp)
