"""Files of other programs: what they are is said, and what to do with them."""

import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest

from mlpcli.data.readers.npy import npz_names
from mlpcli.data.readers.source import find_source
from mlpcli.errors import DataError


def archive(*names):
    """Return a zip file with such members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return stream.getvalue()


def tarball(mode):
    """Return a tar file, compressed or not."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as file:
        file.addfile(tarfile.TarInfo("batches/data.bin"))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(90), "is an HDF5 file; save it as CSV, or"),
        (b"MATLAB 5.0 MAT-file, " + bytes(120), "is a MATLAB file"),
        (b"SQLite format 3\0" + bytes(90), "is an SQLite database"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(90), "is an old Office file"),
        (b"%PDF-1.4\n%\xe2\xe3", "is a PDF"),
        (pickle.dumps({b"data": [1, 2]}), "is a Python pickle, which could run code"),
        (tarball("w:"), "is a packed archive; unpack it"),
        (tarball("w:gz"), "is a packed archive"),
        (tarball("w:bz2"), "is a packed archive"),
        (tarball("w:xz"), "is a packed archive"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "is an Excel workbook; save its sheet"),
        (archive("content.xml"), "is an OpenDocument file"),
        (archive("a/0.png", "b/0.png"), "is a zip file without arrays; unpack it"),
    ],
    # By default a test is named after its bytes, among which is the time of packing.
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_what_no_reader_takes(content, problem):
    """It is no table that is not UTF-8, but what it is, by its content and not by its name."""
    path = Path("x.csv")
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^x.csv: {problem}"):
        npz_names(find_source(path).path)


@pytest.mark.parametrize("text", ["MATLAB,y\n1,a\n", "%PDF\n1\n", "BZ,y\n", "Rar,y\n"])
def test_tables_that_begin_alike(text):
    """A table whose first word is the name of such a program is a table."""
    Path("x.csv").write_text(text)
    assert find_source(Path("x.csv")).format == "table"
