"""The end of a search's trials: the few best are measured again, and one is chosen."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, sqrt
from statistics import fmean, stdev
from typing import Any, NamedTuple

from mlpcli.tuning.objective import Objective
from mlpcli.tuning.results import Result
from mlpcli.tuning.search import Search
from mlpcli.tuning.study import FAILURES, Check, SharedStudy

# One of so many trials is measured again, so many times, and what was given.
TRIALS_PER_FINALIST, TIMES = 15, 2
# A trial better by so many standard errors is so indeed with odds of two to one.
MARGIN = 0.5


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
    ranked, given = study.ranked(), study.search.given_values
    known = next((result for result in ranked if result.chosen == given), None)
    better = ranked[: ranked.index(known)] if known else ranked
    few = ceil(study.search.trials / TRIALS_PER_FINALIST)
    return [*([known] if known else []), *better[:few]]


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


def choose_finalist(
    finalists: Sequence[Finalist], given: Mapping[str, Any], objective: Objective
) -> Finalist:
    """Return the trial to use: one that is likely to be better than what was given, or that itself.

    Of several, none less often right than what was given, the one most often right: an error may
    become smaller where more examples are wrong.

    Args:
        finalists: from `measure_finalists`, at least one.
        given: what the configuration itself has chosen.
        objective: what the trials were measured by.
    """
    measured = [finalist for finalist in finalists if finalist.values]
    if not measured:
        return finalists[0]
    measured.sort(key=lambda finalist: -objective.sign * finalist.value)
    known = next((finalist for finalist in measured if finalist.result.chosen == given), None)
    if known is None:
        return measured[0]
    better = [
        finalist
        for finalist in measured
        if finalist.accuracy >= known.accuracy and _is_better(finalist, known, objective)
    ]
    return max(better, key=lambda finalist: finalist.accuracy, default=known)


def _is_better(finalist: Finalist, known: Finalist, objective: Objective) -> bool:
    """Return whether a trial is better by more than `MARGIN` standard errors.

    Those of the differences over runs, which share what they are trained on (Nadeau and Bengio,
    2003).
    """
    gains = [objective.sign * (a - b) for a, b in zip(finalist.values, known.values, strict=True)]
    error = sqrt(1 / len(gains) + objective.overlap) * stdev(gains)
    return fmean(gains) > MARGIN * error
