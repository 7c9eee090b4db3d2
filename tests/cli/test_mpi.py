"""`mlp train --mpi`: real ranks that learn what one process learns, and end together."""

import importlib.util
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ordeals import MLP

from mlpcli.checkpoint.store import load
from mlpcli.cli.main import mlp
from mlpcli.errors import Interrupted

# Columns of a table, by a name that the tests vary; 61 examples leave one for the last mini-batch.
TABLE = """\
data: {train: t.csv, weight: w, scale: standardize}
structure: [4, 8, 3]
eta: 0.2
bt_size: 12
epochs: 3
momentum: 0.9
dropout: [0.1, 0.3]
class_weight: balanced
dtype: float64
validation: 0.2
patience: 2
ema: 0.9
"""
IMAGES = """\
data: {train: x.npy, target: y.npy}
structure: [64, 8, 3]
eta: 0.05
bt_size: 100
epochs: 1
optimizer: adam
clip_norm: 1
augment: {shift: 1, rotate: 20, elastic: {sigma: 2, alpha: 3}}
"""
LARGE = 600_000
# Enough for the interpreter, NumPy, MPI and the buffers of a step.
LIMIT = 150 << 20
MAPPED = """\
data: {train: x.npy, target: y.npy, scale: unit}
structure: [784, 8, 10]
eta: 0.1
bt_size: 1000
epochs: 1
"""
FILES = "data: {train: x.npy, target: y.npy}\nstructure: [64, 8, 3]"
PARITY = "data: parity\nstructure: [10, 3, 2]"
DIVERGING = ("--set", "activation=relu", "--set", "eta=1e200")
ENDLESS = ("--set", "epochs=1000000", "--set", "patience=1000000")


@pytest.fixture(scope="session")
def mpiexec():
    """Return the words that start ranks; skip without MPI, or fail where there must be one."""
    beside = MLP.with_name("mpiexec")
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found and importlib.util.find_spec("mpi4py"):
        return found
    if os.environ.get("MLP_TEST_MPI"):
        pytest.fail("there is no mpi4py, or no mpiexec")
    return pytest.skip("there is no mpi4py, or no mpiexec")


@pytest.fixture
def ranks(mpiexec):
    """Return a function that trains on so many ranks."""

    def run(n, *words, **options):
        command = [mpiexec, "-n", str(n), MLP, "train", *map(str, words), "--mpi"]
        return subprocess.run(
            command, check=False, capture_output=True, encoding="utf-8", timeout=120, **options
        )

    return run


