"""The registry of named datasets."""

import hashlib
import string
from itertools import chain

import pytest

from mlpcli.data.builtin.registry import DATASETS, EMNIST, RemoteFile
from mlpcli.data.builtin.verify import is_valid


@pytest.mark.parametrize("known", DATASETS.values(), ids=DATASETS)
def test_entries_are_well_formed(known):
    """Addresses are folders, the first over HTTPS; every file has a size and a SHA-256."""
    assert known.mirrors[0].startswith("https://")
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in known.mirrors)
    assert not any("yann.lecun.com" in mirror for mirror in known.mirrors), "it answers 403"
    assert len(set(known.class_names)) == len(known.class_names) >= 2
    for file in known.files:
        assert file.size > 0
        assert len(file.sha256) == 64
        assert set(file.sha256) <= set(string.hexdigits.lower())
    assert len(known.files) == 4 or len(known.members) == len(set(known.members)) == 4
    every = list(chain.from_iterable((file.name, file.sha256) for file in known.files))
    assert len(set(every)) == len(every)


def test_published_files_are_recognised(data_dir):
    """Real MNIST files are accepted; the recompressed one, of the same data, is refused.

    `train-images-idx3-ubyte.gz` of the shared folder holds the published pixels, and its own bytes
    are not the published ones.
    """
    accepted = [is_valid(data_dir / "mnist" / file.name, file) for file in DATASETS["mnist"].files]
    assert accepted == [False, True, True, True]


def test_nists_classes():
    """Numbers of classes are NIST's; cases are merged where they look alike."""
    assert {split: len(names) for split, names in EMNIST.items()} == {
        "byclass": 62, "bymerge": 47, "balanced": 47, "letters": 26, "digits": 10, "mnist": 10
    }  # fmt: skip
    # The mapping files of the archive: class 36 is a, 37 b, 38 d.
    assert "".join(EMNIST["balanced"][36:]) == "abdefghnqrt"
    assert EMNIST["byclass"][10] == "A"
    assert EMNIST["byclass"][36] == "a"
    assert DATASETS["emnist-letters"].first_label == 1
    assert len({entry.files for name, entry in DATASETS.items() if "emnist" in name}) == 1


def test_is_valid(tmp_path):
    """Only the published bytes are valid: not a flipped, missing or added one, nor a folder."""
    content = b"published"
    file = RemoteFile("f", len(content), hashlib.sha256(content).hexdigest())
    path = tmp_path / "f"
    assert not is_valid(path, file)
    for other in (b"Published", content[:-1], content + b"x", b""):
        path.write_bytes(other)
        assert not is_valid(path, file)
    path.write_bytes(content)
    assert is_valid(path, file)
    assert not is_valid(tmp_path, file)
