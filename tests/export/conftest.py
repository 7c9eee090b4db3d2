"""What runs exports: compilers, onnxruntime and Python."""

import os

import exported
import pytest

from mlpcli.export import run_c
from mlpcli.prediction.inputs import read_input


@pytest.fixture(scope="session")
def cc():
    """Return the C compiler; without one, skip, or fail where there must be one."""
    found = run_c.compiler()
    if not found and os.environ.get("MLP_TEST_EXPORTS"):
        pytest.fail("there is no C compiler")
    return found or pytest.skip("there is no C compiler")


@pytest.fixture(scope="session")
def ort():
    """Return onnxruntime."""
    if os.environ.get("MLP_TEST_EXPORTS"):
        import onnxruntime

        return onnxruntime
    return pytest.importorskip("onnxruntime")


@pytest.fixture
def tables(tmp_path):
    """Return what reads n rows of a kind of table as `mlp predict` does."""

    def read(model, name, n):
        path = tmp_path / f"{n} rows.csv"
        exported.write_csv(path, exported.KINDS[name], n, seed=11, labelled=False)
        files, dtype = model.experiment.data.files, model.experiment.dtype
        return [b.table for b in read_input(str(path), model.encoding, files, dtype=dtype)]

    return read
