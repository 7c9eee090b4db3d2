"""Checkpoints damaged byte by byte, half of them sealed again with a right checksum."""

import functools
import hashlib
import random
from pathlib import Path

from builders import made
from in_process import run_mlp

from fuzz.mutations import mutate
from fuzz.outcome import check_error
from mlpcli.checkpoint import store
from mlpcli.errors import MlpError
from mlpcli.training.run import start_run

NAMES = ("plain", "sealed")
WORDS = (
    b"<f4", b"<f8", b"|O", b"'W2'", b"(", b")", b"[", b'"', b"{", b"}", b"null", b"NaN", b"1e999",
    b"-1", b"9" * 400, b"true", b"\\u001b", b"\xff", b"[" * 2000, b"0.0", b"epoch", b"data",
)  # fmt: skip
DIGEST = 32


@functools.cache
def sound() -> bytes:
    """Return the bytes of a checkpoint."""
    model = made()
    return store.serialise(model, start_run(model.experiment, model.network))


def make(name: str, rng: random.Random) -> bytes:
    """Return a damaged checkpoint."""
    if name == "plain":
        return mutate(sound(), rng, WORDS)
    content = mutate(sound()[:-DIGEST], rng, WORDS)
    return content + hashlib.sha256(content).digest()


def check(_: str, case: bytes) -> str:
    """Load a checkpoint, and show one that can be loaded."""
    path = Path("damaged.npy")
    path.write_bytes(case)
    try:
        store.load(path)
    except MlpError as error:
        return check_error(error)
    run = run_mlp("show", path)
    assert run.returncode == 0, run.stderr
    assert "\x1b" not in run.stdout
    return "read"
