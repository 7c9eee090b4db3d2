"""The search of `mlp tune`: a study of Optuna, which several processes may share."""

import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import fmean
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from mlpcli.atomic import explained
from mlpcli.config.space import Dimension, Template
from mlpcli.errors import ConfigError, DataError, DivergedError, MlpError
from mlpcli.training.objective import GAINS, Objective

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

SAMPLERS = ("tpe", "random")
# Successive halving judges after an eighth, a quarter and half of the epochs, by Optuna's rungs.
_RUNGS = {8: 1, 4: 2, 2: 4}
# No trial has this number: who holds its lock decides about trials.
_DECIDING = 2**40
_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running"}
# How often a process with nothing left to do looks whether another one has died.
_WAIT_SECONDS = 0.2


class Result(NamedTuple):
    """What a trial came to."""

    number: int
    state: str
    """A value of `_STATES`."""
    chosen: dict[str, Any]
    """What each key was, as `Template` takes it."""
    value: float | None
    """The mean over its runs."""
    values: tuple[float, ...]
    """Of each run, by seed and fold."""
    reason: str
    """Why it failed."""

    def to_mapping(self, space: Sequence[Dimension]) -> dict[str, Any]:
        """Return the result as JSON values."""
        listed = {dimension.key for dimension in space if dimension.choices}
        chosen = {k: json.loads(v) if k in listed else v for k, v in self.chosen.items()}
        return self._asdict() | {"chosen": chosen, "values": list(self.values)}


class Search:
    """A study in a journal file, which goes on where it stood; from `open_search`."""

    def __init__(
        self, study: "Study", locks: IO[bytes], space: Sequence[Dimension], objective: Objective
    ) -> None:
        self.study, self.space, self.objective = study, space, objective
        self._locks = locks

    def results(self) -> list[Result]:
        """Return all trials but those that died with their process, in the order they began."""
        died = self.study.user_attrs.get("died", [])
        trials = self.study.get_trials(deepcopy=False)
        return [_result(t) for t in trials if t.number not in died and t.state.name in _STATES]

    def best(self) -> Result | None:
        """Return the best trial; None if none is complete."""
        return next(iter(self.ranked()), None)

    def ranked(self) -> list[Result]:
        """Return the complete trials, the best first."""
        sign = -1 if self.objective.metric in GAINS else 1
        complete = [result for result in self.results() if result.state == "complete"]
        return sorted(complete, key=lambda result: sign * (result.value or 0.0))

    def importance(self) -> dict[str, float]:
        """Return how much of the differences each key explains, the most first; {} if unknown."""
        from optuna.importance import get_param_importances

        with warnings.catch_warnings(), suppress(ValueError, RuntimeError):
            warnings.simplefilter("ignore")
            found = get_param_importances(self.study)
            return {key: round(float(value), 4) for key, value in found.items()}
        return {}

    def trials(
        self,
        template: Template,
        given: Mapping[str, Any],
        total: int,
        sampler: str,
        check: Callable[[], None],
    ) -> Iterator[Result]:
        """Run trials until the study has so many, beside others who share it.

        Args:
            template: the configuration.
            given: what the first trial is to have.
            total: how many trials the study shall have.
            sampler: a name in `SAMPLERS`.
            check: called after every mini-batch and while waiting for others; may raise.

        Yields:
            What each came to.
        """
        seed = template.experiment({}).seed
        while True:
            with self._deciding():
                self._retry_dead()
                results = self.results()
                waits = any(result.state == "running" for result in results)
                trial = None
                if len(results) < total:
                    if not results and given:
                        self.study.enqueue_trial(dict(given), skip_if_exists=True)
                    # The same choice whether or not the search was interrupted before it.
                    self.study.sampler = _sampler(sampler, seed + len(results))
                    trial = self.study.ask()
                    chosen = {d.key: _suggest(trial, d) for d in self.space}
                    self._try_lock(trial.number)
            if trial is not None:
                try:
                    yield self._run(trial, template, chosen, check)
                finally:
                    self._unlock(trial.number)
            elif waits:
                check()
                time.sleep(_WAIT_SECONDS)
            else:
                return

    def _run(
        self,
        trial: "Trial",
        template: Template,
        chosen: Mapping[str, Any],
        check: Callable[[], None],
    ) -> Result:
        from optuna import TrialPruned
        from optuna.trial import TrialState

        try:
            experiment = template.experiment(chosen)
            rungs = {experiment.epochs // part: rung for part, rung in _RUNGS.items()}

            def on_epoch(done: int, value: float) -> None:
                if rung := rungs.get(done):
                    trial.report(value, rung)
                    if trial.should_prune():
                        raise TrialPruned

            values = self.objective.values(experiment, on_epoch, lambda _: check())
        except TrialPruned:
            self.study.tell(trial, state=TrialState.PRUNED)
        except (ConfigError, DivergedError, MemoryError) as error:
            why = error.problem if isinstance(error, MlpError) else "there was not enough memory"
            trial.set_user_attr("reason", why)
            self.study.tell(trial, state=TrialState.FAIL)
        else:
            trial.set_user_attr("values", values)
            self.study.tell(trial, fmean(values))
        return _result(self.study.get_trials(deepcopy=False)[trial.number])

    def _retry_dead(self) -> None:
        """Have the trials that died with their process begun again, with the same choices."""
        from optuna.trial import TrialState

        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if not self._try_lock(trial.number):
                continue
            died = self.study.user_attrs.get("died", [])
            self.study.set_user_attr("died", [*died, trial.number])
            self.study.tell(trial.number, state=TrialState.FAIL)
            self.study.enqueue_trial(trial.params)
            self._unlock(trial.number)

    @contextmanager
    def _deciding(self) -> Iterator[None]:
        """Keep others from beginning trials."""
        if fcntl:
            fcntl.lockf(self._locks, fcntl.LOCK_EX, 1, _DECIDING)
        try:
            yield
        finally:
            self._unlock(_DECIDING)

    def _try_lock(self, number: int) -> bool:
        """Lock a trial's byte as long as this process lives; return whether nobody else has it."""
        if not fcntl:
            return False
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return False
        return True

    def _unlock(self, number: int) -> None:
        if fcntl:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, number)


