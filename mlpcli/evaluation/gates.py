"""Quality gates: what a report's metrics must come to, and by how much they miss it."""

import json
import operator
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite
from pathlib import Path
from typing import Any, NamedTuple

from mlpcli.errors import ConfigError, did_you_mean, join_names, os_reason

COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
QUANTITIES = ("rmse", "mae", "median_absolute_error", "r2")


class TaskMetrics(NamedTuple):
    """The metrics that reports of a task have."""

    overall: tuple[str, ...]
    per_name: tuple[str, ...]
    """Those of one class, target or label."""
    part: str
    """Where in a report these are."""
    one: str
    """What one of the names is called."""


METRICS = {
    "classification": TaskMetrics(
        (
            "accuracy",
            "error",
            "balanced_accuracy",
            "macro_f1",
            "roc_auc",
            "log_loss",
            "brier_score",
            "calibration_error",
        ),
        ("precision", "recall", "f1", "support", "accuracy", "roc_auc"),
        "classes",
        "class",
    ),
    "regression": TaskMetrics((*QUANTITIES, "error"), QUANTITIES, "targets", "target"),
    "multilabel": TaskMetrics(
        ("accuracy", "error", "macro_f1", "micro_f1"),
        ("precision", "recall", "f1", "support"),
        "labels",
        "label",
    ),
}
# These alone are not shares between 0 and 1.
UNBOUNDED = ("error", "support", "log_loss", "brier_score", *QUANTITIES)
# Of a baseline: a report of ten thousand classes has a third of it.
MOST_BYTES = 1 << 28
LOWER_IS_BETTER = (
    "error",
    "log_loss",
    "brier_score",
    "calibration_error",
    "rmse",
    "mae",
    "median_absolute_error",
)

_METRIC = r"(?P<metric>\w+)\s*(?:\[(?P<class>.+)\])?"
_NUMBER = r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)"
_REQUIREMENT = re.compile(rf"\s*{_METRIC}\s*(?P<op>[<>]=?)\s*{_NUMBER}\s*", re.ASCII)
_DROP = re.compile(rf"\s*{_METRIC}\s*=\s*{_NUMBER}\s*", re.ASCII)


class Metric(NamedTuple):
    """A number of a report: of all examples, or of one class."""

    name: str
    class_name: str | None

    def of(self, report: Mapping[str, Any]) -> Decimal | None:
        """Return its value, to the digits the report shows; None where it has none."""
        part = report
        if self.class_name is not None:
            parts = next(report[task.part] for task in METRICS.values() if task.part in report)
            part = parts.get(self.class_name, {})
        value = part.get(self.name)
        return None if type(value) not in (int, float) else Decimal(str(value))

    def __str__(self) -> str:
        return self.name if self.class_name is None else f"{self.name}[{self.class_name}]"


class Gate(NamedTuple):
    """A comparison that a report must satisfy."""

    metric: Metric
    comparison: str
    """A name in `COMPARISONS`."""
    bound: Decimal
    why: str = ""
    """Where the bound comes from, if it was not given as such."""

    def __str__(self) -> str:
        return f"{self.metric}{self.comparison}{_short(self.bound)}{self.why}"


