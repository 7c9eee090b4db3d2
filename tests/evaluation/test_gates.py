"""Quality gates: what they accept, what they say, and which of them make no sense."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from mlpcli.errors import ConfigError
from mlpcli.evaluation import gates

NAMES = ("7", "a]>=1", "りんご")
REPORT = {
    "data": "mnist",
    "split": "test",
    "accuracy": 0.96,
    "error": 0.06,
    "balanced_accuracy": 0.9,
    "macro_f1": 0.95,
    "top_3_accuracy": 1.0,
    "classes": {
        "7": {"recall": 0.5, "precision": 0.25, "f1": 1 / 3, "support": 8, "accuracy": 0.5},
        "a]>=1": {"recall": 1.0},
        "りんご": {"recall": None, "support": 0},
    },
}


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("accuracy>=0.96", True), ("accuracy>0.96", False), ("accuracy<=.96", True),
        ("accuracy<0.96", False), (" accuracy  >= 9.6e-1 ", True), ("accuracy>=0.960001", False),
        ("error<=0.06", True), ("error<0.05", False), ("error<12", True),
        ("recall[7]>=0.5", True), ("recall [7] > 0.5", False), ("f1[7]>0.33", True),
        ("recall[a]>=1]>=1", True), ("support[7]>=8", True), ("support[りんご]>0", False),
        ("top_3_accuracy>=1", True), ("recall[りんご]>=0", False),
    ],
)  # fmt: skip
def test_requirements(text, passed):
    """Each comparison means what it says, for all examples and for one class."""
    gate = gates.parse_requirement(text)
    gates.check_metric(gate.metric, "--require", NAMES, 3)
    (verdict,) = gates.check([gate], REPORT)
    assert verdict.passed is passed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy>=0.97", "accuracy>=0.97 missed by 0.01 with 0.96"),
        ("error<0.05", "error<0.05 missed by 0.01 with 0.06"),
        ("accuracy>0.96", "accuracy>0.96 missed by 0 with 0.96"),
        ("macro_f1>=0.9", "macro_f1>=0.9 passed with 0.95"),
        ("recall[りんご]>=0.5", "recall[りんご]>=0.5 missed: there was nothing to measure"),
    ],
)
def test_verdicts_say_by_how_much(text, expected):
    """A verdict names the gate, the value and the distance."""
    (verdict,) = gates.check([gates.parse_requirement(text)], REPORT)
    assert str(verdict) == expected


@pytest.mark.parametrize(
    ("text", "accuracy", "error", "passed"),
    [
        ("accuracy=0.01", 0.97, 0.06, True),  # in binary, 0.97 - 0.96 is more than 0.01
        ("accuracy=0.0099", 0.97, 0.06, False),
        ("accuracy=0", 0.96, 0.06, True),
        ("accuracy=0", 0.95, 0.06, True),
        ("error=0.01", 0.9, 0.05, True),
        ("error=0.01", 0.9, 0.04, False),
    ],
)
def test_no_worse_than_a_baseline(text, accuracy, error, passed):
    """A metric may be worse by the allowance and no more: accuracy falls, error rises."""
    baseline = {**REPORT, "accuracy": accuracy, "error": error}
    gate = gates.max_drop_gate(*gates.parse_max_drop(text), baseline, "old.json")
    (verdict,) = gates.check([gate], REPORT)
    assert verdict.passed is passed
    assert "in old.json)" in str(verdict)


@pytest.mark.parametrize(
    "text",
    [
        "", "accuracy", "accuracy=0.9", "accuracy==0.9", "accuracy=>0.9", "accuracy>=", ">=0.9",
        "accuracy>=high", "accuracy>=nan", "accuracy>=0.9%", "accuracy>=1 error<1", "0.9<=error",
        "recall[]>=0.5", "recall[7>=0.5", "accuracy>=97", "recall[7]>=-1", "accuracy>=1e999",
    ],
)  # fmt: skip
def test_malformed_requirements(text):
    """What is no comparison, or asks for a share outside 0..1, is refused."""
    with pytest.raises(ConfigError, match="--require"):
        gates.parse_requirement(text)


@pytest.mark.parametrize("text", ["", "accuracy", "accuracy>=0.1", "accuracy=-0.1", "=1", "a=b"])
def test_malformed_allowances(text):
    """What is no allowance is refused."""
    with pytest.raises(ConfigError, match="--max-drop"):
        gates.parse_max_drop(text)


@pytest.mark.parametrize(
    ("metric", "class_name", "message"),
    [
        ("acuracy", None, "there is no metric acuracy; did you mean accuracy?"),
        ("gini", None, "there is no metric gini; the metrics are accuracy, error"),
        ("loss", None, "there is no metric loss; did you mean log_loss?"),
        ("examples", None, "there is no metric examples; "),
        ("confusion", "7", "there is no metric confusion; "),
        ("recall", None, "recall is of one class; name it: recall[7]"),
        ("macro_f1", "7", "macro_f1 is of all classes; write macro_f1"),
        ("recall", "77", "there is no class 77; did you mean 7?"),
        ("recall", "x", "there is no class x; the classes are 7, a]>=1, りんご"),
        ("top_5_accuracy", None, "is not measured; add --top-k 5"),
        ("x" * 5000, None, f"there is no metric {'x' * 60}; the metrics are accuracy"),
        ("recall", "x" * 5000, f"there is no class {'x' * 60}; the classes are 7"),
    ],
)
def test_metrics_that_there_are_not(metric, class_name, message):
    """A gate on what no report will hold is refused, with what was probably meant."""
    with pytest.raises(ConfigError) as caught:
        gates.check_metric(gates.Metric(metric, class_name), "--require", NAMES, 3)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file or directory"),
        (b"\xff", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "is not a report of mlp evaluate"),
        (b'{"weights": "w.npy", "test": {"accuracy": 1}}', "is not a report of mlp evaluate"),
        (json.dumps({**REPORT, "classes": [1]}).encode(), "is not a report of mlp evaluate"),
        (b'{"targets": {}}', "has no classes: its task is another; compare models of one task"),
        (json.dumps({**REPORT, "data": "parity"}).encode(), "is about parity test, but this"),
        (json.dumps({**REPORT, "split": "train"}).encode(), "is about mnist train, but this"),
        (json.dumps({**REPORT, "classes": {"7": {}}}).encode(), "is about other classes"),
    ],
)
def test_baselines_of_another_kind(content, message):
    """What is not a report about the same examples is refused, with exit code 2."""
    if content is not None:
        Path("old.json").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        gates.read_baseline(Path("old.json"), "mnist", "test", NAMES)


@pytest.mark.parametrize("value", [None, "0.9", True, [0.9]])
def test_a_baseline_without_the_metric(value):
    """A baseline in which the metric has no number cannot be compared with."""
    with pytest.raises(ConfigError, match=r"old.json: has no value for accuracy; "):
        baseline = {**REPORT, "accuracy": value}
        gates.max_drop_gate(gates.Metric("accuracy", None), Decimal(0), baseline, "old.json")
