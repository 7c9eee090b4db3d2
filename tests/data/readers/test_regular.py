"""Files that hold still: whatever is no file, or changes while it is read, is one error."""

import os
from pathlib import Path

import numpy as np
import pytest

from mlpcli.data.readers.idx import read_idx
from mlpcli.data.readers.npy import read_npy, read_npz
from mlpcli.data.readers.regular import open_regular
from mlpcli.errors import DataError


def grow(path):
    """Append to a file."""
    with path.open("ab") as stream:
        stream.write(b"x")


def shrink(path):
    """Cut a file short."""
    os.truncate(path, 1)


def rewrite(path):
    """Write other bytes, as many as before, a second later."""
    path.write_bytes(b"other")
    os.utime(path, (1, 1))


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
def test_a_file_that_changes_is_an_error(change):
    """A file that grows, shrinks or is written again between its opening and its end is named."""
    path = Path("x")
    path.write_bytes(b"12345")
    with (
        pytest.raises(DataError, match=r"^x: changed while it was read; try again"),
        open_regular(path) as stream,
    ):
        assert stream.read() == b"12345"
        change(path)


def test_a_file_that_vanishes_is_read():
    """What is open can be read to its end, wherever its name went."""
    path = Path("x")
    path.write_bytes(b"12345")
    with open_regular(path) as stream:
        path.unlink()
        assert stream.read() == b"12345"


@pytest.mark.parametrize("read", [read_npy, read_idx, lambda path: read_npz(path, "x")])
def test_pipes_and_devices_are_no_files(fifo, read):
    """A pipe is refused before anyone waits for its writer, and so is a device."""
    with pytest.raises(DataError, match=r"pipe.npy: is a pipe"):
        read(fifo)
    with pytest.raises(DataError, match=r"^/dev/zero: is a device"):
        read(Path("/dev/zero"))


def test_small_arrays_are_copies():
    """An array that is no memory map cannot end the process when its file shrinks."""
    np.save("x.npy", np.arange(5000.0))
    array = read_npy(Path("x.npy"))
    os.truncate("x.npy", 100)
    np.testing.assert_array_equal(array, np.arange(5000.0))
