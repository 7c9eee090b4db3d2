"""The report of `mlp evaluate`, and the gates it is held to."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlpcli.cli.main import mlp
from mlpcli.data import load
from mlpcli.errors import ConfigError

REPORT = """\
parity test
accuracy 1.0000 (324 of 324)
mean error ...
balanced accuracy 1.0000
macro F1 1.0000
ROC AUC 1.0000
log loss ...
Brier score ...
calibration error ...
always the commonest class: accuracy 0.5000
top-2 accuracy 1.0000

class  precision  recall      f1  support
odd       1.0000  1.0000  1.0000      162
even      1.0000  1.0000  1.0000      162

confusion (a row per class, a column per prediction)
      odd  even
odd   162     .
even    .   162

gate recall[odd]>=0.9 passed with 1
gate error<0.001 missed by ...
"""
GATES = ["--top-k", "2", "--require", "recall[odd]>=0.9", "--require", "error<0.001"]


@pytest.fixture
def evaluate(run_mlp, parity_weights):
    """Return a function that runs `mlp evaluate` on the parity network."""
    return lambda *args, **options: run_mlp(
        "evaluate", "--weights", parity_weights, *args, **options
    )


def without_errors(text):
    """Return a report without the numbers that depend on the arithmetic's last digits."""
    names = "mean error|missed by|log loss|Brier score|calibration error"
    return re.sub(rf"({names}) .*", r"\1 ...", text)


def test_a_missed_gate_comes_after_the_whole_report(evaluate, parity_weights):
    """The report and every verdict are printed, then exit 4 with one line that says by how much."""
    run = evaluate(*GATES)
    assert without_errors(run.stdout) == REPORT
    assert (run.returncode, run.stderr.count("\n")) == (4, 1)
    start = f"mlp: error: {parity_weights}: misses 1 of 2 gates: error<0.001 missed by 0.0"
    assert run.stderr.startswith(start)


def test_passed_gates_exit_0(evaluate):
    """Gates that hold are shown and change nothing else."""
    run = evaluate("--require", "accuracy>=1", "--require", "support[even]<163")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith(
        "accuracy>=1 passed with 1\ngate support[even]<163 passed with 162\n"
    )


def test_json_holds_the_whole_report(evaluate):
    """`--json` has every metric, the matrix and the verdicts, also when a gate is missed."""
    run = evaluate("--json", *GATES)
    report = json.loads(run.stdout)
    assert run.returncode == 4
    assert list(report) == [
        "weights", "data", "split", "accuracy", "correct", "examples", "error",
        "balanced_accuracy", "macro_f1", "top_2_accuracy", "majority_accuracy", "log_loss",
        "brier_score", "calibration_error", "roc_auc", "classes", "confusion", "gates",
    ]  # fmt: skip
    assert report["classes"]["odd"] == {
        "accuracy": 1.0, "correct": 162, "examples": 162,
        "precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 162,
        "roc_auc": 1.0,
    }  # fmt: skip
    assert report["confusion"] == [[162, 0], [0, 162]]
    passed, missed = report["gates"]
    assert passed == {
        "gate": "recall[odd]>=0.9", "bound": 0.9, "value": 1.0, "missed_by": None, "passed": True,
    }  # fmt: skip
    assert (missed["passed"], missed["value"]) == (False, report["error"])
    assert missed["missed_by"] == pytest.approx(report["error"] - 0.001)


@pytest.mark.parametrize(
    ("before", "drop", "code"), [(1.0, "0", 0), (0.5, "0", 0), (1.1, "0.05", 4)]
)
def test_a_baseline(evaluate, before, drop, code):
    """A model may be worse than a saved report by the allowance, and no more."""
    report = json.loads(evaluate("--json").stdout)
    Path("old.json").write_text(json.dumps({**report, "accuracy": before}))
    run = evaluate("--baseline", "old.json", "--max-drop", f"accuracy={drop}")
    assert run.returncode == code
    assert f"accuracy>={before - float(drop):g} ({before:g} in old.json) " in run.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--require", "acuracy>=1"], "did you mean accuracy?"),
        (["--require", "accuracy=1"], "is not METRIC"),
        (["--require", "recall[seven]>=0.5"], "there is no class seven"),
        (["--require", "top_2_accuracy>=0.5"], "add --top-k 2"),
        (["--top-k", "3"], "3 is more than the 2 classes"),
        (["--baseline", "old.json"], "add --max-drop"),
        (["--max-drop", "accuracy=0.1"], "add --baseline"),
        (["--baseline", "old.json", "--max-drop", "accuracy=0.1"], "is not a report"),
        (["--baseline", "gone.json", "--max-drop", "accuracy=0.1"], "no such file"),
        (["--baseline", "old.json", "--max-drop", "recall[x]=0.1"], "there is no class x"),
    ],
)
def test_gate_mistakes_come_before_any_work(monkeypatch, parity_weights, capsys, options, message):
    """A gate that makes no sense exits 2 before a dataset is opened."""
    monkeypatch.setattr(load, "load_data", lambda *_: pytest.fail("the dataset was opened"))
    Path("old.json").write_text('{"accuracy": 1}')
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        mlp(["evaluate", "--weights", str(parity_weights), *options], standalone_mode=False)
    assert caught.value.exit_code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("no_colour", ["", "1"])
def test_a_terminal_adds_nothing_but_colour(evaluate, parity_weights, no_colour):
    """On a terminal the same text comes in colour, and with NO_COLOR the very same text."""
    import pty

    program = [sys.executable, "-m", "mlpcli", "evaluate", "--weights", str(parity_weights), *GATES]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "NO_COLOR": no_colour, "TERM": "xterm"}
    with subprocess.Popen(program, stdout=theirs, stderr=subprocess.PIPE, env=environment) as run:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # how Linux says that the other side has ended
            pass
        run.stderr.read()
    os.close(ours)
    text = shown.decode().replace("\r\n", "\n")
    assert ("\x1b[" in text) is not bool(no_colour)
    assert re.sub(r"\x1b\[[0-9;]*m", "", text) == evaluate(*GATES).stdout
