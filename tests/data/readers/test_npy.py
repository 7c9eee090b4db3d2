"""`.npy` arrays given as input: numbers come out, and nothing else comes near."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlpcli.data.readers.npy import NPY_MAGIC, read_npy
from mlpcli.errors import DataError


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return the path of the file that is written again and again."""
    return tmp_path_factory.mktemp("npy") / "file.npy"


def write_header(path, header, data=b""):
    """Write a .npy file with a header of our making."""
    text = header.encode("latin1")
    path.write_bytes(NPY_MAGIC + b"\1\0" + len(text).to_bytes(2, "little") + text + data)


@settings(max_examples=60)
@given(
    array=hnp.arrays(
        st.sampled_from(["?", "u1", "<i8", ">i2", "<f2", ">f4", "<f8"]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    order=st.sampled_from("CF"),
)
def test_round_trip(path, array, order):
    """Real numbers of any type, rank and order come out as np.save wrote them."""
    np.save(path, np.asarray(array, order=order))
    out = read_npy(path)
    assert out.dtype == array.dtype
    np.testing.assert_array_equal(out, array)


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.array([print, None], object), "holds Python objects"),
        (np.array(["a"]), "elements of type <U1"),
        (np.array([1j]), "elements of type complex128"),
        (np.zeros((), [("W2", "<f4")]), "holds a checkpoint"),
        (np.zeros(3, [("length", "<f4")]), "holds records of named fields"),
    ],
    ids=["objects", "text", "complex", "checkpoint", "records"],
)
def test_other_than_numbers(path, array, problem):
    """An array of anything but real numbers is refused by its kind, and no pickle is opened."""
    np.save(path, array)
    with pytest.raises(DataError, match=problem):
        read_npy(path)


def test_cut_off_anywhere(path):
    """A file that ends early is refused wherever it ends."""
    np.save(path, np.arange(6.0))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="is damaged"):
            read_npy(path)


HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': %s}"


@pytest.mark.parametrize(
    "header",
    [
        HEADER % ("<f4", f"({2**60},)"),
        HEADER % ("<f4", f"({2**32}, {2**32})"),
        HEADER % ("<f4", f"({10**100},)"),
        HEADER % ("<f4", "(-1,)"),
        HEADER % ("<f4", "(True,)"),
        HEADER % ("nonsense", "(1,)"),
        "{[]: 1}",
        "{'descr': '''",
        "-" * 9000 + "1",
        "",
    ],
    ids=[
        "2**60 elements", "sizes that wrap to 0", "no machine integer", "negative", "bool",
        "unknown type", "unhashable key", "unfinished", "nested", "empty",
    ],
)  # fmt: skip
def test_damaged_header(path, header):
    """A header that claims too much, or is nonsense, is damage, without a warning before it."""
    write_header(path, header, b"abcd")
    with pytest.raises(DataError, match=r"is damaged: [^;]"):
        read_npy(path)


def test_missing_file_is_an_os_error(path):
    """A missing file keeps the system's own error, which names it."""
    with pytest.raises(FileNotFoundError):
        read_npy(path.with_name("missing.npy"))
