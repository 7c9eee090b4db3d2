"""How good an experiment is on validation examples: a mean over seeds and folds."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple, cast

from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset, Examples, Fold
from mlpcli.data.load import fit_structure, load_data
from mlpcli.errors import ConfigError
from mlpcli.model import Evaluation, Weights, evaluate, new_model
from mlpcli.nn.calibration import Judged, fit_temperature
from mlpcli.nn.network import Network
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
    judged: Examples
    """What tells how good it is."""
    weights: Weights
    """(n,) how much each of these counts; None where all count the same."""

    def evaluate(self, network: Network) -> Evaluation:
        """Compare what a network predicts of them with their targets."""
        return evaluate(network, self.experiment, self.dataset.encoding, self.judged, self.weights)


class Progress(NamedTuple):
    """Where the runs of a trial stand after an epoch."""

    share: float
    """Of all epochs, how many are over."""
    runs: list[Started]

    def values(self, metric: str) -> list[float]:
        """Return a metric of each run, if it ended here."""
        if metric == "error" and is_calibrated(self.runs[0].experiment):
            return _calibrated_errors(self.runs)
        return [
            float(started.evaluate(started.run.in_use()).row()[metric]) for started in self.runs
        ]

    def accuracies(self) -> list[float]:
        """Return how often each run is right, if it ended here; nothing of quantities."""
        is_regression = self.runs[0].dataset.encoding.task == "regression"
        return [] if is_regression else self.values("accuracy")


class Objective(NamedTuple):
    """What is measured of an experiment."""

    metric: str
    """What the validation comes to: error, accuracy or rmse."""
    seeds: int
    """So many, from the experiment's own on, which alone decides what is the test."""
    folds: tuple[Fold, ...]
    """What judges, each in turn; () for the experiment's own `validation`."""
    data_dir: Path
    engine: str
    """What computes, as `--engine` names it."""
    first_seed: int = 0
    """Where its seeds begin, from the experiment's own."""

    @property
    def sign(self) -> int:
        """What makes a larger number of any metric the better one: 1, or -1 where less is more."""
        return 1 if self.metric in GAINS else -1

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
        trained = [train(each.experiment, each.run, each.dataset, on_step) for each in runs]
        for _ in zip_longest(*trained):
            done = max(len(started.run.history) for started in runs)
            yield Progress(done / experiment.epochs, runs)

    def datasets(self, experiment: Experiment) -> Iterator[tuple[Experiment, Dataset]]:
        """Yield the data of each fold, and the experiment with the structure that fits them.

        Raises:
            ConfigError, DataError: as `load_data` does, or if they cannot be divided so.
        """
        for fold in self.folds or (None,):
            dataset = load_data(experiment, self.data_dir, fold)
            if fold:
                _check_fold(experiment, dataset, fold.parts)
            yield fit_structure(experiment, dataset.encoding), dataset

    def _start(self, experiment: Experiment, dataset: Dataset) -> Started:
        run = start_run(experiment, new_model(experiment, dataset).network)
        run.engine = choose_engine(self.engine, experiment, lambda _: None)
        # What chooses the weights would say too much good of those whose errors vary most.
        judged, weights = dataset.validation, dataset.validation_weights
        if self.folds:
            judged, weights = dataset.test, dataset.test_weights
        return Started(experiment, run, dataset, cast(Examples, judged), weights)


def is_calibrated(experiment: Experiment) -> bool:
    """Return whether the error is one of probabilities that a temperature makes smaller."""
    return experiment.loss == "cross_entropy" or bool(experiment.calibrate)


def _calibrated_errors(runs: Sequence[Started]) -> list[float]:
    """Return the validation error of each run, once all have the temperature that suits them best.

    How sure a network is of its classes can be mended, and says little of how often it is right:
    strong decay, dropout and label smoothing make the error larger where fewer examples are wrong.
    """
    networks = [started.run.in_use() for started in runs]
    temperature = fit_temperature(
        *(
            Judged(network, *started.judged, started.weights)
            for network, started in zip(networks, runs, strict=True)
        )
    )
    errors = []
    for network, started in zip(networks, runs, strict=True):
        network.cool(temperature)
        errors.append(started.evaluate(network).error)
    return errors


def _check_fold(experiment: Experiment, dataset: Dataset, parts: int) -> None:
    """Make sure that there are examples to learn from, to test on and, if asked for, to validate.

    Raises:
        ConfigError: if some are none.
    """
    needed = [dataset.train_rows, dataset.test and dataset.test.labels]
    if experiment.validation:
        needed.append(dataset.validation and dataset.validation.labels)
    if any(part is None or not len(part) for part in needed):
        n = len(dataset.train.labels)
        problem = f"{n} examples are too few, or too much alike, for {parts} parts"
        raise ConfigError("--folds", problem, "write fewer, or a validation key")
