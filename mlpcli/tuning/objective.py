"""How good an experiment is on validation examples: a mean over seeds and folds."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset, Examples, Fold
from mlpcli.data.load import fit_structure, load_data
from mlpcli.errors import ConfigError
from mlpcli.model import evaluate, new_model
from mlpcli.nn.calibration import fit_temperature
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
        return [_value(metric, *started) for started in self.runs]


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


def _value(metric: str, experiment: Experiment, run: Run, dataset: Dataset) -> float:
    if metric == "error" and experiment.calibrate and dataset.validation:
        return _calibrated_error(experiment, run, dataset, dataset.validation)
    # Where validation does not choose the weights, those to use are the last.
    row = run.history[run.best_epoch if experiment.validation else -1]
    return float(row[f"validation_{metric}"])


def _calibrated_error(
    experiment: Experiment, run: Run, dataset: Dataset, validation: Examples
) -> float:
    """Return the validation error as it is in use: label smoothing alone makes it larger."""
    network = run.candidate.copy()
    network.theta[:] = run.best
    network.cool(fit_temperature(network, *validation))
    weights = dataset.validation_weights
    return evaluate(network, experiment, dataset.encoding, validation, weights).error


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