class GateResult(NamedTuple):
    """Whether a report satisfies a gate."""

    gate: Gate
    value: Decimal | None
    passed: bool

    def __str__(self) -> str:
        return f"{self.gate} {self.outcome}"

    @property
    def missed_by(self) -> Decimal | None:
        """How far the value is from the bound; None for a gate passed, or without a value."""
        return None if self.passed or self.value is None else abs(self.gate.bound - self.value)

    @property
    def outcome(self) -> str:
        """Say whether the gate was passed, and what the value was."""
        if self.value is None:
            return "missed: there was nothing to measure"
        if self.missed_by is None:
            return f"passed with {_short(self.value)}"
        return f"missed by {_short(self.missed_by)} with {_short(self.value)}"

    def to_mapping(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        numbers = {"bound": self.gate.bound, "value": self.value, "missed_by": self.missed_by}
        shown = {name: None if n is None else float(n) for name, n in numbers.items()}
        return {"gate": str(self.gate), **shown, "passed": self.passed}


def parse_metric(text: str, option: str) -> Metric:
    """Parse a metric such as `accuracy` or `recall[7]`, which `option` names.

    Raises:
        ConfigError: if it is none.
    """
    match = re.fullmatch(_METRIC, text, re.ASCII)
    if not match:
        raise ConfigError(f"{option} {text}", "is no metric", "write accuracy, or recall[CLASS]")
    return Metric(match["metric"], match["class"])


def parse_requirement(text: str) -> Gate:
    """Parse a comparison such as `accuracy>=0.97` or `recall[7]>0.9`.

    Raises:
        ConfigError: if it is none.
    """
    match = _REQUIREMENT.fullmatch(text)
    where = f"--require {text}"
    if not match or not isfinite(float(match["number"])):
        raise ConfigError(
            where, "is not METRIC, one of >= <= > <, and a number", "write accuracy>=0.97"
        )
    metric, bound = Metric(match["metric"], match["class"]), Decimal(match["number"])
    if metric.name not in UNBOUNDED and not 0 <= bound <= 1:
        raise ConfigError(where, f"{metric} lies between 0 and 1", "write 0.97 for 97 %")
    return Gate(metric, match["op"], bound)


def parse_max_drop(text: str) -> tuple[Metric, Decimal]:
    """Parse an allowance such as `accuracy=0.01`.

    Raises:
        ConfigError: if it is none.
    """
    match = _DROP.fullmatch(text)
    if not match or not 0 <= float(match["number"]) < inf:
        raise ConfigError(
            f"--max-drop {text}", "is not METRIC=AMOUNT, from 0", "write accuracy=0.01"
        )
    return Metric(match["metric"], match["class"]), Decimal(match["number"])


def max_drop_gate(
    metric: Metric, allowance: Decimal, baseline: Mapping[str, Any], name: object
) -> Gate:
    """Make a gate of a metric that may be worse than a baseline's by an allowance.

    Raises:
        ConfigError: if the baseline does not have the metric.
    """
    before = metric.of(baseline)
    if before is None:
        raise ConfigError(
            name, f"has no value for {metric}", "write it anew with mlp evaluate --json"
        )
    if metric.name in LOWER_IS_BETTER:
        return Gate(metric, "<=", before + allowance, f" ({_short(before)} in {name})")
    return Gate(metric, ">=", before - allowance, f" ({_short(before)} in {name})")


def check_metric(
    metric: Metric,
    option: str,
    class_names: Sequence[str],
    top_k: int | None,
    task: str = "classification",
) -> None:
    """Make sure that a report of a task with these classes, targets or labels will have a metric.

    Raises:
        ConfigError: if it will not.
    """
    where = f"{option} {metric}"
    overall, per_name, part, one = METRICS[task]
    overall = (*overall, *([f"top_{top_k}_accuracy"] if top_k else []))
    if metric.class_name is not None and metric.name in per_name:
        if metric.class_name not in class_names:
            remedy = did_you_mean(metric.class_name, class_names)
            remedy = remedy or f"the {part} are {join_names(class_names, 10)}"
            raise ConfigError(where, f"there is no {one} {metric.class_name[:60]}", remedy)
    elif metric.class_name is not None and metric.name in overall:
        raise ConfigError(where, f"{metric.name} is of all {part}", f"write {metric.name}")
    elif metric.class_name is None and metric.name in overall:
        return
    elif metric.name in per_name:
        example = f"{metric.name}[{class_names[0]}]"
        raise ConfigError(where, f"{metric.name} is of one {one}", f"name it: {example}")
    elif re.fullmatch(r"top_\d+_accuracy", metric.name) and task == "classification":
        raise ConfigError(where, "is not measured", f"add --top-k {metric.name.split('_')[1]}")
    else:
        names = [*dict.fromkeys((*overall, *per_name))]
        remedy = did_you_mean(metric.name, names) or f"the metrics are {', '.join(names)}"
        raise ConfigError(where, f"there is no metric {metric.name[:60]}", remedy)


def read_baseline(
    path: Path, data: str, split: str, class_names: Sequence[str], task: str = "classification"
) -> Mapping[str, Any]:
    """Read the report of an earlier `mlp evaluate --json` on the same examples.

    Raises:
        ConfigError: if the file is missing, no such report, or one of other examples.
    """
    remedy = "write one with mlp evaluate --json"
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError(path, f"has more than {MOST_BYTES} bytes", remedy)
        report = json.loads(content, parse_constant=_no_constant)
    except OSError as error:
        raise ConfigError(path, os_reason(error), remedy) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(path, f"is not JSON: {error}", remedy) from error
    part = METRICS[task].part
    parts = {metrics.part for metrics in METRICS.values()}
    if isinstance(report, dict) and part not in report and parts & set(report):
        raise ConfigError(path, f"has no {part}: its task is another", "compare models of one task")
    if not (
        isinstance(report, dict)
        and {"data", "split", "error", part} <= set(report)
        and isinstance(report[part], dict)
        and all(isinstance(row, dict) for row in report[part].values())
    ):
        raise ConfigError(path, "is not a report of mlp evaluate", remedy)
    if (report["data"], report["split"]) != (data, split):
        raise ConfigError(
            path,
            f"is about {report['data']} {report['split']}, but this is about {data} {split}",
            "compare the same examples",
        )
    if list(report[part]) != list(class_names):
        raise ConfigError(path, f"is about other {part}", f"compare models of the same {part}")
    return report


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def check(gates: Sequence[Gate], report: Mapping[str, Any]) -> list[GateResult]:
    """Compare a report with every gate, in decimal digits: 0.97 less 0.01 is 0.96."""
    results = []
    for gate in gates:
        value = gate.metric.of(report)
        passed = value is not None and COMPARISONS[gate.comparison](value, gate.bound)
        results.append(GateResult(gate, value, passed))
    return results


def _short(n: Decimal) -> str:
    return f"{float(n):.6g}"
