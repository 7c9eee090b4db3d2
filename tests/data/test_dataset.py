"""Datasets opened by name."""

import gzip

import numpy as np
import pytest

from mlpcli.data.builtin.datasets import load_builtin, open_builtin_split
from mlpcli.data.builtin.registry import DATASETS
from mlpcli.data.dataset import Dataset, Examples, Preparation
from mlpcli.data.encoding import Encoding
from mlpcli.errors import ConfigError, DataError

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = (f.name for f in DATASETS["mnist"].files)
RNG = np.random.default_rng(0)
SMALL = {
    TRAIN_IMAGES: RNG.integers(256, size=(5, 28, 28)).astype(np.uint8),
    TRAIN_LABELS: np.array([3, 1, 4, 1, 9], np.uint8),
    TEST_IMAGES: RNG.integers(256, size=(2, 28, 28)).astype(np.uint8),
    TEST_LABELS: np.array([0, 2], np.uint8),
}


def write_mnist(data_dir, **replaced):
    """Write a small MNIST with some of its arrays replaced; None leaves a file out."""
    (data_dir / "mnist").mkdir()
    for name, array in {**SMALL, **replaced}.items():
        if array is not None:
            shape = np.array(array.shape, ">u4").tobytes()
            code = {"u1": 8, "i1": 9}[array.dtype.str[1:]]
            content = bytes([0, 0, code, array.ndim]) + shape + array.tobytes()
            (data_dir / "mnist" / name).write_bytes(gzip.compress(content))


def open_mnist(data_dir, scale=None):
    """Open the MNIST of a data directory."""
    return load_builtin("mnist", Preparation(scale), data_dir, "c.yaml:1: data")


def test_images_become_rows_of_bytes(tmp_path):
    """Images stay bytes, one row each, with their labels; pixels are scaled unless told not to."""
    write_mnist(tmp_path)
    dataset = open_mnist(tmp_path)
    assert dataset.encoding == Encoding(784, "unit", tuple("0123456789"), (28, 28), commonest=(1,))
    assert open_mnist(tmp_path, "none").encoding.scale == "none"
    assert dataset.train.features.dtype == np.uint8
    np.testing.assert_array_equal(dataset.train.features, SMALL[TRAIN_IMAGES].reshape(5, 784))
    np.testing.assert_array_equal(dataset.train.labels, SMALL[TRAIN_LABELS])
    np.testing.assert_array_equal(dataset.test.features, SMALL[TEST_IMAGES].reshape(2, 784))
    np.testing.assert_array_equal(dataset.test.labels, SMALL[TEST_LABELS])


def test_real_mnist(data_dir):
    """The published files hold 60,000 and 10,000 digits, and zeros number 5,923 and 980."""
    dataset = open_mnist(data_dir)
    assert dataset.train.features.shape == (60_000, 784)
    assert dataset.test.features.shape == (10_000, 784)
    # Class counts as the MNIST literature gives them.
    assert [np.sum(part.labels == 0) for part in (dataset.train, dataset.test)] == [5923, 980]


def test_parity_is_cut_as_in_the_article(tmp_path):
    """The first 700 numbers train and the last 324 test; the data directory is not needed."""
    dataset = load_builtin("parity", Preparation(), tmp_path / "none", "")
    assert dataset.encoding == Encoding(10, "none", ("odd", "even"), commonest=(0,))
    assert [len(part.labels) for part in (dataset.train, dataset.test)] == [700, 324]
    bits = dataset.test.features[0]
    assert int("".join(map(str, bits)), 2) == 700


@pytest.mark.parametrize("name", SMALL)
def test_missing_file(tmp_path, name):
    """A missing file is named, with the command that fetches it."""
    write_mnist(tmp_path, **{name: None})
    path = tmp_path / "mnist" / name
    with pytest.raises(DataError) as caught:
        open_mnist(tmp_path)
    assert str(caught.value) == f"{path}: there is no such file; run mlp download mnist"


