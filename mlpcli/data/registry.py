"""Named datasets: what they are called, where they are, how their files are recognised."""

from typing import NamedTuple


class RemoteFile(NamedTuple):
    """A published file."""

    name: str
    size: int
    """In bytes."""
    sha256: str


class NamedDataset(NamedTuple):
    """A dataset known by name."""

    class_names: tuple[str, ...]
    image_shape: tuple[int, int]
    """Rows and columns."""
    mirrors: tuple[str, ...]
    """Folders' addresses, each ending in a slash, in the order in which they are tried."""
    files: tuple[RemoteFile, RemoteFile, RemoteFile, RemoteFile]
    """Training images and labels, test images and labels: gzip-compressed IDX."""


DATASETS = {
    "mnist": NamedDataset(
        class_names=tuple("0123456789"),
        image_shape=(28, 28),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        files=(
            RemoteFile(
                "train-images-idx3-ubyte.gz",
                9912422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            RemoteFile(
                "train-labels-idx1-ubyte.gz",
                28881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            RemoteFile(
                "t10k-images-idx3-ubyte.gz",
                1648877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            RemoteFile(
                "t10k-labels-idx1-ubyte.gz",
                4542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
    ),
}
