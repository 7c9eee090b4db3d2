"""The reports on models of quantities and of several labels, as JSON values."""

import math
from typing import Any

from mlpcli.data.encoding import Encoding
from mlpcli.evaluation.baseline import always_the_mean
from mlpcli.nn.multilabel import LabelEvaluation
from mlpcli.nn.residuals import QuantityEvaluation, means


def quantities_report(evaluation: QuantityEvaluation, encoding: Encoding) -> dict[str, Any]:
    """Return metrics in the targets' own units, the baseline's beside them, and each target's.

    Means are over the targets; the baseline says the mean of the training examples.
    """
    names = encoding.class_names
    baseline = always_the_mean(evaluation, encoding).metrics()
    found = evaluation.metrics()
    return {
        **evaluation.summary(),
        "error": evaluation.error,
        "baseline": means(baseline),
        "targets": {
            name: {metric: _json(values[j]) for metric, values in found.items()}
            | {"baseline": {metric: _json(values[j]) for metric, values in baseline.items()}}
            for j, name in enumerate(names)
        },
    }


def labels_report(evaluation: LabelEvaluation, names: tuple[str, ...]) -> dict[str, Any]:
    """Return subset accuracy, macro and micro F1, and precision, recall and F1 of each label."""
    columns = {name: evaluation.per_label(name) for name in ("precision", "recall", "f1")}
    support = evaluation.confusion[:, 1].sum(axis=1)
    return {
        **evaluation.summary(),
        "error": evaluation.error,
        "macro_f1": evaluation.macro_f1,
        "micro_f1": evaluation.micro_f1,
        "labels": {
            name: {column: _json(values[j]) for column, values in columns.items()}
            | {"support": support[j].item()}
            for j, name in enumerate(names)
        },
        "confusion": evaluation.confusion.tolist(),
    }


def _json(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
