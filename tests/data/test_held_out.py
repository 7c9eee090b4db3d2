"""What is learned from training data, and from no example that is set aside."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpcli.config.data_files import Files
from mlpcli.config.load import from_mapping
from mlpcli.data.builtin import datasets
from mlpcli.data.dataset import Preparation
from mlpcli.data.files import load_files
from mlpcli.data.load import load_data
from mlpcli.data.splits import divide, stratified
from mlpcli.errors import DataError
from mlpcli.model import new_model
from mlpcli.rng import KeyedStreams
from mlpcli.training import loop
from mlpcli.training.run import start_run

N = 60
COLOURS = ("red", "blue", "green")
BASE = {
    "structure": [5, 4, 2], "eta": 0.1, "bt_size": 8, "epochs": 2, "activation": "tanh", "seed": 3,
}  # fmt: skip


def rows(seed):
    """Return rows of two numbers, a category and a class, some of them without a value."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(N, 2)).round(3).astype(str)
    numbers[rng.random((N, 2)) < 0.1] = ""
    words = rng.choice([*COLOURS, ""], N, p=[0.5, 0.2, 0.2, 0.1])
    return [[*numbers[i], words[i], "ab"[i % 2]] for i in range(N)]


def opened(table, folder, **data):
    """Write a table and open it as an experiment does."""
    lines = ["u,v,colour,y", *(",".join(cells) for cells in table)]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    values = BASE | {"data": {"train": "t.csv", "test": 0.2, "missing": "mean", **data}}
    experiment = from_mapping(values | {"validation": 0.2}, {}, (folder,))
    return experiment, load_data(experiment, Path("unused"))


def weights(experiment, dataset):
    """Train; return the last epoch's parameters."""
    run = start_run(experiment, new_model(experiment, dataset).network)
    for _ in loop.train(experiment, run, dataset):
        pass
    return run.network.theta


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of the file that is written again and again."""
    return tmp_path_factory.mktemp("held")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(0, 99), st.sampled_from(["standardize", "robust", "none"]))
def test_nothing_is_learned_from_what_is_set_aside(folder, seed, other, scale):
    """Other values in test and validation rows change neither the encoding nor the weights."""
    table, changed = rows(seed), rows(other + 100)
    for i, (row, new) in enumerate(zip(table, changed, strict=True)):
        # u tells the rows apart; where it is missing, v does.
        row[0] = row[0] and f"{float(row[0]) + 10 * i:.3f}"
        new[0] = new[0] and "1e6"
    experiment, dataset = opened(table, folder, scale=scale)
    learned = {tuple(x) for x in dataset.train.features[dataset.train_rows].tolist()}
    spoilt = [row.copy() for row in table]
    held = held_out(table, folder)
    for i in held:
        spoilt[i][:3] = changed[i][:3]
    assert len(held) > N / 4
    _, again = opened(spoilt, folder, scale=scale)
    assert again.encoding == dataset.encoding
    assert {tuple(x) for x in again.train.features[again.train_rows].tolist()} == learned
    np.testing.assert_array_equal(weights(experiment, again), weights(experiment, dataset))


def held_out(table, folder):
    """Return the rows that are not trained on: those whose number is, in a table of numbers."""
    numbered = [[str(i), "0", COLOURS[i % 3], row[3]] for i, row in enumerate(table)]
    _, dataset = opened(numbered, folder, scale="none")
    trained = dataset.train.features[dataset.train_rows, 0].astype(int).tolist()
    return sorted(set(range(N)) - set(trained))


def test_what_is_trained_on_decides(folder):
    """Another value in a training row does change the encoding: the check above can fail."""
    table = rows(1)
    _, dataset = opened(table, folder, scale="standardize")
    table[min(set(range(N)) - set(held_out(table, folder)))][1] = "1e6"
    assert opened(table, folder, scale="standardize")[1].encoding != dataset.encoding


def test_a_category_may_be_in_held_out_rows_alone(folder):
    """It has a feature, which is never 1 in training, and a share of 0 where one is missing."""
    table = rows(1)
    table[held_out(table, folder)[0]][2] = "violet"
    values = BASE["structure"][1:]
    lines = ["u,v,colour,y", *(",".join(cells) for cells in table)]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    data = {"train": "t.csv", "test": 0.2, "missing": "mean"}
    given_keys = BASE | {"structure": [6, *values], "data": data, "validation": 0.2}
    dataset = load_data(from_mapping(given_keys, {}, (folder,)), Path("unused"))
    column = dataset.encoding.columns[2]
    assert column.categories == ("blue", "green", "red", "violet")
    assert column.filling[3] == 0
    assert sum(column.filling) == pytest.approx(1)


def test_a_column_without_values_to_learn_from(folder):
    """A column that has values in held-out rows alone is refused by name."""
    table = rows(1)
    held = held_out(table, folder)
    for i, row in enumerate(table):
        row[1] = "5" if i in held else ""
    with pytest.raises(DataError, match="column v has no values in the rows to train on; write"):
        opened(table, folder)


def test_arrays_and_named_datasets(folder):
    """The same holds of arrays with missing values, and of a dataset known by name."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(N, 3)), np.arange(N) % 2
    x[rng.random(x.shape) < 0.1] = np.nan
    np.save(folder / "y.npy", y)
    wanted = Preparation("standardize", 3, 0.2)
    parts = []
    for value in (None, 1e6):
        if value:
            x[sorted(set(range(N)) - set(parts[0].train_rows))] = value
        np.save(folder / "x.npy", x)
        parts.append(load_files(Files("x.npy", missing="mean"), wanted, (folder,)))
        assert len(parts[-1].validation.labels) == 12
    assert parts[0].encoding == parts[1].encoding
    kept = parts[0].train_rows
    np.testing.assert_allclose(parts[0].train.features[kept].mean(axis=0), 0, atol=1e-6)

    plain = datasets.load_builtin("parity", Preparation("standardize", 3), Path(), "")
    held = datasets.load_builtin("parity", Preparation("standardize", 3, 0.1), Path(), "")
    bits = datasets.load_builtin("parity", Preparation("none"), Path(), "").train.features
    assert plain.encoding != held.encoding
    np.testing.assert_allclose(held.encoding.means, bits[held.train_rows].mean(axis=0))
    again = datasets.open_builtin_split(
        "parity", "test", held.encoding, "float32", Path(), ""
    ).examples
    np.testing.assert_array_equal(again.features, held.test.features)


