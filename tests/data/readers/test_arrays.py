"""Arrays as training data: `.npy`, `.npz` and IDX, with their labels."""

import gzip
import io
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Preparation
from mlpcli.data.files import load_files
from mlpcli.data.labelled import open_labelled
from mlpcli.data.readers import table as tables
from mlpcli.data.readers.npy import npz_names, read_npz
from mlpcli.errors import DataError

X = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
Y = np.array([3, 1, 3, 1, 3, 1], np.uint8)
IDX_TYPES = {"u1": 8, "i1": 9, "i2": 0xB, "i4": 0xC, "f4": 0xD, "f8": 0xE}


def write_idx(path, array):
    """Write an IDX file."""
    head = bytes([0, 0, IDX_TYPES[array.dtype.str[1:]], array.ndim])
    data = array.astype(array.dtype.newbyteorder(">")).tobytes()
    Path(path).write_bytes(head + np.array(array.shape, ">u4").tobytes() + data)


def opened(**keys):
    """Open files as a configuration names them."""
    return load_files(Files(**keys), Preparation("none"))


def assert_is_the_data(dataset):
    """Check that a dataset has `X`, flat, and the classes of `Y`."""
    np.testing.assert_array_equal(dataset.train.features, X.reshape(6, 4))
    assert [dataset.encoding.class_names[i] for i in dataset.train.labels] == list(map(str, Y))


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_idx(dtype):
    """IDX of every element type trains, its labels in another file."""
    write_idx("x", X.astype(dtype))
    write_idx("y", Y)
    dataset = opened(train="x", target="y")
    assert_is_the_data(dataset)
    assert dataset.encoding.image_shape == (2, 2)
    assert dataset.train.features.dtype == np.dtype(dtype).newbyteorder(">")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("labels", [Y, Y.astype(float), Y[:, None], Y.astype(str), Y.astype(bytes)])
def test_npy_and_labels(labels, order):
    """`.npy` arrays train, their labels whole numbers, text or a column, in another file."""
    np.save("x.npy", np.asarray(X, order=order))
    np.save("labels.npy", labels)
    dataset = opened(train="x.npy", target="labels.npy")
    assert_is_the_data(dataset)
    assert dataset.train.features.flags.c_contiguous


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gz"])
def test_labels_as_text(pack):
    """A text file, compressed or not, has a label per line."""
    np.save("x.npy", X)
    Path("y.txt").write_bytes(pack("".join(f"{y}\n" for y in Y).encode()))
    assert_is_the_data(opened(train="x.npy", target="y.txt"))


@pytest.mark.parametrize("save", [np.save, np.savez])
def test_labels_in_another_encoding(save):
    """Labels as text are read in the encoding that the configuration names."""
    name = "x.npy" if save is np.save else "x.npz"
    save(name, X)
    Path("y.txt").write_bytes("".join(f"Größe {y}\n" for y in Y).encode("cp1252"))
    with pytest.raises(DataError, match=r"y\.txt:1: is not UTF-8; .* encoding, under data"):
        opened(train=name, target="y.txt")
    dataset = opened(train=name, target="y.txt", encoding="cp1252")
    assert dataset.encoding.class_names == tuple(f"Größe {y}" for y in sorted({*Y.tolist()}))


@pytest.mark.parametrize(("position", "target"), [(4, None), (4, -1), (4, 4), (0, 0), (2, 2)])
def test_labels_in_a_column(position, target):
    """A table of numbers has its classes in a column: the last, or the one that target says."""
    np.save("x.npy", np.insert(X.reshape(6, 4).astype(float), position, Y, axis=1))
    assert_is_the_data(opened(train="x.npy", target=target))


@pytest.mark.parametrize(
    ("given", "beside"),
    [("x.npy", "y.npy"), ("X_train.npy", "y_train.npy"), ("train-images.npy", "train-labels.npy"),
     ("a-images-idx3-ubyte", "a-labels-idx1-ubyte"),
     ("a-images.idx3-ubyte", "a-labels.idx1-ubyte")],
)  # fmt: skip
def test_labels_beside(given, beside):
    """Without a target, labels are looked for in the file that is named like the features."""
    for name, array in ((given, X), (beside, Y)):
        np.save(name, array) if name.endswith("npy") else write_idx(name, array)
    assert_is_the_data(opened(train=given))


@pytest.mark.parametrize(
    ("x", "y", "target"),
    [("x", "y", None), ("data", "target", None), ("pixels", "digit", "digit"),
     ("x_train", "y_train", None), ("images", "y", "y"), ("arr_0", "arr_1", None)],
)  # fmt: skip
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(x, y, target, save):
    """An archive has both, under the usual names or those that target says."""
    save("d.npz", **{x: X, y: Y})
    assert_is_the_data(opened(train="d.npz", target=target))


