"""Signals end every command, whenever they come, and nothing is printed of where they came."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mlpcli import signals
from mlpcli.cli import main
from mlpcli.data.readers.csv import read_csv
from mlpcli.data.readers.csv_cells import Columns
from mlpcli.data.readers.csv_dialect import CsvOptions
from mlpcli.data.readers.table import ColumnSelection
from mlpcli.errors import Interrupted

PROGRAM = [sys.executable, "-m", "mlpcli"]
CONFIG = """\
structure: [3, 2]
eta: 0.1
epochs: 1
bt_size: 4
data: {train: d.csv, target: kind}
"""


def ends(words, number, seconds):
    """Start `mlp`, send it a signal after so many seconds, and return its exit code and stderr."""
    with subprocess.Popen(
        [*PROGRAM, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        time.sleep(seconds)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr


@pytest.fixture
def text():
    """Write a table with text that takes seconds to read, and a network for it."""
    rng = np.random.default_rng(0)
    lines = [f"{i % 7},{x:.3f},{'xyz'[i % 3]}" for i, x in enumerate(rng.random(600))]
    Path("d.csv").write_text("a,b,kind\n" + "\n".join(lines) + "\n", encoding="utf-8")
    config = CONFIG.replace("[3, 2]", "[2, 3]")
    Path("c.yaml").write_text(config, encoding="utf-8")
    subprocess.run([*PROGRAM, "train", "c.yaml", "-q", "-o", "w.npy"], check=True)
    with Path("d.csv").open("a", encoding="utf-8") as stream:
        for _ in range(10_000):
            stream.write("\n".join(lines) + "\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["train", "predict", "evaluate"])
@pytest.mark.usefixtures("text")
def test_signals_amid_reading(command, number):
    """Ctrl-C and SIGTERM at any moment end the reading of text within seconds, as themselves."""
    words = {
        "train": ["train", "c.yaml", "-q", "-o", "n.npy"],
        "predict": ["predict", "--weights", "w.npy", "-o", "p.csv", "d.csv"],
        "evaluate": ["evaluate", "--weights", "w.npy", "--data", "d.csv"],
    }[command]
    rng = random.Random(f"{command}{number}")
    for _ in range(5):
        assert ends(words, number, rng.uniform(0.3, 1.5)) == (-number, "")
    assert {path.name for path in Path().iterdir()} == {"c.yaml", "d.csv", "w.npy"}


@pytest.mark.usefixtures("text")
def test_signals_amid_waiting():
    """A signal ends a prediction that waits for standard input."""
    for number in (signal.SIGINT, signal.SIGTERM):
        words = ["predict", "--weights", "w.npy", "-"]
        assert ends(words, number, 1.5) == (-number, "")


def test_early_signals():
    """Ctrl-C while the program's modules are imported ends it, without a line of our code shown."""
    for milliseconds in range(0, 125, 5):
        code, stderr = ends(["--version"], signal.SIGINT, milliseconds / 1000)
        # Python's own start, before any line of ours, may show a traceback of its own.
        assert "mlpcli" not in stderr, stderr
        assert code in (-signal.SIGINT, 0) or "KeyboardInterrupt" in stderr


def test_a_signal_as_handlers_are_installed(monkeypatch):
    """A signal that comes with the first handler ends the process as that signal, too."""

    def stopped():
        raise Interrupted(signal.SIGINT)

    ended = []
    monkeypatch.setattr(main, "_prepare", stopped)
    monkeypatch.setattr(main, "_end_by", ended.append)
    main.main()
    assert ended == [signal.SIGINT]


def test_a_signal_that_a_converter_swallows_is_raised(tmp_path, monkeypatch):
    """A signal that comes in NumPy's converter is no reason to read a table more slowly."""
    path = tmp_path / "t.csv"
    path.write_text("".join(f"{i},x\n" for i in range(9)), encoding="utf-8")
    monkeypatch.setattr(signals, "_noted", [])
    before = signal.signal(signal.SIGUSR1, signals._raise)

    class Odd(dict):
        def setdefault(self, *args):
            signal.raise_signal(signal.SIGUSR1)
            return super().setdefault(*args)

    select = ColumnSelection(2, (0,), target=1)
    monkeypatch.setattr(
        "mlpcli.data.readers.csv.detect_columns",
        lambda *_: Columns(select, {1: Odd()}, CsvOptions(), {}, {}),
    )
    try:
        with pytest.raises(Interrupted):
            read_csv(path, lambda *_: select, CsvOptions())
    finally:
        signal.signal(signal.SIGUSR1, before)
