"""What reads rows for models to export."""

import exported
import pytest

from mlpcli.prediction.inputs import read_input


@pytest.fixture
def tables(tmp_path):
    """Return what reads n rows of a kind of table as `mlp predict` does."""

    def read(model, name, n):
        path = tmp_path / f"{n} rows.csv"
        exported.write_csv(path, exported.KINDS[name], n, seed=11, labelled=False)
        files, dtype = model.experiment.data.files, model.experiment.dtype
        return [b.table for b in read_input(str(path), model.encoding, files, dtype=dtype)]

    return read