def test_the_rows_set_aside_are_those_of_the_seed(folder):
    """Which rows are for validation is decided by their classes and the seed alone."""
    _, dataset = opened(rows(1), folder)
    rng = KeyedStreams(3).generator("validation")
    expected, held = stratified(dataset.train.labels, 0.2, rng)
    np.testing.assert_array_equal(dataset.train_rows, expected)
    np.testing.assert_array_equal(
        dataset.validation.features, dataset.train.features[held], strict=True
    )
    assert divide(dataset.train.labels, Preparation()).learned is None


@pytest.mark.parametrize("scale", ["standardize", "robust", "none"])
def test_float64_is_computed_in_float64(folder, run_mlp, monkeypatch, scale):
    """With `dtype: float64` inputs keep the digits of the file, in every command."""
    monkeypatch.chdir(folder)
    table = [[f"{1e6 + i / 977:.12f}", f"{i / 7:.17g}", "red" if i % 3 else "blue", "ab"[i % 2]]
             for i in range(N)]  # fmt: skip
    table[3][1] = ""
    lines = ["u,v,colour,y", *(",".join(cells) for cells in table)]
    Path("t.csv").write_text("\n".join(lines) + "\n")
    files = {"train": "t.csv", "missing": "mean", "scale": scale}
    # Under `robust`, two categories are one input.
    structure = [3 if scale == "robust" else 4, 4, 2]
    keys = BASE | {"structure": structure, "data": files, "dtype": "float64", "validation": "t.csv"}
    dataset = load_data(from_mapping(keys, {}, (folder,)), Path("unused"))
    single = load_data(from_mapping(keys | {"dtype": "float32"}, {}, (folder,)), Path("unused"))
    assert dataset.train.features.dtype == dataset.validation.features.dtype == np.float64
    assert single.train.features.dtype == np.float32
    u = np.array([float(row[0]) for row in table])
    means, deviations = dataset.encoding.means or [0], dataset.encoding.deviations or [1]
    exact = (u - means[0]) / deviations[0]
    if scale != "robust":
        np.testing.assert_allclose(dataset.train.features[:, 0], exact, rtol=1e-15)
    Path("c.yaml").write_text(json.dumps(keys))
    assert run_mlp("train", "c.yaml", "-q", "--overwrite").returncode == 0
    found = json.loads(
        run_mlp("evaluate", "--weights", "c.npy", "--data", "t.csv", "--json").stdout
    )
    rows_of = [json.loads(line)["proba"] for line in
               run_mlp("predict", "--weights", "c.npy", "--json", "--proba", "t.csv")
               .stdout.splitlines()]  # fmt: skip
    outputs = np.array([[row["a"], row["b"]] for row in rows_of])
    error = np.square(outputs - np.eye(2)[np.arange(N) % 2]).sum(axis=1).mean()
    assert found["error"] == pytest.approx(error, rel=1e-12)