@pytest.mark.parametrize(
    ("blamed", "array", "problem"),
    [
        (TRAIN_LABELS, SMALL[TRAIN_LABELS][:4], "not one byte for each of 5 images"),
        (TEST_IMAGES, SMALL[TRAIN_IMAGES], "not one byte for each of 5 images"),
        (TRAIN_LABELS, np.array([3, 1, 10, 1, 9], np.uint8), "example 2 has label 10, .* is 9"),
        (TEST_LABELS, np.array([255, 0], np.uint8), "example 0 has label 255, .* is 9"),
        (TRAIN_LABELS, SMALL[TRAIN_LABELS].view(np.int8), "int8 of shape"),
        (TRAIN_IMAGES, SMALL[TRAIN_IMAGES].view(np.int8), "int8 of shape"),
        (TRAIN_IMAGES, SMALL[TRAIN_IMAGES][:, :27], r"\(5, 27, 28\), not 28×28 images"),
        (TRAIN_IMAGES, SMALL[TRAIN_IMAGES].reshape(5, 784), r"\(5, 784\), not 28×28 images"),
        (TRAIN_IMAGES, SMALL[TRAIN_LABELS], r"\(5,\), not 28×28 images"),
        (TEST_LABELS, SMALL[TEST_LABELS].reshape(2, 1), "not one byte for each of 2 images"),
    ],
)
def test_files_that_do_not_belong_together(tmp_path, blamed, array, problem):
    """Counts that disagree, labels beyond the last class and other shapes are refused."""
    write_mnist(tmp_path, **{blamed: array})
    with pytest.raises(DataError, match=f"{problem}.*; run mlp download mnist$"):
        open_mnist(tmp_path)


def test_no_images(tmp_path):
    """Files of no examples are refused."""
    empty = {TEST_IMAGES: SMALL[TEST_IMAGES][:0], TEST_LABELS: SMALL[TEST_LABELS][:0]}
    write_mnist(tmp_path, **empty)
    with pytest.raises(DataError, match="holds no images"):
        open_mnist(tmp_path)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("minst", "did you mean mnist?"), ("party", "did you mean parity?"),
     ("../mnist", "did you mean mnist?"), ("x", f"the datasets are parity, {', '.join(DATASETS)}")],
)  # fmt: skip
def test_unknown_name(tmp_path, name, remedy):
    """An unknown dataset is a mistake in the configuration, and the nearest name is offered."""
    with pytest.raises(ConfigError) as caught:
        load_builtin(name, Preparation(), tmp_path, "c.yaml:3: data")
    assert str(caught.value) == f"c.yaml:3: data: there is no dataset {name}; {remedy}"


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_fingerprint_covers_every_byte(dtype):
    """Any byte of the training examples, and their type and shape, count in the fingerprint."""

    def fingerprint(features, labels):
        encoding = Encoding(3, "none", ("a", "b"))
        return Dataset("d", encoding, Examples(features, labels), None).fingerprint()

    features, labels = np.arange(12, dtype=dtype).reshape(4, 3), np.array([0, 1, 1, 0])
    first = fingerprint(features, labels)
    assert fingerprint(features.copy(order="F"), labels.copy()) == first
    seen = {first}
    for part in (features, labels):
        flat = part.reshape(-1).view(np.uint8)
        for i in range(len(flat)):
            flat[i] ^= 1
            seen.add(fingerprint(features, labels))
            flat[i] ^= 1
    seen.add(fingerprint(features.reshape(3, 4), labels))
    seen.add(fingerprint(features, labels.astype(np.uint64)))
    assert len(seen) == 1 + features.nbytes + labels.nbytes + 2


def test_a_split_is_read_alone(data_dir, tmp_path):
    """The test images of MNIST open where the training images are missing, and are the same."""
    (tmp_path / "mnist").mkdir()
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        (tmp_path / "mnist" / name).symlink_to(data_dir / "mnist" / name)
    whole = load_builtin("mnist", Preparation(), data_dir, "data")
    alone = open_builtin_split(
        "mnist", "test", whole.encoding, "float32", tmp_path, "data"
    ).examples
    np.testing.assert_array_equal(alone.features, whole.test.features)
    np.testing.assert_array_equal(alone.labels, whole.test.labels)
