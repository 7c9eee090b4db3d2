"""The checkpoint file: what it holds, who can read it, and what is refused."""

import hashlib
import io
import json
import os
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlpcli.checkpoint.format import MAX_HEADER, layer_names, read, serialise
from mlpcli.errors import CheckpointError

ARRAYS = {
    "W2": np.array([[1, 2, 3], [4, 5, 6]], np.float32), "b2": np.array([7, 8], np.float32),
    "W3": np.array([[-1, 0.5]], np.float32), "b3": np.array([0], np.float32),
}  # fmt: skip
META = {"epoch": 3, "class_names": ["お", "7"], "history": [{"epoch": 0, "error": 0.1}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return one folder for files that are written again and again."""
    return tmp_path_factory.mktemp("checkpoint")


@pytest.fixture
def small():
    """Return the bytes of a small checkpoint."""
    return serialise(ARRAYS, META)


def read_bytes(folder, content):
    """Write a file and read it as a checkpoint."""
    path = folder / "file.npy"
    path.write_bytes(content)
    return read(path)


def with_header(header, data=b""):
    """Return a .npy file of version 1.0 with a header of our making."""
    text = header.encode("latin1")
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + data


def sealed(fields, data):
    """Return a record whose checksum is right whatever it holds."""
    descr = [*fields, ("sha256", "|u1", (32,))]
    body = with_header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': ()}}", data)
    return body + hashlib.sha256(body).digest()


def saved(array):
    """Return an array as np.save writes it."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


# --- What it holds


@settings(max_examples=60)
@given(
    arrays=st.dictionaries(
        st.from_regex(r"[Wb][0-9]{1,3}", fullmatch=True),
        hnp.arrays(
            st.sampled_from(["<f4", ">f4", "<f8"]),
            hnp.array_shapes(max_dims=2, max_side=4),
        ),
        max_size=5,
    ),
    order=st.sampled_from("CF"),
    text=st.text(st.characters(codec="utf-8")),
)
def test_round_trip(folder, arrays, order, text):
    """Arrays of any shape and order come back bit for bit, in native byte order; so does meta."""
    given = {name: np.asarray(array, order=order) for name, array in arrays.items()}
    record = read_bytes(folder, serialise(given, {"text": text}))
    assert list(record.arrays) == list(arrays)
    for name, array in arrays.items():
        assert record.arrays[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(record.arrays[name], array)
    assert record.meta == {"format": 1, "text": text}


def test_anyone_can_read_it(folder, small):
    """np.load opens it without pickle and finds W2, b2, ..., meta and sha256, in that order."""
    path = folder / "anyone.npy"
    path.write_bytes(small)
    record = np.load(path, allow_pickle=False)
    assert record.shape == ()
    assert record.dtype.names == ("W2", "b2", "W3", "b3", "meta", "sha256")
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(record[name], array)
    assert json.loads(record["meta"].tobytes()) == {"format": 1, **META}
    assert record["sha256"].tobytes() == hashlib.sha256(small[:-32]).digest()


def test_same_input_same_bytes(small):
    """The same arrays and meta give the same bytes: no time, no order of a set, no memory."""
    copies = {name: array.copy(order="F") for name, array in ARRAYS.items()}
    assert serialise(copies, dict(META)) == small


def test_layer_names():
    """Layers count from 2, as in the article."""
    assert layer_names(3) == [("W2", "b2"), ("W3", "b3")]


def test_as_many_arrays_as_a_header_names(folder):
    """The deepest network that can be written can be read, here and by np.load; more is refused."""
    array = np.ones((2, 2), np.float32)

    def content(n):
        return serialise({f"W{i}": array for i in range(n)}, {})

    n = 1
    while True:
        try:
            largest = content(n)
        except CheckpointError as error:
            assert "more than the 10,000 of the header" in str(error)
            break
        n += 1
    # "('W100', '<f4', (2, 2)), " has 25 characters.
    assert n > (MAX_HEADER - 400) / 25
    assert len(read_bytes(folder, largest).arrays) == n - 1
    assert np.load(folder / "file.npy")["W0"].shape == (2, 2)
    with pytest.raises(CheckpointError):
        content(10_000)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_meta_is_json(value):
    """Meta with NaN or infinity, which JSON lacks, is not written."""
    with pytest.raises(ValueError, match="JSON"):
        serialise({}, {"error": value})


# --- What is refused


def test_any_flipped_bit(folder, small):
    """Flip any bit of any byte, and the file is refused."""
    for i in range(len(small)):
        for bit in range(8):
            damaged = bytearray(small)
            damaged[i] ^= 1 << bit
            with pytest.raises(CheckpointError):
                read_bytes(folder, damaged)


def test_cut_off_anywhere(folder, small):
    """A file that ends early is refused wherever it ends."""
    for length in range(len(small)):
        with pytest.raises(CheckpointError):
            read_bytes(folder, small[:length])


@pytest.mark.parametrize("extra", [b"\0", b"\n", b"x" * 32, bytes(100_000)])
def test_appended_bytes(folder, small, extra):
    """A file longer than its header says is refused."""
    with pytest.raises(CheckpointError, match="is damaged: it has"):
        read_bytes(folder, small + extra)


class Trap:
    """An object whose unpickling would be noticed."""

    def __reduce__(self):
        return os.mkdir, ("sprung",)


@pytest.mark.parametrize("array", [Trap(), [Trap(), Trap()], ([Trap()], "|O,<f4")])
def test_pickled_objects(folder, array, tmp_path):
    """Pickled objects, alone or in a record, are named as the danger they are, and not opened."""
    record = isinstance(array, tuple)
    array = np.zeros(1, array[1]) if record else np.array(array, object)
    if record:
        array["f0"] = Trap()
    with pytest.raises(CheckpointError, match="pickled Python objects"):
        read_bytes(folder, saved(array))
    assert not (tmp_path / "cwd" / "sprung").exists()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(3.0), np.float32(1), np.array(b"a"),
        np.zeros((), [("a", "<f4"), ("b", "<f4")]), np.zeros(2, [("W2", "<f4")]),
        np.zeros((), [("meta", "|u1", (2,)), ("sha256", "S32")]),
        np.zeros((), [("W2", "<i4"), ("meta", "|u1", (2,)), ("sha256", "|u1", (32,))]),
        np.zeros(1, [("meta", "|u1", (2,)), ("sha256", "|u1", (32,))]),
        np.zeros((), [("meta", "|u1", (2,)), ("x", "<f4"), ("sha256", "|u1", (32,))]),
    ],
    ids=["vector", "scalar", "text", "record", "records", "S32", "int", "1-d", "order"],
)  # fmt: skip
def test_other_arrays(folder, array):
    """Arrays and records that are no checkpoint are called that."""
    with pytest.raises(CheckpointError, match="is not an mlp checkpoint"):
        read_bytes(folder, saved(array))


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"PK\3\4", b"\x80\4]\x94.", b"\x93NUMPY\2\0"]
)
def test_other_files(folder, content):
    """Files that are no .npy of version 1.0 are refused, an empty one and a pickle among them."""
    with pytest.raises(CheckpointError, match="is not an mlp checkpoint"):
        read_bytes(folder, content + bytes(20) * bool(content))


