"""A save is whole or absent, whatever happens to the disk or the process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import ordeals
import pytest

from mlpcli import atomic
from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint import limits
from mlpcli.config.load import from_mapping
from mlpcli.errors import ConfigError, OutputError
from mlpcli.signals import defer_signals


@pytest.fixture
def path(tmp_path):
    """Return a path alone in its folder."""
    (tmp_path / "alone").mkdir()
    return tmp_path / "alone" / "w.npy"


def apart(ordeal, path, *numbers):
    """Run an ordeal in a process with a single thread; return what it printed."""
    command = [sys.executable, ordeals.__file__, ordeal, path, *map(str, numbers)]
    alone = os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    run = subprocess.run(
        command, check=False, capture_output=True, encoding="utf-8", env=alone, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return int(run.stdout)


@pytest.mark.parametrize("name", ordeals.ERRORS)
def test_every_call_may_fail(path, name):
    """Whichever system call of a save fails, the file is the old or the new one, and alone."""
    assert ordeals.fail_every_call(path, name) >= 12


def test_killed_at_every_call(path):
    """A process killed at any system call of its save leaves the old or the new file, whole.

    What else it leaves is removed by the next run.
    """
    assert apart("kill_every_call", path) >= 12


def test_killed_at_random(path):
    """A process killed at any moment leaves one of the files it was writing, whole."""
    apart("kill_at_random", path, 15)


def test_many_at_once(path):
    """What many processes save to one path at once is always one of their files, whole."""
    assert apart("crowd", path, 8, 10) > 1


def test_the_ordeals_find_a_careless_writer(path, monkeypatch):
    """Negative control: a file written in place does not survive the first of them."""

    def careless(path, content):
        with os.fdopen(os.open(path, os.O_RDWR | os.O_TRUNC), "w+b") as stream:
            stream.write(content)

    monkeypatch.setattr(atomic, "write", careless)
    with pytest.raises((AssertionError, OSError)):
        ordeals.fail_every_call(path, "ENOSPC")


# --- One run per checkpoint


def test_one_run_per_checkpoint(path):
    """While one run holds a checkpoint another is refused, under whatever name; then it is free."""
    link = path.with_name("link.npy")
    link.symlink_to(path)
    with atomic.locked(path):
        for name in (path, link):
            refused = pytest.raises(OutputError, match="is being written by another run; wait")
            with refused, atomic.locked(name):
                pass
        with atomic.locked(path.with_name("other.npy")):
            pass
    with atomic.locked(link):
        pass
    assert list(path.parent.iterdir()) == [link]


def test_only_our_leftovers_are_removed(path):
    """The next run removes what a killed run left of this checkpoint, and no other file."""
    kept = [".w.npy.tmp", ".w2.npy.0123abcd.tmp", "w.npy.0123abcd.tmp", ".w.npy.0123abcd.txt",
            ".w.npy.npy.0123abcd.tmp", ".w.npy.0123abcd.0123abcd.tmp"]  # fmt: skip
    for name in [*kept, ".w.npy.0123abcd.tmp", ".w.npy.lock"]:
        path.with_name(name).touch()
    with atomic.locked(path):
        pass
    assert sorted(other.name for other in path.parent.iterdir()) == sorted(kept)


@pytest.mark.parametrize("name", ["w", "w.npy", "w\n", "w[0]"])
def test_leftovers_have_names_that_the_next_run_knows(path, name):
    """What a run that was killed amid a write left is found again, whatever the target's name."""
    path = path.with_name(name)
    with atomic.open(path):
        (leftover,) = path.parent.iterdir()
        kept = leftover.rename(path.with_name("kept"))
        leftover.touch()
        with atomic.locked(path.with_name("w.npy.x")):
            assert leftover.exists()
        with atomic.locked(path):
            assert not leftover.exists()
        kept.rename(leftover)
    assert list(path.parent.iterdir()) == [path]


# --- Limits that are known before training


def sized(**keys):
    """Return a parity experiment with some keys."""
    base = {"data": "parity", "structure": [10, 3, 2], "eta": 1, "bt_size": 9, "epochs": 1}
    return from_mapping(base | keys, {})


# A hidden layer of n has 10 n + n + 2 n + 2 parameters; 4 bytes each.
SIZES = {
    "weights": ({}, 1),
    "state of one slot": ({"momentum": 0.9}, 2),
    "state of two": ({"optimizer": "adam"}, 3),
    "a best": ({"validation": 0.1}, 2),
    "all": ({"validation": 0.1, "optimizer": "adam"}, 4),
    "float64": ({"dtype": "float64"}, 2),
}