@contextmanager
def open_search(
    path: Path, setup: Mapping[str, Any], space: Sequence[Dimension], objective: Objective
) -> Iterator[Search]:
    """Open a study, or make it.

    Args:
        path: the journal. A file `.NAME.running` beside it tells who runs which trial.
        setup: what all trials of the study have in common, as JSON values.
        space: what may be chosen.
        objective: what is measured.

    Raises:
        ConfigError: if Optuna is missing, or the study has another setup.
        DataError: if the file is no journal.
    """
    check_installed()
    with (
        explained(path, "--storage"),
        path.with_name(f".{path.name}.running").open("ab") as locks,
    ):
        search = Search(_open_study(path, objective.metric in GAINS), locks, space, objective)
        with search._deciding():
            known = search.study.user_attrs.get("setup")
            if known is None:
                search.study.set_user_attr("setup", dict(setup))
        if known is not None and known != setup:
            differs = next(name for name in setup if known.get(name) != setup[name])
            problem = f"holds a study with another {differs}"
            raise ConfigError(path, problem, "choose another --storage, or remove it")
        yield search


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


def _open_study(path: Path, gains: bool) -> "Study":
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    try:
        return optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path))),
            study_name="mlp tune",
            direction="maximize" if gains else "minimize",
            pruner=optuna.pruners.SuccessiveHalvingPruner(1, 2, 0),
            load_if_exists=True,
        )
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        raise DataError(path, "is no journal of a study", "choose another --storage") from None


def _sampler(name: str, seed: int) -> "BaseSampler":
    from optuna.samplers import RandomSampler, TPESampler

    return TPESampler(seed=seed) if name == "tpe" else RandomSampler(seed=seed)


def _suggest(trial: "Trial", dimension: Dimension) -> Any:
    key, _, low, high, log, choices = dimension
    if choices:
        return trial.suggest_categorical(key, choices)
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(key, low, high, log=log)
    return trial.suggest_float(key, low, high, log=log)


def _result(trial: "FrozenTrial") -> Result:
    values, reason = (trial.user_attrs.get(name) for name in ("values", "reason"))
    return Result(
        trial.number,
        _STATES[trial.state.name],
        trial.params,
        trial.value if trial.state.name == "COMPLETE" else None,
        tuple(values or ()),
        reason or "",
    )
