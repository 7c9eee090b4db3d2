"""`mlp show`: what a checkpoint holds, in text, JSON, CSV, and YAML that trains it again."""

import csv
import json
from pathlib import Path

import builders
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint import store
from mlpcli.cli.main import mlp
from mlpcli.config import yaml_core
from mlpcli.errors import CheckpointError, ConfigError
from mlpcli.training.run import start_run

BASE = {"data": "parity", "structure": [10, 3, 2], "eta": 0.3, "bt_size": 8, "epochs": 2}


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
    shown = dict(line.split("  ", 1) for line in lines[8:15])
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
        "weights", "bytes", "layers", "parameters", "experiment", "classes", "data", "task",
        "start", "source", "epochs", "complete", "best_epoch", "metrics", "versions",
    ]  # fmt: skip
    assert found["start"] is None
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
    values = {**BASE, **keys}
    Path("first.yaml").write_text(json.dumps(values))
    mlp(["train", "first.yaml", "-q", "--json"], standalone_mode=False)
    show()  # and forget what train printed
    Path("again.yaml").write_text(show("--config", weights="first.npy"))
    mlp(["train", "again.yaml", "-q"], standalone_mode=False)
    assert Path("again.npy").read_bytes() == Path("first.npy").read_bytes()


@pytest.fixture
def stopped():
    """Write the checkpoint of a run that was stopped in its first epoch."""
    model = builders.made()
    run = start_run(model.experiment, model.network)
    run.step = 3
    store.save(Path("stopped.npy"), model, run)
    return "stopped.npy"


def test_a_run_stopped_in_its_first_epoch(show, stopped):
    """A checkpoint without an epoch is shown in every form: incomplete, and without metrics."""
    text = show(weights=stopped)
    assert "\nepochs    0, incomplete\n" in text
    assert "best epoch" not in text
    found = json.loads(show("--json", weights=stopped))
    assert (found["epochs"], found["complete"]) == (0, False)
    assert (found["best_epoch"], found["metrics"]) == (None, {})
    assert show("--history", weights=stopped) == "epoch,error\n"
    assert "structure: [10, 3, 2]" in show("--config", weights=stopped)


def test_long_lines_go_on_below(show):
    """All metrics of the best epoch are shown, within 80 columns."""
    Path("v.yaml").write_text(json.dumps(BASE | {"validation": 0.1}))
    mlp(["train", "v.yaml", "-q", "--json"], standalone_mode=False)
    show()
    lines = show(weights="v.npy").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("best epoch"))
    shown = " ".join(lines[start : start + 2])
    assert {"error", "eta", "validation_error", "validation_accuracy"} <= set(shown.split())
    assert all(len(line) <= 80 for line in lines)


def test_what_a_run_started_from(show):
    """Weights given with --from are named by their SHA-256, and asked for to train again."""
    sha256 = "0123456789abcdef" * 4
    model = builders.made()
    arrays, meta = store.record_of(model, start_run(model.experiment, model.network))
    content = checkpoint.serialise(arrays, meta | {"start": {"sha256": sha256}})
    Path("started.npy").write_bytes(content)
    assert json.loads(show("--json", weights="started.npy"))["start"] == {"sha256": sha256}
    lines = show(weights="started.npy").splitlines()
    start = lines.index("started from  weights with SHA-256")
    assert lines[start + 1] == " " * len("started from  ") + sha256
    first, rest = show("--config", weights="started.npy").split("\n", 1)
    assert first == f"# Train with --from the weights with SHA-256 {sha256}"
    assert yaml_core.parse_file(rest.encode(), Path("x"))[0]["structure"] == [10, 3, 2]


@pytest.fixture
def project(show):
    """Train on files in a folder `project`; return its checkpoint."""
    folder = Path("project")
    folder.mkdir()
    for name in ("t", "v"):
        rows = "".join(f"{i % 7},{i},{'ab'[i % 2]}\n" for i in range(40))
        (folder / f"{name}.csv").write_text(f"x,y,kind\n{rows}")
    keys = {"data": {"train": "t.csv", "target": "kind"}, "validation": "v.csv"}
    config = BASE | keys | {"structure": [2, 3, 2]}
    (folder / "p.yaml").write_text(json.dumps(config))
    weights = folder / "p.npy"
    mlp(["train", str(folder / "p.yaml"), "-q", "-o", str(weights)], standalone_mode=False)
    show()
    return weights


def test_paths_are_relative_to_where_config_is_printed(show, project):
    """What `--config` prints in another folder than the configuration's finds the same files."""
    text = show("--config", weights=project)
    values, _ = yaml_core.parse_file(text.encode(), Path("again.yaml"))
    assert values["data"]["train"] == str(Path("project/t.csv"))
    assert values["data"]["target"] == "kind"
    assert values["validation"] == str(Path("project/v.csv"))
    Path("again.yaml").write_text(text)
    mlp(["train", "again.yaml", "-q"], standalone_mode=False)
    before, after = store.load(project), store.load("again.npy")
    assert after.fingerprint == before.fingerprint
    np.testing.assert_array_equal(after.network.theta, before.network.theta)


def test_paths_that_lead_nowhere(show, project):
    """Where the files are not found, a comment says what their paths are relative to."""
    project.rename("moved.npy")
    text = show("--config", weights="moved.npy")
    assert text.startswith(
        "# Paths are relative to the folder of the configuration that was trained: write this "
        "into the folder from which t.csv, v.csv can be found\n"
    )
    values, _ = yaml_core.parse_file(text.encode(), Path("again.yaml"))
    assert values["data"]["train"] == "t.csv"


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
