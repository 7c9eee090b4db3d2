"""Nothing raw from a file reaches the terminal: escapes, line ends, bidi overrides, surrogates."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from mlpcli import atomic
from mlpcli.checkpoint import format as checkpoint
from mlpcli.errors import DataError, json_line, one_line, printable
from mlpcli.prediction.layouts import ClassLayout
from mlpcli.prediction.outputs import PredictedBatch, write_jsonl, write_text

# A title for the window, red, C1's CSI, a new line, a bidi override, half a pair, and letters.
NASTY = "\x1b]0;t\x07\x1b[31m\x9b31m\nline\ttab\r\u202eevil\u2028\udce9é漢"
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]")


def test_printable():
    """Each character that does something becomes an escape, and letters stay."""
    assert printable(NASTY) == (
        r"\x1b]0;t\x07\x1b[31m\x9b31m\nline\ttab\r\u202eevil\u2028\udce9é漢"
    )
    assert one_line("a\n b\x1b") == r"a b\x1b"
    assert str(DataError("a\nb\x1b[31m", "is\rodd", "mend it")) == r"a b\x1b[31m: is odd; mend it"


def test_json_escapes_and_stays_the_same():
    """What is not to be printed is an escape in JSON, and is read back as it was."""
    line = json_line({NASTY: NASTY, "ü": 1})
    assert not RAW.search(line)
    assert "ü" in line
    assert json.loads(line) == {NASTY: NASTY, "ü": 1}


@pytest.fixture
def nasty(parity_weights):
    """Write a checkpoint whose class has such a name, and one example."""
    record = checkpoint.read(parity_weights)
    # Not the surrogate: UTF-8 has none.
    record.meta["class_names"] = [NASTY.replace("\udce9", ""), "x"]
    atomic.write(Path("w.npy"), checkpoint.serialise(*record))
    Path("p.csv").write_text("0,0,0,0,0,0,0,0,0,1\n" * 3, encoding="utf-8")


@pytest.mark.usefixtures("nasty")
@pytest.mark.parametrize(
    "words",
    [
        ["show", "w.npy"], ["show", "w.npy", "--json"], ["show", "w.npy", "--config"],
        ["compare", "w.npy"], ["compare", "w.npy", "--json"], ["compare", "\x1b[31m\nno*"],
        ["evaluate", "--weights", "w.npy"], ["evaluate", "--weights", "w.npy", "--json"],
        ["evaluate", "--weights", "w.npy", "--require", "recall[\x1b[2J]>0"],
        ["predict", "--weights", "w.npy", "p.csv"],
        ["predict", "--weights", "w.npy", "p.csv", "--json"],
        ["predict", "--weights", "w.npy", "\x1b[31mno\nfile"], ["show", "\x9bno\n"],
        ["train", "\x1bx\n.yaml"], ["\x1b[31m"], ["train", "--set\x1b"],
    ],
)  # fmt: skip
def test_commands_print_nothing_raw(run_mlp, words):
    """No command prints a control character that a file or an argument has."""
    run = run_mlp(*words)
    assert not RAW.search(run.stdout), run.stdout
    assert not RAW.search(run.stderr), run.stderr
    assert run.stderr.count("\n") <= 1
    assert "internal" not in run.stderr


def predicted(write, top_k):
    """Return what is written of three examples of classes with such a name."""
    stream = io.BytesIO()
    batch = PredictedBatch("p.csv", 0, np.array([[0.9, 0.1]] * 3))
    write(stream, iter([batch]), ClassLayout((NASTY, "x"), top_k, False))
    return stream.getvalue().decode()


def test_a_line_for_each_example():
    """A class name with line ends and tabs does not add lines or cells to predictions."""
    assert predicted(write_text, 2) == f"{printable(NASTY)}\tx\n" * 3
    rows = predicted(write_jsonl, 2)
    assert not RAW.search(rows)
    assert [json.loads(row)["top"] for row in rows.splitlines()] == [[NASTY, "x"]] * 3


def test_columns(run_mlp):
    """A column's name in the notes of training, and in a finding, is printable."""
    rows = "".join(f"{i},{'pq'[i % 2]},{'xy'[i % 3 == 0]}\n" for i in range(60))
    Path("d.csv").write_text(f"a,b\u202e,kind\n{rows}", encoding="utf-8")
    run_mlp("init", "d.csv")
    for words in (["train", "d.yaml", "--set", "epochs=1"], ["check", "d.yaml"]):
        run = run_mlp(*words)
        assert "internal" not in run.stderr
        assert not RAW.search(run.stdout + run.stderr)
