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
OVERALL = ("accuracy", "error", "balanced_accuracy", "macro_f1")
PER_CLASS = ("precision", "recall", "f1", "support", "accuracy")
# These alone are not shares between 0 and 1.
UNBOUNDED = ("error", "support")
# Of a baseline: a report of ten thousand classes has a third of it.
MOST_BYTES = 1 << 28
LOWER_IS_BETTER = ("error",)

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
            part = report["classes"].get(self.class_name, {})
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
    metric: Metric, option: str, class_names: Sequence[str], top_k: int | None
) -> None:
    """Make sure that a report with these classes will have a metric.

    Raises:
        ConfigError: if it will not.
    """
    where = f"{option} {metric}"
    overall = (*OVERALL, *([f"top_{top_k}_accuracy"] if top_k else []))
    if metric.class_name is not None and metric.name in PER_CLASS:
        if metric.class_name not in class_names:
            remedy = did_you_mean(metric.class_name, class_names)
            remedy = remedy or f"the classes are {join_names(class_names, 10)}"
            raise ConfigError(where, f"there is no class {metric.class_name}", remedy)
    elif metric.class_name is not None and metric.name in overall:
        raise ConfigError(where, f"{metric.name} is of all classes", f"write {metric.name}")
    elif metric.class_name is None and metric.name in overall:
        return
    elif metric.name in PER_CLASS:
        example = f"{metric.name}[{class_names[0]}]"
        raise ConfigError(where, f"{metric.name} is of one class", f"name it: {example}")
    elif re.fullmatch(r"top_\d+_accuracy", metric.name):
        raise ConfigError(where, "is not measured", f"add --top-k {metric.name.split('_')[1]}")
    else:
        names = [*overall, *PER_CLASS]
        remedy = did_you_mean(metric.name, names) or f"the metrics are {', '.join(names)}"
        raise ConfigError(where, f"there is no metric {metric.name}", remedy)


def read_baseline(
    path: Path, data: str, split: str, class_names: Sequence[str]
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
    if not (
        isinstance(report, dict)
        and {"data", "split", "accuracy", "classes"} <= set(report)
        and isinstance(report["classes"], dict)
        and all(isinstance(row, dict) for row in report["classes"].values())
    ):
        raise ConfigError(path, "is not a report of mlp evaluate", remedy)
    if (report["data"], report["split"]) != (data, split):
        raise ConfigError(
            path,
            f"is about {report['data']} {report['split']}, but this is about {data} {split}",
            "compare the same examples",
        )
    if list(report["classes"]) != list(class_names):
        raise ConfigError(path, "is about other classes", "compare models of the same classes")
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
