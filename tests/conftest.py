"""What all tests share: one thread, no network, no user's files, real MNIST, and `mlp` itself."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace

# NumPy is the reference; what is about kernels asks for them. Compiled once for all tests.
os.environ["MLP_ENGINE"] = "numpy"
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parent.parent / ".pytest_cache" / "numba")
# Before NumPy is imported. Threads of several tests that share the cores wait for one another.
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")

import in_process
import pytest
from hypothesis import settings
from ordeals import MLP

# Children inherit what is ignored (by nohup, or for jobs in the background), and mlp respects it.
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(_number) == signal.SIG_IGN:
        _interrupts = _number == signal.SIGINT
        signal.signal(_number, signal.default_int_handler if _interrupts else signal.SIG_DFL)

# No test judges by the wall clock.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

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


@pytest.fixture(scope="session")
def run_mlp():
    """Return a function that runs `mlp` in this process: its words and standard input are given.

    What needs a process of its own (signals, real streams, the environment of a start) takes
    `mlp_process`.
    """
    return in_process.run_mlp


@pytest.fixture(scope="session")
def mlp_process():
    """Return a function that runs the installed `mlp` as a process."""
    assert MLP.exists(), "mlp is not installed beside this Python"

    def run(*args, **options):
        command = [MLP, *map(str, args)]
        return subprocess.run(
            command, check=False, capture_output=True, encoding="utf-8", timeout=120, **options
        )

    return run


@pytest.fixture(scope="session")
def parity(tmp_path_factory, mlp_process):
    """Run `mlp train configs/parity.yaml` in a folder of its own; return what it showed and wrote.

    Once a session: the first of pytest-xdist's workers that asks runs it, and the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "parity"
    ran, stdout, stderr = (folder / name for name in ("run", "stdout", "stderr"))
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ran.exists():
            ran.mkdir()
            run = mlp_process("train", CONFIGS / "parity.yaml", cwd=ran)
            stdout.write_text(run.stdout, encoding="utf-8")
            stderr.write_text(run.stderr, encoding="utf-8")
    return SimpleNamespace(
        stdout=stdout.read_text(encoding="utf-8"),
        stderr=stderr.read_text(encoding="utf-8"),
        weights=ran / "parity.npy",
    )


@pytest.fixture(scope="session")
def cc():
    """Return the C compiler; without one, skip, or fail where there must be one."""
    found = shutil.which(os.environ.get("CC") or "cc")
    return found or absent("a C compiler")


@pytest.fixture(scope="session")
def ort():
    """Return onnxruntime; without it, skip, or fail where it must be installed."""
    try:
        import onnxruntime
    except ImportError:
        return absent("onnxruntime")
    return onnxruntime


def absent(what, variable="MLP_TEST_EXPORTS"):
    """Skip a test for want of something, but fail where a variable says that CI provides it."""
    if os.environ.get(variable):
        pytest.fail(f"there is no {what}")
    return pytest.skip(f"there is no {what}")


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
    """Return a named pipe; a test that waits for it is ended after a minute, and not never."""
    path = tmp_path / "pipe.npy"
    os.mkfifo(path)

    def waited(*_):
        raise AssertionError("waited for a writer")

    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(60)
    yield path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
