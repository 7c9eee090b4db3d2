"""All numbers of a report: found here, drawn elsewhere."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.checkpoint.meta import Meta
from mlpcli.data.dataset import Opened
from mlpcli.evaluation.curves import Reliability, reliability_curve
from mlpcli.evaluation.evaluate import all_outputs, report
from mlpcli.evaluation.importance import Importance, permutation_importance
from mlpcli.evaluation.intervals import Interval, Statistic, metric_intervals, statistic_of
from mlpcli.evaluation.mistakes import worst_rows
from mlpcli.model import Model

MOST_MISTAKES = 12


@dataclass(frozen=True)
class Findings:
    """What is known of a model: how it was made, and how it did on labelled examples."""

    name: str
    """What it is called beside others."""
    model: Model
    meta: Meta
    opened: Opened
    """The examples."""
    outputs: NDArray[np.floating]
    """a^(L) of these, (n, n_L)."""
    report: dict[str, Any]
    """What `mlp evaluate --json` says, without gates."""
    intervals: dict[str, Interval]
    """Of its metrics, by the names that gates use."""
    importance: list[Importance]
    worst: NDArray[np.intp]
    """The rows of the most confident mistakes."""
    reliability: list[Reliability]
    """None for quantities."""

    @property
    def task(self) -> str:
        """What the outputs are."""
        return self.model.encoding.task

    @property
    def statistic(self) -> Statistic:
        """What computes the metrics of some of the examples."""
        examples, weights = self.opened.examples, self.opened.weights
        return statistic_of(self.model, examples, self.outputs, weights)


def find(name: str, model: Model, meta: Meta, opened: Opened, subject: dict[str, str]) -> Findings:
    """Evaluate a model in every way that a report shows.

    Args:
        name: what it is called beside others.
        model: as it was loaded from a checkpoint.
        meta: what that says of the run.
        opened: the examples to evaluate it on, one or more.
        subject: what these are called, as `evaluate.subject` says.

    Raises:
        DataError: if a value is too large for the network's arithmetic.
    """
    examples, weights = opened.examples, opened.weights
    said = subject | report(model, examples, where=subject["data"], weights=weights)
    outputs = all_outputs(model, examples)
    curve = []
    if model.encoding.task != "regression":
        curve = reliability_curve(model, examples, outputs, weights)
    return Findings(
        name,
        model,
        meta,
        opened,
        outputs,
        said,
        metric_intervals(model, examples, outputs, weights),
        permutation_importance(model, examples, weights),
        worst_rows(model, examples, outputs, MOST_MISTAKES),
        curve,
    )
