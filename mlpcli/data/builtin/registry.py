"""Named datasets: what they are called, where they are, how their files are recognised."""

import string
from pathlib import Path
from typing import NamedTuple

from mlpcli.errors import ConfigError, did_you_mean


class RemoteFile(NamedTuple):
    """A published file."""

    name: str
    size: int
    """In bytes."""
    sha256: str


class BuiltinDataset(NamedTuple):
    """A dataset known by name."""

    class_names: tuple[str, ...]
    image_shape: tuple[int, int]
    """Rows and columns."""
    mirrors: tuple[str, ...]
    """Folders' addresses, each ending in a slash, in the order in which they are tried."""
    files: tuple[RemoteFile, ...]
    """What is downloaded: the four of `IDX_FILES`, or an archive that holds them."""
    folder: str
    """The sub-folder of the data directory where these files are kept."""
    members: tuple[str, ...] = ()
    """Inside an archive, what becomes the dataset's own `IDX_FILES`, in their order."""
    transposed: bool = False
    """Whether rows and columns of the stored images are swapped."""
    first_label: int = 0
    """The label of the first class."""


# Training images and labels, test images and labels: gzip-compressed IDX, the same for every
# dataset, each in a folder of the dataset's name.
IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _idx_files(*published: tuple[int, str]) -> tuple[RemoteFile, ...]:
    return tuple(RemoteFile(name, *of) for name, of in zip(IDX_FILES, published, strict=True))


FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

# NIST's classes: where a letter's two cases look alike, one class is for both.
_DIGITS = tuple(string.digits)
_CAPITALS = tuple(string.ascii_uppercase)
_MERGED = (*_DIGITS, *_CAPITALS, *"abdefghnqrt")
EMNIST = {
    "byclass": (*_DIGITS, *_CAPITALS, *string.ascii_lowercase),
    "bymerge": _MERGED,
    "balanced": _MERGED,
    "letters": _CAPITALS,
    "digits": _DIGITS,
    "mnist": _DIGITS,
}


def _emnist(split: str) -> BuiltinDataset:
    return BuiltinDataset(
        class_names=EMNIST[split],
        image_shape=(28, 28),
        mirrors=("https://biometrics.nist.gov/cs_links/EMNIST/",),
        files=(
            RemoteFile(
                "gzip.zip",
                561753746,
                "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
            ),
        ),
        folder="emnist",
        members=tuple(
            f"gzip/emnist-{split}-{part}-ubyte.gz"
            for part in (
                "train-images-idx3",
                "train-labels-idx1",
                "test-images-idx3",
                "test-labels-idx1",
            )
        ),
        transposed=True,
        first_label=1 if split == "letters" else 0,
    )


DATASETS = {
    "mnist": BuiltinDataset(
        class_names=_DIGITS,
        image_shape=(28, 28),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        files=_idx_files(
            (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
        folder="mnist",
    ),
    "fashion-mnist": BuiltinDataset(
        class_names=FASHION,
        image_shape=(28, 28),
        mirrors=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        files=_idx_files(
            (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
        folder="fashion-mnist",
    ),
    "kmnist": BuiltinDataset(
        class_names=tuple("おきすつなはまやれを"),
        image_shape=(28, 28),
        mirrors=(
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
        files=_idx_files(
            (18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            (29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            (3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            (5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ),
        folder="kmnist",
    ),
    **{f"emnist-{split}": _emnist(split) for split in EMNIST},
}


def lookup(name: str, where: str, also: tuple[str, ...] = ()) -> BuiltinDataset:
    """Return what the registry knows of a dataset.

    Args:
        name: what the user called it.
        where: what to blame if there is no such dataset.
        also: names that are no dataset of the registry, and are good ones.

    Raises:
        ConfigError: if it knows nothing.
    """
    if name not in DATASETS:
        names = [*also, *DATASETS]
        remedy = did_you_mean(name, names) or f"the datasets are {', '.join(names)}"
        if Path(name).suffix:
            remedy = f"for a file, write data: {{train: {name}}}"
        raise ConfigError(where, f"there is no dataset {name}", remedy)
    return DATASETS[name]
