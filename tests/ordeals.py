"""What saves and runs are put through: by the tests a little, by `make soak` at length."""

import errno
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mlpcli import atomic
from mlpcli.checkpoint import format as checkpoint
from mlpcli.errors import OutputError

MLP = Path(sys.executable).with_name("mlp")
ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EACCES")
# Whatever touches the file system in a save, through `os` or through the stream.
CALLS = ("open", "fsync", "close", "replace", "unlink", "stat", "lstat", "fstat")
STREAM_CALLS = ("write", "readall", "readinto", "seek", "close")


# --- Saves


def contents(size=200_000):
    """Return two checkpoints, larger than any buffer between here and the disk."""
    array = np.arange(size // 4, dtype=np.float32)
    return [checkpoint.serialise({"W2": array + i}, {"i": i}) for i in range(2)]


@contextmanager
def nth_call(n, act):
    """Do something instead of the n-th system call from 1; yield a list of the calls made."""
    made = []

    def counted(name, call):
        def wrapper(*args, **options):
            made.append(name)
            if len(made) == n:
                act(call, *args, **options)
            return call(*args, **options)

        return wrapper

    class Stream(io.FileIO):
        def close(self):
            if not self.closed:
                counted("close", super().close)()

    for name in STREAM_CALLS[:-1]:
        method = getattr(io.FileIO, name)
        setattr(Stream, name, counted(name, method))
    before = {name: getattr(os, name) for name in (*CALLS, "fdopen")}
    for name in CALLS:
        setattr(os, name, counted(name, before[name]))
    os.fdopen = lambda descriptor, _: io.BufferedRandom(Stream(descriptor, "r+b"))
    try:
        yield made
    finally:
        for name, call in before.items():
            setattr(os, name, call)


def fail_every_call(path, name):
    """Fail the n-th call of a save with an error, for every n; return how many there were.

    Raises:
        AssertionError: if the file is neither the old nor the new one, whole, or has companions, or
            if a save that did not do its work did not say so.
    """
    old, new = contents()

    def fail(call, *args, **_):
        if getattr(call, "__name__", "") == "close":
            call(*args)  # as Linux does: the descriptor is gone whatever close says
        raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))

    n = 0
    while True:
        n += 1
        path.write_bytes(old)
        with nth_call(n, fail) as made:
            try:
                atomic.write(path, new)
                done = True
            except OutputError as error:
                assert str(error).startswith(f"{path}: cannot be written: "), error
                done = False
        now = path.read_bytes()
        assert now in (old, new), f"{name} at call {n}, {made[-1]}: a torn file"
        assert now == new or not done, f"{name} at call {n}: the loss was not noticed"
        assert list(path.parent.iterdir()) == [path], f"{name} at call {n} left something"
        if len(made) < n:
            assert done
            return len(made)


def kill_every_call(path):
    """Kill a process at the n-th call of its save, for every n; return how many there were."""
    old, new = contents()
    n = 0
    while True:
        n += 1
        path.write_bytes(old)

        def save(n=n):
            with nth_call(n, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)):
                atomic.write(path, new)

        code = os.waitstatus_to_exitcode(os.waitpid(fork(save), 0)[1])
        assert code in (0, -signal.SIGKILL)
        assert path.read_bytes() in ([new] if code == 0 else [old, new])
        clean(path)
        if code == 0:
            return n - 1


def kill_at_random(path, times, seed=0):
    """Kill a process that saves without end at random moments; return how many left a temporary."""
    rng, pair = random.Random(seed), contents(2_000_000)
    path.write_bytes(pair[0])

    def save():
        while True:
            for content in pair:
                atomic.write(path, content)

    torn = 0
    for _ in range(times):
        child = fork(save)
        time.sleep(rng.uniform(0.001, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert path.read_bytes() in pair, "a torn file"
        torn += len(list(path.parent.iterdir())) > 1
        clean(path)
    return torn


def crowd(path, processes, saves):
    """Save to one path from many processes, and read it all the while; return how many reads."""

    def save(who):
        for i in range(saves):
            array = np.full(5000, who * saves + i, np.float32)
            atomic.write(path, checkpoint.serialise({"W2": array}, {"who": who, "i": i}))

    save(0)
    children = {fork(lambda who=who: save(who)) for who in range(processes)}
    reads = 0
    while children:
        reads += 1
        # It refuses whatever is not whole.
        record = checkpoint.read(path)
        assert (record.arrays["W2"] == record.meta["who"] * saves + record.meta["i"]).all()
        child, status = os.waitpid(-1, os.WNOHANG)
        if child:
            children.remove(child)
            assert status == 0
    assert list(path.parent.iterdir()) == [path]
    return reads


def fork(work):
    """Run a function in a child process; return its number."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def clean(path):
    """Do what the next run does: take the lock, and with it what a dead process left."""
    with atomic.locked(path):
        pass
    assert list(path.parent.iterdir()) == [path], "the next run leaves the dead one's files"


# --- Runs


def interrupt(words, number, lines, seconds=None):
    """Start `mlp`, and send it a signal after so many lines on stderr; return whether it ended so.

    Or after so many seconds, if these are given.

    A run that has ended by itself before is left to its exit code 0.
    """
    with subprocess.Popen(
        [MLP, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # The run cannot be far ahead of what was read, where the system allows it (Linux).
        pipesize=4096,
    ) as process:
        if seconds is not None:
            time.sleep(seconds)
        for _ in range(0 if seconds is not None else lines):
            if not process.stderr.readline():
                break
        process.send_signal(number)
        rest = process.stderr.read()
    assert process.returncode in (0, -number), rest
    assert "error:" not in rest
    return process.returncode == -number


def timeless(path):
    """Return the rows of a history file without timings, which no two runs share."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".csv":
        return [line.rsplit(",", 2)[0] for line in lines]
    rows = [json.loads(line) for line in lines]
    return [{name: row[name] for name in row if "second" not in name} for row in rows]


if __name__ == "__main__":
    # Forks want a process with a single thread: the tests start this one.
    _, ordeal, target, *numbers = sys.argv
    print(globals()[ordeal](Path(target), *map(int, numbers)))
