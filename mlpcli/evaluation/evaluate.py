"""The report on a model: every metric, as JSON values."""

import math
from typing import Any

import numpy as np

from mlpcli.data.dataset import Examples
from mlpcli.evaluation.other_tasks import labels_report, quantities_report
from mlpcli.model import Model
from mlpcli.nn import metrics
from mlpcli.nn.inference import predict_batches
from mlpcli.nn.multilabel import LabelEvaluation
from mlpcli.nn.probabilities import (
    as_probabilities,
    brier_score,
    calibration_error,
    log_loss,
    roc_auc,
)
from mlpcli.nn.residuals import QuantityEvaluation


def report(
    model: Model, examples: Examples, top_k: int | None = None, where: str = "examples"
) -> dict[str, Any]:
    """Evaluate a model on labelled examples.

    Args:
        model: a trained model.
        examples: one or more, in the units of the training data.
        top_k: say, too, how often the class is among the k largest outputs.
        where: what the examples are called in an error.

    Raises:
        DataError: as `Model.evaluate` does.

    Returns:
        Metrics by name. Of a classification also `classes`, the same for every class by its name,
        None where there was nothing to divide by; and `confusion`, a row per class and a column per
        prediction. Of other tasks see `other_tasks`.
    """
    evaluation = model.evaluate(examples, where)
    if isinstance(evaluation, QuantityEvaluation):
        return quantities_report(evaluation, model.encoding)
    if isinstance(evaluation, LabelEvaluation):
        return labels_report(evaluation, model.encoding.class_names)
    counts = evaluation.confusion
    found = {
        **evaluation.summary(),
        "error": evaluation.error,
        "balanced_accuracy": metrics.balanced_accuracy(counts),
        "macro_f1": metrics.macro_f1(counts),
    }
    if top_k:
        found[f"top_{top_k}_accuracy"] = _top_k_accuracy(model, examples, top_k)
    found["majority_accuracy"] = evaluation.majority_accuracy
    of_probabilities, areas = _probabilities(model, examples)
    found |= of_probabilities
    classes = per_class(counts, model.encoding.class_names)
    for row, area in zip(classes.values(), areas, strict=True):
        row["roc_auc"] = area
    return found | {"classes": classes, "confusion": counts.tolist()}


def _probabilities(
    model: Model, examples: Examples
) -> tuple[dict[str, float | None], list[float | None]]:
    """Return the metrics of outputs as probabilities, and each class's area under its ROC curve."""
    chunks = [a.copy() for _, a in predict_batches(model.network, examples.features)]
    outputs = as_probabilities(np.concatenate(chunks))
    areas = roc_auc(examples.labels, outputs)
    known = areas[~np.isnan(areas)]
    found = {
        "log_loss": log_loss(examples.labels, outputs),
        "brier_score": brier_score(examples.labels, outputs),
        "calibration_error": calibration_error(examples.labels, outputs),
        "roc_auc": float(known.mean()) if len(known) else math.nan,
    }
    return {name: _json(value) for name, value in found.items()}, [_json(a) for a in areas.tolist()]


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


def _top_k_accuracy(model: Model, examples: Examples, k: int) -> float:
    hits, start = 0, 0
    for outputs in model.predict_batches(examples.features):
        labels = examples.labels[start : start + len(outputs)]
        hits += metrics.in_top_k(labels, outputs, k)
        start += len(outputs)
    return hits / start
