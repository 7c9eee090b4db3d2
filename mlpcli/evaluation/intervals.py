"""How sure metrics are: 95 % intervals by the bootstrap (Efron, 1979), and of means over seeds."""

from collections.abc import Callable, Sequence
from math import cos, pi, sin, sqrt, tan
from statistics import mean, stdev
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dataset import Examples
from mlpcli.evaluation.evaluate import of_counts, of_probabilities
from mlpcli.model import Model, Weights
from mlpcli.nn import metrics
from mlpcli.nn.multilabel import compare_labels
from mlpcli.nn.probabilities import area_under_roc, as_probabilities, output_ranks
from mlpcli.nn.residuals import QuantityEvaluation, means
from mlpcli.rng import KeyedStreams

# Enough for two digits of an interval; fewer where examples are many and each draw takes long.
MOST_DRAWS, LEAST_DRAWS, DRAWN_EXAMPLES = 1000, 100, 4_000_000
# Metrics of each of more classes fill no table; areas under ROC curves of more outputs take long.
MOST_CLASSES = 100
MOST_OUTPUTS = 1_000_000

Statistic = Callable[[NDArray[np.intp]], dict[str, float]]
"""Returns metrics by name of some of the examples, given by their rows; NaN for no value."""
Own = Callable[[NDArray[np.intp]], Weights]
"""Returns what these examples count."""


class Interval(NamedTuple):
    """What a metric would lie within for 95 of 100 samples of as many examples."""

    low: float
    high: float


def metric_intervals(
    model: Model, examples: Examples, outputs: NDArray[np.floating], weights: Weights = None
) -> dict[str, Interval]:
    """Return the intervals of a model's metrics, named as gates name them: `recall[7]`.

    The draws are keyed by the seed of the model's experiment.

    Args:
        model: a trained model.
        examples: one or more, labelled.
        outputs: a^(L) of these, (n, n_L).
        weights: (n,) what each example counts; None for 1.
    """
    rng = KeyedStreams(model.experiment.seed).generator("bootstrap")
    n = len(outputs)
    found = bootstrap(statistic_of(model, examples, outputs, weights), n, rng)
    share = found.get("accuracy")
    if share and share.low == share.high:
        # Draws of what is all right, or all wrong, say nothing of how sure that is.
        found["accuracy"] = wilson(share.low, n)
    return found


def wilson(share: float, n: int) -> Interval:
    """Return the 95 % score interval of a share of n examples (Wilson, 1927)."""
    z = 1.96
    middle = share + z**2 / (2 * n)
    margin = z * sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    low, high = ((middle + side * margin) / (1 + z**2 / n) for side in (-1, 1))
    return Interval(max(0.0, low), min(1.0, high))


def interval_of_mean(values: Sequence[float]) -> Interval | None:
    """Return the 95 % interval of the mean of independent values (Student, 1908); None of one."""
    if len(values) < 2:
        return None
    margin = t_quantile(len(values) - 1) * stdev(values) / sqrt(len(values))
    return Interval(mean(values) - margin, mean(values) + margin)


def t_quantile(freedom: int) -> float:
    """Return within what distance of 0 Student's t lies with a probability of 95 %.

    The probability is a finite sum (Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4), which halving
    an interval inverts.

    Args:
        freedom: degrees of freedom, from 1.
    """
    low, high = 0.0, pi / 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)
    return tan(low) * sqrt(freedom)


def _within(theta: float, freedom: int) -> float:
    """Return the probability that t is between -tan(theta) and tan(theta), times root freedom."""
    odd = freedom % 2
    term = sin(theta) * (cos(theta) if odd else 1.0)
    total = 0.0
    for n in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cos(theta) ** 2 * (n - 1) / n
    return (theta + total) * 2 / pi if odd else total


def difference(
    one: Statistic, other: Statistic, metric: str, n: int, rng: np.random.Generator
) -> Interval:
    """Return the interval of how much more of a metric one model has than another.

    Both are computed of the same draws of the same n examples, so that what is hard for both
    makes no difference.
    """
    found = bootstrap(lambda rows: {metric: one(rows)[metric] - other(rows)[metric]}, n, rng)
    return found.get(metric, Interval(-np.inf, np.inf))


