"""`mlp train` on a dataset that is missing: at a terminal it offers to download it."""

import gzip
import hashlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mirror import running

from mlpcli.data.builtin.registry import IDX_FILES

CONFIG = "data: mnist\nstructure: [784, 4, 10]\neta: 0.1\nbt_size: 10\nepochs: 1\n"
PROGRAM = """
import hashlib, sys
from mlpcli.cli.main import main
from mlpcli.data.builtin.registry import DATASETS, RemoteFile
files = tuple(RemoteFile(*file) for file in {files!r})
DATASETS["mnist"] = DATASETS["mnist"]._replace(mirrors=({url!r},), files=files)
main()
"""
MISSING = "data/mnist/train-images-idx3-ubyte.gz: there is no such file; run mlp download mnist"


def digits():
    """Return the files of a small MNIST."""
    labels = np.arange(20, dtype=np.uint8) % 10
    images = np.random.default_rng(0).integers(256, size=(20, 28, 28), dtype=np.uint8)
    files = {}
    for name in IDX_FILES:
        array = images if "images" in name else labels
        shape = np.array(array.shape, ">u4").tobytes()
        files[name] = gzip.compress(bytes([0, 0, 8, array.ndim]) + shape + array.tobytes())
    return files


@pytest.fixture
def train(monkeypatch):
    """Return a function that runs `mlp train` where MNIST is missing, and a server that has it."""
    monkeypatch.setenv("no_proxy", "*")
    Path("c.yaml").write_text(CONFIG)
    contents = digits()
    with running(contents) as server:
        files = [(n, len(c), hashlib.sha256(c).hexdigest()) for n, c in contents.items()]
        program = PROGRAM.format(files=files, url=server.url("m"))
        command = [sys.executable, "-c", program, "train", "c.yaml", "--data-dir", "data"]

        def run(answer, *words, ours=("stdin", "stderr")):
            """Run it with a terminal for some streams, and an answer typed into it."""
            controller, terminal = pty.openpty()
            streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                       "stderr": subprocess.PIPE} | dict.fromkeys(ours, terminal)  # fmt: skip
            with subprocess.Popen([*command, *words], **streams) as process:
                os.close(terminal)
                os.write(controller, answer)
                shown = b""
                try:
                    while data := os.read(controller, 4096):
                        shown += data
                except OSError:
                    pass  # so ends a terminal on Linux
                out, err = process.communicate(timeout=60)
            os.close(controller)
            return process.returncode, (out or b"").decode(), (shown + (err or b"")).decode()

        run.server = server
        yield run


def test_yes(train):
    """On yes the dataset is fetched, and training goes on; standard output has the result alone."""
    code, out, shown = train(b"y\n")
    assert code == 0
    assert "mnist is not in data: download it? [y/N] " in shown
    assert len(train.server.requests) == 4
    assert out.startswith("weights c.npy\ntrain accuracy ")
    assert out.count("\n") == 4
    code, _, shown = train(b"", "--overwrite")
    assert (code, "download it" in shown) == (0, False)


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"what?\n", b"\x04"])
def test_no(train, answer):
    """Whatever is not yes is no: nothing is fetched, and the error is the usual one."""
    code, out, shown = train(answer)
    assert (code, out) == (1, "")
    assert shown.replace("\r\n", "\n").endswith(f"mlp: error: {MISSING}\n")
    assert train.server.requests == []
    assert not Path("data").exists()


@pytest.mark.parametrize("ours", [(), ("stdin",), ("stderr",), ("stdout", "stderr")])
def test_nobody_to_ask(train, ours):
    """Where standard input or standard error is no terminal, nothing is asked."""
    code, _, shown = train(b"y\n", ours=ours)
    assert code == 1
    assert "download it" not in shown
    assert MISSING in shown
    assert train.server.requests == []
