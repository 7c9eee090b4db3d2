"""Which inputs matter: how much worse a model becomes when they are shuffled (Breiman, 2001)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dataset import Examples
from mlpcli.data.encoding import Encoding
from mlpcli.model import Model
from mlpcli.nn.metrics import Weights
from mlpcli.nn.multilabel import LabelEvaluation
from mlpcli.nn.residuals import QuantityEvaluation
from mlpcli.rng import KeyedStreams

REPEATS = 10
MOST_ROWS = 2000
# Multiplications and additions in all: some seconds. Fewer rows are taken where more are needed.
MOST_WORK = 2e10
LEAST_ROWS = 200
# Neighbouring pixels tell the same: squares of them are shuffled together, so many on a side.
SQUARES = 10
# What is measured of each task; all are 1 for right predictions.
METRIC = {"classification": "accuracy", "regression": "r2", "multilabel": "macro_f1"}


class Importance(NamedTuple):
    """How much worse a model becomes when one of its inputs is shuffled."""

    name: str
    drop: float
    """The mean fall of the metric."""
    low: float
    """Of the 95 % interval of the mean, over draws of examples and orders."""
    high: float


def input_groups(encoding: Encoding) -> list[tuple[str, NDArray[np.intp]]]:
    """Return the name of each input and its features: a column's, or those of a square of pixels.

    Squares go row by row; those at the right and the lower edge may be smaller.
    """
    if encoding.image_shape:
        return _squares(encoding.features, encoding.image_shape)
    columns = encoding.input_columns
    if not columns:
        return [(f"feature {j}", np.array([j])) for j in range(encoding.features)]
    ends = np.cumsum([column.width for column in columns]).tolist()
    return [
        (column.name or f"column {i + 1}", np.arange(end - column.width, end))
        for i, (column, end) in enumerate(zip(columns, ends, strict=True))
    ]


def square_side(image_shape: tuple[int, int]) -> int:
    """Return how many pixels a square of `input_groups` is wide and high."""
    return -(-max(image_shape) // SQUARES)


def _squares(features: int, shape: tuple[int, int]) -> list[tuple[str, NDArray[np.intp]]]:
    (rows, columns), side = shape, square_side(shape)
    pixels = np.arange(features).reshape(rows, columns, -1)
    return [
        (f"row {i}, column {j}", pixels[i : i + side, j : j + side].reshape(-1))
        for i in range(0, rows, side)
        for j in range(0, columns, side)
    ]


def permutation_importance(
    model: Model, examples: Examples, weights: Weights = None
) -> list[Importance]:
    """Return how much each input of `input_groups` matters, in their order.

    Each of ten times, examples are drawn with replacement and an input is shuffled among them; all
    draws are keyed by the seed of the model's experiment.

    Args:
        model: a trained model.
        examples: one or more; some are chosen if they are many.
        weights: (n,) how likely each is drawn; None where all are alike.
    """
    groups = input_groups(model.encoding)
    rng = KeyedStreams(model.experiment.seed).generator("importance")
    affordable = MOST_WORK / (model.network.theta.size * len(groups) * REPEATS)
    rows = rng.permutation(len(examples.labels))
    rows = rows if weights is None else rows[weights[rows] > 0]
    rows = rows[: int(max(LEAST_ROWS, min(MOST_ROWS, affordable)))]
    chances = None if weights is None else weights[rows] / weights[rows].sum()
    falls = np.array(
        [
            _falls(model, examples, rng.choice(rows, len(rows), p=chances), groups, rng)
            for _ in range(REPEATS)
        ]
    )
    means = falls.mean(axis=0)
    margins = 1.96 * falls.std(axis=0, ddof=1)
    return [
        Importance(name, float(mean), float(mean - margin), float(mean + margin))
        for (name, _), mean, margin in zip(groups, means, margins, strict=True)
    ]


def _falls(
    model: Model,
    examples: Examples,
    drawn: NDArray[np.intp],
    groups: Sequence[tuple[str, NDArray[np.intp]]],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return by how much the metric falls for each group, in one draw of examples."""
    features, labels = examples.features[drawn], examples.labels[drawn]
    order = rng.permutation(len(drawn))
    whole = _metric(model, Examples(features, labels))
    falls = np.empty(len(groups))
    for i, (_, group) in enumerate(groups):
        kept = features[:, group]
        features[:, group] = kept[order]
        falls[i] = whole - _metric(model, Examples(features, labels))
        features[:, group] = kept
    return falls


def _metric(model: Model, examples: Examples) -> float:
    """Return the metric that `METRIC` names; of quantities that are all equal it is NaN."""
    found = model.evaluate(examples)
    if isinstance(found, QuantityEvaluation):
        return float(found.metrics()["r2"].mean())
    return found.macro_f1 if isinstance(found, LabelEvaluation) else found.accuracy
