"""What tests of searches share: a small table, and a real PostgreSQL server."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import absent
from ordeals import MLP

from mlpcli.tuning.study import SharedStudy

# A trial takes some hundredths of a second.
CONFIG = """\
data: {train: t.csv, test: 0.2, target: kind}
hidden: [4]
eta: 0.1
bt_size: 16
epochs: 4
output: softmax
loss: cross_entropy
tune:
  eta: log:0.01..1
  hidden: 2..8
"""


@pytest.fixture
def config():
    """Write a table of two classes and a configuration with ranges here; return its path."""
    rng = np.random.default_rng(0)
    rows = [f"{rng.normal(i % 2):.3f},{rng.normal():.3f},{'ab'[i % 2]}\n" for i in range(60)]
    Path("t.csv").write_text("x,y,kind\n" + "".join(rows), encoding="utf-8")
    path = Path("t.yaml")
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def doomed_mlp():
    """Yield a function that starts `mlp` so that SIGKILL ends it in mid-trial, or after the test.

    It says so in the file `begun`, and dies when there is a file `die`.
    """
    started = []

    def start(*words):
        code = (
            "import os, signal, sys, time\n"
            "from pathlib import Path\n"
            "from mlpcli.cli.main import main\n"
            "from mlpcli.tuning.study import SharedStudy\n"
            "def die(*_):\n"
            "    Path('begun').touch()\n"
            "    while not Path('die').exists():\n"
            "        time.sleep(0.01)\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
            "SharedStudy._report = die\n"
            f"sys.argv = ['mlp', *{list(map(str, words))!r}]\n"
            "main()\n"
        )
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
        started.append(process)
        wait_for(Path("begun").exists, process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def alone(monkeypatch):
    """Fail a search in this process that waits for others: there are none, so it never ends."""

    def wait(_):
        raise AssertionError("it waits for a trial that nobody works on")

    monkeypatch.setattr(SharedStudy, "wait", wait)


@pytest.fixture
def tune_process():
    """Return a function that starts `mlp tune`, which SIGKILL ends after a minute."""

    @contextmanager
    def start(*words):
        command = [MLP, "tune", *map(str, words)]
        with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as process:
            watch = threading.Timer(60, process.kill)
            watch.daemon = True
            watch.start()
            yield process
        watch.cancel()

    return start


def wait_for(happened, process):
    """Wait until something has happened, as long as a process lives, and a minute at most."""
    for _ in range(6000):
        if happened():
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    raise AssertionError("it never happened")


def server_program(name):
    """Return where a program of PostgreSQL is."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (debian and debian[-1]) or absent(name, "MLP_TEST_POSTGRES")


@pytest.fixture(scope="session")
def postgres():
    """Start a PostgreSQL server on 127.0.0.1, in a folder of its own; return a database's URL."""
    initdb, server = server_program("initdb"), server_program("postgres")
    # It refuses to be root.
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="mlp-postgres"))
    shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    as_user = {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL}
    options = ("-D", folder / "data", "-A", "trust", "-U", "mlp", "--no-sync")
    subprocess.run([initdb, *options], check=True, **as_user)
    settings = ("listen_addresses=127.0.0.1", "fsync=off", f"unix_socket_directories={folder}")
    words = [word for setting in settings for word in ("-c", setting)]
    command = [server, "-D", folder / "data", "-p", port, *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **as_user) as process:
        for line in process.stderr:
            if "ready to accept connections" in line:
                break
        yield f"postgresql://mlp:secret@127.0.0.1:{port}/postgres"
        # Without waiting for connections to be closed.
        process.send_signal(2)
        process.communicate()
    shutil.rmtree(folder)
