"""What is shown of models of quantities, and of several labels."""

from collections.abc import Mapping
from typing import Any

from mlpcli.cli import console, text_tables

# Metrics of quantities, as they are called.
CALLED = {"rmse": "RMSE", "mae": "MAE", "median_absolute_error": "median", "r2": "R²"}


def format_summary(task: str, summary: dict[str, Any]) -> str:
    """Return what an evaluation came to, in a few words."""
    if task == "regression":
        shown = (f"{CALLED[name]} {_number(summary[name])}" for name in ("rmse", "mae", "r2"))
        return f"{', '.join(shown)} ({text_tables.as_count(summary['examples'])} examples)"
    called = "accuracy" if task == "classification" else "subset accuracy"
    return f"{called} {console.format_accuracy(**summary)}"


def format_baseline(least: Mapping[str, float | None]) -> str:
    """Return what always saying the same comes to, in a few words."""
    if "accuracy" in least:
        return f"accuracy {least['accuracy']:.4f}"
    return ", ".join(f"{CALLED[name]} {_number(least[name])}" for name in ("rmse", "mae", "r2"))


def show_quantities(report: dict[str, Any]) -> None:
    """Print a table of the metrics of each target, in its units, the baseline's below."""
    targets = report["targets"]
    rows = []
    for name, found in targets.items():
        rows.append([text_tables.truncate(name, 30), *_cells(found)])
        rows.append(["  always the mean", *_cells(found["baseline"])])
    if len(targets) > 1:
        rows.append(["mean of the targets", *_cells(report)])
        rows.append(["  always the mean", *_cells(report["baseline"])])
    shown = text_tables.as_count(report["examples"])
    console.result(f"{shown} examples, mean error {report['error']:.5g}")
    console.section(*text_tables.table(["target", *CALLED.values()], rows))


def show_labels(report: dict[str, Any]) -> None:
    """Print subset accuracy, F1, and a table of the labels."""
    shown = {name: report[name] for name in ("accuracy", "correct", "examples")}
    console.result(format_summary("multilabel", shown))
    console.result(f"always the commonest labels: {report['majority_accuracy']:.4f}")
    console.result(f"mean error {report['error']:.5g}")
    console.result(f"macro F1 {report['macro_f1']:.4f}")
    console.result(f"micro F1 {report['micro_f1']:.4f}")
    console.section(*text_tables.per_class(report["labels"], "label"))


def _cells(found: dict[str, Any]) -> list[str]:
    return [_number(found[name]) for name in CALLED]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"