def test_one_hot_labels_are_classes():
    """Of labels with a 1 in one of k columns the classes are 0 to k - 1, there and elsewhere."""
    classes = np.array([0, 2, 1, 2, 0, 1])
    np.savez("d.npz", x=X, y=np.eye(3)[classes])
    dataset = opened(train="d.npz")
    assert dataset.encoding.class_names == ("0", "1", "2")
    np.testing.assert_array_equal(dataset.train.labels, classes)
    kinds = (("hot", np.eye(3, dtype=int)), ("true", np.eye(3) == 1), ("plain", np.arange(3)))
    for name, labels in ((name, rows[classes]) for name, rows in kinds):
        np.savez(f"{name}.npz", x=X, y=labels)
        more = open_labelled(Path(f"{name}.npz"), dataset.encoding)
        np.testing.assert_array_equal(more.examples.labels, classes)
    np.savez("several.npz", x=X, y=1 - np.eye(3)[classes])
    with pytest.raises(DataError, match="has 3 targets for each example"):
        open_labelled(Path("several.npz"), dataset.encoding)


@pytest.mark.parametrize("name", ["{0}_{1}", "{1}_{0}"], ids=["x_train", "train_x"])
@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("images", "labels")])
@pytest.mark.parametrize("validation", ["val", "validation"])
def test_npz_of_all_splits(name, x, y, validation):
    """An archive of arrays for training, validation and test serves as all three files."""
    parts = {"train": slice(0, 6), validation: slice(2, 5), "test": slice(0, 2)}
    arrays = {
        name.format(letter, part): array[rows]
        for part, rows in parts.items()
        for letter, array in ((x, X), (y, Y))
    }
    np.savez("d.npz", **arrays)
    dataset = opened(train="d.npz", test="d.npz")
    assert_is_the_data(dataset)
    np.testing.assert_array_equal(dataset.test.features, X[:2].reshape(2, 4))
    held = open_labelled(Path("d.npz"), dataset.encoding, role="validation")
    np.testing.assert_array_equal(held.examples.features, X[2:5].reshape(3, 4))


def test_npz_of_both_splits():
    """An archive of x_train, y_train, x_test, y_test serves as both files."""
    np.savez("d.npz", x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2])
    dataset = opened(train="d.npz", test="d.npz")
    assert_is_the_data(dataset)
    np.testing.assert_array_equal(dataset.test.features, X[:2].reshape(2, 4))


def test_test_files_have_labels_of_their_own():
    """`test_target` names the labels of the test file, a name like its own finds them, too."""
    for name, array in (("x.npy", X), ("l.npy", Y), ("xt.npy", X[:2]), ("t.npy", Y[:2])):
        np.save(name, array)
    dataset = opened(train="x.npy", target="l.npy", test="xt.npy", test_target="t.npy")
    np.testing.assert_array_equal(dataset.test.features, X[:2].reshape(2, 4))
    np.testing.assert_array_equal(dataset.test.labels, [1, 0])


@pytest.mark.parametrize("name", ["x.npy", "x-idx"])
@pytest.mark.parametrize(("limit", "mapped"), [(X.nbytes - 1, True), (X.nbytes, False)])
def test_large_arrays_stay_on_disk(monkeypatch, name, limit, mapped):
    """An array beyond the limit is mapped, and features are never copied as a whole."""
    monkeypatch.setattr(tables, "MAPPED_BYTES", limit)
    np.save("x.npy", X)
    write_idx("x-idx", X)
    np.save("y.npy", Y)
    features = opened(train=name, target="y.npy").train.features
    while features.base is not None and not isinstance(features, np.memmap):
        features = features.base
    assert isinstance(features, np.memmap) == mapped


def save_nan():
    """Save features that are not all numbers."""
    array = np.ones((6, 2))
    array[4, 1] = np.nan
    np.save("x.npy", array)


@pytest.mark.parametrize("train", ["x.npy", "x.npz"])
def test_gaps(train):
    """In arrays, too, `missing` fills gaps with the mean of the training array, or drops rows."""
    array = np.ones((6, 2))
    array[:3, 1], array[4, 1] = 3, np.nan
    np.savez("x.npz", x=array, y=Y)
    np.save("x.npy", array)
    np.save("y.npy", Y)
    dataset = opened(train=train, missing="mean")
    assert dataset.train.features[4].tolist() == [1, pytest.approx(2.2)]
    again = open_labelled(Path(train), dataset.encoding, Files(train, missing="mean")).examples
    np.testing.assert_array_equal(again.features, dataset.train.features)
    Path("in.csv").write_text("x0,x1,label\n4,5,1\n")
    table = open_labelled(Path("in.csv"), dataset.encoding).examples
    assert (table.features.tolist(), table.labels.tolist()) == ([[4, 5]], [0])
    assert len(opened(train=train, missing="drop").train.features) == 5
    array[:, 0] = np.nan
    np.savez("x.npz", x=array, y=Y)
    np.save("x.npy", array)
    with pytest.raises(DataError, match=r"feature 0 has no values"):
        opened(train=train, missing="mean")


