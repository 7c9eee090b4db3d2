"""How good an experiment is on validation examples: over seeds, and over folds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset
from mlpcli.data.load import fit_structure, load_data
from mlpcli.data.splits import set_aside, strata
from mlpcli.errors import ConfigError
from mlpcli.model import new_model
from mlpcli.rng import KeyedStreams
from mlpcli.training.engine import choose_engine
from mlpcli.training.loop import OnStep, train
from mlpcli.training.run import start_run

# Of these, more is better; of error and rmse, less.
GAINS = ("accuracy",)

OnEpoch = Callable[[int, float], None]
"""Told how many epochs of the first run are over, and what the last came to."""


class Objective(NamedTuple):
    """What is measured of an experiment."""

    metric: str
    """What an epoch's validation comes to: error, accuracy or rmse."""
    seeds: int
    """So many, from the experiment's own on."""
    folds: int | None
    """So many parts, each of which validates once; None for the experiment's own `validation`."""
    data_dir: Path
    engine: str
    """What computes, as `--engine` names it."""

    def values(self, experiment: Experiment, on_epoch: OnEpoch, on_step: OnStep) -> list[float]:
        """Train every run of an experiment; return the metric of each.

        Raises:
            ConfigError, DataError: as `load_data` does.
            DivergedError: as `train` does.
        """
        found: list[float] = []
        for seed in range(self.seeds):
            seeded = replace(experiment, seed=(experiment.seed + seed) % 2**32)
            for dataset in self.datasets(seeded):
                tell = on_epoch if not found else lambda *_: None
                found.append(self._value(seeded, dataset, tell, on_step))
        return found

    def datasets(self, experiment: Experiment) -> Iterator[Dataset]:
        """Yield the data of each run of one seed, with validation examples."""
        if not self.folds:
            yield load_data(experiment, self.data_dir)
            return
        whole = load_data(replace(experiment, validation=None), self.data_dir)
        for rows in fold_rows(experiment, whole, self.folds):
            yield set_aside(whole, rows)

    def _value(
        self, experiment: Experiment, dataset: Dataset, on_epoch: OnEpoch, on_step: OnStep
    ) -> float:
        if self.folds and experiment.validation:
            experiment = replace(experiment, validation=1 / self.folds)
        experiment = fit_structure(experiment, dataset.encoding)
        model = new_model(experiment, dataset)
        run = start_run(experiment, model.network)
        run.engine = choose_engine(self.engine, experiment, lambda _: None)
        name = f"validation_{self.metric}"
        for report in train(experiment, run, dataset, on_step):
            on_epoch(len(run.history), report.row[name])
        # Where validation does not choose the weights, those to use are the last.
        last = run.history[run.best_epoch if experiment.validation else -1]
        return float(last[name])


def fold_rows(experiment: Experiment, dataset: Dataset, folds: int) -> Iterator[NDArray[np.intp]]:
    """Yield the rows to learn from in each fold: all but one of so many parts that look alike.

    Raises:
        ConfigError: if there are fewer examples than folds.
    """
    n = len(dataset.train.labels)
    if n < folds:
        raise ConfigError("--folds", f"{folds} is more than the {n} examples", f"write {n} or less")
    alike = strata(dataset.encoding.task, dataset.train.labels, 1 / folds)
    order = KeyedStreams(experiment.seed).generator("folds").permutation(n)
    # Dealt out class by class, so that every part has its share of each.
    order = order[np.argsort(alike[order], kind="stable")]
    for fold in range(folds):
        yield np.sort(np.delete(order, slice(fold, None, folds)))
