"""The study of a search, Optuna's, which several processes may share and go on with."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from statistics import fmean
from typing import TYPE_CHECKING, Any

from mlpcli.errors import ConfigError, DivergedError, Interrupted, Killed
from mlpcli.tuning.results import Result, over, rank, results_of, without_retried
from mlpcli.tuning.search import Search
from mlpcli.tuning.space import Dimension, chosen_values
from mlpcli.tuning.storage import Locks, is_url, open_storage, retry, without_password

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

# Successive halving: every so many parts of its epochs a trial says where it stands, and of those
# that have come to a quarter or half of theirs, the worse half ends.
PARTS, FIRST_RUNG = 16, 4
# So many trials show first what is to be expected: else, of the first, all but the best would end.
UNPRUNED = 5
# Which keys matter is told by what the better half of trials has in common; of fewer, luck tells.
BETTER_HALF, EXPLAINED = 0.5, 8
# How often a process with nothing left to do looks whether another one has died.
WAIT_SECONDS, WAIT_SECONDS_OF_DATABASE = 0.2, 2.0
Check = Callable[[], None]
"""Called after every mini-batch, and while waiting for others; may raise."""


NO_MEMORY = "there was not enough memory"


class _SurplusError(Exception):
    """A trial that a study has no room for."""


# What fails a trial, and not the search.
FAILURES = (ConfigError, DivergedError, MemoryError, _SurplusError)


class SharedStudy:
    """A study that is open; from `open_study`."""

    def __init__(self, search: Search, study: "Study", locks: Locks) -> None:
        self.search, self._study, self._locks = search, study, locks

    @property
    def where(self) -> str:
        """What it is kept in, as it may be shown."""
        return without_password(self.search.storage)

    def results(self) -> list[Result]:
        """Return all trials but those that were begun again, in the order they began."""
        return results_of(self._study.get_trials(deepcopy=False), self.search.space)

    def ranked(self) -> list[Result]:
        """Return the complete trials, the best first."""
        return rank(self.results(), self.search.objective.sign)

    def noted(self, name: str) -> Any:
        """Return what was noted of the study by a name, None if nothing was."""
        return self._study.user_attrs.get(name)

    def note(self, name: str, value: Any) -> None:
        """Keep JSON values with the study."""
        self._study.set_user_attr(name, value)

    def importance(self) -> dict[str, float]:
        """Return how much of the differences each key explains, the most first; {} if unknown."""
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        if len(self.ranked()) < EXPLAINED:
            return {}
        evaluator = PedAnovaImportanceEvaluator(target_quantile=BETTER_HALF)
        keys = [dimension.key for dimension in self.search.space]
        with warnings.catch_warnings(), suppress(ValueError, RuntimeError):
            warnings.simplefilter("ignore")
            found = get_param_importances(self._study, evaluator=evaluator)
            shares = {key: round(float(found[key]), 4) for key in keys if key in found}
            return dict(sorted(shares.items(), key=lambda pair: -pair[1]))
        return {}

    def is_over(self) -> bool:
        """Return whether the study has all its trials, and none is being worked on."""
        results = self.results()
        return len(results) >= self.search.trials and over(results) == results

    def run(self, check: Check) -> Iterator[list[Result]]:
        """Run trials until the study has all of them, beside others who share it.

        Yields:
            All results, whenever a trial has ended.
        """
        while not self.is_over():
            if self._run_trial(check):
                yield self.results()
            else:
                check()
                self.wait()

    def wait(self) -> None:
        """Give others time to get on."""
        where = self.search.storage
        time.sleep(WAIT_SECONDS_OF_DATABASE if is_url(where) else WAIT_SECONDS)

    def _run_trial(self, check: Check) -> bool:
        """Run a trial, if one is left to be begun; return whether one was."""
        with ExitStack() as work, ExitStack() as begin:
            begin.enter_context(self._locks.beginning())
            self._retry_abandoned()
            results = self.results()
            is_waiting = any(result.state == "waiting" for result in results)
            if len(results) >= self.search.trials and not is_waiting:
                return False

            def evaluate(trial: "Trial") -> float:
                # Until Optuna has been told what came of it.
                work.enter_context(self._locks.working_on(trial.number))
                begin.close()
                return self._evaluate(trial, check)

            self._study.optimize(evaluate, 1, catch=FAILURES)
        return True

    def _evaluate(self, trial: "Trial", check: Check) -> float:
        """Return a trial's value.

        Raises:
            TrialPruned: if its runs do not look promising.
            Exception: of `FAILURES`, if it failed, for the reason noted.
        """
        place = sum(result.number < trial.number for result in self.results())
        if place >= self.search.trials:
            # Two processes that share a database began the last one.
            trial.set_user_attr("surplus", True)
            raise _SurplusError
        if self.search.sampler != "grid":
            # The same choices whether or not the search was interrupted before.
            self._study.sampler = _sampler(self.search, place)
        labels = {d.key: _suggest(trial, d) for d in self.search.space}
        metric = self.search.objective.metric
        try:
            experiment = self.search.template.experiment(chosen_values(self.search.space, labels))
            part = 0
            for progress in self.search.objective.epochs(experiment, lambda _: check()):
                if part < int(progress.share * PARTS) < PARTS:
                    part = int(progress.share * PARTS)
                    self._report(trial, fmean(progress.values(metric)), part, place)
            found, right = progress.values(metric), progress.accuracies()
        except FAILURES as error:
            trial.set_user_attr("reason", getattr(error, "problem", NO_MEMORY))
            raise
        except Killed:
            raise
        except Interrupted:
            self._begin_again(trial)
            raise
        trial.set_user_attr("values", found)
        trial.set_user_attr("accuracies", right)
        return fmean(found)

    def _report(self, trial: "Trial", value: float, part: int, place: int) -> None:
        from optuna import TrialPruned

        trial.report(value, part)
        # Asked in any case, for Optuna then notes where it stands.
        if trial.should_prune() and place >= UNPRUNED:
            raise TrialPruned

    def _retry_abandoned(self) -> None:
        """Have trials begun again, with the same choices, that did not end for a reason of theirs.

        They died with their process, or that failed at something else, as a full disk.
        """
        from optuna.storages import fail_stale_trials

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Of a database.
            fail_stale_trials(self._study)
        trials = self._study.get_trials(deepcopy=False)
        for trial in without_retried(trials):
            state, is_explained = trial.state.name, "reason" in trial.user_attrs
            is_unfinished = state == "RUNNING" or (state == "FAIL" and not is_explained)
            if is_unfinished and self._locks.is_abandoned(trial.number):
                self._begin_again(trial)

    def _begin_again(self, trial: "Trial | FrozenTrial") -> None:
        from optuna.trial import TrialState

        state = TrialState.FAIL
        retry()(self._study, self._study.tell(trial.number, state=state, skip_if_finished=True))


@contextmanager
def open_study(search: Search) -> Iterator[SharedStudy]:
    """Open a study, or make it.

    Raises:
        ConfigError: if Optuna is missing, or the study has another setup.
        DataError: if it is kept in what is no storage.
    """
    check_installed()
    with open_storage(search.storage) as (storage, locks):
        with locks.beginning():
            study = _open(search, storage)
        yield SharedStudy(search, study, locks)


def check_installed() -> None:
    """Say how to install Optuna where it is missing.

    Raises:
        ConfigError: if it is.
    """
    try:
        import optuna
    except ImportError:
        remedy = "pip install 'mlpcli[tune]'"
        raise ConfigError("mlp tune", "needs the package optuna", remedy) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def _open(search: Search, storage: "BaseStorage") -> "Study":
    import optuna

    sampler, pruner = _sampler(search, 0), optuna.pruners.SuccessiveHalvingPruner(FIRST_RUNG, 2)
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=search.name,
            direction="maximize" if search.objective.sign > 0 else "minimize",
            sampler=sampler,
            pruner=pruner,
        )
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(
            study_name=search.name, storage=storage, sampler=sampler, pruner=pruner
        )
        _check_setup(search, study.user_attrs.get("setup", search.setup))
        return study
    study.set_user_attr("setup", search.setup)
    if search.sampler != "grid":
        for point in filter(None, search.first[: search.trials]):
            study.enqueue_trial(point)
    return study


def _check_setup(search: Search, known: dict[str, Any]) -> None:
    for name, value in search.setup.items():
        if known.get(name) != value:
            where = without_password(search.storage)
            problem = f"holds the study {search.name} with another {name}"
            raise ConfigError(where, problem, "choose another --study or --storage, or remove it")


def _sampler(search: Search, place: int) -> "BaseSampler":
    """Return what chooses for the trial that is in a place of the study."""
    from optuna.samplers import GridSampler, RandomSampler, TPESampler

    seed = search.template.experiment({}).seed + place
    if search.sampler == "grid":
        return GridSampler({d.key: d.grid() for d in search.space}, seed)
    if search.sampler == "random":
        return RandomSampler(seed)
    with warnings.catch_warnings():
        # What trials that are running have chosen may still change how it counts.
        warnings.simplefilter("ignore")
        return TPESampler(seed=seed, constant_liar=True)


def _suggest(trial: "Trial", dimension: Dimension) -> Any:
    key, _, low, high, log, choices = dimension
    if choices:
        return trial.suggest_categorical(key, dimension.labels)
    if dimension.is_whole:
        return trial.suggest_int(key, int(low), int(high), log=log)
    return trial.suggest_float(key, low, high, log=log)
