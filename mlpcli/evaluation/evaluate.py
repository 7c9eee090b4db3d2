"""The report on a model: every metric, as JSON values."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.other_data import EvaluationData
from mlpcli.data import load
from mlpcli.data.dataset import Examples, Opened
from mlpcli.data.labelled import open_labelled
from mlpcli.errors import DataError
from mlpcli.evaluation.baseline import baseline_accuracy
from mlpcli.evaluation.other_tasks import labels_report, quantities_report
from mlpcli.model import Model, Weights
from mlpcli.nn import metrics
from mlpcli.nn.multilabel import LabelEvaluation
from mlpcli.nn.probabilities import (
    as_probabilities,
    brier_score,
    calibration_error,
    log_loss,
    mean_area,
    roc_auc,
)
from mlpcli.nn.residuals import QuantityEvaluation


def open_evaluated(model: Model, on: EvaluationData) -> Opened:
    """Open the examples to evaluate a model on: of a file, or a split of its own data.

    Raises:
        DataError: if there is no such split, or something in the data is wrong.
    """
    experiment, encoding = model.experiment, model.encoding
    if on.file:
        files = on.written.like(experiment.data.files)
        return open_labelled(on.file, encoding, files, on.target, dtype=experiment.dtype)
    opened = load.open_split(experiment, encoding, model.fingerprint, on.data_dir, on.split)
    if opened is None:
        name = experiment.data.name
        raise DataError(name, "has no test split", "use --split train, or --data FILE")
    return opened


def subject(weights: Path, model: Model, on: EvaluationData) -> dict[str, str]:
    """Return what a report is about: a checkpoint, and the examples of `open_evaluated`."""
    name = str(on.file or model.experiment.data.name)
    return {"weights": str(weights), "data": name, "split": "data" if on.file else on.split}


def report(
    model: Model,
    examples: Examples,
    top_k: int | None = None,
    where: str = "examples",
    weights: Weights = None,
) -> dict[str, Any]:
    """Evaluate a model on labelled examples.

    Args:
        model: a trained model.
        examples: one or more, in the units of the training data.
        top_k: say, too, how often the class is among the k largest outputs.
        where: what the examples are called in an error.
        weights: (n,) how much each example counts, in every metric; None for 1.

    Raises:
        DataError: as `Model.evaluate` does.

    Returns:
        Metrics by name, and whether they are `weighted`. Of a classification also `classes`, the
        same for every class by its name, None where there was nothing to divide by; and
        `confusion`, a row per class and a column per prediction. Of other tasks see `other_tasks`.
    """
    # As in `Model.evaluate`.
    weights = weights if weights is not None and weights.any() else None
    evaluation = model.evaluate(examples, where, weights)
    told: dict[str, Any] = {} if weights is None else {"weighted": True}
    if isinstance(evaluation, QuantityEvaluation):
        return quantities_report(evaluation, model.encoding) | told
    told |= {"majority_accuracy": baseline_accuracy(model.encoding, examples, weights)}
    if isinstance(evaluation, LabelEvaluation):
        return labels_report(evaluation, model.encoding.class_names) | told
    counts = evaluation.confusion
    found = {**evaluation.summary(), "error": evaluation.error, **of_counts(counts)}
    outputs = all_outputs(model, examples)
    if top_k:
        among = metrics.in_top_k(examples.labels, outputs, top_k)
        found[f"top_{top_k}_accuracy"] = float(np.average(among, weights=weights))
    probabilities = as_probabilities(outputs)
    areas = roc_auc(examples.labels, probabilities, weights)
    of_all = of_probabilities(examples.labels, probabilities, areas, weights)
    found |= told | {name: _json(value) for name, value in of_all.items()}
    classes = per_class(counts, model.encoding.class_names)
    for row, area in zip(classes.values(), areas.tolist(), strict=True):
        row["roc_auc"] = _json(area)
    return found | {"classes": classes, "confusion": counts.tolist()}


def all_outputs(model: Model, examples: Examples) -> NDArray[np.floating]:
    """Return a^(L) of one or more examples, (n, n_L)."""
    return np.concatenate([a.copy() for a in model.predict_batches(examples.features)])


def of_counts(counts: metrics.Counts) -> dict[str, float]:
    """Return the metrics that follow from a confusion matrix and treat all classes alike."""
    return {
        "balanced_accuracy": metrics.balanced_accuracy(counts),
        "macro_f1": metrics.macro_f1(counts),
    }


def of_probabilities(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.float64],
    areas: NDArray[np.float64],
    weights: Weights = None,
) -> dict[str, float]:
    """Return the metrics of outputs as probabilities; NaN where one has no value.

    Args:
        labels: (n,) classes.
        probabilities: (n, n_L), whose rows add up to 1.
        areas: (n_L,) under each class's ROC curve.
        weights: (n,) what each example counts; None for 1.
    """
    return {
        "log_loss": log_loss(labels, probabilities, weights),
        "brier_score": brier_score(labels, probabilities, weights),
        "calibration_error": calibration_error(labels, probabilities, weights),
        "roc_auc": mean_area(areas),
    }


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None


def per_class(counts: metrics.Counts, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return the metrics of every class; its accuracy is its recall."""
    columns = {
        "accuracy": metrics.recall(counts),
        "correct": counts.diagonal(),
        "examples": metrics.support(counts),
        "precision": metrics.precision(counts),
        "recall": metrics.recall(counts),
        "f1": metrics.f1(counts),
        "support": metrics.support(counts),
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return {
        name: {
            column: None if math.isnan(value) else value
            for column, value in zip(columns, row, strict=True)
        }
        for name, row in zip(names, rows, strict=True)
    }
