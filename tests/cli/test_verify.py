"""`mlp train --verify`: the same command gives the same bytes, or the first difference."""

import re
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFIGS

from mlpcli import atomic
from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint.resume import _first_difference_in
from mlpcli.cli.main import mlp

PARITY = (CONFIGS / "parity.yaml").read_text(encoding="utf-8")
CONFIG = PARITY.replace("epochs: 1000", "epochs: 3")
ERROR = r"mlp: error: w\.npy: was not reproduced: {}; see versions and seed\n"


@pytest.fixture
def verify(run_mlp, monkeypatch):
    """Train w.npy, and return a function that verifies it with a changed config or file."""
    # Whatever machine this is: the number of threads is part of the file.
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    Path("c.yaml").write_text(CONFIG, encoding="utf-8")
    assert run_mlp("train", "c.yaml", "-o", "w.npy").returncode == 0

    def run(*options, config=CONFIG):
        Path("c.yaml").write_text(config, encoding="utf-8")
        return run_mlp("train", "c.yaml", "-q", "--verify", "w.npy", *options)

    return run


def change(spoil):
    """Write w.npy again with a right checksum, its record changed."""
    record = checkpoint.read(Path("w.npy"))
    spoil(record)
    atomic.write(Path("w.npy"), checkpoint.serialise(*record))


def test_the_same_again(verify):
    """A run that is reproduced is exit 0 and a line; nothing is written."""
    before = {path: path.stat().st_mtime_ns for path in Path().iterdir() if path.suffix == ".npy"}
    run = verify()
    assert (run.returncode, run.stdout, run.stderr) == (
        0,
        "w.npy was reproduced to the byte\n",
        "",
    )
    assert {path: path.stat().st_mtime_ns for path in Path().glob("*.npy")} == before
    assert sorted(map(str, Path().iterdir())) == ["c.yaml", "w.npy"]


CHANGES = {
    "a weight": (lambda r: r.arrays["W2"].__setitem__((1, 4), 0.5),
                 r"W2\[1, 4\] is -?\d\S+ here and 0\.5 there"),
    "NumPy": (lambda r: r.meta["versions"].update(numpy="1.0"),
              rf"versions\.numpy is {re.escape(np.__version__)} here and 1\.0 there"),
    # What explains a difference is named, not what follows from it.
    "both": (lambda r: (r.meta["versions"].update(threads=64),
                        r.arrays["W2"].__setitem__((0, 0), 7)),
             "versions.threads is 1 here and 64 there"),
    "history": (lambda r: r.meta["history"][1].update(error=0.5),
                r"history\[1\]\.error is 0\.32\d+ here and 0\.5 there"),
    "fewer epochs": (lambda r: (r.meta["history"].pop(), r.meta.update(epoch=2, best_epoch=1)),
                     r"history has 3 entries here and 2 there"),
    "a class": (lambda r: r.meta["class_names"].__setitem__(0, "uneven"),
                r"class_names\[0\] is odd here and uneven there"),
    "a key of its own": (lambda r: r.meta.update(source="unverified"),
                         "source is not given here and unverified there"),
    "an array more": (lambda r: r.arrays.update(theta=np.zeros(3)),
                      "the files are laid out otherwise"),
    "single precision": (lambda r: r.arrays.update(W2=r.arrays["W2"].astype(np.float32)),
                         "W2 is another array"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "difference"), CHANGES.values(), ids=CHANGES)
def test_the_first_difference_is_named(verify, spoil, difference):
    """A file that is not reproduced is exit 1 and a line with both values, ours and its."""
    change(spoil)
    run = verify()
    assert (run.returncode, run.stdout) == (1, "")
    assert re.fullmatch(ERROR.format(difference), run.stderr), run.stderr


def test_signs_of_zero_differ():
    """0 and -0, equal as numbers, are other bytes and are found where they are."""
    assert _first_difference_in(np.array([[1.0, 0.0]]), np.array([[1.0, -0.0]])) == (0, 1)
    assert _first_difference_in(np.array([0.0, -0.0]), np.array([0.0, -0.0])) is None


def test_another_experiment(verify):
    """Another seed is named rather than what it led to; so is another number of threads."""
    run = verify("--set", "seed=1")
    assert (run.returncode, run.stdout) == (1, "")
    assert re.fullmatch(ERROR.format("experiment.seed is 1 here and 0 there"), run.stderr)
    run = verify("--threads", "2")
    assert re.fullmatch(ERROR.format("versions.threads is 2 here and 1 there"), run.stderr)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "is not an mlp checkpoint"), (None, "cannot be read: no such file or directory")],
)
def test_no_checkpoint_to_compare_with(verify, content, problem):
    """A file that is missing or no checkpoint is found before training, and left as it is."""
    if content is None:
        Path("w.npy").unlink()
    else:
        Path("w.npy").write_bytes(content)
    run = verify("--set", "epochs=1000000")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == f"mlp: error: w.npy: {problem}; give a file that mlp train wrote\n"


def test_what_it_started_from_is_asked_for(verify):
    """A file that `--from` started is verified with that --from; without it, it says what to add.

    Another start, and one where there was none, are refused before training, exit 2.
    """
    first, other = Path("first.npy"), Path("other.npy")
    record = checkpoint.read(Path("w.npy"))
    first.write_bytes(Path("w.npy").read_bytes())
    record.arrays["W2"][0, 0] += 1
    other.write_bytes(checkpoint.serialise(*record))
    run = verify("--from", "first.npy")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "mlp: error: w.npy: started from random weights; leave out --from\n"
    mlp(["train", "c.yaml", "-q", "--from", "first.npy", "--overwrite", "-o", "w.npy"],
        standalone_mode=False)  # fmt: skip
    record = checkpoint.read(Path("w.npy"))
    record.meta["versions"]["threads"] = 1
    Path("w.npy").write_bytes(checkpoint.serialise(*record))
    sha256 = first.read_bytes()[-32:].hex()
    run = verify()
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        f"mlp: error: w.npy: started from the weights of a checkpoint, with SHA-256 {sha256}; "
        "add --from and that file\n"
    )
    run = verify("--from", "other.npy")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        "mlp: error: --from: is another file than the one that w.npy started from, "
        f"with SHA-256 {sha256}; give that one\n"
    )
    run = verify("--from", "first.npy")
    assert (run.returncode, run.stdout) == (0, "w.npy was reproduced to the byte\n")