def write_table():
    """Write a table of 61 examples to learn from, 12 for validation, and how to learn from it."""
    rng = np.random.default_rng(1)
    values, classes = rng.normal(size=(76, 4)), rng.integers(0, 3, 76)
    values[:, 0] += classes
    lines = ["a,b,c,d,w,class"]
    lines += [
        ",".join(map(repr, [*row, 1.0 + i % 3])) + f",{'xyz'[label]}"
        for i, (row, label) in enumerate(zip(values.tolist(), classes, strict=True))
    ]
    Path("t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    Path("t.yaml").write_text(TABLE, encoding="utf-8")
    return "t.yaml"


def write_images():
    """Write 230 images, and how to learn from them distorted."""
    rng = np.random.default_rng(1)
    np.save("x.npy", rng.integers(0, 256, (230, 8, 8), np.uint8))
    np.save("y.npy", np.arange(230) % 3)
    Path("i.yaml").write_text(IMAGES, encoding="utf-8")
    return "i.yaml"


def difference(one, other):
    """Return the largest difference between two checkpoints' parameters and errors."""
    one, other = load(Path(one)), load(Path(other))
    errors = [[row["error"] for row in model.history] for model in (one, other)]
    assert len(errors[0]) == len(errors[1]) > 0
    return max(
        np.abs(one.network.theta - other.network.theta).max(),
        np.abs(np.subtract(*errors)).max(),
    )


@pytest.mark.parametrize(("write", "n", "dtype", "limit"), [
    (write_table, 2, "float64", 1e-10),
    (write_table, 3, "float32", 1e-4),
    (write_images, 3, "float64", 1e-10),
])  # fmt: skip
def test_ranks_learn_what_one_process_learns(ranks, run_mlp, write, n, dtype, limit):
    """Dropout, distortions, weights and validation do not depend on the number of ranks."""
    config = write()
    options = ("--set", f"dtype={dtype}")
    assert run_mlp("train", config, "-q", "-o", "one.npy", *options).returncode == 0
    run = ranks(n, config, "-o", "many.npy", *options)
    assert run.returncode == 0, run.stderr
    assert f"{n} ranks, threads of each 1: " in run.stderr
    assert difference("one.npy", "many.npy") < limit
    assert run.stdout.count("weights many.npy") == 1


PARTS = """\
data: {train: 'x{}.npy', target: 'y{}.npy', scale: standardize, test: x.npy, test_target: y.npy}
structure: [64, 8, 3]
eta: 0.05
bt_size: 50
epochs: 2
activation: relu
dropout: 0.3
augment: {shift: 1, rotate: 20}
class_weight: balanced
validation: 0.2
patience: 2
dtype: float64
"""


def test_each_rank_has_its_part_of_the_files(ranks, run_mlp):
    """Ranks with parts of the data learn, judge and show what one process does with all of them.

    Parts are of any size, and one need not have every class; a feature that is constant stays so.
    """
    write_images()
    images, labels = np.load("x.npy"), np.sort(np.load("y.npy"))
    images[:, 0, 0] = 7
    np.save("x.npy", images)
    np.save("y.npy", labels)
    for rank, part in enumerate((slice(40), slice(40, 150), slice(150, None))):
        np.save(f"x-{rank}.npy", images[part])
        np.save(f"y-{rank}.npy", labels[part])
    Path("one.yaml").write_text(PARTS.replace("{}", ""), encoding="utf-8")
    Path("many.yaml").write_text(PARTS.replace("{}", "-{rank}"), encoding="utf-8")
    alone = run_mlp("train", "one.yaml", "-q")
    run = ranks(3, "many.yaml", "-q")
    assert (alone.returncode, run.returncode) == (0, 0), run.stderr
    assert run.stdout == alone.stdout.replace("one.npy", "many.npy")
    assert difference("one.npy", "many.npy") < 1e-10
    one, many = (load(Path(name)) for name in ("one.npy", "many.npy"))
    assert many.encoding.deviations == pytest.approx(one.encoding.deviations, rel=1e-12)
    assert many.encoding.class_names == one.encoding.class_names
    again = ranks(3, "many.yaml", "-q", "--verify", "many.npy")
    assert again.stdout == "many.npy was reproduced to the byte\n", again.stderr


def test_the_same_number_of_ranks_repeats_bit_for_bit(ranks):
    """--verify finds the bytes of a run on as many ranks, and says where another number differs."""
    config = write_table()
    assert ranks(3, config, "-q").returncode == 0
    run = ranks(3, config, "-q", "--verify", "t.npy")
    assert (run.returncode, run.stdout) == (0, "t.npy was reproduced to the byte\n"), run.stderr


@pytest.fixture
def endless(mpiexec):
    """Return a function that starts ranks on a run without end, and waits for its first epochs."""
    started = []

    def start(n, *words):
        command = [mpiexec, "-n", str(n), MLP, "train", write_table(), "--mpi", *ENDLESS, *words]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        started.append(process)
        while not process.stderr.readline().startswith("epoch 3 "):
            assert process.poll() is None
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def pid_of(rank, mpiexec):
    """Return the process that is a rank of a job."""
    children, found = [mpiexec], []
    while children:
        pid = children.pop()
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        children += [int(word) for task in tasks for word in task.read_text().split()]
        found.append(pid)
    for pid in found:
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        if f"PMI_RANK={rank}".encode() in environ:
            return pid
    raise AssertionError(f"there is no rank {rank}")


proc = pytest.mark.skipif(sys.platform != "linux", reason="finds the ranks in /proc")


@proc
@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_on_one_rank_saves_and_ends_all(endless, rank):
    """SIGTERM to any rank is agreed on: the first saves, and its line names the way to go on."""
    process = endless(2)
    os.kill(pid_of(rank, process.pid), signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    # As a shell says of SIGTERM.
    assert (process.returncode, stdout) == (143, "")
    *epochs, last = stderr.splitlines()
    assert all(line.startswith(("epoch ", "ranks: ")) for line in epochs)
    done = len(load(Path("t.npy")).history)
    assert last.startswith(f"SIGTERM: stopped in epoch {done} after ")
    assert "; mpiexec -n 2 mlp train t.yaml --set epochs=1000000 " in last
    assert last.endswith(" --mpi --resume goes on from there")


@proc
def test_a_killed_rank_ends_all_within_seconds(endless):
    """Where one rank is killed, the others do not wait for it, and the last checkpoint is whole."""
    process = endless(3, "--set", "checkpoint_every=1")
    os.kill(pid_of(1, process.pid), signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert len(load(Path("t.npy")).history) >= 3


def test_resume_with_the_same_number_of_ranks_gives_the_same_bytes(ranks):
    """Two epochs, and two more, are four."""
    config = write_table()
    for name, epochs in (("t.npy", 2), ("t.npy", 4), ("whole.npy", 4)):
        run = ranks(2, config, "-q", "--resume", "-o", name, "--set", f"epochs={epochs}")
        assert run.returncode == 0, run.stderr
    assert Path("t.npy").read_bytes() == Path("whole.npy").read_bytes()


def test_resume_amid_an_epoch_with_another_number_of_ranks(ranks, run_mlp, monkeypatch):
    """What one process has begun, three ranks end as it would have."""
    config = write_table()
    assert run_mlp("train", config, "-q", "-o", "whole.npy").returncode == 0

    def stop(report):
        if (report.epoch, report.step) == (1, 2):
            raise Interrupted(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr("mlpcli.cli.console.step_line", stop)
        with pytest.raises(Interrupted):
            mlp(["train", config, "-v", "-o", "many.npy"], standalone_mode=False)
    run = ranks(3, config, "-o", "many.npy", "--resume")
    assert "many.npy: stopped in epoch 1 after 3 steps" in run.stderr
    assert difference("whole.npy", "many.npy") < 1e-10


@pytest.mark.parametrize(("words", "code", "line"), [
    (DIVERGING, 3, "training diverged at epoch 0"),
    (("--set", "data.train=none.csv"), 1, "none.csv: there is no such file"),
    (("--set", "epochs=x"), 2, "epochs: must be a whole number"),
    (("--set", "embeddings=periodic"), 2, "embeddings: cannot be divided among ranks; leave out"),
    (("--engine", "numba"), 2, "--engine numba: is not for --mpi, whose ranks compute with NumPy"),
])  # fmt: skip
def test_a_failure_of_all_is_said_once(ranks, words, code, line):
    """One rank says what is wrong, and the job ends with its exit code."""
    run = ranks(3, write_table(), *words)
    said = [text for text in run.stderr.splitlines() if text.startswith("mlp: error: ")]
    assert (run.returncode, len(said)) == (code, 1), run.stderr
    assert line in said[0]


def test_a_failure_of_one_rank_ends_all(mpiexec):
    """A rank without enough memory says so, and no other waits for it."""
    config = write_images()
    words = [MLP, "train", config, "--mpi", "--set", "structure=[64,300000,3]"]
    limited = f"ulimit -d 200000; exec {' '.join(map(str, words))}"
    command = [mpiexec, "-n", "1", *words, ":", "-n", "1", "sh", "-c", limited]
    run = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", timeout=120)
    said = [text for text in run.stderr.splitlines() if text.startswith("mlp: error: ")]
    assert run.returncode == 1
    assert len(said) == 1 and "memory" in said[0]


@pytest.mark.unmeasured
def test_a_file_several_times_the_memory_is_trained_on(mpiexec):
    """470 MB of images are trained on by two ranks that may allocate 150 MB each."""
    images = np.lib.format.open_memmap("x.npy", "w+", np.uint8, (LARGE, 28, 28))
    images[:1000, 3, 3] = np.arange(1000) % 10
    assert images.nbytes > 2.9 * LIMIT
    del images
    np.save("y.npy", (np.arange(LARGE) % 10).astype(np.uint8))
    Path("c.yaml").write_text(MAPPED, encoding="utf-8")
    command = [mpiexec, "-n", "2", MLP, "train", "c.yaml", "--mpi", "-q"]
    run = subprocess.run(
        command, check=False, capture_output=True, encoding="utf-8", timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT)),
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("weights c.npy\ntrain accuracy ")


@pytest.mark.parametrize(("config", "key"), [(FILES, "members: 4"), (PARITY, "compat: article")])
def test_what_cannot_be_divided_is_refused(ranks, config, key):
    """Members and the article's random stream are not for several ranks, and one line says so."""
    write_images()
    text = f"{config}\neta: 0.1\nbt_size: 9\nepochs: 1\n{key}\n"
    Path("c.yaml").write_text(text, encoding="utf-8")
    run = ranks(2, "c.yaml")
    assert run.returncode == 2
    assert f"c.yaml:6: {key.partition(':')[0]}: cannot be divided among ranks; " in run.stderr


@pytest.mark.parametrize(("quiet", "times"), [((), 1), (("--quiet",), 0)])
def test_who_forgets_the_option_is_told(mpiexec, quiet, times):
    """Processes of mpiexec that train alone say so once, and with --quiet not at all."""
    words = ("-n", "1", MLP, "train", write_table(), *quiet, "-o")
    command = [mpiexec, *words, "one.npy", ":", *words, "other.npy"]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    said = "2 processes train alone; --mpi has them train one network together\n"
    assert run.stderr.count(said) == times


def test_without_mpi_a_line_says_how_to_install_it(run_mlp, monkeypatch):
    """--mpi needs an extra."""
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    run = run_mlp("train", write_table(), "--mpi")
    assert run.returncode == 2
    assert run.stderr.startswith("mlp: error: --mpi: there is no MPI: ")
    assert "pip install 'mlpcli[mpi]'" in run.stderr