@pytest.mark.parametrize(("keys", "copies"), SIZES.values(), ids=SIZES)
def test_networks_beyond_the_format(keys, copies):
    """The largest network whose record NumPy can read is accepted, and one more neuron is not."""
    n = (checkpoint.MAX_BYTES // (4 * copies) - 2) // 13
    limits.check_size(sized(structure=[10, n, 2], **keys))
    with pytest.raises(ConfigError, match=r"more than the 1,879,048,191 that the format holds"):
        limits.check_size(sized(structure=[10, n + 1, 2], **keys))


def test_epochs_beyond_the_format():
    """More epochs than a checkpoint has room for are refused, and no row exceeds its room."""
    limits.check_size(sized(epochs=checkpoint.MAX_EPOCHS))
    with pytest.raises(ConfigError, match="1,342,178 is more than the 1,342,177 whose errors"):
        limits.check_size(sized(epochs=checkpoint.MAX_EPOCHS + 1))
    # repr of a float64 has at most 24 characters.
    number = -2.2250738585072014e-308
    names = ("error", "eta", "validation_error", "validation_accuracy")
    row = {"epoch": checkpoint.MAX_EPOCHS} | dict.fromkeys(names, number)
    few, more = (len(checkpoint.serialise({}, {"history": [row] * n})) for n in (1, 1001))
    assert more - few <= 1000 * checkpoint.ROW_BYTES
    assert checkpoint.MAX_BYTES + checkpoint.MAX_EPOCHS * checkpoint.ROW_BYTES < 2**31


@pytest.mark.parametrize("command", ["train", "check"])
def test_more_layers_than_a_header_names(run_mlp, command):
    """`train` and `check` refuse a network too deep for the file, before anything is done."""
    hidden = ", ".join(["3"] * 500)
    text = f"data: parity\nstructure: [10, {hidden}, 2]\neta: 1\nbt_size: 9\nepochs: 1\n"
    Path("c.yaml").write_text(text)
    run = run_mlp(command, "c.yaml")
    assert (run.returncode, run.stdout) == (2, "")
    # 501 layers of W and b, and four vectors of the run
    begin = "mlp: error: c.yaml:2: structure: naming 1006 arrays takes "
    assert run.stderr.startswith(begin)
    assert run.stderr.endswith("bytes, more than the 10,000 of the header of a .npy file; "
                               "write a structure with fewer layers\n")  # fmt: skip
    assert list(Path().iterdir()) == [Path("c.yaml")]


@pytest.mark.parametrize("command", ["train", "check"])
def test_limits_are_known_before_training(run_mlp, command):
    """`train` and `check` refuse what the format cannot hold, with numbers, and write nothing."""
    text = "data: parity\nstructure: [10, 40000000, 2]\neta: 1\nbt_size: 9\nepochs: 1\n"
    Path("c.yaml").write_text(text)
    run = run_mlp(command, "c.yaml")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        "mlp: error: c.yaml:2: structure: has 520,000,002 parameters, whose checkpoint of "
        "2,080,000,008 bytes is more than the 1,879,048,191 that the format holds; "
        "write smaller layers\n"
    )
    assert list(Path().iterdir()) == [Path("c.yaml")]


# --- Signals


def test_the_first_signal_is_noted_and_the_second_ends():
    """A first signal is only noted; the second is an error, and a third has its usual effect."""
    script = """
import os, signal
from mlpcli.signals import defer_signals
from mlpcli.errors import Killed
with defer_signals() as received:
    os.kill(os.getpid(), signal.SIGTERM)
    print(int(*received), flush=True)
    try:
        os.kill(os.getpid(), signal.SIGINT)
        print("survived")
    except Killed as killed:
        print(killed.number, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    print("survived")
"""
    run = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, encoding="utf-8"
    )
    assert run.returncode == -signal.SIGTERM
    assert run.stdout == f"{signal.SIGTERM:d}\n{signal.SIGINT:d}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_leaves_no_lock(number):
    """A signal amid the save that the first one caused ends the run: no lock, no half a file."""
    text = "data: parity\nstructure: [10, 3, 2]\neta: 1\nbt_size: 9\nepochs: 9000\n"
    Path("c.yaml").write_text(text)
    script = f"""
import os, sys
from mlpcli import atomic
from mlpcli.cli import console
from mlpcli.cli.main import main

def signalled(call):
    def wrapper(*args):
        os.kill(os.getpid(), {number:d})
        return call(*args)
    return wrapper

console.step_line = signalled(lambda _: None)
atomic._put = signalled(atomic._put)
sys.argv = ["mlp", "train", "c.yaml", "-v"]
main()
"""
    command = [sys.executable, "-c", script]
    run = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert (run.returncode, run.stdout) == (-number, "")
    assert run.stderr.startswith("threads ") and run.stderr.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["c.yaml"]


def test_signals_are_put_back():
    """Afterwards every signal has the effect it had; one that was ignored stays so throughout."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        before = [signal.getsignal(number) for number in numbers]
        with defer_signals() as received:
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGINT)
        assert received == [signal.SIGINT]
        assert [signal.getsignal(number) for number in numbers] == before
    finally:
        signal.signal(signal.SIGHUP, ignored)
