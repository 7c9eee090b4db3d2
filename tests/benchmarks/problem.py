"""What a contender is given: the same data and the same first weights for all."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads import Workload
from mlpcli.config.load import from_mapping
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.encoding import SCALES, Encoding
from mlpcli.data.load import load_data

Floats = NDArray[np.float32]


def load(workload: Workload, data_dir: str, examples: int | None = None) -> Dataset:
    """Open a workload's data.

    Args:
        workload: what will be trained on it.
        data_dir: as `mlp --data-dir`.
        examples: train on so many random images instead; cost does not depend on the values.
    """
    if workload.data == "table":
        return _table(workload.structure[0], workload.structure[-1], examples or 50_000)
    five_keys = workload._replace(extra={}).mapping(1)
    dataset = load_data(from_mapping(five_keys, {}), Path(data_dir))
    if examples is None:
        return dataset
    rng = np.random.default_rng(0)
    features = np.empty((examples, workload.structure[0]), np.uint8)
    for start in range(0, examples, 1000):  # so that the data are the only large array
        chunk = features[start : start + 1000]
        chunk[:] = rng.integers(0, 256, chunk.shape, np.uint8)
    labels = rng.integers(0, workload.structure[-1], examples, np.uint8)
    return dataset._replace(train=Examples(features, labels))


def _table(columns: int, classes: int, rows: int) -> Dataset:
    """Make a table of standardised numbers, with a tenth as many rows for tests.

    A row's class is that of the largest of linear functions of it, with noise.
    """
    rng = np.random.default_rng(0)
    features = rng.standard_normal((rows + rows // 10, columns), np.float32)
    scores = features @ rng.standard_normal((columns, classes), np.float32)
    labels = (scores + rng.standard_normal(scores.shape)).argmax(axis=1).astype(np.uint8)
    names = tuple(map(str, range(classes)))
    parts = (Examples(features[part], labels[part]) for part in (slice(rows), slice(rows, None)))
    return Dataset("table", Encoding(columns, "none", names), *parts)


def inputs(examples: Examples, encoding: Encoding) -> Floats:
    """Return the scaled features that a library without scaling of its own takes, float32."""
    return examples.features * np.float32(SCALES[encoding.scale])


def one_hot(examples: Examples, encoding: Encoding) -> Floats:
    """Return labels as one-hot rows, float32."""
    return np.eye(len(encoding.class_names), dtype=np.float32)[examples.labels]


def first_weights(workload: Workload) -> list[tuple[Floats, Floats]]:
    """Draw (W, b) per layer, W (n_{l-1}, n_l), as `mlp` does by default: He's or LeCun's normal."""
    rng = np.random.default_rng(0)
    gain = 2 if workload.relu else 1
    return [
        (
            (rng.standard_normal((n_in, n_out)) * (gain / n_in) ** 0.5).astype(np.float32),
            np.zeros(n_out, np.float32),
        )
        for n_in, n_out in pairwise(workload.structure)
    ]
