"""The end of a search's trials: the few best are measured again, and one is chosen."""

from collections.abc import Iterator, Sequence
from math import ceil
from statistics import fmean
from typing import Any, NamedTuple

from mlpcli.tuning.objective import Objective
from mlpcli.tuning.results import Result
from mlpcli.tuning.search import Search
from mlpcli.tuning.study import FAILURES, Check, SharedStudy

# One of so many trials is measured again, so many times, and what was given.
TRIALS_PER_FINALIST, TIMES = 15, 2


class Finalist(NamedTuple):
    """A trial that may be used, measured again: the best of many is so partly by luck."""

    result: Result
    values: tuple[float, ...] = ()
    """The metric of each run, of other folds and seeds; () if none was needed, or one failed."""
    accuracies: tuple[float, ...] = ()
    """How often each run is right; () as `values`, and of quantities."""

    @property
    def value(self) -> float:
        """The mean over its runs."""
        return fmean(self.values)

    @property
    def accuracy(self) -> float:
        """The mean over its runs, 0 of quantities."""
        return fmean(self.accuracies) if self.accuracies else 0.0

    def to_mapping(self) -> dict[str, Any]:
        """Return what was measured as JSON values."""
        measured = {"values": list(self.values), "accuracies": list(self.accuracies)}
        return {"number": self.result.number, **measured}


def measure_finalists(study: SharedStudy, check: Check) -> Iterator[Finalist]:
    """Measure again the trials that may be used, unless it was done before.

    Args:
        study: one whose trials are over.
        check: called after every mini-batch; may raise.

    Yields:
        What was given first, then the best; one alone as it is, none if no trial succeeded.
    """
    entrants = _entrants(study)
    if len(entrants) < 2:
        yield from map(Finalist, entrants)
        return
    for result in entrants:
        name = f"finalist {result.number}"
        measured = study.noted(name)
        if measured is None:
            measured = _measure(study.search, result, check)
            study.note(name, measured)
        yield Finalist(result, *map(tuple, measured))


def _entrants(study: SharedStudy) -> list[Result]:
    """Return what was given, if its trial succeeded, and the few best of those that are better."""
    results, given = study.ranked(), study.search.given_values
    known = [result for result in results if result.chosen == given][:1]
    candidates = known + [result for result in results if result.chosen != given]
    order = rank_by_both(
        [result.value or 0.0 for result in candidates],
        [result.accuracies for result in candidates],
        study.search.objective,
    )
    better = order[: order.index(0)] if known else order
    few = ceil(study.search.trials / TRIALS_PER_FINALIST)
    return [*known, *(candidates[i] for i in better[:few])]


def _measure(search: Search, result: Result, check: Check) -> tuple[list[float], list[float]]:
    """Return the metric of each run, and how often it is right; nothing if one failed."""
    experiment = search.template.experiment(result.chosen)
    values, accuracies = [], []
    try:
        for time in range(1, TIMES + 1):
            *_, end = search.objective.anew(time).epochs(experiment, lambda _: check())
            values += end.values(search.objective.metric)
            accuracies += end.accuracies()
    except FAILURES:
        return [], []
    return values, accuracies


def choose_finalist(finalists: Sequence[Finalist], objective: Objective) -> Finalist:
    """Return the trial to use: the best of those that were measured again.

    Args:
        finalists: from `measure_finalists`, at least one.
        objective: what the trials were measured by.
    """
    measured = [finalist for finalist in finalists if finalist.values]
    if not measured:
        return finalists[0]
    values = [finalist.value for finalist in measured]
    accuracies = [finalist.accuracies for finalist in measured]
    return measured[rank_by_both(values, accuracies, objective)[0]]


def rank_by_both(
    values: Sequence[float], accuracies: Sequence[Sequence[float]], objective: Objective
) -> list[int]:
    """Return the positions of candidates, the best first: by the sum of two ranks.

    They are those by the metric and by the accuracy: an error may become smaller where more
    examples are wrong, and few examples are wrong as often by luck. Of ties the first is the best.

    Args:
        values: what the metric of each is.
        accuracies: how often the runs of each are right; where any is (), the metric alone counts.
        objective: what the metric is of.
    """
    positions = range(len(values))
    orders = [sorted(positions, key=lambda i: -objective.sign * values[i])]
    if all(accuracies):
        orders.append(sorted(positions, key=lambda i: -fmean(accuracies[i])))
    return sorted(positions, key=lambda i: sum(order.index(i) for order in orders))
