"""A folder with MNIST's four files: the real ones, or random ones of the same shape.

Only the standard library, as in everything that starts what is measured: the resident size of a
parent shows in its children's.
"""

import gzip
import os
import random
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PIXELS = 28 * 28
EXAMPLES = 60_000
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@contextmanager
def data(examples: int | None) -> Iterator[tuple[Path, str]]:
    """Provide a data directory with a sub-folder `mnist`, and say what is in it.

    Args:
        examples: make so many random training images; None for real MNIST, where it is found.
    """
    real = None if examples else _find()
    if real:
        yield real, "MNIST"
        return
    examples = examples or EXAMPLES
    with tempfile.TemporaryDirectory() as name:
        _write_random(Path(name), examples)
        yield Path(name), f"{examples} random images of MNIST's shape"


def _find() -> Path | None:
    """Return the data directory whose sub-folder `mnist` holds MNIST, if there is one."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folders = [
        Path(os.environ.get("MLP_TEST_MNIST", "/nowhere")).resolve(),
        Path(os.environ.get("MLP_DATA_DIR", cache / "mlp")) / "mnist",
    ]
    return next((path.parent for path in folders if (path / TRAIN_IMAGES).exists()), None)


def _write_random(data_dir: Path, examples: int) -> None:
    """Write so many random training images, and a sixth as many for tests, as in MNIST."""
    folder = data_dir / "mnist"
    folder.mkdir()
    rng = random.Random(0)
    tests = -(-examples // 6)
    for images, labels, n in (
        (TRAIN_IMAGES, TRAIN_LABELS, examples),
        (TEST_IMAGES, TEST_LABELS, tests),
    ):
        with gzip.open(folder / images, "wb", compresslevel=1) as stream:
            stream.write(struct.pack(">4B3I", 0, 0, 8, 3, n, 28, 28))
            for _ in range(n):
                stream.write(rng.randbytes(PIXELS))
        with gzip.open(folder / labels, "wb", compresslevel=1) as stream:
            stream.write(struct.pack(">4BI", 0, 0, 8, 1, n))
            stream.write(bytes(rng.randrange(10) for _ in range(n)))


def write_one_image(data_dir: Path, path: Path) -> None:
    """Write the first test image as an IDX file of its own."""
    with gzip.open(data_dir / "mnist" / TEST_IMAGES) as stream:
        stream.seek(16)
        pixels = stream.read(PIXELS)
    path.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 1, 28, 28) + pixels)