def statistic_of(
    model: Model, examples: Examples, outputs: NDArray[np.floating], weights: Weights = None
) -> Statistic:
    """Return what computes the metrics of some of the examples."""
    names, labels = model.encoding.class_names, examples.labels

    def own(rows: NDArray[np.intp]) -> Weights:
        # Where all that were drawn weigh nothing, all count the same.
        return weights[rows] if weights is not None and weights[rows].any() else None

    if model.encoding.task == "regression":
        return _of_quantities(names, model.quantities(labels), model.quantities(outputs), own)
    if model.encoding.task == "multilabel":
        return _of_labels(names, labels, model.labels(outputs), own)
    return _of_classes(names, labels, outputs, own)


def bootstrap(statistic: Statistic, n: int, rng: np.random.Generator) -> dict[str, Interval]:
    """Return the 95 % percentile interval of each metric that has a value.

    Args:
        statistic: what to compute of each draw.
        n: number of examples; as many are drawn from them each time, with replacement.
        rng: what to draw from.
    """
    draws = min(MOST_DRAWS, max(LEAST_DRAWS, DRAWN_EXAMPLES // n))
    found = [statistic(rng.integers(n, size=n)) for _ in range(draws)]
    intervals = {}
    for name in found[0]:
        values = np.array([draw[name] for draw in found])
        values = values[np.isfinite(values)]
        if len(values):
            low, high = np.quantile(values, [0.025, 0.975]).tolist()
            intervals[name] = Interval(low, high)
    return intervals


def _of_classes(
    names: tuple[str, ...], labels: NDArray[np.integer], outputs: NDArray[np.floating], own: Own
) -> Statistic:
    probabilities, predicted = as_probabilities(outputs), outputs.argmax(axis=1)
    few = len(names) <= MOST_CLASSES
    ranked = few and outputs.size <= MOST_OUTPUTS
    ranks = [output_ranks(column) for column in probabilities.T] if ranked else []

    def statistic(rows: NDArray[np.intp]) -> dict[str, float]:
        true, weights = labels[rows], own(rows)
        counts = metrics.confusion(true, predicted[rows], len(names), weights)
        areas = np.array([area_under_roc(r[rows], true == j, weights) for j, r in enumerate(ranks)])
        found = {"accuracy": metrics.accuracy(counts), **of_counts(counts)}
        found |= of_probabilities(true, probabilities[rows], areas, weights)
        if few:
            for name in ("precision", "recall", "f1"):
                found |= _per_name(name, names, getattr(metrics, name)(counts))
            found |= _per_name("roc_auc", names[: len(areas)], areas)
        return found

    return statistic


def _of_quantities(
    names: tuple[str, ...], truth: NDArray[np.float64], predicted: NDArray[np.float64], own: Own
) -> Statistic:
    def statistic(rows: NDArray[np.intp]) -> dict[str, float]:
        of_each = QuantityEvaluation(truth[rows], predicted[rows], np.nan, own(rows)).metrics()
        found = {name: np.nan if mean is None else mean for name, mean in means(of_each).items()}
        for name, values in of_each.items():
            found |= _per_name(name, names, values)
        return found

    return statistic


def _of_labels(
    names: tuple[str, ...], labels: NDArray[np.integer], given: NDArray[np.bool], own: Own
) -> Statistic:
    def statistic(rows: NDArray[np.intp]) -> dict[str, float]:
        found = compare_labels(labels[rows], given[rows], np.nan, own(rows))
        of_all = {name: getattr(found, name) for name in ("accuracy", "macro_f1", "micro_f1")}
        for name in ("precision", "recall", "f1"):
            of_all |= _per_name(name, names, found.per_label(name))
        return of_all

    return statistic


def _per_name(metric: str, names: tuple[str, ...], values: NDArray[np.float64]) -> dict[str, float]:
    return {f"{metric}[{name}]": value for name, value in zip(names, values.tolist(), strict=True)}
