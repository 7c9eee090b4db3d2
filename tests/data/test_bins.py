"""Piecewise-linear embeddings: the paper's formula, fitted to training examples, and stored."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlpcli
from mlpcli.config.load import load_experiment
from mlpcli.data.bins import BINS
from mlpcli.data.encode import embed
from mlpcli.data.encoding import Encoding
from mlpcli.data.load import load_data

KEYS = "hidden: [8]\neta: 0.1\nbt_size: 16\nepochs: 4\nembeddings: piecewise_linear\n"
NUMBERS = st.floats(-1e6, 1e6)


def configure(data="{train: t.csv, test: 0.2}", more=""):
    """Write a configuration."""
    Path("c.yaml").write_text(f"data: {data}\n{KEYS}{more}", encoding="utf-8")


def write_table(n=200, gap=None):
    """Write a table of numbers, one of them constant and one binary, and a category."""
    rng = np.random.default_rng(0)
    x = rng.lognormal(size=n).tolist()
    cells = ["" if i == gap else repr(value) for i, value in enumerate(x)]
    rows = [f"{cells[i]},7,{i % 2},{'uv'[i % 3 // 2]},{'ny'[int(x[i] > 1)]}" for i in range(n)]
    Path("t.csv").write_text("\n".join(["a,same,two,word,y", *rows]) + "\n")


@given(st.lists(NUMBERS, min_size=2, max_size=6, unique=True), st.lists(NUMBERS, min_size=1))
def test_the_formula(ends, values):
    """Every feature is what the paper's equation (1) says, case by case."""
    bins = sorted(ends)
    found = embed(np.array(values), bins)
    for row, x in zip(found, values, strict=True):
        for t, (low, high) in enumerate(pairwise(bins)):
            if x < low and t > 0:
                expected = 0.0
            elif x >= high and t < len(bins) - 2:
                expected = 1.0
            else:
                expected = (x - low) / (high - low)
            assert row[t] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_bins_are_quantiles_of_what_is_trained_on():
    """Rows that are set aside for test and validation do not decide where bins are."""
    write_table()
    configure(more="validation: 0.25\n")
    dataset = load_data(load_experiment(Path("c.yaml")), Path())
    a, same, two, word, _ = dataset.encoding.columns
    assert (len(a.bins), same.bins, two.bins) == (BINS + 1, (), (0.0, 1.0))
    assert [column.width for column in (a, same, two, word)] == [BINS, 1, 1, 2]
    trained = dataset.train.features[dataset.train_rows]
    # A number in the first bins has passed the share of them that e_1 + ... + e_T says.
    position = trained[:, :BINS].sum(axis=1)
    ranks = position.argsort().argsort() / (len(trained) - 1) * BINS
    np.testing.assert_allclose(position, ranks, atol=1e-5 * BINS + 1)
    assert (position.min(), position.max()) == pytest.approx((0, BINS), abs=1e-5)


