"""Curves that show what a training and its probabilities were like, as points to draw."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dataset import Examples
from mlpcli.model import Model
from mlpcli.nn.metrics import Weights
from mlpcli.nn.probabilities import as_probabilities, output_ranks, reliability

# No screen shows more points side by side.
MOST_POINTS = 1000


class Curve(NamedTuple):
    """A named series of the history."""

    name: str
    epochs: list[int]
    values: list[float]


class Reliability(NamedTuple):
    """Predictions of about one probability: how sure they were, and how often right."""

    examples: float
    """How many they are, or what these count together."""
    confidence: float
    """Their mean probability."""
    right: float
    """The share that is so."""


def history_curves(history: Sequence[dict[str, Any]]) -> list[Curve]:
    """Return every column of a history but `epoch`; of very long ones some epochs, the last too."""
    step = -(-len(history) // MOST_POINTS)
    rows = [*history[:-1:step], *history[-1:]] if history else []
    names = [name for name in (history[0] if history else ()) if name != "epoch"]
    epochs = [row["epoch"] for row in rows]
    return [Curve(name, epochs, [row[name] for row in rows]) for name in names]


def reliability_curve(
    model: Model, examples: Examples, outputs: NDArray[np.floating], weights: Weights = None
) -> list[Reliability]:
    """Return the bins of a reliability diagram that are not empty, from unsure to sure.

    Of classes these are the predicted ones' probabilities; of several labels all labels' outputs.

    Args:
        model: a trained model.
        examples: labelled.
        outputs: a^(L) of these, (n, n_L).
        weights: (n,) what each example counts; None for 1.
    """
    if model.encoding.task == "multilabel":
        confidence = outputs.astype(np.float64).reshape(-1)
        right = examples.labels.reshape(-1) == 1
        weights = None if weights is None else np.repeat(weights, outputs.shape[1])
    else:
        probabilities = as_probabilities(outputs)
        confidence = probabilities.max(axis=1)
        right = probabilities.argmax(axis=1) == examples.labels
    counts, sure, correct = reliability(confidence, right, weights)
    return [
        Reliability(float(n), float(s / n), float(c / n))
        for n, s, c in zip(counts, sure, correct, strict=True)
        if n
    ]


def roc_curve(
    outputs: NDArray[np.floating], of_class: NDArray[np.bool], weights: Weights = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return false and true positive rates for thresholds from the largest output down.

    Args:
        outputs: (n,) for one class.
        of_class: (n,) which examples are of the class: some are, and some are not.
        weights: (n,) what each counts; None for 1.

    Returns:
        Two arrays that begin with 0 and end with 1; of very many points some.
    """
    ranks = output_ranks(outputs)
    each = np.ones(len(ranks)) if weights is None else weights
    inside, outside = (
        np.bincount(ranks[part], each[part], ranks.max() + 1)[::-1]
        for part in (of_class, ~of_class)
    )
    true, false = (np.concatenate([[0], np.cumsum(part)]) for part in (inside, outside))
    some = np.unique(np.linspace(0, len(true) - 1, MOST_POINTS).astype(int))
    return false[some] / false[-1], true[some] / true[-1]
