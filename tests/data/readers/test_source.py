"""What a path is: told by its content, once."""

from pathlib import Path

import numpy as np
import pytest

from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Preparation
from mlpcli.data.files import load_files
from mlpcli.data.guess.record import Wishes
from mlpcli.data.labelled import open_labelled
from mlpcli.data.readers import source as sources
from mlpcli.data.readers.source import Source, find_source, with_labels
from mlpcli.data.suggest import suggest
from mlpcli.errors import DataError
from mlpcli.prediction.inputs import read_input

HERE = (Path(),)
X, Y = np.arange(24.0).reshape(12, 2), np.arange(12) % 2


@pytest.fixture
def detected(monkeypatch):
    """Return the paths, as text, of all files that were opened to detect what they are."""
    paths = []
    opened = sources.open_maybe_gzipped

    def counted(path):
        paths.append(str(path))
        return opened(path)

    monkeypatch.setattr(sources, "open_maybe_gzipped", counted)
    return paths


def write_files():
    """Write examples as a table, as an array with a file of labels, and as an archive."""
    rows = "".join(f"{a},{b},{'ab'[y]}\n" for (a, b), y in zip(X.tolist(), Y.tolist(), strict=True))
    Path("t.csv").write_text("p,q,kind\n" + rows)
    Path("in.csv").write_text("p,q\n1,2\n")
    np.save("x.npy", X)
    np.save("y.npy", Y)
    np.save("in.npy", X)
    np.savez("d.npz", x=X, y=Y)
    np.savez("in.npz", x=X)


@pytest.mark.parametrize(
    ("train", "given", "files"),
    [("t.csv", "in.csv", ["t.csv"]), ("x.npy", "in.npy", ["x.npy", "y.npy"]),
     ("d.npz", "in.npz", ["d.npz"])],
)  # fmt: skip
def test_a_file_is_detected_once(detected, train, given, files):
    """Training, evaluating, predicting and suggesting look once at what each of their files is."""
    write_files()
    described = Files(train)
    dataset = load_files(described, Preparation("none"))
    assert detected == files
    detected.clear()
    open_labelled(Path(train), dataset.encoding, described)
    assert detected == files
    detected.clear()
    assert list(read_input(given, dataset.encoding, described))
    assert detected == [given]
    detected.clear()
    suggest(Path(train), Wishes(), Path())
    assert detected == files


def test_test_and_label_files_are_detected_once(detected):
    """So are a test file and files of labels that a configuration names."""
    write_files()
    files = Files("x.npy", "in.npy", target="y.npy", test_target="y.npy")
    load_files(files, Preparation("none"))
    assert detected == ["x.npy", "y.npy", "in.npy", "y.npy"]


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"\x93NUMPY...", "npy"), (b"PK\x03\x04", "npz"), (b"PAR1", "parquet"),
     (b"\0\0\x08\x01", "idx"), (b"1,2\n", "table"), (b"x", "table")],
)  # fmt: skip
def test_formats_are_told_by_content(content, found):
    """The first bytes say what a file is, whatever it is called."""
    Path("file.csv").write_bytes(content)
    assert find_source(Path("file.csv")) == Source(Path("file.csv"), found)


def test_images_and_folders():
    """Images are told by their names, and folders are folders."""
    Path("a.png").write_bytes(b"")
    assert find_source(Path("a.png")).format == "image"
    assert find_source(Path()).format == "folder"


@pytest.mark.parametrize(
    ("name", "target", "labels"),
    [("x.npy", None, "y.npy"), ("x.npy", "in.npy", "in.npy"), ("x.npy", -1, None),
     ("in.npy", None, None), ("d.npz", None, None), ("d.npz", "y", None),
     ("d.npz", "y.npy", "y.npy"), ("t.csv", "kind", None)],
)  # fmt: skip
def test_where_labels_are(name, target, labels):
    """An array's labels are in a file that is named, or is named like it; a table has its own."""
    write_files()
    source = with_labels(find_source(Path(name)), target, HERE, "data.target")
    assert (source.labels and str(source.labels.path)) == labels


def test_labels_that_are_not_there():
    """A file of labels that is not there names the key that asks for it."""
    write_files()
    with pytest.raises(DataError, match=r"^z.npy: there is no such file in \.") as caught:
        with_labels(find_source(Path("x.npy")), "z.npy", HERE, "data.target")
    assert caught.value.key == "data.target"
