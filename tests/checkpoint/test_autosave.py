"""Saving while a run trains: when it is due, and before it is left."""

import math
import signal

import numpy as np
import pytest

from mlpcli.checkpoint import autosave
from mlpcli.config.load import from_mapping
from mlpcli.data.load import load_data
from mlpcli.errors import DivergedError, Interrupted, Killed, MlpError, OutputError
from mlpcli.model import new_model
from mlpcli.training.run import start_run

# 700 examples by 70 are ten steps an epoch.
VALUES = {"data": "parity", "structure": [10, 3, 2], "eta": 0.3, "bt_size": 70, "epochs": 5}


class Watched:
    """A run, and where it was whenever it was saved: finished epochs, and steps of the next."""

    def __init__(self, **keys):
        self.experiment = from_mapping(VALUES | keys, {})
        self.dataset = load_data(self.experiment, None)
        self.run = start_run(self.experiment, new_model(self.experiment, self.dataset).network)
        self.saves = []

    def save(self):
        """Note where the run is."""
        self.saves.append((len(self.run.history), self.run.step))

    def train(self, on_epoch=lambda _: None, on_step=lambda _: None):
        """Train with automatic saves."""
        autosave.train(self.experiment, self.run, self.dataset, self.save, on_epoch, on_step)


@pytest.mark.parametrize(
    ("every", "saves"),
    [
        (2, [(2, 0), (4, 0), (5, 0)]),
        (0.5, [(i // 2, 5 * (i % 2)) for i in range(1, 11)]),
        (100, [(5, 0)]),
    ],
)
def test_checkpoint_every(every, saves):
    """A run is saved at every multiple of so many epochs, parts of one too, and at its end."""
    watched = Watched(checkpoint_every=every)
    watched.train()
    assert watched.saves == saves


@pytest.mark.parametrize(("seconds", "saves"), [(-1, 5), (math.inf, 1)])
def test_by_the_clock(monkeypatch, seconds, saves):
    """Without `checkpoint_every` an epoch is saved if the last save is long ago, and the end."""
    monkeypatch.setattr(autosave, "SAVE_SECONDS", seconds)
    watched = Watched()
    watched.train()
    assert len(watched.saves) == saves


def raising(error, epoch, step):
    """Return a function that raises an error when it is told of a step."""

    def on_step(report):
        if (report.epoch, report.step) == (epoch, step):
            raise error

    return on_step


@pytest.mark.parametrize(
    "error", [Interrupted(signal.SIGTERM), MlpError("h.csv", "is full", "empty it"), OSError()]
)
def test_what_ends_a_run_between_steps_saves_it(error):
    """A signal, or progress that cannot be written, ends a run when its last step is saved."""
    watched = Watched(checkpoint_every=100)
    with pytest.raises(type(error)):
        watched.train(on_step=raising(error, 1, 3))
    assert watched.saves == [(1, 4)]


@pytest.mark.parametrize("error", [Killed(signal.SIGTERM), OutputError("w", "is full", "empty it")])
def test_what_ends_a_run_at_once_does_not_save_it(error):
    """A second signal may come amid a step, and a save that failed would fail again."""
    watched = Watched(checkpoint_every=100)
    with pytest.raises(type(error)):
        watched.train(on_step=raising(error, 1, 3))
    assert watched.saves == []


@pytest.mark.parametrize(("epoch", "saves"), [(0, []), (2, [(2, 0)])])
def test_divergence_saves_the_last_good_epoch(epoch, saves):
    """A run that diverges is saved as its last finite epoch left it, if there is one."""
    watched = Watched(checkpoint_every=100)

    def spoil(report):
        if report.epoch == epoch:
            watched.run.network.theta[:] = np.nan

    with pytest.raises(DivergedError):
        watched.train(on_step=spoil)
    assert watched.saves == saves
