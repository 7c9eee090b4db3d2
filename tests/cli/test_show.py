"""`mlp show`: what a checkpoint holds, in text, JSON, CSV, and YAML that trains it again."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.cli.main import mlp
from mlpcli.config import yaml_core
from mlpcli.errors import CheckpointError, ConfigError


@pytest.fixture
def show(parity_weights, capsys):
    """Return a function that runs `mlp show` on the parity network and returns what it prints."""

    def run(*options, weights=parity_weights):
        mlp(["show", str(weights), *options], standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_text(show, parity_weights):
    """One line per layer with shapes and counts, then training, versions and the experiment."""
    lines = show().splitlines()
    assert lines[0] == f"{parity_weights}, {parity_weights.stat().st_size:,} bytes"
    assert lines[2:6] == [
        "layer  W        b     parameters",
        "2      (3, 10)  (3,)          33",
        "3      (2, 3)   (2,)           8",
        "all                           41",
    ]
    shown = dict(line.split("  ", 1) for line in lines[8:14])
    facts = {name: fact.strip() for name, fact in shown.items()}
    assert facts["data"] == "parity, 10 features, scale none"
    assert facts["classes"] == "2: odd, even"
    assert facts["epochs"] == "10, complete"
    assert facts["best epoch"].startswith("9 error 0.0089463")  # the article's table
    assert f"numpy {np.__version__}" in facts["versions"]
    assert {"experiment", "structure: [10, 3, 2]", "compat: article"} <= set(lines)
    assert all(len(line) <= 80 for line in lines[1:])


def test_json(show, parity_weights):
    """`--json` holds the same, and is what the README documents."""
    found = json.loads(show("--json"))
    record = np.load(parity_weights)
    meta = json.loads(record["meta"].tobytes())
    assert list(found) == [
        "weights", "bytes", "layers", "parameters", "experiment", "classes", "data", "epochs",
        "complete", "best_epoch", "metrics", "versions",
    ]  # fmt: skip
    assert found["layers"] == [
        {"layer": i, "W": list(record[f"W{i}"].shape), "b": list(record[f"b{i}"].shape),
         "parameters": record[f"W{i}"].size + record[f"b{i}"].size}
        for i in (2, 3)
    ]  # fmt: skip
    assert found["parameters"] == sum(layer["parameters"] for layer in found["layers"])
    assert (found["bytes"], found["epochs"]) == (parity_weights.stat().st_size, 10)
    assert found["experiment"] == meta["experiment"]
    assert found["metrics"]["error"] == meta["history"][9]["error"]
    assert found["data"]["fingerprint"] == meta["fingerprint"]


def test_history(show, parity_weights):
    """`--history` is CSV with a row per epoch and every digit."""
    history = json.loads(np.load(parity_weights)["meta"].tobytes())["history"]
    rows = list(csv.DictReader(show("--history").splitlines()))
    assert [int(row["epoch"]) for row in rows] == list(range(10))
    assert [float(row["error"]) for row in rows] == [row["error"] for row in history]


@pytest.mark.parametrize(
    "keys",
    [{"compat": "article"}, {"eta": 1e-5}, {"seed": 7, "init": "normal"}, {"dtype": "float64"}],
    ids=str,
)
def test_config_trains_the_same_file_again(show, keys):
    """What `--config` prints makes, byte for byte, the checkpoint that it was printed from."""
    base = {"data": "parity", "structure": [10, 3, 2], "eta": 0.3, "bt_size": 8, "epochs": 2}
    values = {**base, **keys}
    Path("first.yaml").write_text(json.dumps(values))
    mlp(["train", "first.yaml", "-q", "--json"], standalone_mode=False)
    show()  # and forget what train printed
    Path("again.yaml").write_text(show("--config", weights="first.npy"))
    mlp(["train", "again.yaml", "-q"], standalone_mode=False)
    assert Path("again.npy").read_bytes() == Path("first.npy").read_bytes()


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TRICKY = st.sampled_from(
    ["1e-3", "no", "10:30", "0o7", "null", "~", "", "1.", ".5", "true", "#a", "- b"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | TRICKY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | TRICKY, inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(WORDS | TRICKY, VALUES, max_size=4))
def test_yaml_is_read_as_it_was_written(mapping):
    """`to_yaml` quotes what the 1.2 core schema would read as something else."""
    loaded = yaml_core.parse_value(yaml_core.to_yaml(mapping))
    assert loaded == mapping
    assert repr(loaded) == repr(mapping)  # 1 is not 1.0, nor True


@pytest.mark.parametrize("options", [("--json", "--config"), ("--history", "--json")])
def test_one_form_at_a_time(show, options):
    """Two forms at once are refused."""
    with pytest.raises(ConfigError, match="choose one"):
        show(*options)


def test_what_is_no_checkpoint(show):
    """An ordinary array is refused, naming it."""
    np.save("plain.npy", np.zeros(3))
    with pytest.raises(CheckpointError, match=r"plain\.npy: is not an mlp checkpoint"):
        show(weights="plain.npy")
