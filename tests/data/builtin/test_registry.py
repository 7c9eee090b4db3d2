"""The registry of named datasets."""

import string
from itertools import chain

import pytest

from mlpcli.data.builtin.download import is_valid
from mlpcli.data.builtin.registry import DATASETS


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
    every = list(chain.from_iterable((file.name, file.sha256) for file in known.files))
    assert len(set(every)) == len(every)


def test_published_files_are_recognised(data_dir):
    """Real MNIST files are accepted; the recompressed one, of the same data, is refused.

    `train-images-idx3-ubyte.gz` of the shared folder holds the published pixels, and its own bytes
    are not the published ones.
    """
    accepted = [is_valid(data_dir / "mnist" / file.name, file) for file in DATASETS["mnist"].files]
    assert accepted == [False, True, True, True]