DESCR = "{'descr': %s, 'fortran_order': False, 'shape': ()}"
TAIL = "('meta', '|u1', (2,)), ('sha256', '|u1', (32,))"


@pytest.mark.parametrize(
    "header",
    [
        DESCR % f"[('W2', '<f8', ({2**40},)), {TAIL}]",
        DESCR % f"[('W2', '<f4', ({2**32}, {2**32})), {TAIL}]",
        DESCR % f"[('W2', '<f8', ({'9' * 4000}, {'9' * 4000})), {TAIL}]",
        DESCR % f"[('W2', '<f4', (0x{'f' * 9000},)), {TAIL}]",
        DESCR % f"[('W2', '<f4', (-1,)), {TAIL}]",
        DESCR % f"[('W2', '<f4', (True,)), {TAIL}]",
        DESCR % f"[('W2', '<f4', (1.0,)), {TAIL}]",
        DESCR % "[]",
        DESCR % ("0x" + "f" * 9000),
        DESCR % ("[" * 190 + "]" * 190),
        DESCR % f"[{TAIL}], 'x': 1",
        "{[]: 1}",
        "(" * 9000,
        "[" * 100 + "]" * 100,
        "-" * 9000 + "1",
        "\0",
        "",
        " " * 65535,
    ],
    ids=[
        "8 TiB", "wraps to 0", "8000 digits", "hexadecimal", "negative", "bool", "float",
        "no fields", "huge descr", "nested descr", "more keys", "unhashable", "parentheses",
        "brackets", "minus signs", "NUL", "empty", "longest",
    ],
)  # fmt: skip
def test_hostile_headers(folder, header):
    """A header that is huge, nested, or nonsense is refused before anything is allocated."""
    with pytest.raises(CheckpointError) as caught:
        read_bytes(folder, with_header(header, bytes(34)))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        (f"('W2', '<f4', (0, {2**62})), {TAIL}", 34),
        (f"('W2', '<f4', ({'1,' * 65})), {TAIL}", 38),
        (f"('W2', '<f4', (1,)), ('W2', '<f4', (1,)), {TAIL}", 42),
        (f"('W2', '|u1', (4,)), {TAIL}", 38),
        ("('meta', '|u1', (2,)), ('sha256', '|u1', (31,))", 33),
    ],
    ids=["too many", "65 dimensions", "twice", "bytes", "short checksum"],
)
def test_other_records(folder, fields, size):
    """A record of another make is refused though its size and its checksum are right."""
    body = with_header(DESCR % f"[{fields}]", bytes(size - 32))
    with pytest.raises(CheckpointError, match="it holds another kind of array"):
        read_bytes(folder, body + hashlib.sha256(body).digest())


def test_damage_does_not_warn(folder):
    """A backslash that damage put into the header brings no warning of Python's to the screen."""
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with pytest.raises(CheckpointError):
            read_bytes(folder, with_header("{'\\W2': 1}"))
    assert not shown


@pytest.mark.parametrize(
    ("meta", "problem"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "is not JSON"),
        (b'{"format": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b"[1]", "names no format"),
        (b"{}", "names no format"),
        (b'{"format": true}', "names no format"),
        (b'{"format": ' + b"[" * 500 + b"]" * 500 + b"}", "names no format"),
        (b'{"format": 2}', "has checkpoint format 2, and this version reads 1; use the version"),
    ],
    ids=["syntax", "UTF-8", "nested", "digits", "list", "nothing", "bool", "nested format", "2"],
)
def test_hostile_meta(folder, meta, problem):
    """A description that is no JSON, or of another format, is refused though its sum is right."""
    with pytest.raises(CheckpointError, match=problem) as caught:
        read_bytes(folder, sealed([("meta", "|u1", (len(meta),))], meta))
    assert len(str(caught.value)) < 400


def test_missing_file_or_folder(folder):
    """A path that leads nowhere, or to a folder, says so."""
    with pytest.raises(CheckpointError, match="no such file or directory"):
        read(folder / "missing.npy")
    with pytest.raises(CheckpointError, match="is not a regular file"):
        read(folder)


def test_reading_a_pipe(fifo):
    """A named pipe is refused, not waited for."""
    with pytest.raises(CheckpointError, match="is not a regular file"):
        read(fifo)
