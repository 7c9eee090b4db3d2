"""A configuration of which some keys are chosen."""

from pathlib import Path

import pytest

from mlpcli.config.load import parse_experiment
from mlpcli.tuning.template import read_template

REST = "eta: 0.1\nbt_size: 8\nepochs: 2\n"


def template(text, folder="."):
    """Return a template of a configuration in a folder."""
    return read_template((text + REST).encode(), Path(folder) / "t.yaml", ())


@pytest.mark.parametrize(
    ("text", "chosen", "hidden"),
    [
        ("data: parity\nstructure: [10, 4, 2]\n", 7, [7]),
        ("data: parity\nstructure: [10, 4, 5, 2]\n", 7, [7, 7]),
        ("data: parity\nstructure: [10, 4, 2]\n", [7, 8], [7, 8]),
        ("data: parity\nhidden: [4, 4]\n", 7, [7, 7]),
        ("data: parity\npreset: tabular\n", 7, [7, 7, 7]),
    ],
)
def test_hidden_sizes_are_for_all_hidden_layers(text, chosen, hidden):
    """One size is that of all hidden layers; nobody recounts inputs and outputs."""
    experiment = template(text).experiment({"hidden": chosen})
    assert list(experiment.hidden or experiment.structure[1:-1]) == hidden
    assert (experiment.structure or (10, 2))[:: len(experiment.structure or (1, 1)) - 1] == (10, 2)


def test_a_structure_takes_the_place_of_hidden_layers():
    """Where hidden is given, a chosen structure replaces it."""
    chosen = {"structure": [10, 3, 2]}
    assert template("data: parity\nhidden: [4]\n").experiment(chosen).structure == (10, 3, 2)


def test_dotted_keys_reach_into_mappings():
    """A setting of a mapping is chosen by its dotted name, and the original stays as it is."""
    made = template("data: parity\nhidden: [4]\nschedule: {name: step, every: 2}\n")
    assert made.experiment({"schedule.every": 5}).schedule.settings["every"] == 5
    assert made.experiment({}).schedule.settings["every"] == 2


def test_the_yaml_trains_from_another_folder(tmp_path):
    """What is written has what was chosen, not what may be, and paths as seen from its folder."""
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "t.csv").touch()
    text = "data: {train: t.csv, target: kind}\nhidden: [4]\nmembers: 4\ntune: {eta: 1..2}\n"
    written = template(text, folder).yaml({"eta": 0.25, "hidden": 6}, tmp_path)
    read = parse_experiment(written.encode(), tmp_path / "best.yaml")
    assert (read.eta, read.hidden, read.data.files.train) == (0.25, (6,), "a/t.csv")
    assert "tune" not in written


def test_a_key_that_is_chosen_to_be_absent_is_not_written():
    """None stands for a key that is left out."""
    made = template("data: parity\nhidden: [4]\n")
    assert "members" not in made.yaml({"members": None}, Path())
    assert made.experiment({"members": None}).members is None
