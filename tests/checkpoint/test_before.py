"""Checkpoints written before the package was rearranged: they load, show, and go on to the end.

`before/` holds, for two experiments, what one commit wrote with one thread: a run that was stopped,
and the same run finished.
"""

import os
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest

from mlpcli import __version__
from mlpcli.checkpoint import format as checkpoint

BEFORE = Path(__file__).parent / "before"
VERSIONS = {
    "mlpcli": __version__,
    "numpy": np.__version__,
    "python": platform.python_version(),
    "threads": 1,
}


@pytest.fixture(params=["article", "table"])
def name(request):
    """Copy an experiment, its data and its stopped run into the current folder; return its name."""
    for path in BEFORE.iterdir():
        shutil.copy(path, path.name)
    return request.param


def numbers(value):
    """Return a JSON value with every number as pytest compares it, to 1e-6 of its size."""
    if isinstance(value, dict):
        return {key: numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [numbers(part) for part in value]
    return pytest.approx(value, rel=1e-6) if isinstance(value, float) else value


def test_a_stopped_run_is_shown_and_goes_on(mlp_process, name):
    """It is shown without an error, and resumed gives the finished file.

    To the byte under the versions that wrote it; elsewhere to the last digits.
    """
    stopped, finished = Path(f"{name}-stopped.npy"), checkpoint.read(Path(f"{name}-finished.npy"))
    assert "incomplete" in mlp_process("show", stopped).stdout
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    words = ("train", f"{name}.yaml", "-q", "--resume", "-o", stopped)
    resumed = mlp_process(*words, env=alone)
    assert (resumed.returncode, resumed.stderr) == (0, "")
    if finished.meta["versions"] == VERSIONS:
        assert stopped.read_bytes() == Path(f"{name}-finished.npy").read_bytes()
    arrays, meta = checkpoint.read(stopped)
    assert list(arrays) == list(finished.arrays)
    for array, expected in zip(arrays.values(), finished.arrays.values(), strict=True):
        # Other processors round otherwise: up to 1.2e-5 was measured after nine epochs in float32.
        tolerance = 1e-6 if array.dtype == np.float64 else 1e-4
        np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance / 100)
    assert meta | {"versions": {}} == numbers(finished.meta | {"versions": {}})
