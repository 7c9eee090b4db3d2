"""This project, through `training.train` and everything it does between steps."""

from itertools import islice

from benchmarks.contenders import Trainer
from benchmarks.workloads import Workload
from mlpcli.config.load import from_mapping
from mlpcli.data.dataset import Dataset
from mlpcli.model import new_model
from mlpcli.training.engine import NUMPY, Engine
from mlpcli.training.loop import train
from mlpcli.training.run import start_run

LIBRARIES = ("mlpcli", "numpy")


def prepare(workload: Workload, dataset: Dataset, engine: Engine = NUMPY) -> Trainer:
    """Start training for more epochs than will be asked for, with NumPy or another engine."""
    experiment = from_mapping(workload.mapping(epochs=10**6), {})
    model = new_model(experiment, dataset)
    started = start_run(experiment, model.network)
    started.engine = engine
    reports = train(experiment, started, dataset)

    def run(epochs: int) -> float:
        for report in islice(reports, epochs):
            error = report.row["error"]
        return error

    return Trainer(run, lambda: model.evaluate(dataset.test).accuracy)