@pytest.mark.parametrize("scale", ["standardize", "robust", "none", "unit"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_network_meets_the_embedding_itself(scale, dtype):
    """Whatever the scale, what the first layer multiplies is the formula's value."""
    write_table()
    configure(f"{{train: t.csv, test: 0.2, scale: {scale}}}", f"dtype: {dtype}\n")
    dataset = load_data(load_experiment(Path("c.yaml")), Path())
    features = dataset.train.features[:, :BINS] * (1 / 255 if scale == "unit" else 1)
    assert dataset.train.features.dtype == dtype
    assert features[:, 1:-1].min() == 0
    assert features[:, 1:-1].max() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("data", ["table", "array"])
def test_from_training_to_prediction(run_mlp, data):
    """A network trains, is resumed to the byte, shown, checked and predicts, gaps filled in."""
    write_table(gap=5)
    source = "{train: t.csv, test: 0.2, missing: mean}"
    if data == "array":
        source = "{train: x.npy, test: 0.2}"
        x = np.random.default_rng(0).normal(size=(200, 3))
        np.save("x.npy", np.column_stack([x, x[:, 0] > 0]))
    configure(source)
    whole, part = ("train", "c.yaml", "-q", "-o"), ("--set", "epochs=2")
    assert run_mlp(*whole, "whole.npy").returncode == 0
    assert run_mlp(*whole, "part.npy", *part).returncode == 0
    assert run_mlp(*whole, "part.npy", "--resume").returncode == 0
    assert Path("part.npy").read_bytes() == Path("whole.npy").read_bytes()
    assert run_mlp("check", "c.yaml").returncode == 0
    shown = json.loads(run_mlp("show", "whole.npy", "--json").stdout)
    assert shown["experiment"]["embeddings"] == "piecewise_linear"
    first, *_ = shown["experiment"]["structure"]
    assert first == (3 * BINS if data == "array" else BINS + 4)
    assert run_mlp("evaluate", "--weights", "whole.npy").returncode == 0
    if data == "array":
        assert mlpcli.load("whole.npy").predict(x[:4]).shape == (4,)
    else:
        Path("new.csv").write_text("two,a,same,word\n1,,7,u\n0,3.5,9,v\n")
        run = run_mlp("predict", "--weights", "whole.npy", "new.csv")
        assert (run.returncode, len(run.stdout.split())) == (0, 2)


def test_structure_counts_what_numbers_become(run_mlp):
    """A structure that is given counts bins; one that does not is answered with it."""
    write_table()
    configure()
    text = Path("c.yaml").read_text(encoding="utf-8")
    Path("c.yaml").write_text(text.replace("hidden: [8]", "structure: [5, 8, 2]"))
    run = run_mlp("train", "c.yaml")
    assert run.returncode == 2
    assert f"write structure: [{BINS + 4}, 8, 2]" in run.stderr


@pytest.mark.parametrize("data", ["parity", "{name: mnist}"])
def test_datasets_that_are_no_tables(run_mlp, data):
    """What comes with mlp has no columns of numbers, and that is said."""
    configure(data)
    run = run_mlp("train", "c.yaml")
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert "c.yaml:6: embeddings: is of a table's numbers, but" in run.stderr


def test_images_are_refused(run_mlp):
    """Pixels of images are no columns."""
    images = np.random.default_rng(0).integers(0, 255, (40, 4, 4), np.uint8)
    np.save("x.npy", images)
    np.save("y.npy", np.arange(40) % 2)
    configure("{train: x.npy, test: 0.2}")
    run = run_mlp("train", "c.yaml")
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert "embeddings: x.npy: holds images, whose pixels are no columns" in run.stderr


@pytest.mark.parametrize(
    "bins", [[1.0], [1.0, 1.0], [2.0, 1.0], [0.0, float("nan")], ["a", "b"], [0.0, 1.0, 2.0]]
)
def test_bins_of_a_checkpoint_are_checked(bins):
    """Bins that do not increase, are no numbers or are others than its features are refused."""
    column = {"name": "a", "role": "number", "bins": [0.0, 1.0]}
    mapping = {"features": 1, "scale": "none", "columns": [column]}
    assert Encoding.from_mapping(mapping, ("n", "y")).to_mapping() == mapping | {
        "columns": [column | {"bins": (0.0, 1.0)}]
    }
    with pytest.raises(ValueError, match=r"contradicts|must be"):
        Encoding.from_mapping(mapping | {"columns": [column | {"bins": bins}]}, ("n", "y"))
    of_category = {"name": "a", "role": "category", "categories": ["u"], "bins": [0.0, 1.0]}
    with pytest.raises(ValueError, match="contradicts itself"):
        Encoding.from_mapping(mapping | {"columns": [of_category]}, ("n", "y"))


def test_a_date_before_a_number():
    """The bins of a number beside a date are of its own values, and the date has none."""
    rows = "".join(f"20{10 + i % 9}-0{1 + i % 9}-11,{i % 5},{'ny'[i % 2]}\n" for i in range(60))
    Path("t.csv").write_text("day,x,y\n" + rows)
    configure("{train: t.csv, test: 0.2, dates: [day]}")
    day, x, _ = load_data(load_experiment(Path("c.yaml")), Path("unused")).encoding.columns
    assert (day.role, day.bins) == ("date", ())
    assert x.bins == (0, 1, 2, 3, 4)
