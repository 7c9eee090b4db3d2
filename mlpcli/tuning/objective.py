"""How good an experiment is on validation examples: a mean over seeds and folds."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset, Examples, Fold
from mlpcli.data.load import fit_structure, load_data
from mlpcli.errors import ConfigError
from mlpcli.model import evaluate, new_model
from mlpcli.nn.calibration import Judged, fit_temperature
from mlpcli.training.engine import choose_engine
from mlpcli.training.loop import OnStep, train
from mlpcli.training.run import Run, start_run

# Of these, more is better; of error and rmse, less.
GAINS = ("accuracy",)


class Started(NamedTuple):
    """A run of a trial."""

    experiment: Experiment
    run: Run
    dataset: Dataset


class Progress(NamedTuple):
    """Where the runs of a trial stand after an epoch."""

    share: float
    """Of all epochs, how many are over."""
    runs: list[Started]

    def values(self, metric: str) -> list[float]:
        """Return a metric of each run, if it ended here."""
        if metric == "error" and is_calibrated(self.runs[0].experiment):
            return _calibrated_errors(self.runs)
        return [_value(metric, started) for started in self.runs]


class Objective(NamedTuple):
    """What is measured of an experiment."""

    metric: str
    """What the validation comes to: error, accuracy or rmse."""
    seeds: int
    """So many, from the experiment's own on, which alone decides what is the test."""
    folds: tuple[Fold, ...]
    """What validates, each in turn; () for the experiment's own `validation`."""
    data_dir: Path
    engine: str
    """What computes, as `--engine` names it."""
    first_seed: int = 0
    """Where its seeds begin, from the experiment's own."""

    @property
    def overlap(self) -> float:
        """Examples that judge for each that is trained on, as far as folds say."""
        return 1 / (self.folds[0].parts - 1) if self.folds else 0.0

    def anew(self, times: int) -> "Objective":
        """Return the same of other folds, and from other seeds."""
        folds = tuple(fold._replace(division=times) for fold in self.folds)
        return self._replace(folds=folds, first_seed=self.first_seed + times * self.seeds)

    def epochs(self, experiment: Experiment, on_step: OnStep) -> Iterator[Progress]:
        """Train all runs of an experiment side by side; yield where they stand after each epoch.

        What is learned of the data is learned from what each run trains on.

        Raises:
            ConfigError, DataError: as `load_data` does.
            DivergedError: as `train` does.
        """
        runs = [
            self._start(replace(fitted, seed=(fitted.seed + seed) % 2**32), dataset)
            for fitted, dataset in self.datasets(experiment)
            for seed in range(self.first_seed, self.first_seed + self.seeds)
        ]
        for _ in zip_longest(*(train(*started, on_step) for started in runs)):
            done = max(len(started.run.history) for started in runs)
            yield Progress(done / experiment.epochs, runs)

    def datasets(self, experiment: Experiment) -> Iterator[tuple[Experiment, Dataset]]:
        """Yield the data of each fold, and the experiment with the structure that fits them.

        Raises:
            ConfigError, DataError: as `load_data` does, or if they cannot be divided so.
        """
        for fold in self.folds or (None,):
            if fold and experiment.validation:
                # The fold has its part, too: it chooses the weights.
                experiment = replace(experiment, validation=1 / fold.parts)
            dataset = load_data(experiment, self.data_dir, fold)
            if fold:
                _check_fold(dataset, fold.parts)
            yield fit_structure(experiment, dataset.encoding), dataset

    def _start(self, experiment: Experiment, dataset: Dataset) -> Started:
        run = start_run(experiment, new_model(experiment, dataset).network)
        run.engine = choose_engine(self.engine, experiment, lambda _: None)
        return Started(experiment, run, dataset)


def _value(metric: str, started: Started) -> float:
    experiment, run, _ = started
    # Where validation does not choose the weights, those to use are the last.
    row = run.history[run.best_epoch if experiment.validation else -1]
    return float(row[f"validation_{metric}"])


def is_calibrated(experiment: Experiment) -> bool:
    """Return whether the error is one of probabilities that a temperature makes smaller."""
    return experiment.loss == "cross_entropy" or bool(experiment.calibrate)


def _calibrated_errors(runs: Sequence[Started]) -> list[float]:
    """Return the validation error of each run, once all have the temperature that suits them best.

    How sure a network is of its classes can be mended, and says little of how often it is right:
    strong decay, dropout and label smoothing make the error larger where fewer examples are wrong.
    """
    judged = [
        Judged(run.in_use(), *dataset.validation, dataset.validation_weights)
        for _, run, dataset in runs
        if dataset.validation
    ]
    temperature = fit_temperature(*judged)
    errors = []
    for (experiment, _, dataset), (network, *examples, weights) in zip(runs, judged, strict=True):
        network.cool(temperature)
        found = evaluate(network, experiment, dataset.encoding, Examples(*examples), weights)
        errors.append(found.error)
    return errors


def _check_fold(dataset: Dataset, parts: int) -> None:
    """Make sure that a fold has examples to learn from and to validate on.

    Raises:
        ConfigError: if it has none.
    """
    learned, judged = dataset.train_rows, dataset.validation
    if learned is None or not len(learned) or judged is None or not len(judged.labels):
        n = len(dataset.train.labels)
        problem = f"{n} examples are too few, or too much alike, for {parts} parts"
        raise ConfigError("--folds", problem, "write fewer, or a validation key")
