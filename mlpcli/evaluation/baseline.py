"""What always saying the same comes to, and whether a model is any better than that."""

from collections.abc import Mapping

import numpy as np

from mlpcli.data.commonest import commonest
from mlpcli.data.dataset import Examples
from mlpcli.data.encoding import Encoding
from mlpcli.model import Evaluation, Weights
from mlpcli.nn.residuals import QuantityEvaluation, means

Metrics = Mapping[str, float | None]


def baseline_accuracy(encoding: Encoding, examples: Examples, weights: Weights = None) -> float:
    """Return the accuracy of always saying the class, or the labels, that are commonest.

    Those of the training examples count, or of these where a checkpoint does not say which.
    """
    usual = encoding.commonest or commonest(examples.labels, weights)
    right = examples.labels.reshape(len(examples.labels), -1) == usual
    return float(np.average(right.all(axis=1), weights=weights))


def always_the_mean(evaluation: QuantityEvaluation, encoding: Encoding) -> QuantityEvaluation:
    """Return what becomes of an evaluation if the mean of the training targets is said always."""
    means_of_all = np.broadcast_to(encoding.target_means, evaluation.truth.shape)
    return evaluation._replace(predicted=means_of_all)


def baseline(
    evaluation: Evaluation, encoding: Encoding, examples: Examples, weights: Weights = None
) -> Metrics:
    """Return the metrics of always saying the same: accuracy, or those of quantities."""
    if isinstance(evaluation, QuantityEvaluation):
        return means(always_the_mean(evaluation, encoding).metrics())
    return {"accuracy": baseline_accuracy(encoding, examples, weights)}


def no_better(ours: Metrics, theirs: Metrics) -> str:
    """Return in what metrics are no better than those of always saying the same; "" if they are.

    Of quantities R² counts, which has no unit, or, where all true ones are equal, RMSE.
    """
    if "accuracy" in ours:
        name, called, said = "accuracy", "accuracy", "commonest"
    else:
        name, called, said = "r2", "R²", "mean"
        if ours["r2"] is None or theirs["r2"] is None:
            name, called = "rmse", "RMSE"
    a, b = ours[name], theirs[name]
    if a is None or b is None or b == 1 or (a < b if name == "rmse" else a > b):
        return ""
    return f"{called} {a:.4g} is no better than always saying the {said}, {b:.4g}"
