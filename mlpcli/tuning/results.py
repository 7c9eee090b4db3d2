"""What the trials of a study came to."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpcli.tuning.space import Space, chosen_values

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

STATES = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}
# Of trials that will not change any more.
OVER = ("complete", "pruned", "failed")


class Result(NamedTuple):
    """What a trial came to."""

    number: int
    state: str
    """A value of `STATES`."""
    chosen: dict[str, Any]
    """What each key was."""
    value: float | None
    """The mean over its runs, where it is complete."""
    values: tuple[float, ...]
    """Of each run, by fold and seed."""
    accuracies: tuple[float, ...]
    """How often each run is right; () of quantities."""
    reason: str
    """Why it failed."""

    def to_mapping(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        measured = {"values": list(self.values), "accuracies": list(self.accuracies)}
        return self._asdict() | measured


def results_of(trials: Sequence["FrozenTrial"], space: Space) -> list[Result]:
    """Return all trials of a study but those that were begun again, in the order they began."""
    return [_result(trial, space) for trial in without_retried(trials)]


def without_retried(trials: Sequence["FrozenTrial"]) -> list["FrozenTrial"]:
    """Return the trials of a study but those that were begun again, or one too many."""
    retried = {n for trial in trials for n in trial.system_attrs.get("retry_history", ())}
    return [
        trial
        for trial in trials
        if trial.number not in retried and "surplus" not in trial.user_attrs
    ]


def _result(trial: "FrozenTrial", space: Space) -> Result:
    state, noted = STATES[trial.state.name], trial.user_attrs
    given: Mapping[str, Any] = trial.system_attrs.get("fixed_params", {}) | trial.params
    return Result(
        trial.number,
        state,
        chosen_values(space, given),
        trial.value if state == "complete" else None,
        tuple(noted.get("values", ())),
        tuple(noted.get("accuracies", ())),
        noted.get("reason", "its process died") if state == "failed" else "",
    )


def over(results: Sequence[Result]) -> list[Result]:
    """Return the trials that have ended, well or not."""
    return [result for result in results if result.state in OVER]


def rank(results: Sequence[Result], sign: int) -> list[Result]:
    """Return the complete trials, the best first; `sign` as `Objective.sign`."""
    complete = [result for result in results if result.value is not None]
    return sorted(complete, key=lambda result: -sign * (result.value or 0.0))
