"""The bare matrix products of an epoch on one warm mini-batch: what NumPy alone cannot beat."""

from itertools import pairwise

import numpy as np

from benchmarks.contenders import Trainer
from benchmarks.workloads import Workload
from mlpcli.data.dataset import Dataset

LIBRARIES = ("numpy",)


def prepare(workload: Workload, dataset: Dataset) -> Trainer:
    """Lay out the operands of every product of a full and of the last, smaller, mini-batch."""
    full, rest = divmod(len(dataset.train.labels), workload.bt_size)
    full_step = _products(workload.structure, workload.bt_size)
    rest_step = _products(workload.structure, rest) if rest else []
    matmul = np.matmul

    def run(epochs: int) -> None:
        for _ in range(epochs):
            for _ in range(full):
                for left, right, out in full_step:
                    matmul(left, right, out=out)
            for left, right, out in rest_step:
                matmul(left, right, out=out)

    return Trainer(run, lambda: None)


def _products(structure: list[int], m: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return (left, right, out) of one step of m examples, in the order of the step."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    weights = [normal(n_in, n_out) for n_in, n_out in pairwise(structure)]
    a = [normal(m, n) for n in structure]
    forward = [(a[i], W, np.empty_like(a[i + 1])) for i, W in enumerate(weights)]
    backward = []
    for i, W in reversed(list(enumerate(weights))):
        delta = normal(m, structure[i + 1])
        backward.append((a[i].T, delta, np.empty_like(W)))
        if i:
            backward.append((delta, W.T, np.empty_like(a[i])))
    return forward + backward
