"""What users type and set, however odd, is answered in one line that is not `internal:`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CONFIGS

ROWS = "a,b,kind\n" + "".join(f"{i},{i % 3},{'xy'[i % 2]}\n" for i in range(40))
PARITY = str(CONFIGS / "parity.yaml")
EVALUATE = ["evaluate", "--weights", "w.npy"]
CASES = {
    "a character that is none": (["train", PARITY, "--set", 'eta="\\UFFFFFFFF"'], 2),
    "nobody's home": (["train", PARITY, "--set", "data={train: ~nosuchuser/x}"], 1),
    "nobody's validation": (["train", "d.yaml", "--set", "validation=~nosuchuser/x"], 1),
    "thousands of digits": (["init", "d.csv", "-o", "n.yaml", "--target", "9" * 5000], 1),
    "thousands of digits, below 0": ([*EVALUATE, "--data", "d.csv", "--target",
                                      "-" + "9" * 5000], 1),
    "other digits": (["init", "d.csv", "-o", "n.yaml", "--target", "²"], 1),
    "root": (["train", PARITY, "-o", "/"], 1),
    "root, for predictions": (["predict", "--weights", "w.npy", "-o", "/", "p.csv"], 1),
    "root, for a configuration": (["init", "-o", "/"], 2),
    "root, for a history": (["train", PARITY, "--history", "/"], 2),
    "root as configuration": (["train", "/"], 2),
    "nothing": (["train", ""], 2),
    "nothing to write to": (["train", PARITY, "-o", ""], 1),
    "an infinite gate": ([*EVALUATE, "--require", "support[odd]<=1e999"], 2),
    "an infinite drop": ([*EVALUATE, "--baseline", "b", "--max-drop",
                          "error=1e999"], 2),
    "a gate of next to nothing": ([*EVALUATE, "--require", "error>=-1e-999"], 0),
    "a huge gate": ([*EVALUATE, "--json", "--require", "support[odd]<=1e300"], 0),
    "a NUL for a name": (["train", PARITY, "--set", 'data={name: "\\0"}'], 2),
    "a weight that overflows": (["train", "d.yaml", "-q", "--set", "class_weight={x: 1.0e308}"], 3),
    "a very long name": (["train", "x" * 5000], 2),
    "a very long output": (["train", PARITY, "-o", "x" * 5000], 1),
    "a very long --set": (["train", PARITY, "--set", "x" * 100000], 2),
    "many top": (["predict", "--weights", "w.npy", "--top-k", "9" * 5000, "p.csv"], 2),
}  # fmt: skip


@pytest.fixture
def place(run_mlp, parity_weights):
    """Lay out data, a configuration and weights."""
    Path("d.csv").write_text(ROWS, encoding="utf-8")
    Path("p.csv").write_text("0,0,0,0,0,0,0,0,0,1\n", encoding="utf-8")
    Path("w.npy").write_bytes(parity_weights.read_bytes())
    assert run_mlp("init", "d.csv").returncode == 0


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("words", "code"), CASES.values(), ids=CASES)
def test_odd_words(run_mlp, words, code):
    """Each odd word on the command line has its exit code, and one line."""
    run = run_mlp(*words)
    assert run.returncode == code, run.stderr[:500]
    assert "internal" not in run.stderr
    assert run.stderr.count("\n") == (code != 0)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    "settings",
    [
        {"OPENBLAS_NUM_THREADS": "²"}, {"OMP_NUM_THREADS": "9" * 5000}, {"TQDM_NCOLS": "x"},
        {"TQDM_BAR_FORMAT": "{nonsense"}, {"TQDM_MININTERVAL": "x"}, {"COLUMNS": "x", "LINES": "x"},
        {"MLP_DATA_DIR": "~nosuchuser/x"}, {"XDG_CACHE_HOME": "\udce9\n"}, {"NO_COLOR": "x"},
        {"HOME": ""}, {"TERM": "nonsense"}, {"LC_ALL": "nonsense"},
    ],
    ids=str,
)  # fmt: skip
def test_odd_environment(settings):
    """Nonsense in the environment hinders neither training, with its bar, nor predicting."""
    for words in (["train", PARITY, "--set", "epochs=1", "-o", "n.npy", "--overwrite"],
                  ["predict", "--weights", "w.npy", "p.csv"]):  # fmt: skip
        script = (
            "import sys; from unittest.mock import patch; from mlpcli.cli.main import main\n"
            "sys.stderr.isatty = lambda: True\n"
            "main()"
        )
        run = subprocess.run(
            [sys.executable, "-c", script, *words], check=False, capture_output=True,
            env=os.environ | settings, encoding="utf-8",
        )  # fmt: skip
        assert run.returncode == 0, run.stderr


@pytest.mark.usefixtures("place")
def test_no_home(run_mlp, monkeypatch):
    """A user without a home trains what needs none, and is told where datasets could go."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    run = run_mlp("train", PARITY, "--set", "epochs=1", "-q", "-o", "n.npy")
    assert run.returncode == 0, run.stderr
    run = run_mlp("download", "mnist")
    assert run.returncode == 2
    assert "--data-dir" in run.stderr
    assert not Path("~").exists()


@pytest.mark.usefixtures("place")
def test_a_full_disk_is_named(run_mlp, monkeypatch):
    """A disk that is full amid predictions is an error about the file that was to be written."""
    import errno

    from mlpcli.prediction import outputs

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(outputs, "_flush", full)
    run = run_mlp("predict", "--weights", "w.npy", "-o", "out.txt", "p.csv")
    assert run.returncode == 1
    assert run.stderr == (
        "mlp: error: out.txt: cannot be written: no space left on device; "
        "choose another place with -o\n"
    )
    assert not Path("out.txt").exists()


@pytest.mark.usefixtures("place")
def test_a_line_end_in_a_path(run_mlp):
    """A path with a line end in it is named in one line."""
    run = run_mlp("predict", "--weights", "w.npy", "no\nfile.csv")
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)


@pytest.mark.usefixtures("place")
def test_init_on_a_full_disk():
    """A configuration that could not be written whole is not there."""
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "from mlpcli.cli.main import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, "init", "d.csv", "-o", "n.yaml"],
        check=False, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert run.returncode == 1, run.stderr
    assert run.stderr.startswith("mlp: error: n.yaml: cannot be written: file too large")
    assert not Path("n.yaml").exists()
