"""Data that do not fit in memory: uncompressed files are mapped, and read as they are needed."""

import resource
import struct
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = 900_000
# Enough for the interpreter, NumPy and the buffers of a step: less than a third of the images.
LIMIT = 200 << 20
CONFIG = """\
data: {{train: {images}, target: {labels}, scale: unit}}
structure: [784, 8, 10]
eta: 0.1
bt_size: 1000
epochs: 1
"""


def write_npy(path, shape):
    """Make a .npy file of zero bytes, without holes only where something is written."""
    return np.lib.format.open_memmap(path, "w+", np.uint8, shape)


def write_idx(path, shape):
    """Make an IDX file of zero bytes."""
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    Path(path).write_bytes(header)
    return np.memmap(path, np.uint8, "r+", len(header), shape)


@pytest.mark.parametrize(
    ("write", "names"),
    [(write_npy, ("x.npy", "y.npy")), (write_idx, ("x-idx3-ubyte", "y-idx1-ubyte"))],
    ids=["npy", "idx"],
)
def test_a_file_several_times_the_memory_is_trained_on(mlp_process, write, names):
    """706 MB of images are trained on by a process that may allocate 200 MB.

    RLIMIT_DATA counts what is allocated, and not files that are mapped for reading.
    """
    images, labels = write(names[0], (EXAMPLES, 28, 28)), write(names[1], (EXAMPLES,))
    labels[:] = np.arange(EXAMPLES) % 10
    images[:1000, 3, 3] = labels[:1000]
    assert images.nbytes > 3 * LIMIT
    del images, labels
    config = CONFIG.format(images=names[0], labels=names[1])
    Path("c.yaml").write_text(config, encoding="utf-8")
    run = mlp_process(
        *("train", "c.yaml", "-q", "--threads", "1"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT)),
    )
    # Of noise nothing can be learned, and one line says so.
    assert (run.returncode, run.stderr.count("\n")) == (0, 1), run.stderr
    assert run.stdout.startswith("weights c.npy\ntrain accuracy ")
