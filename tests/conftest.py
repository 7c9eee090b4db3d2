"""What all tests share: no network but this machine, no user's files, and real MNIST."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

# Children inherit what is ignored (by nohup, or for jobs in the background), and mlp respects it.
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(_number) == signal.SIG_IGN:
        _interrupts = _number == signal.SIGINT
        signal.signal(_number, signal.default_int_handler if _interrupts else signal.SIG_DFL)

ROOT = Path(__file__).parent.parent
CONFIGS = ROOT / "configs"


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    """Block connections but to 127.0.0.1; give each test a folder and a home of its own."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("MLP_DATA_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture(scope="session")
def data_dir():
    """Return the data directory that has real MNIST in its sub-folder `mnist`."""
    folder = os.environ.get("MLP_TEST_MNIST")
    if not folder:
        pytest.skip("MLP_TEST_MNIST does not name a folder with real MNIST")
    folder = Path(folder).resolve()
    assert folder.name == "mnist", "MLP_TEST_MNIST must name a folder called mnist"
    return folder.parent


@pytest.fixture
def run_mlp():
    """Return a function that runs the installed `mlp` as a process."""
    program = shutil.which("mlp", path=str(Path(sys.executable).parent))
    assert program, "mlp is not installed beside this Python"

    def run(*args, **options):
        command = [program, *map(str, args)]
        return subprocess.run(
            command, check=False, capture_output=True, encoding="utf-8", timeout=120, **options
        )

    return run


def train_parity(folder, epochs):
    """Train so many epochs of configs/parity.yaml in a folder; return the checkpoint."""
    from mlpcli.cli.main import mlp

    text = (CONFIGS / "parity.yaml").read_text(encoding="utf-8").replace("1000", str(epochs))
    (folder / "parity.yaml").write_text(text, encoding="utf-8")
    path = folder / "parity.npy"
    mlp(["train", str(folder / "parity.yaml"), "-q", "-o", str(path)], standalone_mode=False)
    return path


@pytest.fixture(scope="session")
def parity_weights(tmp_path_factory):
    """Return the checkpoint of ten epochs of configs/parity.yaml, enough for accuracy 1.0."""
    return train_parity(tmp_path_factory.mktemp("weights"), 10)


@pytest.fixture
def fifo(tmp_path):
    """Return a named pipe; a test that waits for it is ended after five seconds."""
    path = tmp_path / "pipe.npy"
    os.mkfifo(path)

    def waited(*_):
        raise AssertionError("waited for a writer")

    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(5)
    yield path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