def truncated():
    """Save an array and cut off its last byte."""
    np.save("x.npy", X)
    content = Path("x.npy").read_bytes()
    Path("x.npy").write_bytes(content[:-1])


BAD = {
    "objects": (lambda: np.save("x.npy", np.array([None, 1], object), allow_pickle=True),
                "x.npy: holds Python objects"),
    "truncated": (truncated, "x.npy: is damaged"),
    "lengths": (lambda: np.save("x.npy", X[:5]), "x.npy: has 5 examples and 6 labels"),
    "nan": (save_nan, "x.npy: holds nan in row 4, feature 1"),
    "one class": (lambda: np.save("y.npy", Y * 0), "x.npy: all 6 examples are of class 0"),
    "a class per row": (lambda: np.save("y.npy", np.arange(6)), "a number with 6 different"),
    "scalar": (lambda: np.save("x.npy", 3.0),
               r"x.npy: has shape \(\); give an array of shape \(examples, features\)"),
    "no rows": (lambda: np.save("x.npy", X[:0]), r"x.npy: has shape \(0, 2, 2\)"),
    "several labels": (lambda: np.save("y.npy", 1 - np.eye(6)), "x.npy: has 6 targets for each"),
    "nan label": (lambda: np.save("y.npy", np.array([1, 2, 1, 2, np.nan, 1])),
                  "row 4: the target is missing"),
    "no labels": (lambda: Path("y.npy").unlink(), "x.npy: has no classes; name the file"),
    "empty": (lambda: Path("x.npy").write_bytes(b""), "x.npy: is empty"),
    "empty labels": (lambda: Path("y.npy").write_bytes(b""), "y.npy: is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD)
def test_bad_arrays(spoil, message):
    """Arrays that make no dataset are refused, and the file is named."""
    np.save("x.npy", X)
    np.save("y.npy", Y)
    spoil()
    with pytest.raises(DataError, match=message):
        opened(train="x.npy")


def test_bomb_of_labels(monkeypatch):
    """Compressed labels that unpack to far more than their size are refused as they arrive."""
    monkeypatch.setattr(tables, "EXPANDED_BYTES", 1 << 16)
    np.save("x.npy", X)
    Path("labels.gz").write_bytes(gzip.compress(b"1\n" * 100_000))
    with pytest.raises(DataError, match=r"labels.gz: its .* as a decompression bomb's do"):
        opened(train="x.npy", target="labels.gz")


def test_missing_target_file():
    """A file of labels that is not there is named, with where it was looked for."""
    np.save("x.npy", X)
    with pytest.raises(DataError, match=r"^labels.npy: there is no such file in \."):
        opened(train="x.npy", target="labels.npy")


def npz(**members):
    """Write an archive of given bytes."""
    with zipfile.ZipFile("d.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def content_of(array):
    """Return what np.save writes."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def test_npz_bomb(monkeypatch):
    """An archive that unpacks to far more than its size is refused by what it announces."""
    monkeypatch.setattr(tables, "EXPANDED_BYTES", 1 << 16)
    np.savez_compressed("d.npz", x=np.zeros((100, 10_000)), y=np.arange(100) % 2)
    with pytest.raises(DataError, match=r"d.npz: its .* as a decompression bomb's do"):
        opened(train="d.npz")


def test_idx_bomb(monkeypatch):
    """Compressed IDX that unpacks to far more than its size is refused as it arrives."""
    monkeypatch.setattr(tables, "EXPANDED_BYTES", 1 << 16)
    write_idx("x", np.zeros((1000, 40, 40), np.uint8))
    Path("x.gz").write_bytes(gzip.compress(Path("x").read_bytes()))
    with pytest.raises(DataError, match=r"x.gz: its .* as a decompression bomb's do"):
        opened(train="x.gz", target="x")


@pytest.mark.parametrize(
    ("x", "problem"),
    [
        (content_of(X)[:-1], "it announces 24 bytes and holds other"),
        (content_of(X) + b"\0", "it announces 24 bytes and holds other"),
        (content_of(X).replace(b"(6, 2, 2)", b"(9**9**9)"), "is damaged"),
        (content_of(X).replace(b"(6, 2, 2), ", b"(2**60, 1),"), "is damaged"),
        (b"\x93NUMPY", "is damaged"),
        (b"nonsense", "is damaged"),
        (content_of(np.array([None])), "holds Python objects"),
    ],
)
def test_bad_members(x, problem):
    """A damaged array within an archive is named."""
    npz(x=x, y=content_of(Y))
    with pytest.raises(
        DataError, match=rf"d.npz\[x\]: {problem}|d.npz\[x\]: is damaged.*{problem}"
    ):
        opened(train="d.npz")


def test_bad_archives():
    """What is no archive of arrays is refused."""
    Path("d.npz").write_bytes(b"PK\x03\x04nonsense")
    with pytest.raises(DataError, match=r"d.npz: is damaged"):
        npz_names(Path("d.npz"))
    with zipfile.ZipFile("d.npz", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(DataError, match="is a zip file without arrays"):
        opened(train="d.npz")
    np.savez("d.npz", a=X, b=X, y=Y)
    with pytest.raises(DataError, match="has the arrays a, b, y, and none is surely the features"):
        opened(train="d.npz")
    with pytest.raises(DataError, match="has no array z"):
        opened(train="d.npz", target="z")
    content = bytearray(Path("d.npz").read_bytes())
    content[content.index(X.tobytes())] ^= 1
    Path("d.npz").write_bytes(content)
    with pytest.raises(DataError, match="is damaged: Bad CRC"):
        read_npz(Path("d.npz"), "a")


def zip_of(*members, method=zipfile.ZIP_STORED):
    """Write `d.npz` with members of any name and content."""
    with warnings.catch_warnings(), zipfile.ZipFile("d.npz", "w", method) as archive:
        warnings.simplefilter("ignore")  # that a name is there twice
        for name, content in members:
            archive.writestr(name, content)


def patched(offset, value):
    """Write other two bytes into each header of the central directory of `d.npz`."""
    content = bytearray(Path("d.npz").read_bytes())
    at = content.find(b"PK\1\2")
    while at >= 0:
        content[at + offset : at + offset + 2] = value.to_bytes(2, "little")
        at = content.find(b"PK\1\2", at + 1)
    Path("d.npz").write_bytes(content)


ARCHIVES = {
    "lzma": (lambda: zip_of(*BOTH, method=zipfile.ZIP_LZMA), "is compressed in another way"),
    "bzip2": (lambda: zip_of(*BOTH, method=zipfile.ZIP_BZIP2), "is compressed in another way"),
    "unknown method": (lambda: (zip_of(*BOTH), patched(10, 99)), "is compressed in another way"),
    "encrypted": (lambda: (zip_of(*BOTH), patched(8, 1)), "is compressed in another way, or encr"),
    "version": (lambda: (zip_of(*BOTH), patched(6, 99)), "is damaged: zip file version 9.9"),
    "two of a name": (lambda: zip_of(*BOTH, BOTH[0]), "two arrays have the same name"),
    "size that lies": (lambda: (zip_of(*BOTH), patched(24, 200)), "is damaged: it announces"),
    "offset that lies": (lambda: (zip_of(*BOTH), patched(42, 9)), "is damaged: "),
    "a name that is no text": (lambda: (zip_of(("\xc3.npy", b"")), patched(46, 0xC3C3)),
                               "is damaged: "),
}  # fmt: skip
BOTH = (("x.npy", content_of(X)), ("y.npy", content_of(Y)))


@pytest.mark.parametrize(("write", "problem"), ARCHIVES.values(), ids=ARCHIVES)
def test_archives_of_another_kind(write, problem):
    """An archive that np.savez did not write is refused by what it says, in one error."""
    write()
    with pytest.raises(DataError, match=rf"^d.npz.*{problem}"):
        opened(train="d.npz")


@pytest.mark.parametrize("code", [0xD800, 0x110000, 0xFFFFFFFF])
def test_labels_that_are_no_text(code):
    """NumPy takes any number for a character; one that is none is refused."""
    np.save("x.npy", X)
    np.save("y.npy", np.array([code] * 6, np.uint32).view("U1"))
    with pytest.raises(DataError, match=r"^y.npy: has labels that are no text"):
        opened(train="x.npy", target="y.npy")


def test_headers_of_other_times(recwarn):
    """A header with escapes or numbers as Python 2 wrote them is read or refused silently."""
    np.save("y.npy", Y)
    for old, new in ((b"(6, 2, 2), ", b"(6L, 2, 2),"), (b"'<i8'", b"'\\e8'")):
        Path("x.npy").write_bytes(content_of(X.astype("<i8")).replace(old, new))
        with suppress(DataError):
            opened(train="x.npy", target="y.npy")
    assert not recwarn
