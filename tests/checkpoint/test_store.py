"""Saving: a file brings a model back, and what others write is not trusted."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import VALUES, made
from fuzz.checkpoints import sealed

from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint import store
from mlpcli.data.load import load_data
from mlpcli.errors import CheckpointError
from mlpcli.training.loop import train
from mlpcli.training.run import start_run


def run_of(made_model):
    """Return the run that made a model, one epoch in."""
    network = made_model.network
    run = start_run(made_model.experiment, network.copy())
    run.network = network
    row = {"epoch": 0, "error": 0.5, "eta": 0.3}
    if made_model.experiment.validation:
        row |= {"validation_error": 0.5, "validation_accuracy": 0.75}
    run.history.append(row)
    run.best_epoch = 0
    return run


def save(made_model):
    """Save a model and the run that made it."""
    store.save(Path("model.npy"), made_model, run_of(made_model))


def same(one, other):
    """Return whether two models are the same in everything that is saved."""
    return store.serialise(one, run_of(one)) == store.serialise(other, run_of(other))


@pytest.mark.parametrize(
    "values",
    [{}, {"dtype": "float64"}, {"structure": [10, 2]}, {"structure": [10, 1, 4, 3, 2]},
     {"data": {"name": "parity", "scale": "unit"}, "seed": 7}, {"compat": "article"},
     {"members": 3}],
    ids=str,
)  # fmt: skip
def test_a_file_brings_a_model_back(values):
    """What was saved is what is loaded: parameters, experiment, encoding and history."""
    saved = made(**values)
    save(saved)
    loaded = store.load(Path("model.npy"))
    assert same(saved, loaded)
    assert loaded.network.theta.tobytes() == saved.network.theta.tobytes()
    assert loaded.network.theta.dtype == saved.experiment.dtype
    assert (loaded.experiment, loaded.encoding) == (saved.experiment, saved.encoding)
    assert loaded.history == run_of(saved).history


@pytest.mark.parametrize("values", [{}, {"compat": "article"}, {"validation": 0.1}], ids=str)
def test_loading_draws_no_random_numbers(monkeypatch, values):
    """A model is its file's content alone: no generator of NumPy's is even made."""
    saved = made(**values)
    save(saved)
    history = run_of(saved).history

    def draw(*_):
        raise AssertionError("a random number was drawn")

    for name in ("default_rng", "RandomState", "Generator", "seed"):
        monkeypatch.setattr(np.random, name, draw)
    assert store.load(Path("model.npy")).history == history


def test_loading_needs_no_training():
    """`mlpcli.load` imports nothing that trains: neither training nor an optimiser."""
    save(made())
    script = (
        "import sys, mlpcli; mlpcli.load('model.npy'); print(*(name for name in sys.modules "
        "if name.startswith(('mlpcli.training', 'mlpcli.nn.optimizers', 'mlpcli.nn.backprop'))))"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"\n"


def test_complete_says_whether_all_epochs_ran():
    """The file tells an unfinished run from a finished one."""
    half = made()
    save(half)
    meta = checkpoint.read(Path("model.npy")).meta
    assert (meta["complete"], meta["epoch"]) == (False, 1)
    run = start_run(half.experiment, half.network)
    list(train(half.experiment, run, load_data(half.experiment, Path())))
    store.save(Path("model.npy"), half, run)
    meta = checkpoint.read(Path("model.npy")).meta
    assert (meta["complete"], meta["epoch"]) == (True, 2)


def forged(change):
    """Write a checkpoint with a valid checksum after changing its arrays and meta."""
    save(made())
    arrays, meta = checkpoint.read(Path("model.npy"))
    change(arrays, meta)
    Path("model.npy").write_bytes(sealed(arrays, meta))


FORGERIES = {
    "no experiment": lambda _, meta: meta.pop("experiment"),
    "experiment of words": lambda _, meta: meta.update(experiment="parity"),
    "experiment of names": lambda _, meta: meta.update(experiment=list(VALUES)),
    "unknown key": lambda _, meta: meta["experiment"].update(lr=1),
    "other structure": lambda _, meta: meta["experiment"].update(structure=[10, 4, 2]),
    "deeper structure": lambda _, meta: meta["experiment"].update(structure=[10, 3, 3, 2]),
    "vast structure": lambda _, meta: meta["experiment"].update(structure=[2**40, 2**40, 2]),
    "fewer arrays": lambda arrays, _: arrays.pop("b3"),
    "more arrays": lambda arrays, _: arrays.update(W4=np.zeros(2)),
    "transposed": lambda arrays, _: arrays.update(W2=arrays["W2"].T),
    "no classes": lambda _, meta: meta.pop("class_names"),
    "three classes": lambda _, meta: meta.update(class_names=["a", "b", "c"]),
    "other width": lambda _, meta: meta["encoding"].update(features=9),
    "endless width": lambda _, meta: meta["encoding"].update(features="1" * 5000),
    "unknown scale": lambda _, meta: meta["encoding"].update(scale="cubic"),
    "no best epoch": lambda _, meta: meta.pop("best_epoch"),
    "best epoch to come": lambda _, meta: meta.update(best_epoch=1),
    "current weights of another shape": lambda arrays, _: arrays.update(theta=np.zeros(3)),
    "state of another shape": lambda arrays, _: arrays.update(state=np.zeros((1, 3))),
    "no fingerprint": lambda _, meta: meta.pop("fingerprint"),
    "start of words": lambda _, meta: meta.update(start="w.npy"),
    "start of numbers": lambda _, meta: meta.update(start={"sha256": 7}),
    "no history": lambda _, meta: meta.update(history=None),
    "history of words": lambda _, meta: meta.update(history=["one"]),
    "history without errors": lambda _, meta: meta.update(history=[{"epoch": 0}]),
    "history with odd errors": lambda _, meta: meta["history"][0].update(error="small"),
    "history without end": lambda _, meta: meta["history"][0].update(error=float("1e308") * 10),
    "history with more": lambda _, meta: meta["history"][0].update(seconds=1.0),
    "history of another epoch": lambda _, meta: meta["history"][0].update(epoch=1),
    "history too long": lambda _, meta: meta.update(
        epoch=3, history=[meta["history"][0] | {"epoch": i} for i in range(3)]
    ),
    "no versions": lambda _, meta: meta.pop("versions"),
    "versions of lists": lambda _, meta: meta.update(versions={"numpy": []}),
    "no epoch": lambda _, meta: meta.pop("epoch"),
    "another epoch": lambda _, meta: meta.update(epoch=0),
    "unknown part": lambda _, meta: meta.update(weights=1),
    "one name twice": lambda _, meta: meta.update(class_names=["odd", "odd"]),
    "name with an escape": lambda _, meta: meta.update(class_names=["odd", "\x1b[31m"]),
    "name of a book": lambda _, meta: meta.update(class_names=["odd", "e" * 1001]),
    "odd fingerprint": lambda _, meta: meta.update(fingerprint="g" * 64),
    "deviation 0": lambda _, meta: meta["encoding"].update(
        scale="standardize", means=[0.0] * 10, deviations=[0.0] + [1.0] * 9
    ),
    "fewer deviations": lambda _, meta: meta["encoding"].update(
        scale="standardize", means=[0.0] * 10, deviations=[1.0] * 9
    ),
    "image of another size": lambda _, meta: meta["encoding"].update(image_shape=[2, 3]),
    "image without an end": lambda _, meta: meta["encoding"].update(image_shape=[2**40, 2**40]),
    "column of no role": lambda _, meta: meta["encoding"].update(
        columns=[{"name": "x", "role": "feature"}] * 10
    ),
    "number with categories": lambda _, meta: meta["encoding"].update(
        columns=[{"name": "x", "role": "number", "categories": ["a"]}] * 10
    ),
    "filling of another length": lambda _, meta: meta["encoding"].update(
        columns=[{"name": "x", "role": "number", "filling": [1.0, 2.0]}] * 10
    ),
    "weights that are no numbers": lambda arrays, _: arrays["W2"].fill(np.nan),
    "weights of another dtype": lambda arrays, _: arrays.update(W2=arrays["W2"].astype(float)),
    "members without scales": lambda _, meta: meta["experiment"].update(members=1 << 70),
    "scales without members": lambda arrays, _: arrays.update(scales=np.ones((2, 10), "f4")),
    "temperature alone": lambda _, meta: meta.update(temperature=2.0),
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES)
def test_a_file_that_contradicts_itself_is_refused(change):
    """A valid checksum over nonsense is one error: what others write is not trusted."""
    forged(change)
    with pytest.raises(CheckpointError) as raised:
        store.load(Path("model.npy"))
    assert "model.npy: is not a checkpoint that this version understands" in str(raised.value)
    assert len(str(raised.value)) < 300


def test_an_unchanged_file_is_not_refused():
    """The control of the forgeries: writing the same again changes nothing."""
    forged(lambda *_: None)
    assert same(store.load(Path("model.npy")), made())
