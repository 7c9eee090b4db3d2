"""`mlp predict`: one class per example, in order, from every kind of input."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFIGS

# Of these numbers the network, which has learnt parity, must say so.
NUMBERS = [0, 1, 2, 3, 1023, 512]
CLASSES = ["even", "odd", "even", "odd", "odd", "even"]
BITS = np.array([[n >> i & 1 for i in range(9, -1, -1)] for n in NUMBERS], np.uint8)
ROWS = "".join(",".join(map(str, row)) + "\n" for row in BITS)


def idx(array):
    """Return an array of bytes as an IDX file."""
    shape = np.array(array.shape, ">u4")
    return bytes([0, 0, 8, array.ndim]) + shape.tobytes() + array.tobytes()


@pytest.fixture(scope="module")
def weights(parity_weights):
    """Return the checkpoint of ten epochs of configs/parity.yaml, enough for accuracy 1.0."""
    return parity_weights


@pytest.fixture
def predict(run_mlp, weights):
    """Return a function that runs `mlp predict` with the parity network."""
    return lambda *args, **options: run_mlp("predict", "--weights", weights, *args, **options)


def join_quoted(run):
    """Return the lines of a run that must have succeeded silently."""
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.splitlines()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
def test_npy(predict, dtype):
    """A `.npy` array of any real type is one example per row."""
    np.save("in.npy", BITS.astype(dtype))
    assert join_quoted(predict("in.npy")) == CLASSES


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((6, 10), CLASSES), ((6, 2, 5), CLASSES), ((0, 10), []), ((10,), CLASSES[:1])],
)
def test_npy_shapes(predict, shape, expected):
    """Rows may be images, one example needs no second axis, and no example is no line."""
    np.save("in.npy", BITS.ravel()[: np.prod(shape, dtype=int)].reshape(shape))
    assert join_quoted(predict("in.npy")) == expected


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gz"])
def test_idx(predict, pack):
    """An IDX file is known by its content, compressed or not."""
    Path("in").write_bytes(pack(idx(BITS)))
    assert join_quoted(predict("in")) == CLASSES


@pytest.mark.parametrize("text", [ROWS, ROWS.replace("\n", "\r\n"), "\n" + ROWS[:-1], ROWS * 400])
def test_stdin(predict, text):
    """`-` reads comma-separated rows, few or many, with either line end, blank lines ignored."""
    assert join_quoted(predict("-", input=text)) == CLASSES * max(1, len(text) // len(ROWS))


def test_empty_stdin(predict):
    """No row is no line and no error."""
    assert join_quoted(predict("-", input="")) == []


def test_inputs_keep_their_order(predict):
    """Several inputs are answered one after the other, as they were given."""
    np.save("one.npy", BITS[1])
    Path("two").write_bytes(idx(BITS[:2]))
    answers = join_quoted(predict("two", "-", "one.npy", input="1,1,1,1,1,1,1,1,1,0\n"))
    assert answers == ["even", "odd", "even", "odd"]


def test_proba(predict):
    """`--proba` adds the output for every class, in the classes' order."""
    for line, expected in zip(
        join_quoted(predict("--proba", "-", input=ROWS)), CLASSES, strict=True
    ):
        name, odd, even = line.split("\t")
        assert name == expected
        assert (float(even) > float(odd)) == (name == "even")


def test_json(predict):
    """`--json` prints an object per example, which says where the example was."""
    np.save("in.npy", BITS[:2])
    rows = [json.loads(line) for line in join_quoted(predict("--json", "in.npy", "-", input=ROWS))]
    assert rows[:3] == [
        {"input": "in.npy", "row": 0, "class": "even"},
        {"input": "in.npy", "row": 1, "class": "odd"},
        {"input": "-", "row": 0, "class": "even"},
    ]
    (row,) = map(json.loads, join_quoted(predict("--json", "--proba", "-", input=ROWS[:20])))
    assert list(row["proba"]) == ["odd", "even"]
    assert 1 >= row["proba"]["even"] > row["proba"]["odd"] >= 0


def write_array(array):
    """Return a function that saves an array as the input."""
    return lambda: np.save("in.npy", array, allow_pickle=True)


