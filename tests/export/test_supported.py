"""What the steps of a model cannot say is refused by name."""

import subprocess
import sys
from dataclasses import make_dataclass
from pathlib import Path

import exported
import pytest

from mlpcli.data.encoding import Column
from mlpcli.errors import ConfigError
from mlpcli.export import supported
from mlpcli.export.of_model import steps_of
from mlpcli.model import Model
from mlpcli.nn.network import Network


def test_a_role_that_steps_do_not_know_is_refused(tmp_path):
    """A column of another role has features that nobody here knows how to compute."""
    model = exported.table_model(tmp_path, "numbers")
    columns = (*model.encoding.columns[:-1], Column("when", "moment"))
    model.encoding = model.encoding._replace(columns=columns)
    with pytest.raises(ConfigError, match="column when is moment, which cannot be exported"):
        steps_of(model)


def test_parts_of_a_table_that_are_no_features_are_exported_without(run_mlp):
    """Weights, groups and times make no difference to a prediction."""
    rows = [f"{i % 3 + 1},g{i % 9},{i % 7},{'ab'[i % 2]}\n" for i in range(60)]
    Path("t.csv").write_text("w,site,x,y\n" + "".join(rows))
    for command in (
        ["init", "t.csv", "--weight", "w", "--group", "site"],
        ["train", "t.yaml", "--set", "epochs=1", "--quiet"],
        ["export", "t.npy", "-o", "t.py", "--check", "t.csv"],
    ):
        run = run_mlp(*command)
        assert run.returncode == 0, run.stderr
    assert "--check: 60 rows differ" in run.stdout


def test_labels_in_one_cell_and_bad_lines(run_mlp):
    """They make no difference to the outputs; the filter of .py prints cells as predict does."""
    tags = ("red", "big", "red|big", "odd", "big|odd", "red|odd", "")
    rows = [f"{i % 7},{i % 5},{tags[i % 7]}\n" for i in range(200)]
    Path("t.csv").write_text("x,z,tags\n" + "".join([*rows, "1,2\n"]))
    for command in (
        ["init", "t.csv"],
        ["train", "t.yaml", "--set", "epochs=9", "--quiet"],
        ["export", "t.npy", "-o", "t.py"],
        ["export", "t.npy", "-o", "t.c"],
    ):
        run = run_mlp(*command)
        assert run.returncode == 0, run.stderr
    text = "x,z\n" + "".join(f"{i},{i % 5}\n" for i in range(7))
    printed = subprocess.run(
        [sys.executable, "t.py"], input=text, capture_output=True, text=True, check=True
    )
    expected = run_mlp("predict", "--weights", "t.npy", "-", input=text)
    assert printed.stdout == expected.stdout
    assert "|" in printed.stdout


def test_numbers_as_a_spreadsheet_writes_them(run_mlp):
    """C takes the numbers that are meant; .py, which reads texts, could take them for others."""
    rows = [f"1.{i % 9}00,5;{i % 7},25 %;{i % 5} kg;{'ab'[i % 2]}\n" for i in range(60)]
    Path("t.csv").write_text("size;rate;mass;y\n" + "".join(rows))
    for command in (
        ["init", "t.csv"],
        ["train", "t.yaml", "--set", "epochs=1", "--quiet"],
        ["export", "t.npy", "-o", "t.c", "--check", "t.csv"],
    ):
        run = run_mlp(*command)
        assert run.returncode == 0, run.stderr
    assert "--check: 60 rows differ" in run.stdout
    refused = run_mlp("export", "t.npy", "-o", "t.py")
    assert refused.returncode == 2
    assert "writes numbers as a spreadsheet does, which .py cannot read" in refused.stderr


@pytest.mark.parametrize("table", ["ENCODING_FIELDS", "COLUMN_FIELDS", "EXPERIMENT_KEYS"])
def test_what_steps_do_not_know_is_refused(table, tmp_path, monkeypatch):
    """A field of an encoding or column, or a key, that is not known and not as by default."""
    model = exported.table_model(tmp_path, "robust")
    field = {"ENCODING_FIELDS": "means", "COLUMN_FIELDS": "filling", "EXPERIMENT_KEYS": "task"}
    model.experiment = exported.table_model(tmp_path, "labels").experiment
    known = [name for name in getattr(supported, table) if name != field[table]]
    monkeypatch.setattr(supported, table, known)
    with pytest.raises(ConfigError, match=f"(has|trained with) {field[table]}, which cannot"):
        steps_of(model)


def test_networks_and_models_that_steps_do_not_know_are_refused():
    """More than a Model of a Network has parts whose meaning nobody here knows."""
    model = exported.parity_model()
    model.members = [model.network]
    with pytest.raises(ConfigError, match="it has members"):
        steps_of(model)
    kind = make_dataclass("Ensemble", [], bases=(Model,))
    of_another = kind(model.network, model.experiment, model.encoding, "")
    with pytest.raises(ConfigError, match="it is a Ensemble of a Network"):
        steps_of(of_another)
    other = exported.parity_model()
    other.network = type("Embedded", (Network,), {})(other.network.structure, ["tanh"] * 2)
    with pytest.raises(ConfigError, match="it is a Model of a Embedded"):
        steps_of(other)
