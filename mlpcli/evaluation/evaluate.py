"""The report on a model: every metric, as JSON values."""

import math
from typing import Any

from mlpcli.data.dataset import Examples
from mlpcli.model import Model
from mlpcli.nn import metrics


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
        Metrics by name; `classes`, the same for every class by its name, None where there was
        nothing to divide by; and `confusion`, a row per class and a column per prediction.
    """
    evaluation = model.evaluate(examples, where)
    counts = evaluation.confusion
    found = {
        **evaluation.summary(),
        "error": evaluation.error,
        "balanced_accuracy": metrics.balanced_accuracy(counts),
        "macro_f1": metrics.macro_f1(counts),
    }
    if top_k:
        found[f"top_{top_k}_accuracy"] = _top_k_accuracy(model, examples, top_k)
    classes = per_class(counts, model.encoding.class_names)
    return found | {"classes": classes, "confusion": counts.tolist()}


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
