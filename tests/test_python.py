"""mlpcli from Python: load a checkpoint, predict, and pay for no more than that."""

import re
import subprocess
import sys
from datetime import date
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
    "examples", [np.zeros((3, 11)), np.full((3, 10), np.nan), [["x"] * 10], [[None] * 10]]
)
def test_bad_examples(parity_weights, examples):
    """Arrays of another width, with NaN, or of other than numbers are errors of mlpcli's own."""
    with pytest.raises(DataError, match=r"^features: "):
        mlpcli.load(parity_weights).predict(examples)


def test_bad_checkpoint():
    """A file that is not there is an error of mlpcli's own."""
    with pytest.raises(CheckpointError, match=r"gone\.npy: cannot be read"):
        mlpcli.load("gone.npy")


ROWS = [("red", 1, "2024-01-31", "a"), ("blue", "", "2023-06-01", "b")] * 12
COLUMNS = ("colour", "x", "seen", "y")
CONFIG = """
data: {train: t.csv, missing: mean, dates: [seen], target: y}
hidden: [4]
eta: 1
bt_size: 8
epochs: 3
"""


class Frame:
    """A data frame as pandas and Polars have it: names, and a column by each."""

    def __init__(self, columns):
        self.columns, self._columns = [*columns], columns

    def __getitem__(self, name):
        return self._columns[name]


class NAType:
    """What pandas has for a missing value of most types."""

    def __ne__(self, other):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


@pytest.fixture
def table_model(run_mlp):
    """Return a model of a table with text, numbers, a missing value and dates."""
    lines = [",".join(map(str, row)) for row in [COLUMNS, *ROWS]]
    Path("t.csv").write_text("\n".join(lines))
    Path("t.yaml").write_text(CONFIG)
    assert run_mlp("train", "t.yaml").returncode == 0
    return mlpcli.load("t.npy")


DATES = np.array(["2024-01-31", "2023-06-01"], "datetime64[ns]")
FRAMES = {
    "a frame": Frame({"colour": ["red", "blue"], "x": np.array([1, np.nan]), "seen": DATES}),
    "another order": Frame({"y": [0, 0], "seen": DATES, "x": [1, None], "colour": ["red", "blue"]}),
    "pandas' NA": Frame({"colour": ["red", "blue"], "x": [True, NAType()], "seen": DATES}),
    "columns by name": {"colour": ["red", "blue"], "x": ["1", " "],
                        "seen": ["31.01.2024", date(2023, 6, 1)]},
    "mappings": [{"colour": "red", "x": 1, "seen": "2024-01-31"},
                 {"seen": "2023-06-01 00:00", "colour": "blue"}],
    "lists": [["red", 1.0, "2024-01-31"], ["blue", None, "2023-06-01"]],
    "an array of objects": np.array(ROWS[:2], object),
    "records": np.array([("red", 1, "2024-01-31"), ("blue", np.nan, "2023-06-01")],
                        [("colour", "U4"), ("x", "f4"), ("seen", "U10")]),
}  # fmt: skip


@pytest.mark.parametrize("kind", FRAMES)
def test_tables(table_model, run_mlp, kind):
    """Rows that a program holds are predicted as `mlp predict` does those of a file."""
    Path("in.csv").write_text("colour,x,seen\nred,1,2024-01-31\nblue,,2023-06-01\n")
    run_mlp("predict", "--weights", "t.npy", "--proba", "in.csv", "-o", "in.npy")
    np.testing.assert_array_equal(table_model.predict_proba(FRAMES[kind]), np.load("in.npy"))


def test_one_row_and_none(table_model):
    """One row may be a mapping, and there may be none."""
    row = {"colour": "red", "x": 1, "seen": "2024-01-31"}
    both = table_model.predict_proba(FRAMES["mappings"])
    np.testing.assert_array_equal(table_model.predict_proba(row), both[:1])
    assert table_model.predict_proba({name: [] for name in row}).shape == (0, 2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"colour": "red", "x": 1}, "column seen is missing; the columns are colour, x, seen"),
        ([["red", "one", "2024-01-31"]], "row 0: column 2: 'one' is not a finite number"),
        ([["red", 1j, "2024-01-31"]], "row 0: column 2: '1j' is not a finite number"),
        ([["red", np.inf, "2024-01-31"]], "holds inf in row 0, column 2"),
        ([["green", 1, "2024-01-31"]], "row 0: column 1: 'green' is no category"),
        ([["red", 1, "soon"]], "row 0: column 3: 'soon' is no date"),
        ([["red", 1]], "has 2 values; the network takes 3, or the 4 columns"),
        ({"colour": ["red"], "x": [1, 2], "seen": ["2024-01-31"]}, "has columns of different len"),
        ({"colour": [["red"]], "x": [1], "seen": ["2024-01-31"]}, "has a column of shape (1, 1)"),
        (Frame({"x": [1]}), "column colour is missing"),
        ("t.csv", "has shape (), and is no table; give rows of cells, or columns by name"),
    ],
)  # fmt: skip
def test_bad_tables(table_model, rows, message):
    """What does not fit is an error of mlpcli's own that names row and column."""
    with pytest.raises(DataError, match=r"^features: " + re.escape(message)):
        table_model.predict(rows)


def test_numbers_by_name(run_mlp):
    """Columns of numbers alone go by their names, too, and by position without."""
    rows = "".join(f"{i % 2},{i % 5},{'ab'[i % 2]}\n" for i in range(20))
    Path("t.csv").write_text("p,q,y\n" + rows)
    Path("t.yaml").write_text("{data: {train: t.csv}, hidden: [3], eta: 1, bt_size: 2, epochs: 1}")
    assert run_mlp("train", "t.yaml").returncode == 0
    model = mlpcli.load("t.npy")
    expected = model.predict_proba([[1, 4], [0, 2]])
    swapped = Frame({"q": np.array([4, 2]), "p": np.array([1, 0])})
    np.testing.assert_array_equal(model.predict_proba(swapped), expected)
    twice = Frame({"q": [4, 2]})
    twice.columns = ["q", "q"]
    with pytest.raises(DataError, match="two columns have the same name"):
        model.predict(twice)
