"""IDX files: whatever is in one comes out, and whatever is wrong with one is said."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlpcli.data.readers.idx import read_idx
from mlpcli.errors import DataError

# The third byte of the magic number, as the MNIST page of 1998 lists it.
CODES = {"u1": 0x08, "i1": 0x09, ">i2": 0x0B, ">i4": 0x0C, ">f4": 0x0D, ">f8": 0x0E}
PACKINGS = {"raw": bytes, "gz": gzip.compress}
IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)


def idx(array, code=0x08):
    """Return an array as the bytes of an IDX file."""
    return header(code, *array.shape) + array.tobytes()


def header(code, *shape):
    """Return the first bytes of an IDX file."""
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def read(content, folder):
    """Write a file and read it as IDX."""
    path = folder / "file.idx"
    path.write_bytes(content)
    return read_idx(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return one folder for all examples of a property."""
    return tmp_path_factory.mktemp("idx")


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
@settings(max_examples=60)
@given(data=st.data())
def test_round_trip(folder, pack, data):
    """Any element type and rank, raw or compressed, comes out as it went in."""
    dtype = data.draw(st.sampled_from(list(CODES)))
    shape = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)
    array = data.draw(hnp.arrays(dtype, shape))
    out = read(pack(idx(array, CODES[dtype])), folder)
    assert out.dtype == array.dtype
    np.testing.assert_array_equal(out, array)


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_cut_off_anywhere(folder, pack):
    """A file that ends early is refused wherever it ends."""
    whole = pack(idx(IMAGES))
    for length in range(len(whole)):
        with pytest.raises(DataError, match=r"is damaged|is not an IDX file"):
            read(whole[:length], folder)


def test_data_cut_off_before_compression(folder):
    """A sound .gz whose IDX ends early is refused wherever the IDX ends."""
    whole = idx(IMAGES)
    for length in range(len(whole)):
        with pytest.raises(DataError, match=r"is damaged|is not an IDX file"):
            read(gzip.compress(whole[:length]), folder)


def test_flipped_byte_of_gz(folder):
    """A changed byte of a .gz is noticed, or was one that says nothing of the data."""
    whole = gzip.compress(idx(IMAGES), mtime=0)
    told = set()
    for i in range(len(whole)):
        damaged = bytearray(whole)
        damaged[i] ^= 0xFF
        try:
            np.testing.assert_array_equal(read(damaged, folder), IMAGES)
        except DataError:
            told.add(i)
    # RFC 1952: bytes 4-9 of the header are the time, hints and the operating system.
    assert set(range(len(whole))) - told <= set(range(4, 10))


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_trailing_bytes(folder, pack):
    """Bytes after the announced data are refused, be they inside or outside the compression."""
    with pytest.raises(DataError, match="is damaged"):
        read(pack(idx(IMAGES) + b"\0"), folder)
    with pytest.raises(DataError, match="is damaged"):
        read(pack(idx(IMAGES)) + b"x", folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"P5 28 28 255\n", b"\0\0\x0a\x01\0\0\0\x01a", b"\0\1\x08\x01\0\0\0\x01a", b"\x93NUMPY"],
    ids=["empty", "pgm", "type 0x0a", "first byte", "npy"],
)
@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_wrong_magic(folder, pack, content):
    """What does not begin as IDX is called that, with the bytes it begins with."""
    with pytest.raises(DataError, match="is not an IDX file"):
        read(pack(content), folder)


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_a_header_allocates_little(folder, pack):
    """A few bytes that announce 2**40 are refused without room being made for them."""
    content = pack(header(0x08, 1 << 20, 1 << 20) + b"abc")
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=f"announces {2**40} bytes.* holds 3"):
            read(content, folder)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**28


@pytest.mark.parametrize(
    "content",
    [
        header(0x08, *[1] * 65) + b"a",
        header(0x0E, 0, 2**32 - 1, 2**32 - 1),
        header(0x08, *[2**32 - 1] * 3, 0),
    ],
    ids=["65 dimensions", "too wide", "no elements of too many"],
)
def test_impossible_shapes(folder, content):
    """A shape that fits the file's size but no array is damage, not a crash."""
    with pytest.raises(DataError, match="impossible shape"):
        read(content, folder)
