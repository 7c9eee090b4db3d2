"""`mlp train --engine`: who computes, what is recorded, and what it may not change."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import CONFIGS

import mlpcli
from mlpcli.checkpoint import format as checkpoint
from mlpcli.config.load import load_experiment
from mlpcli.data.readers import csv
from mlpcli.training.engine import choose_engine

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
TRAIN = ("train", "own.yaml", "-q")
NUMBA = ("--engine", "numba")
# Of a large network with tanh the update alone is compiled, which takes seconds less.
KEYS = ("structure=[10, 900, 2]", "activation=tanh", "optimizer=adam")
LARGER = [word for key in KEYS for word in ("--set", key)]


@pytest.fixture(autouse=True)
def own_config(isolated):  # noqa: ARG001 - it changes the folder
    """Write an experiment that leaves the choice of an engine."""
    text = "data: parity\nstructure: [10, 3, 2]\neta: 0.3\nbt_size: 8\nepochs: 3\n"
    Path("own.yaml").write_text(text, encoding="utf-8")


def versions(path):
    """Return the versions that a checkpoint records."""
    return checkpoint.read(Path(path)).meta["versions"]


@needs_numba
def test_numba_gives_the_same_bytes_again(run_mlp):
    """A run with numba is reproduced to the byte, also in pieces, and its version is recorded."""
    import numba

    assert run_mlp(*TRAIN, *NUMBA, "-o", "a.npy").returncode == 0
    assert versions("a.npy")["numba"] == numba.__version__
    assert run_mlp(*TRAIN, *NUMBA, "--verify", "a.npy").returncode == 0
    # auto keeps to what the checkpoint was made with
    assert run_mlp(*TRAIN, "--engine", "auto", "--verify", "a.npy").returncode == 0
    assert run_mlp(*TRAIN, *NUMBA, "--set", "epochs=1", "-o", "b.npy").returncode == 0
    assert run_mlp(*TRAIN, "--engine", "auto", "-o", "b.npy", "--resume").returncode == 0
    assert Path("a.npy").read_bytes() == Path("b.npy").read_bytes()


@needs_numba
def test_another_engine_is_named(run_mlp):
    """What numba computed is not reproduced by NumPy, and both commands say why."""
    assert run_mlp(*TRAIN, *NUMBA, "-o", "a.npy").returncode == 0
    done = run_mlp(*TRAIN, "--engine", "numpy", "--verify", "a.npy")
    assert done.returncode == 1
    assert "versions.numba is not given here and 0." in done.stderr
    resumed = [word for word in TRAIN if word != "-q"]
    done = run_mlp(*resumed, "--set", "epochs=4", "--engine", "numpy", "-o", "a.npy", "--resume")
    assert done.returncode == 0
    assert "numba is not given here and 0." in done.stderr
    assert "numba" not in versions("a.npy")


@needs_numba
@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_numpy_stays_numpy(run_mlp, engine):
    """The article's runs are NumPy's where numba is installed, and nothing else is recorded."""
    done = run_mlp(
        "train", CONFIGS / "parity.yaml", "-q", "--set", "epochs=1", "--engine", engine,
        "-o", "a.npy",
    )  # fmt: skip
    assert done.returncode == 0
    assert set(versions("a.npy")) == {"mlpcli", "numpy", "python", "threads"}


@needs_numba
@pytest.mark.parametrize(
    ("keys", "gains"),
    [
        ((), True),
        (("members=4",), False),
        (("dropout=0.2",), False),
        (("ema=0.9",), False),
        (("feature_scale=true",), False),
        (("parametrization=ntk", "structure=[10, 9000, 2]"), False),
        (("dropout=0.2", "structure=[10, 6000, 2]"), True),
    ],
)
def test_auto_is_numpy_where_nothing_is_to_be_gained(keys, gains):
    """Where numba compiles neither steps nor a large update, nobody waits for it to be loaded."""
    experiment = load_experiment(Path("own.yaml"), keys)
    engine = choose_engine("auto", experiment, lambda _: None)
    assert (engine.numba is not None) == gains
    assert choose_engine("numba", experiment, lambda _: None).numba is not None


@needs_numba
def test_a_run_keeps_numba_where_auto_is_numpy(run_mlp, monkeypatch):
    """What was made with numba goes on with it, or with NumPy where that is gone, and is told."""
    words = (*TRAIN, "--set", "members=2")
    assert run_mlp(*words, *NUMBA, "-o", "a.npy").returncode == 0
    assert run_mlp(*words, "--engine", "auto", "--verify", "a.npy").returncode == 0
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "mlpcli.jit", raising=False)
    monkeypatch.delattr(mlpcli, "jit", raising=False)
    words = [word for word in words if word != "-q"]
    more = ("--set", "epochs=4", "--engine", "auto")
    done = run_mlp(*words, *more, "-o", "a.npy", "--resume")
    assert done.returncode == 0, done.stderr
    assert "numba is not given here and 0." in done.stderr


def test_numba_for_the_article_is_refused(run_mlp):
    """compat: article names NumPy's arithmetic, and numba contradicts it."""
    done = run_mlp("train", CONFIGS / "parity.yaml", "--set", "compat=article", "--engine", "numba")
    assert done.returncode == 2
    assert "leave out --engine numba" in done.stderr


