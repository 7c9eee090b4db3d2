"""Hostile checkpoints, from fixed seeds: `make fuzz` tries ten times as many from fresh ones."""

import random
from collections import Counter

import pytest
from fuzz import checkpoints

from mlpcli.checkpoint import meta
from mlpcli.config.validators import Validator


@pytest.mark.parametrize("part", range(10))
def test_changed_checkpoints(part):
    """Whatever a sealed file says, each command does its work or refuses it in a line."""
    outcomes = Counter()
    for i in range(part * 200, part * 200 + 200):
        case = checkpoints.make("resealed", random.Random(i))
        try:
            outcomes[checkpoints.check("resealed", case)] += 1
        except Exception as error:
            raise AssertionError(f"case {i}") from error
    assert outcomes["refused"] > outcomes["understood"] > 0


@pytest.mark.parametrize("config", checkpoints.CONFIGS)
@pytest.mark.parametrize("command", checkpoints.COMMANDS)
def test_unchanged_checkpoints(monkeypatch, config, command):
    """The control: without a change, no command finds fault with what is meant for it."""
    record = checkpoints.bases()[f"{config}.npy"]
    case = checkpoints.sealed(record.arrays, record.meta)
    monkeypatch.setattr(checkpoints, "COMMANDS", (command,))
    # It exists; inputs are of another width; versions or threads may be others.
    refused = ["train C -q -o W", "predict --weights W -", "train C -q --verify W"]
    if config in ("table", "images"):
        refused.append("predict --weights W --proba one.csv")
    outcome = checkpoints.check("resealed", case)
    assert outcome == "understood" or command in refused


def test_a_defect_is_found(monkeypatch):
    """Negative control: a reader that trusts what a file says is noticed."""
    record = checkpoints.bases()["unit.npy"]
    case = checkpoints.sealed(record.arrays, {**record.meta, "versions": 1})
    monkeypatch.setattr(checkpoints, "COMMANDS", ("show W",))
    assert checkpoints.check("resealed", case) == "refused"
    monkeypatch.setitem(meta.KEYS, "versions", Validator("anything", lambda value: value))
    with pytest.raises(AssertionError, match="internal"):
        checkpoints.check("resealed", case)