NAN, INFINITY = np.ones((2, 6, 10))
NAN[4, 7], INFINITY[0, 9] = np.nan, -np.inf
BAD_FILES = {
    "missing": (lambda: None, "no such file or directory"),
    "folder": (lambda: Path("in.npy").mkdir(), "holds no images"),
    "empty": (lambda: Path("in.npy").touch(), "is empty"),
    "width": (write_array(np.zeros((3, 11))), "has shape (3, 11), and the network takes 10"),
    "transposed": (write_array(BITS.T), "has shape (10, 6), and the network takes 10 features"),
    "nan": (write_array(NAN), "holds nan in row 4, feature 7"),
    "inf": (write_array(INFINITY), "holds -inf in row 0, feature 9"),
    "complex": (write_array(BITS * 1j), "holds elements of type complex128, not numbers"),
    "words": (write_array(np.array(["a"])), "holds elements of type <U1, not numbers"),
    "objects": (write_array(np.array([None])), "holds Python objects"),
    "short npy": (lambda: Path("in.npy").write_bytes(b"\x93NUMPY\1\0"), "is damaged: "),
    "short idx": (lambda: Path("in.npy").write_bytes(idx(BITS)[:-1]), "is damaged: its header"),
    "short gz": (
        lambda: Path("in.npy").write_bytes(gzip.compress(idx(BITS))[:-9]),
        "is damaged: it cannot be unpacked",
    ),
}


@pytest.mark.parametrize(("write", "problem"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files_are_one_line(predict, write, problem):
    """A file that cannot be judged is refused with exit 1, naming the file and what is wrong."""
    write()
    run = predict("in.npy")
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert run.stderr.startswith(f"mlp: error: in.npy: {problem}")


def test_a_checkpoint_is_no_input(predict, weights):
    """Weights given as input are recognised as such."""
    assert f"{weights}: holds a checkpoint, not numbers; " in predict(weights).stderr


BAD_ROWS = {
    "few": (b"1,0\n", "-:1: has 2 values; the network takes 10"),
    "many": (ROWS.encode() + b"0," * 10 + b"0\n", "-:7: has 11 values; the first line has 10"),
    "word": (b"\n0,0,x y,0,0,0,0,0,0,0\n", "-:2: column 3: 'x y' is not a finite number; "),
    "gap": (b"0,0,0,0,0,0,0,0,0,\n", "-:1: column 10: '' is not a finite number; "),
    "nan": (b"nan,0,0,0,0,0,0,0,0,0\n", "-:1: column 1: 'nan' is not a finite number; "),
    "inf": (b"0,1e999,0,0,0,0,0,0,0,0\n", "-:1: column 2: '1e999' is not a finite number; "),
    "binary": (b"\xff,0,0,0,0,0,0,0,0,0\n", "-:1: is not UTF-8; "),
}


@pytest.mark.parametrize(("rows", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows_are_one_line(predict, rows, message):
    """A row that cannot be judged is refused with exit 1, naming its line and column."""
    run = predict("-", input=rows)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert run.stderr.startswith(f"mlp: error: {message}")


def test_closed_stdin(weights):
    """Without a standard input, `-` says so."""
    run = bash('mlp predict --weights "$W" - <&-', weights)
    assert run.returncode == 1
    assert run.stderr.startswith("mlp: error: -: standard input is closed; ")


def test_values_beyond_the_arithmetic(run_mlp):
    """Values that float32 cannot hold give one line that names their place, never a warning."""
    text = (CONFIGS / "parity.yaml").read_text(encoding="utf-8")
    text = text.replace("1000", "2").replace("compat: article", "")
    Path("c.yaml").write_text(text, encoding="utf-8")
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    for cells in (["1e300"] + ["0"] * 9, ["0"] * 9 + ["-1e39"], ["1e300"] * 10):
        run = run_mlp("predict", "--weights", "c.npy", "-", input="\n" + ",".join(cells) + "\n")
        assert run.returncode == 1
        column, value = next((i, cell) for i, cell in enumerate(cells, 1) if cell != "0")
        assert run.stderr == (
            f"mlp: error: -:2: column {column}: {float(value):g} is too large for the network's "
            "float32 arithmetic; give it in the units of the training data\n"
        )


def test_a_reader_may_leave(weights):
    """`mlp predict ... | head -1` ends quietly, by SIGPIPE as cat does."""
    np.save("many.npy", np.tile(BITS, (20_000, 1)))
    run = bash('mlp predict --weights "$W" many.npy | head -1; echo "${PIPESTATUS[@]}"', weights)
    assert (run.stdout, run.stderr) == ("even\n141 0\n", "")


def bash(script, weights):
    """Run a script in which `mlp` is the installed program and $W a checkpoint."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script],
        check=False,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PATH": path, "W": str(weights)},
        timeout=120,
    )