def test_without_numba(run_mlp, monkeypatch):
    """Where numba is missing auto is NumPy, and numba is answered with how to get it."""
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "mlpcli.jit", raising=False)
    monkeypatch.delattr(mlpcli, "jit", raising=False)
    assert run_mlp(*TRAIN, "--engine", "auto", "-o", "a.npy").returncode == 0
    assert "numba" not in versions("a.npy")
    done = run_mlp(*TRAIN, *NUMBA, "-o", "b.npy")
    assert done.returncode == 2
    assert "pip install 'mlpcli[fast]'" in done.stderr


@needs_numba
def test_only_training_imports_numba(parity_weights):
    """A fresh interpreter that imports mlpcli, shows help, predicts or evaluates has no numba."""
    commands = [
        ["--help"],
        ["predict", "--weights", str(parity_weights), "-"],
        ["evaluate", "--weights", str(parity_weights)],
        [str(word) for word in (*TRAIN, "--engine", "numpy", "-o", "a.npy")],
    ]
    code = (
        "import sys\nimport mlpcli\nfrom mlpcli.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n"
        "    assert not end.code, end.code\nassert 'numba' not in sys.modules"
    )
    for words in commands:
        done = subprocess.run(
            [sys.executable, "-c", code, *words], check=False, capture_output=True,
            input=b"0,0,0,0,0,0,0,1,1,0\n", timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@needs_numba
def test_first_start_says_what_it_does(mlp_process, tmp_path):
    """The first run compiles and says so in one line; the second finds the code on disk."""
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    first = mlp_process("train", "own.yaml", *LARGER, *NUMBA, "--overwrite", env=env)
    assert first.stderr.count("compiling for this processor") == 1, first.stderr
    second = mlp_process("train", "own.yaml", *LARGER, *NUMBA, "--overwrite", env=env)
    assert "compiling" not in second.stderr


@needs_numba
def test_a_folder_that_cannot_be_written_to(mlp_process, tmp_path):
    """Without a place for compiled code every run compiles, and none fails."""
    (tmp_path / "file").touch()
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "file" / "below")}
    done = mlp_process("train", "own.yaml", *LARGER, *NUMBA, env=env)
    assert done.returncode == 0, done.stderr
    assert "no folder to keep it in" in done.stderr


@needs_numba
@pytest.mark.parametrize(
    ("keys", "loads"),
    [
        (("structure=none", "hidden=[8]"), True),
        (("structure=none", "hidden=[8]", "members=4"), False),
    ],
)
def test_tables_are_parsed_by_what_computes(run_mlp, monkeypatch, keys, loads):
    """Where numba computes it is loaded before the data, and parses them; else it is not loaded."""
    rows = "".join(f"{i % 3}.5,{i % 7},{'ab'[i % 2]}\n" for i in range(60))
    Path("t.csv").write_text(f"x,y,class\n{rows}", encoding="utf-8")
    monkeypatch.setattr(csv, "LARGE", 0)
    monkeypatch.delitem(sys.modules, "mlpcli.jit", raising=False)
    monkeypatch.delitem(sys.modules, "mlpcli.data.readers.csv_compiled", raising=False)
    words = (word for key in ("data={train: t.csv}", *keys) for word in ("--set", key))
    done = run_mlp("train", "own.yaml", "-q", *words, "--engine", "auto", "-o", "a.npy")
    assert done.returncode == 0, done.stderr
    assert ("mlpcli.data.readers.csv_compiled" in sys.modules) == loads
