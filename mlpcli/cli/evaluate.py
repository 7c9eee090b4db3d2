"""`mlp evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpcli.cli import console, options, text_tables
from mlpcli.cli.other_tasks import show_labels, show_quantities
from mlpcli.cli.report import write_report
from mlpcli.cli.threads import limit
from mlpcli.errors import ConfigError, GateError

if TYPE_CHECKING:
    from decimal import Decimal

    from mlpcli.config.other_data import EvaluationData
    from mlpcli.evaluation.gates import Gate, GateResult, Metric


# Metrics of outputs as probabilities, as they are called.
PROBABILITIES = {
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "brier_score": "Brier score",
    "calibration_error": "calibration error",
}


@click.command(epilog="Example: mlp evaluate --weights mnist.npy --require 'accuracy>=0.97'")
@options.weights
@options.examples
@options.unknown
@click.option(
    "--top-k",
    type=click.IntRange(min=2),
    metavar="K",
    help="Count, too, how often the class is among the K largest outputs.",
)
@click.option(
    "--require",
    multiple=True,
    metavar="GATE",
    help="End with exit code 4 unless GATE holds, such as 'accuracy>=0.97' or 'recall[7]>0.9'. "
    "Repeatable.",
)
@click.option(
    "--baseline",
    type=options.PATH,
    metavar="FILE",
    help="An earlier report, written with --json, for --max-drop.",
)
@click.option(
    "--max-drop",
    multiple=True,
    metavar="METRIC=AMOUNT",
    help="End with exit code 4 if METRIC is worse than the baseline's by more than AMOUNT. "
    "Repeatable.",
)
@options.report
@options.as_json
def evaluate(
    weights: Path,
    on: "EvaluationData",
    unknown: str | None,
    top_k: int | None,
    require: tuple[str, ...],
    baseline: Path | None,
    max_drop: tuple[str, ...],
    report: Path | None,
    as_json: bool,
) -> None:
    """Evaluate a checkpoint on its dataset, and hold it to quality gates.

    Prints accuracy, mean error, balanced accuracy, macro F1, how good outputs are as
    probabilities, every class's precision, recall, F1 and support, and which classes are
    confused. Gates may name accuracy, error, balanced_accuracy, macro_f1, roc_auc, log_loss,
    brier_score, calibration_error, top_K_accuracy (with --top-k K), and precision, recall, f1,
    support and roc_auc of a class, as in recall[7]. Of quantities it prints rmse, mae,
    median_absolute_error and r2, beside those of always saying the mean; gates may name these,
    and of one target as in r2[price]. Of several labels it prints subset accuracy, macro_f1,
    micro_f1 and each label's.
    """
    limit()
    from mlpcli.data.unseen import unseen_notes
    from mlpcli.evaluation import evaluate as evaluation
    from mlpcli.evaluation import gates
    from mlpcli.evaluation.baseline import no_better
    from mlpcli.evaluation.evaluate import open_evaluated, subject

    required, drops = _parse_gates(require, baseline, max_drop)
    model = options.load_model(weights, unknown)
    class_names, task = model.encoding.class_names, model.encoding.task
    options.check_top_k(top_k, len(class_names), task)
    about = subject(weights, model, on)
    name = about["data"]
    for gate in required:
        gates.check_metric(gate.metric, "--require", class_names, top_k, task)
    for metric, _ in drops:
        gates.check_metric(metric, "--max-drop", class_names, top_k, task)
    if baseline:
        earlier = gates.read_baseline(baseline, name, about["split"], class_names, task)
        required += [gates.max_drop_gate(*drop, earlier, baseline) for drop in drops]

    opened = open_evaluated(model, on)
    table, examples = opened
    found = about | evaluation.report(model, examples, top_k, name, table.weights)
    results = gates.check(required, found)
    if report:
        write_report([weights], report, "--report", on, opened)
    if as_json:
        console.result_json(found | {"gates": [result.to_mapping() for result in results]})
    else:
        _show(found, len(table.values), task, top_k)
        _show_gates(results)
    theirs = {"accuracy": found.get("majority_accuracy"), **found.get("baseline", {})}
    console.warn_no_better(weights, found["split"], no_better(found, theirs))
    for line in unseen_notes(model.encoding, table):
        console.note(line)
    _end(weights, results)


def _parse_gates(
    require: tuple[str, ...], baseline: Path | None, max_drop: tuple[str, ...]
) -> tuple[list["Gate"], list[tuple["Metric", "Decimal"]]]:
    """Return the gates that --require gives, and how far each metric of --max-drop may fall."""
    from mlpcli.evaluation import gates

    if bool(baseline) != bool(max_drop):
        missing = "--baseline FILE" if max_drop else "--max-drop accuracy=0.01"
        raise ConfigError("mlp evaluate", "--baseline and --max-drop go together", f"add {missing}")
    required = [gates.parse_requirement(text) for text in require]
    return required, [gates.parse_max_drop(text) for text in max_drop]


def _show(report: dict[str, Any], rows: int, task: str, top_k: int | None) -> None:
    """Print what a report on so many rows says."""
    console.result(f"{report['data']} {report['split']}")
    if "weighted" in report:
        counted = text_tables.as_count(report["examples"])
        console.result(f"all figures are weighted: {rows} examples count as {counted}")
    if task == "regression":
        show_quantities(report)
    elif task == "multilabel":
        show_labels(report)
    else:
        _show_classes(report, top_k)


def _show_classes(report: dict[str, Any], top_k: int | None) -> None:
    examples = report["examples"]
    console.result(
        f"accuracy {console.format_accuracy(report['accuracy'], report['correct'], examples)}"
    )
    console.result(f"mean error {report['error']:.5g}")
    console.result(f"balanced accuracy {report['balanced_accuracy']:.4f}")
    console.result(f"macro F1 {report['macro_f1']:.4f}")
    for name, called in PROBABILITIES.items():
        shown = "-" if report[name] is None else f"{report[name]:.4f}"
        console.result(f"{called} {shown}")
    console.result(f"always the commonest class: accuracy {report['majority_accuracy']:.4f}")
    if top_k:
        console.result(f"top-{top_k} accuracy {report[f'top_{top_k}_accuracy']:.4f}")
    console.section(*text_tables.per_class(report["classes"]))
    console.section(*text_tables.confusion(list(report["classes"]), report["confusion"]))


def _show_gates(results: list["GateResult"]) -> None:
    if results:
        console.result("")
    for result in results:
        colour = "green" if result.passed else "red"
        console.result(f"gate {result.gate} ", console.styled(result.outcome, fg=colour))


def _end(weights: Path, results: list["GateResult"]) -> None:
    missed = [result for result in results if not result.passed]
    if missed:
        raise GateError(
            weights,
            f"misses {len(missed)} of {len(results)} gates: {', '.join(map(str, missed))}",
            "train on, or lower the gate",
        )
