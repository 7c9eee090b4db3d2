"""mlpcli from Python: load a checkpoint, predict, and pay for no more than that."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mlpcli
from mlpcli.errors import CheckpointError, DataError

BITS = ((np.arange(1500)[:, np.newaxis] >> np.arange(9, -1, -1)) & 1).astype(np.uint8)


def test_importing_mlpcli_is_cheap():
    """`import mlpcli` imports none of the libraries; `mlpcli.load` does."""
    code = (
        "import sys, mlpcli\n"
        "heavy = {'numpy', 'yaml', 'click', 'tqdm', 'requests'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "mlpcli.load\n"
        "assert 'numpy' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_there_is_not():
    """Any other name is an ordinary AttributeError."""
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        mlpcli.lode  # noqa: B018


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, bool])
@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_predict(parity_weights, dtype, kind):
    """`predict` names classes and `predict_proba` has a column for each, for more than a chunk."""
    net = mlpcli.load(kind(parity_weights))
    names, outputs = net.predict(BITS.astype(dtype)), net.predict_proba(BITS.astype(dtype))
    assert names.tolist() == [("even", "odd")[n % 2] for n in range(1500)]
    assert outputs.shape == (1500, 2)
    np.testing.assert_array_equal(names == "even", outputs[:, 1] > outputs[:, 0])


@pytest.mark.parametrize(
    ("examples", "n"),
    [(BITS[:3].reshape(3, 2, 5), 3), (BITS[5], 1), ([[0] * 10], 1), (np.zeros((0, 10)), 0)],
)
def test_shapes(parity_weights, examples, n):
    """Images, one example, a list, and no example at all."""
    net = mlpcli.load(parity_weights)
    assert net.predict(examples).shape == (n,)
    assert net.predict_proba(examples).shape == (n, 2)


@pytest.mark.parametrize(
    "examples", [np.zeros((3, 11)), np.full((3, 10), np.nan), [["0"] * 10], [[None] * 10]]
)
def test_bad_examples(parity_weights, examples):
    """Arrays of another width, with NaN, or of other than numbers are errors of mlpcli's own."""
    with pytest.raises(DataError, match=r"^features: "):
        mlpcli.load(parity_weights).predict(examples)


def test_bad_checkpoint():
    """A file that is not there is an error of mlpcli's own."""
    with pytest.raises(CheckpointError, match=r"gone\.npy: cannot be read"):
        mlpcli.load("gone.npy")


def test_text_is_for_tables(run_mlp):
    """A network that was trained on columns of text says that arrays cannot hold them."""
    rows = "".join(f"{('red', 'blue')[i % 2]},{i},{'ab'[i % 2]}\n" for i in range(9))
    Path("t.csv").write_text("colour,x,y\n" + rows)
    Path("t.yaml").write_text(
        "{data: {train: t.csv}, structure: [3, 2], eta: 1, bt_size: 2, epochs: 1}"
    )
    assert run_mlp("train", "t.yaml").returncode == 0
    with pytest.raises(DataError, match=r"^features: column colour is text, and an array holds"):
        mlpcli.load("t.npy").predict([[0, 1]])
