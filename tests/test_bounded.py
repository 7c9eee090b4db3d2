"""No input takes more memory or time than its size: commands run with 1.5 GB of address space."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlpcli import atomic
from mlpcli.checkpoint import format as checkpoint

SPACE = 1_500_000_000
CONFIG = """\
structure: [2, 2]
eta: 0.1
epochs: 1
bt_size: 4
data: {train: d.csv}
"""


@pytest.fixture
def confined():
    """Return a function that runs `mlp` in 1.5 GB, for a minute of processor time at most."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))

    def run(*words, **options):
        return subprocess.run(
            [sys.executable, "-m", "mlpcli", *map(str, words)],
            check=False, capture_output=True, encoding="utf-8", preexec_fn=limit,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, **options
        )  # fmt: skip

    return run


def one_line(run, code, words):
    """Check that a run ended with a code and one line that says these words."""
    assert run.returncode == code, run.stderr[-2000:]
    assert run.stderr.count("\n") == 1, run.stderr
    assert words in run.stderr


@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("rows", [16_000, 60_000])
def test_one_long_text_in_parquet(confined, dictionary, rows):
    """A long text that a small Parquet file repeats is held once, or refused."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    long = ("x" * 400_000, "y" * 400_000)
    texts = pa.DictionaryArray.from_arrays(pa.array(np.arange(rows) % 2), pa.array(long))
    table = pa.table({"a": np.arange(float(rows)), "b": np.ones(rows), "kind": texts})
    parquet.write_table(table, "d.parquet", compression="zstd", store_schema=dictionary)
    Path("c.yaml").write_text(CONFIG.replace("d.csv", "d.parquet"), encoding="utf-8")
    run = confined("train", "c.yaml", "-q", "-o", "w.npy", "--set", f"bt_size={rows // 4}")
    assert run.returncode in (0, 1), run.stderr[-2000:]
    assert run.stderr.count("\n") <= 1
    assert "Traceback" not in run.stderr


def test_a_giant_parquet_of_one_value(confined):
    """Rows that take no bytes in the file are counted before they are made."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    zeros = np.zeros(100_000_000, np.int8)
    parquet.write_table(pa.table({"a": zeros, "kind": zeros}), "d.parquet", compression="zstd")
    Path("c.yaml").write_text(CONFIG.replace("d.csv", "d.parquet"), encoding="utf-8")
    one_line(confined("train", "c.yaml"), 1, "decompression bomb")


@pytest.mark.parametrize("size", [2**31 + 1, 2**32])
def test_sparse_weights(confined, size):
    """A file larger than the format allows is refused by its size, before it is read."""
    head = checkpoint.header({"W2": (np.dtype("<f4"), (1000,))}, size)
    with Path("w.npy").open("wb") as stream:
        stream.write(head)
        stream.truncate(len(head) + 4000 + size + 32)
    one_line(confined("show", "w.npy"), 1, "of the format")


def test_a_long_class_name(confined, parity_weights):
    """A class name of megabytes costs its own size in a prediction, not that of every example."""
    record = checkpoint.read(parity_weights)
    record.meta["class_names"] = ["x" * 10_000_000, "even"]
    atomic.write(Path("w.npy"), checkpoint.serialise(*record))
    Path("p.csv").write_text("0,0,0,0,0,0,0,0,0,0\n", encoding="utf-8")
    run = confined("predict", "--weights", "w.npy", "p.csv")
    assert run.returncode in (0, 1), run.stderr[-2000:]
    assert "memory" not in run.stderr


def test_blank_lines_on_standard_input(confined, parity_weights):
    """Any number of blank lines before the first row takes no memory."""
    blank = "yes \"$(printf '%1000s')\" | head -n 2000000"
    process = subprocess.Popen(blank, shell=True, stdout=subprocess.PIPE)
    run = confined("predict", "--weights", parity_weights, "-", stdin=process.stdout)
    process.stdout.close()
    process.wait()
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_endless_devices(confined, parity_weights):
    """/dev/zero as configuration, baseline, data, labels or weights ends in one line."""
    Path("c.yaml").write_text(CONFIG, encoding="utf-8")
    Path("d.csv").write_text("a,b,kind\n1,2,x\n2,1,y\n", encoding="utf-8")
    one_line(confined("train", "/dev/zero", "-o", "w.npy"), 2, "has more than")
    words = ["evaluate", "--weights", parity_weights]
    one_line(
        confined(*words, "--baseline", "/dev/zero", "--max-drop", "accuracy=0"), 2, "has more than"
    )
    one_line(confined(*words, "--data", "/dev/zero"), 1, "is a device")
    run = confined("train", "c.yaml", "--set", "data.train=/dev/zero")
    one_line(run, 1, "is a device")
    one_line(confined("show", "/dev/zero"), 1, "is not a regular file")


def test_pipes_in_a_configuration(confined):
    """A pipe that a configuration names, as data, labels or image, is refused, not waited for."""
    Path("d.csv").write_text("a,b,kind\n" + "1,2,x\n2,1,y\n" * 9, encoding="utf-8")
    np.save("x.npy", np.eye(2))
    for name in ("p", "x.png"):
        os.mkfifo(name)
    for folder in ("f/a", "f/b"):
        Path(folder).mkdir(parents=True)
        os.mkfifo(f"{folder}/0.png")
    Path("c.yaml").write_text(CONFIG, encoding="utf-8")
    for key in (
        "data.train=p", "data.test=p", "validation=p", "data.train=f",
        "data={train: x.npy, target: p}",
    ):  # fmt: skip
        one_line(confined("train", "c.yaml", "--set", key), 1, "is a pipe")


def test_a_shift_as_large_as_the_image(run_mlp, data_dir):
    """augment.shift that moves the image out of its frame is refused, whatever its size."""
    text = CONFIG.replace("[2, 2]", "[784, 10]").replace("{train: d.csv}", "mnist")
    Path("c.yaml").write_text(text, encoding="utf-8")
    for shift in (28, 10**8):
        run = run_mlp("train", "c.yaml", "--data-dir", data_dir, "--set", f"augment.shift={shift}")
        one_line(run, 2, "moves images of 28×28 pixels out of sight; write shift: 2")


def test_displacements_as_large_as_the_image(run_mlp, data_dir):
    """augment.elastic that leaves nothing to see is refused, and what is proposed is not."""
    text = CONFIG.replace("[2, 2]", "[784, 10]").replace("{train: d.csv}", "mnist")
    Path("c.yaml").write_text(text, encoding="utf-8")
    for sigma, alpha, problem in (
        (4, 1e300, "alpha: moves pixels by 4.07e+298, too far for images of 28×28 pixels; write "
         "alpha: 34"),
        (0.5, 22, "alpha: moves pixels by 7.17, too far for images of 28×28 pixels; write alpha: "),
        (1e300, 1, "sigma: is too smooth for images of 28×28 pixels; write sigma: 4"),
        (0.1, 1, "sigma: must be a number from 0.5, not 0.1"),
    ):  # fmt: skip
        setting = f"augment.elastic={{sigma: {sigma}, alpha: {alpha}}}"
        run = run_mlp("train", "c.yaml", "--data-dir", data_dir, "--set", setting)
        one_line(run, 2, f"augment.elastic.{problem}")
