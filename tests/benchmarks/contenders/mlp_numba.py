"""This project with kernels that numba has compiled; warm-up compiles them."""

from benchmarks.contenders import Trainer, mlp
from benchmarks.workloads import Workload
from mlpcli.data.dataset import Dataset
from mlpcli.training.engine import choose_engine

LIBRARIES = ("mlpcli", "numpy", "numba")


def prepare(workload: Workload, dataset: Dataset) -> Trainer:
    """Start training as `mlp` does, with numba."""
    experiment = mlp.from_mapping(workload.mapping(epochs=1), {})
    return mlp.prepare(workload, dataset, choose_engine("numba", experiment, lambda _: None))
