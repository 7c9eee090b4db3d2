"""The article's pickled checkpoints: which are read, and that no file does more than be read."""

import io
import os
import pickle
import pickletools
import random
import struct
import sys
import time
import tracemalloc
import warnings
from itertools import pairwise, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from mlpcli.checkpoint import legacy
from mlpcli.checkpoint.legacy import read_legacy
from mlpcli.errors import CheckpointError

STRUCTURE = (4, 3, 3, 2)
CANARY = "canary"


def network(structure=STRUCTURE, dtype="<f8", column=True, order="C"):
    """Return weights and biases of a structure, all numbers different."""
    random_numbers = np.random.default_rng(7)
    weights, biases = [], []
    for n_in, n_out in pairwise(structure):
        weights.append(np.array(random_numbers.normal(size=(n_out, n_in)), dtype, order=order))
        shape = (n_out, 1) if column else (n_out,)
        biases.append(random_numbers.normal(size=shape).astype(dtype))
    return weights, biases


def objects(values, shape=None, order="C"):
    """Return an object array of just these values, which np.array would look into."""
    array = np.empty(shape or len(values), object, order=order)
    for index, value in zip(np.ndindex(array.shape), values, strict=True):
        array[index] = value
    return array


def in_turns(weights, biases):
    """Return [W2, b2, W3, b3, ...]."""
    return [array for layer in zip(weights, biases, strict=True) for array in layer]


# How weights and biases may be held.
FORMS = {
    "array": lambda W, b: np.array([W, b], dtype=object),
    "lists": lambda W, b: objects([W, b]),
    "tuples": lambda W, b: objects([tuple(W), tuple(b)]),
    "object arrays": lambda W, b: objects([objects(W), objects(b)]),
    "two rows": lambda W, b: objects([*W, *b], (2, len(W))),
    "two rows, columns first": lambda W, b: objects([*W, *b], (2, len(W)), "F"),
    "two columns": lambda W, b: objects(in_turns(W, b), (len(W), 2)),
    "pairs": lambda W, b: objects([objects(pair) for pair in zip(W, b, strict=True)]),
    "pairs in tuples": lambda W, b: objects(list(zip(W, b, strict=True))),
    "in turns": lambda W, b: objects(in_turns(W, b)),
    "None first in both": lambda W, b: objects([[None, *W], [None, *b]]),
    "[] first in biases": lambda W, b: objects([W, [[], *b]]),
    "empty array first": lambda W, b: objects([[np.array([]), *W], [np.zeros((0, 1)), *b]]),
    "None for a pair": lambda W, b: objects([None, *zip(W, b, strict=True)]),
    "pair of None": lambda W, b: objects([None, None, *in_turns(W, b)], (len(W) + 1, 2)),
    "None twice in turns": lambda W, b: objects([None, None, *in_turns(W, b)]),
}


def with_header(shape, pickled, version=1, descr="|O"):
    """Return a .npy file of a pickle."""
    text = str({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + pickled


def with_old_names(pickled):
    """Return a pickle as NumPy 1 writes it, of a protocol's one frame or none."""
    for name in (b"multiarray", b"numeric"):
        new, old = b"numpy._core." + name, b"numpy.core." + name
        pickled = pickled.replace(b"c" + new + b"\n", b"c" + old + b"\n")
        pickled = pickled.replace(bytes([0x8C, len(new)]) + new, bytes([0x8C, len(old)]) + old)
    assert b"numpy._core" not in pickled
    if pickled[2] != 0x95:
        return pickled
    return pickled[:3] + struct.pack("<Q", len(pickled) - 11) + pickled[11:]


def saved(array, protocol=4, old=False, version=1):
    """Return the file of an object array."""
    pickled = pickle.dumps(array, protocol)
    return with_header(array.shape, with_old_names(pickled) if old else pickled, version)


def read_bytes(content):
    """Write a file and read it; a warning is a failure."""
    path = Path("old.npy")
    path.write_bytes(content)
    with warnings.catch_warnings(action="error"):
        return read_legacy(path)


def refused(content):
    """Return what is said about a file that is refused, in one line."""
    with pytest.raises(CheckpointError) as caught:
        read_bytes(content)
    line = str(caught.value)
    assert line.startswith("old.npy: ")
    assert line.isprintable()
    assert len(line) < 400
    return line


def assert_equal(layers, weights, biases):
    """Compare what was read with what was written: values, element types and shapes."""
    assert len(layers) == len(weights)
    for (W, b), W_written, b_written in zip(layers, weights, biases, strict=True):
        for found, written in ((W, W_written), (b, b_written.reshape(-1))):
            assert found.dtype == written.dtype.newbyteorder("=")
            assert found.dtype.isnative
            assert found.flags.writeable
            assert found.flags.c_contiguous
            np.testing.assert_array_equal(found, written)


@pytest.mark.parametrize("old", [False, True], ids=["numpy 2", "numpy 1"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("form", FORMS)
def test_honest_files(form, protocol, old):
    """Every form, protocol, NumPy, element type, byte order, array order and shape is read."""
    for dtype, order, column in product(("<f4", "<f8", ">f4", ">f8"), "CF", (True, False)):
        weights, biases = network(dtype=dtype, order=order, column=column)
        content = saved(FORMS[form](weights, biases), protocol, old)
        assert_equal(read_bytes(content), weights, biases)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_honest_files_are_honest(protocol):
    """Control: np.load finds the same in the files that the other tests write."""
    weights, biases = network()
    content = saved(FORMS["lists"](weights, biases), protocol, old=True)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        found = np.load(io.BytesIO(content), allow_pickle=True)
    for array, written in zip([*found[0], *found[1]], [*weights, *biases], strict=True):
        np.testing.assert_array_equal(array, written)


@pytest.mark.parametrize("structure", [(784, 30, 10), (5, 1), (1, 1, 1), (2, 3, 4, 5, 6), (9, 700)])
def test_np_save(structure):
    """What np.save writes by itself is read: deep, of one layer, and larger than a frame."""
    weights, biases = network(structure)
    np.save("saved.npy", objects([weights, biases]))
    assert_equal(read_legacy(Path("saved.npy")), weights, biases)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_versions_of_the_header(version):
    """All versions of the .npy format are read."""
    weights, biases = network()
    assert_equal(read_bytes(saved(objects([weights, biases]), version=version)), weights, biases)


def test_many_layers():
    """A network of hundreds of layers is read, which pickle writes in several batches."""
    weights, biases = network((2,) * 601)
    assert_equal(read_bytes(saved(objects([weights, biases]))), weights, biases)
    assert_equal(read_bytes(saved(objects(in_turns(weights, biases)))), weights, biases)


def test_mixed_element_types():
    """Of float32 and float64 together, all become float64, and no number changes."""
    weights, biases = network(dtype="<f4")
    weights[1] = weights[1].astype(">f8")
    layers = read_bytes(saved(objects([weights, biases])))
    assert {array.dtype for layer in layers for array in layer} == {np.dtype("f8")}
    for (W, b), W_written, b_written in zip(layers, weights, biases, strict=True):
        np.testing.assert_array_equal(W, W_written)
        np.testing.assert_array_equal(b, b_written.reshape(-1))


@pytest.mark.parametrize("protocol", [4, 5])
def test_strided_and_read_only_arrays(protocol):
    """Views and read-only arrays, which pickle writes in other ways, are read."""
    weights, biases = network()
    weights[0] = np.repeat(weights[0], 2, axis=1)[:, ::2]
    biases[0].flags.writeable = False
    assert_equal(read_bytes(saved(objects([weights, biases]), protocol)), weights, biases)


@pytest.mark.parametrize("dtype", ["f2", "g", "i8", "?", "c16", "U3", "S3"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_other_element_types(dtype, protocol):
    """Whatever is not float32 or float64 is refused, and never converted."""
    weights, biases = network()
    weights[1] = np.zeros((3, 3), dtype)
    assert "holds elements of type" in refused(saved(objects([weights, biases]), protocol))


def spoilt(change):
    """Return the file of a network after a change to its lists of weights and biases."""
    weights, biases = network()
    change(weights, biases)
    return saved(objects([weights, biases]))


def replace(index, array):
    """Return a change of the weights."""
    return lambda weights, _: weights.__setitem__(index, array)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda W, _: W.pop(), "has 2 arrays of weights and 3 of biases"),
        (lambda _, b: b.append(b[-1]), "has 3 arrays of weights and 4 of biases"),
        (lambda W, b: (W.clear(), b.clear()), "has 0 arrays of weights and 0 of biases"),
        (lambda W, _: W.reverse(), "has W2 of shape (2, 3) and b2 of shape (3, 1)"),
        (replace(1, np.zeros((3, 4))), "has W2 of shape (3, 4) and W3 of shape (3, 4)"),
        (replace(0, np.zeros(3)), "has W2 of shape (3,), which is no matrix"),
        (replace(1, np.zeros((0, 3))), "has W3 of shape (0, 3), which is no matrix"),
        (replace(0, np.zeros((3, 4, 1))), "impossible shape"),
        (replace(1, None), "has a list for W3 or b3"),
        (replace(1, [np.zeros(3)] * 3), "has a list for W3 or b3"),
        (replace(1, objects(range(9), (3, 3))), "holds a table of objects inside a list"),
        (replace(1, np.float64(1)), "which no list of arrays needs"),
        (replace(1, "W3"), "holds something other than arrays"),
        (replace(1, 3), "holds something other than arrays"),
        (replace(1, {}), "uses the pickle opcode 0x7d"),
        (replace(1, 1.5), "uses the pickle opcode 0x47"),
        (replace(1, np.full((3, 3), np.nan)), "has numbers in W3 that are not finite"),
        (replace(2, np.full((2, 3), -np.inf)), "has numbers in W4 that are not finite"),
        (replace(1, np.ma.zeros((3, 3))), "which no list of arrays needs"),
        (replace(1, np.zeros((3, 3)).view(np.matrix)), "which no list of arrays needs"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_other_networks(change, problem):
    """Lists that are no network are refused, and the line says which layer does not fit."""
    assert problem in refused(spoilt(change))


def test_fault_of_two_lists():
    """Two lists of two, which might be two pairs, are found fault with as two lists."""
    weights, biases = network((4, 3, 2))
    weights[1] = np.zeros((2, 9))
    problem = "has W2 of shape (3, 4) and W3 of shape (2, 9)"
    assert problem in refused(saved(objects([weights, biases])))


def test_signalling_numbers():
    """A float32 that is not finite is refused before its conversion to float64 warns."""
    weights, biases = network(dtype="<f4")
    weights[0].view("<u4")[0, 0] = 0x7F800001
    biases[0] = biases[0].astype("f8")
    assert "not finite" in refused(saved(objects([weights, biases])))


class Global(NamedTuple):
    """A name that a pickle takes from a module."""

    module: str
    name: str


class Call(NamedTuple):
    """An object that a pickle makes by a call, and the state that it is given."""

    function: object
    arguments: object
    state: object = None


class Raw(NamedTuple):
    """Opcodes."""

    opcodes: bytes


def spell(value):
    """Return the opcodes of a value: a pickler of whatever an attacker likes."""
    match value:
        case Raw():
            opcodes = value.opcodes
        case Global():
            opcodes = f"c{value.module}\n{value.name}\n".encode()
        case Call():
            opcodes = spell(value.function) + spell(value.arguments) + b"R"
            opcodes += b"" if value.state is None else spell(value.state) + b"b"
        case None | True | False:
            opcodes = {None: b"N", True: b"\x88", False: b"\x89"}[value]
        case int():
            digits = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            opcodes = b"\x8a" + bytes([len(digits)]) + digits
        case bytes():
            opcodes = b"B" + struct.pack("<I", len(value)) + value
        case str():
            opcodes = b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case tuple():
            opcodes = b"(" + b"".join(map(spell, value)) + b"t"
        case list():
            opcodes = b"](" + b"".join(map(spell, value)) + b"e"
    return opcodes


PLAIN_STATE = (3, "<", None, None, None, -1, -1, 0)
OBJECT_STATE = (3, "|", None, None, None, -1, -1, 63)


def dtype(code="f8", state=PLAIN_STATE, arguments=(False, True)):
    """Return an element type as pickles make it."""
    return Call(Global("numpy", "dtype"), (code, *arguments), state)


def array(shape, data, kind=None, fortran=False):
    """Return an array of numbers as pickles make it."""
    function = Global("numpy.core.multiarray", "_reconstruct")
    arguments = (Global("numpy", "ndarray"), (0,), b"b")
    return Call(function, arguments, (1, shape, kind or dtype(), fortran, data))


def table(values, shape=(2,)):
    """Return an object array as pickles make it."""
    return array(shape, values, dtype("O8", OBJECT_STATE))


W = array((2, 3), bytes(48))
B = array((2,), bytes(16))


def hostile(value, shape=(2,), protocol=3, end=b"."):
    """Return the file of a pickle that nobody's np.save wrote."""
    return with_header(shape, bytes([0x80, protocol]) + spell(value) + end)


def with_weights(value):
    """Return the file of a network whose weights are something else."""
    return hostile(table([value, B]))


def test_the_speller_spells():
    """Control: a network in hostile spelling is read, so that what is refused is what differs."""
    (layer,) = read_bytes(hostile(table([W, B])))
    np.testing.assert_array_equal(layer[0], np.zeros((2, 3)))
    assert len(read_bytes(hostile(table([[W], [B]])))) == 1
    assert len(read_bytes(hostile(table([W, B], (1, 2)), (1, 2)))) == 1


def nested(depth, opening=b"N", closing=b"\x85"):
    """Return opcodes that put something into itself many times over."""
    return Raw(opening + closing * depth)


def shared(value, count):
    """Return a list of one thing in many places."""
    return Raw(b"](" + spell(value) + b"q\0" + b"h\0" * (count - 1) + b"e")


LONG = [None] * 20_000
TOUCH = f"touch {CANARY}"

# Names that run code when they are called.
RUNNING = {
    "os.system": Call(Global("os", "system"), (TOUCH,)),
    "posix.system": Call(Global("posix", "system"), (TOUCH,)),
    "subprocess.getoutput": Call(Global("subprocess", "getoutput"), (TOUCH,)),
    "subprocess.Popen": Call(Global("subprocess", "Popen"), (["touch", CANARY],)),
    "eval": Call(Global("builtins", "eval"), (f"open({CANARY!r}, 'w')",)),
    "exec": Call(Global("builtins", "exec"), (f"open({CANARY!r}, 'w')",)),
    "open": Call(Global("builtins", "open"), (CANARY, "w")),
    "Python 2's eval": Call(Global("__builtin__", "eval"), (f"open({CANARY!r}, 'w')",)),
    "os.mkdir": Call(Global("os", "mkdir"), (CANARY,)),
    "pathlib": Call(Global("pathlib", "Path.touch"), (CANARY,)),
    "numpy's own exec": Call(Global("numpy.testing._private.utils", "runstring"),
                             (f"open({CANARY!r}, 'w')", ())),
    "numpy.load": Call(Global("numpy", "load"), ("other.npy", "r", True)),
    "numpy.save": Call(Global("numpy", "save"), (CANARY, 1)),
    "a nested name": Call(Global("numpy", "ndarray.tofile"), (CANARY,)),
    "from the stack": Call(Raw(spell("os") + spell("system") + b"\x93"), (TOUCH,)),
    "INST": Raw(b"(" + spell(TOUCH) + b"ios\nsystem\n"),
    "OBJ": Raw(b"(" + spell(Global("os", "system")) + spell(TOUCH) + b"o"),
    "NEWOBJ": Raw(spell(Global("subprocess", "Popen")) + spell((TOUCH,)) + b"\x81"),
    "NEWOBJ_EX": Raw(spell(Global("subprocess", "Popen")) + spell((TOUCH,)) + b"}\x92"),
    "nested pickle": Call(Global("_pickle", "loads"), (spell(Global("os", "system")),)),
    "nested codec": Call(Global("_codecs", "decode"), (b"x", "zip")),
    "codec as data": Call(Global("_codecs", "encode"), ("x", "zip_codec")),
    "getattr": Call(Global("builtins", "getattr"), (Global("numpy", "ndarray"), "tofile")),
    "import": Global("antigravity", "fly"),
    "persistent": Raw(b"Pos.system\n"),
    "persistent from the stack": Raw(spell("os.system") + b"Q"),
    "EXT1": Raw(b"\x82\1"),
    "EXT2": Raw(b"\x83\1\1"),
    "EXT4": Raw(b"\x84\1\1\1\1"),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNNING)
def test_code_is_not_run(name):
    """A file that asks to run code is refused wherever it asks, and nothing happens."""
    value, before = RUNNING[name], set(sys.modules)
    assert "; give a file" in refused(hostile(value))
    refused(with_weights(value))
    refused(with_weights(array((2, 3), value)))
    refused(with_weights(Call(Global("numpy", "ndarray"), (value,))))
    refused(with_weights(array((2, 3), bytes(48), dtype("f8", (3, value)))))
    assert not Path(CANARY).exists()
    assert set(sys.modules) == before


@pytest.mark.parametrize("name", ["os.system", "os.mkdir", "from the stack", "INST", "OBJ"])
def test_the_canary_would_be_seen(name):
    """Control: Python's own unpickler runs the same code."""
    pickle.loads(b"\x80\4" + spell(RUNNING[name]) + b".")
    assert Path(CANARY).exists()


NDARRAY, DTYPE = Global("numpy", "ndarray"), Global("numpy", "dtype")
FROMBUFFER = Global("numpy._core.numeric", "_frombuffer")
# By the problem that is found, what nobody's np.save wrote.
HOSTILE = {
    "holds elements of type": {
        "fields": with_weights(
            array(
                (2, 3),
                bytes(48),
                dtype(
                    "V8", (3, "|", None, ("a",), (("a", (dtype("O8", OBJECT_STATE), 0)),), 8, 1, 16)
                ),
            )
        ),
        "fields in f8": with_weights(
            array(
                (2, 3),
                bytes(48),
                dtype("f8", (3, "<", None, ("a",), (("a", (dtype(), 0)),), 8, 1, 16)),
            )
        ),
        "fields of a plain f8": with_weights(
            array(
                (2, 3),
                bytes(48),
                dtype("f8", (3, "<", None, ("a",), (("a", (dtype(), 0)),), -1, -1, 0)),
            )
        ),
        "subarray of a plain f8": with_weights(
            array(
                (2, 3), bytes(48), dtype("f8", (3, "<", (dtype(), (2**40,)), None, None, -1, -1, 0))
            )
        ),
        "aligned": with_weights(array((2, 3), bytes(48), dtype(arguments=(True, True)))),
        "more arguments": with_weights(
            array((2, 3), bytes(48), dtype(arguments=(False, True, False)))
        ),
        "subarray": with_weights(
            array(
                (2, 3), bytes(48), dtype("V8", (3, "|", (dtype(), (2**40,)), None, None, 8, 1, 0))
            )
        ),
        "metadata": with_weights(
            array((2, 3), bytes(48), dtype("f8", (4, "<", None, None, None, -1, -1, 0, ())))
        ),
        "object in f8": with_weights(array((2, 3), bytes(48), dtype("f8", OBJECT_STATE))),
        "text in f8": with_weights(
            array((2, 3), bytes(48), dtype("f8", (3, "<", None, None, None, 2**31, 1, 0)))
        ),
        "short state": with_weights(array((2, 3), bytes(48), dtype("f8", (3, "<")))),
        "no state": with_weights(array((2, 3), bytes(48), dtype("f8", None))),
        "dtype by name": with_weights(array((2, 3), bytes(48), dtype("float64"))),
    },
    "the objects of an array are no list": {
        "numbers in O8": with_weights(array((2, 3), bytes(48), dtype("O8", OBJECT_STATE))),
        "bytes for objects": hostile(table(bytes(16), (2,))),
        "tuple for objects": hostile(table((W, B), (2,))),
        "objects of frombuffer": with_weights(
            Call(FROMBUFFER, (bytes(48), dtype("O8", OBJECT_STATE), (2, 3), "C"))
        ),
    },
    "it gives a state to what takes none": {
        "two states": with_weights(
            array((2, 3), bytes(48), Raw(spell(dtype()) + spell(OBJECT_STATE) + b"b"))
        ),
        "build on a list": hostile(Raw(b"]" + spell((1,)) + b"b")),
        "build on a name": hostile(Raw(spell(NDARRAY) + spell((1,)) + b"b")),
    },
    "an array has no element type": {
        "no dtype": with_weights(array((2, 3), bytes(48), "<f8")),
        "dtype of a dtype": with_weights(array((2, 3), bytes(48), dtype(dtype()))),
    },
    "which no list of arrays needs": {
        "sub-class": with_weights(Call(Global("numpy", "_reconstruct"), (DTYPE, (0,), b"b"))),
    },
    "holds something other than arrays": {
        "array of a dtype": with_weights(
            Call(
                Global("numpy.core.multiarray", "_reconstruct"),
                (DTYPE, (0,), b"b"),
                (1, (2, 3), dtype(), False, b""),
            )
        ),
        "large from the start": with_weights(
            Call(
                Global("numpy.core.multiarray", "_reconstruct"),
                (NDARRAY, (2**40,), b"b"),
                (1, (2, 3), dtype(), False, bytes(48)),
            )
        ),
        "list shape": with_weights(array([2, 3], bytes(48))),
        "list on top": hostile([W, B]),
        "odd order": with_weights(array((2, 3), bytes(48), fortran="F")),
        "order of frombuffer": with_weights(Call(FROMBUFFER, (bytes(48), dtype(), (2, 3), "K"))),
        "state of frombuffer": with_weights(
            Call(FROMBUFFER, (bytes(48), dtype(), (2, 3), "C"), (1,))
        ),
        "state of itself": hostile(Raw(spell(Call(DTYPE, ("f8", False, True))) + b"q\0h\0b")),
        "deep calls": with_weights(
            Raw(spell(DTYPE) + b"q\0" + b"h\0" * 29_999 + b"N" + b"\x85R" * 30_000)
        ),
        "deep states": with_weights(Raw((spell(DTYPE) + b")R") * 20_000 + b"N" + b"b" * 20_000)),
    },
    "the numbers of an array are no bytes": {
        "a dtype for data": with_weights(array((2, 3), dtype())),
        "text for bytes": with_weights(array((2, 3), "x" * 48)),
        "list for bytes": with_weights(array((2, 3), [0] * 48)),
        "another code": with_weights(
            array((2, 3), Call(Global("_codecs", "encode"), ("x" * 48, "utf-7")))
        ),
        "bytes of a size": with_weights(array((2, 3), Call(Global("__builtin__", "bytes"), (48,)))),
    },
    "bytes and needs": {
        "too few bytes": with_weights(array((2, 3), bytes(47))),
        "too many bytes": with_weights(array((2, 3), bytes(49))),
        "no bytes": with_weights(array((2, 3), b"")),
        "huge shape": with_weights(array((2**40, 2**40), bytes(48))),
        "wrapping product": with_weights(array((2**32, 2**32), b"")),
    },
    "objects and needs": {
        "short list": hostile(table([W], (2,))),
        "no list": hostile(table([], (2,))),
        "long list": hostile(table([W, B, B], (2,))),
    },
    "holds something other than its header says": {
        "header's shape": hostile(table([W, B], (2,)), (1, 2)),
        "top of no dimension": hostile(table([W], ()), ()),
        "numbers on top": hostile(W, (2, 3)),
    },
    "holds no pickled objects": {
        "header's types": hostile(table([W, B], (2,)), (2.0,)),
    },
    "of an impossible shape": {
        "wrapping size": with_weights(array((2**61, 1), b"")),
        "huge numbers": with_weights(array((2**900, 3), bytes(48))),
        "negative shape": with_weights(array((-2, -3), bytes(48))),
        "true shape": with_weights(array((True, 6), bytes(48))),
        "text shape": with_weights(array(("2", "3"), bytes(48))),
        "many dimensions": with_weights(array((1,) * 5000, bytes(8))),
        "top of three": hostile(table([W, B], (2, 1, 1)), (2, 1, 1)),
        "one long shape": hostile(
            table(
                [Raw(spell((0,) * 30_000) + b"q\0")] + [array(Raw(b"h\0"), b"")] * 1_500, (1_501,)
            ),
            (1_501,),
        ),
    },
    "which is no matrix": {
        "no shape": with_weights(array((), bytes(8))),
    },
    "holds an empty array": {
        "huge table": hostile(table([], (2**40, 0)), (2**40, 0)),
        "table of no columns": hostile(table([], (2, 0)), (2, 0)),
        "no top": hostile(table([], (0,)), (0,)),
    },
    "it ends early": {
        "BINBYTES8": with_weights(Raw(b"\x8e" + struct.pack("<Q", 2**60))),
        "BINBYTES8 that wraps": with_weights(Raw(b"\x8e" + struct.pack("<Q", 2**64 - 1))),
        "BYTEARRAY8": with_weights(Raw(b"\x96" + struct.pack("<Q", 2**60))),
        "BINUNICODE8": with_weights(Raw(b"\x8d" + struct.pack("<Q", 2**60))),
        "BINBYTES": with_weights(Raw(b"B" + struct.pack("<I", 2**32 - 1))),
        "nothing": with_header((2,), b""),
        "no stop": hostile(table([W, B]), end=b""),
    },
    "uses the pickle opcode": {
        "BINSTRING": with_weights(Raw(b"T" + struct.pack("<i", -1))),
        "LONG4": with_weights(Raw(b"\x8b" + struct.pack("<i", -1))),
        "LONG": with_weights(Raw(b"I" + b"9" * 10_000 + b"\n")),
        "EMPTY_DICT": with_weights(Raw(b"}")),
        "EMPTY_SET": with_weights(Raw(b"\x8f")),
        "protocol twice": hostile(Raw(b"\x80\3" + spell(table([W, B])))),
        "NEXT_BUFFER": with_weights(Call(FROMBUFFER, (Raw(b"\x97"), dtype(), (2, 3), "C"))),
        "READONLY_BUFFER": with_weights(
            Call(FROMBUFFER, (Raw(spell(bytes(48)) + b"\x98"), dtype(), (2, 3), "C"))
        ),
    },
    "holds neither lists nor pairs": {
        "LONG_BINPUT": with_weights(Raw(b"Nr" + struct.pack("<I", 2**32 - 1) + b"\x85")),
        "list of itself": with_weights(Raw(b"]q\0h\0a")),
        "pair of itself": with_weights(Raw(b"]q\0(h\0h\0e")),
        "laughs": with_weights(Raw(b"N" + b"q\0h\0h\0\x87" * 20_000)),
        "one list in itself": hostile(table(shared(LONG, 20_000), (20_000,)), (20_000,)),
        "one array of objects": hostile(
            table(shared(table([None] * 40_000, (40_000,)), 40_000), (40_000,)), (40_000,)
        ),
        "deep tuples": with_weights(nested(90_000)),
        "deep lists": with_weights(Raw(b"]" * 40_000 + b"a" * 39_999)),
        "deep marks": with_weights(Raw(b"(" * 45_000 + b"t" * 45_000)),
    },
    "is no pickle of the protocols": {
        "no protocol": with_header((2,), spell(table([W, B])) + b"."),
        "protocol 0": hostile(table([W, B]), protocol=0),
        "protocol 6": hostile(table([W, B]), protocol=6),
    },
    "it leaves values unused": {
        "only stop": hostile(Raw(b"")),
        "two values": hostile(Raw(b"N" + spell(table([W, B])))),
        "open mark": hostile(Raw(b"(" + spell(table([W, B])))),
    },
    "it uses what it never put down": {
        "mark below": hostile(Raw(b"t")),
        "pop below": hostile(Raw(b"\x87")),
        "memo unset": hostile(Raw(b"h\7")),
        "put of nothing": hostile(Raw(b"q\0")),
        "append to nothing": hostile(Raw(b"Na")),
        "append over a mark": hostile(Raw(b"](Na")),
        "build on nothing": hostile(Raw(spell((1,)) + b"b")),
    },
    "it appends to what is no list": {
        "append to a tuple": hostile(Raw(b")Na")),
    },
    "it calls what is no function": {
        "call of a list": hostile(Call([], (1,))),
        "call of an array": hostile(Call(W, (1,))),
        "call with a list": hostile(Call(DTYPE, ["f8"])),
    },
    "a name is no text": {
        "name of tuples": hostile(Raw(b"))\x93")),
        "name of deep tuples": hostile(Raw(nested(50_000).opcodes + b"q\0h\0\x93")),
    },
    "it names nothing that is known": {
        "name without an end": hostile(Raw(b"c" + b"n" * 5000)),
    },
    "its text is not latin1": {
        "wide text": with_weights(
            array((2, 3), Call(Global("_codecs", "encode"), ("\u0100" * 48, "latin1")))
        ),
        "surrogate": with_weights(Raw(b"X\3\0\0\0\xed\xa0\x80")),
    },
    "its text is not UTF-8": {
        "overlong": with_weights(Raw(b"X\2\0\0\0\xc0\x80")),
    },
    "a frame is longer than what holds it": {
        "frame too long": hostile(Raw(b"\x95" + struct.pack("<Q", 10**6) + spell(table([W, B])))),
        "frame that wraps": hostile(Raw(b"\x95" + b"\xff" * 8 + spell(table([W, B])))),
        "frame in a frame": hostile(
            Raw((b"\x95" + struct.pack("<Q", 20)) * 2 + spell(table([W, B])))
        ),
    },
    "a frame ends amid an opcode": {
        "frame too short": hostile(Raw(b"\x95" + struct.pack("<Q", 3) + spell(table([W, B])))),
    },
    "something follows its end": {
        "second pickle": hostile(table([W, B])) + b"\x80\3" + spell(RUNNING["os.system"]) + b".",
        "byte after the end": hostile(table([W, B])) + b"\0",
    },
    "has a list for W2 or b2": {
        "top of itself": hostile(table(Raw(b"]q\0(h\0h\0e"))),
        "array of itself": hostile(
            Raw(
                spell(Call(Global("numpy.core.multiarray", "_reconstruct"), (NDARRAY, (0,), b"b")))
                + b"q\0"
                + spell((1, (2,), dtype("O8", OBJECT_STATE), False, [Raw(b"h\0")] * 2))
                + b"b"
            )
        ),
        "one list in pairs": hostile(table(shared([LONG, LONG], 20_000), (20_000,)), (20_000,)),
    },
    "holds a table of objects inside a list": {
        "one table of objects": hostile(
            table(shared(table([None] * 40_000, (20_000, 2)), 40_000), (40_000,)), (40_000,)
        ),
    },
    "takes more than 100,000 steps": {
        "deeper tuples": with_weights(nested(1_000_000)),
        "endless nothing": with_weights(Raw(b"N" * 200_000)),
    },
}


@pytest.mark.parametrize(
    ("problem", "name"), [(problem, name) for problem, files in HOSTILE.items() for name in files]
)
def test_hostile_files(problem, name):
    """Contradictions, traps and bombs are refused for what they are, within moments."""
    start = time.process_time()
    assert problem in refused(HOSTILE[problem][name])
    assert time.process_time() - start < 5
    assert not Path(CANARY).exists()


@pytest.mark.parametrize(
    ("pair", "places"),
    [((array((200, 200), bytes(320_000)), array((200,), bytes(1_600))), 1_500),
     ((array((200, 200), Call(Global("_codecs", "encode"), ("\0" * 320_000, "latin1"))),
       array((200,), bytes(1_600))), 1_500)],
    ids=["bytes", "text"],
)  # fmt: skip
def test_memory(pair, places):
    """A network of one array in thousands of places is refused before it takes gigabytes."""
    layers = hostile(table(shared(pair, places), (places,)), (places,))
    tracemalloc.start()
    try:
        assert "holds the same numbers in many places" in refused(layers)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_memory_of_an_honest_file(protocol):
    """An honest file takes no more than four times its size."""
    weights, biases = network((784, 500, 10))
    content = saved(objects([weights, biases]), protocol)
    Path("old.npy").write_bytes(content)
    tracemalloc.start()
    try:
        read_legacy(Path("old.npy"))
        assert tracemalloc.get_traced_memory()[1] < 4 * len(content)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_truncated_files(protocol):
    """A file that ends early is refused, each protocol's in other places."""
    content = saved(objects(network((2, 1))), protocol)
    for length in range(protocol - 2, len(content), 4):
        refused(content[:length])


HEADER = "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}"


@pytest.mark.parametrize(
    "header",
    [
        "", "{", "[]", "None", "(2,)", "{}", "{'descr': '|O'}", HEADER + "+1",
        HEADER.replace("(2,)", "2"), HEADER.replace("(2,)", "[2]"),
        HEADER.replace("(2,)", "(2.0,)"),
        HEADER.replace("(2,)", "(True,)"), HEADER.replace("(2,)", "('2',)"),
        HEADER.replace("(2,)", "(9" * 300 + ",)"), HEADER.replace("(2,)", f"({'9' * 5000},)"),
        HEADER.replace("False", "0"), HEADER.replace("False", "None"),
        HEADER.replace("'|O'", "'<f8'"), HEADER.replace("'|O'", "[('a', '|O')]"),
        HEADER.replace("'|O'", "'|O' 'O'"), HEADER.replace("}", ", 'more': 1}"),
        HEADER.replace("(2,)", f"__import__('os').mkdir('{CANARY}')"),
        HEADER.replace("(2,)", "(" * 300 + ")" * 300), "-" * 9_000 + "1", "[" * 9_000,
        HEADER.replace("(2,)", "{[]: 1}"), HEADER + "\0", "'\\d'", HEADER + " " * 10_000,
    ],
)  # fmt: skip
def test_headers(header):
    """A header that is not the one np.save writes is refused, and nothing in it is run."""
    body = bytes([0x80, 3]) + spell(table([W, B])) + b"."
    text = header.encode()
    refused(b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + body)
    refused(b"\x93NUMPY\3\0" + struct.pack("<I", len(text)) + text + body)
    assert not Path(CANARY).exists()


def test_no_warning_about_a_header():
    """Python's complaint about an odd escape in a damaged header is not passed on."""
    text = HEADER.replace("'|O'", "'\\d'").encode()
    Path("old.npy").write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text)
    with (
        warnings.catch_warnings(record=True, action="always") as caught,
        pytest.raises(CheckpointError, match="holds no pickled objects"),
    ):
        read_legacy(Path("old.npy"))
    assert caught == []


@pytest.mark.parametrize("spaces", [0, 10_000])
def test_length_of_the_header(spaces):
    """A header that ends early, or is longer than np.load accepts, is refused as that."""
    text = (HEADER + " " * spaces).encode()
    head = b"\x93NUMPY\1\0" + struct.pack("<H", len(text) + (not spaces)) + text
    assert "has a header that ends early or is too long" in refused(head)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x93NUMPY", b"\x93NUMPY\4\0" + bytes(100), b"\x93NUMPY\1\0\1", b"PK\3\4" + bytes(100),
     b"\x93NUMPY\2\0\xff\xff\xff\xff" + bytes(100), b"\x80\4]\x94.", pickle.dumps([[W], [B]])],
)  # fmt: skip
def test_other_files(content):
    """Files that are no .npy are refused, an empty one and bare pickles among them."""
    assert "is no .npy file" in refused(content) or "header" in refused(content)


def test_arrays_without_pickle():
    """A file that needs no conversion is refused as that."""
    for other in (np.zeros(3), np.zeros((), [("W2", "<f4", (2, 3))])):
        np.save("other.npy", other)
        with pytest.raises(CheckpointError, match="holds no pickled objects"):
            read_legacy(Path("other.npy"))


def test_what_is_no_file():
    """A missing file, a folder and a pipe, which would wait for a writer, are refused."""
    os.mkfifo("pipe")
    Path("folder").mkdir()
    for name, problem in (
        ("missing", "cannot be read: no such file"),
        ("folder", "is not a regular file"),
        ("pipe", "is not a regular file"),
        ("/dev/zero", "is not a regular file"),
    ):
        with pytest.raises(CheckpointError, match=f"{name}: {problem}"):
            read_legacy(Path(name))


def test_large_file():
    """A file too large is refused before it is read."""
    with open("old.npy", "wb") as stream:
        stream.write(hostile(table([W, B])))
        stream.truncate(legacy.MAX_BYTES + 1)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match="bytes, more than"):
            read_legacy(Path("old.npy"))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


OPCODES = [opcode.code.encode("latin1") for opcode in pickletools.opcodes]


def mutated(content, chance):
    """Return a file with a few bytes flipped, put in, taken out or made other opcodes."""
    content = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        # The header is short, and seldom the interesting part.
        at = chance.randrange(len(content) if chance.random() < 0.2 else 70, len(content) + 1) - 1
        end = at + chance.choice((1, 1, 2, 4, 8, 50))
        match chance.randrange(6):
            case 0:
                content[at] ^= 1 << chance.randrange(8)
            case 1:
                content[at] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
            case 2:
                content[at:at] = chance.randbytes(end - at)
            case 3:
                del content[at:end]
            case 4:
                content[at : at + 1] = chance.choice(OPCODES)
            case 5:
                start = chance.randrange(len(content))
                content[at:at] = content[start : start + end - at]
        if len(content) < 80:
            break
    return bytes(content)


def mutations(count, seed):
    """Yield many spoilt files, of all protocols and forms."""
    chance = random.Random(seed)
    honest = [
        saved(FORMS[form](*network((2, 3, 1), dtype)), protocol, old)
        for form in ("lists", "two columns", "in turns", "[] first in biases")
        for dtype in ("<f4", ">f8")
        for protocol in (2, 3, 4, 5)
        for old in (False, True)
    ]
    for _ in range(count):
        yield mutated(chance.choice(honest), chance)


def outcome(content):
    """Read a file and return whether it was a sound network; anything but a refusal fails."""
    try:
        layers = read_bytes(content)
    except CheckpointError as error:
        assert str(error).isprintable()
        return False
    assert layers
    for (W_, b_), after in zip(layers, [*layers[1:], None], strict=True):
        assert W_.dtype == b_.dtype == layers[0][0].dtype
        assert W_.dtype in (np.float32, np.float64)
        assert W_.ndim == 2
        assert b_.shape == W_.shape[:1]
        assert after is None or after[0].shape[1] == W_.shape[0]
        assert np.isfinite(W_).all()
        assert np.isfinite(b_).all()
    assert sum(W_.nbytes + b_.nbytes for W_, b_ in layers) <= 2 * len(content)
    return True


def test_mutations():
    """Fifteen hundred spoilt files are refused or are sound networks, and nothing else happens."""
    start, before = time.process_time(), set(sys.modules)
    sound = sum(outcome(content) for content in mutations(1_500, seed=20))
    assert 50 < sound < 1_000
    assert time.process_time() - start < 60
    assert set(sys.modules) == before
    assert {path.name for path in Path().iterdir()} == {"old.npy"}


def test_memory_of_wide_text():
    """One character beyond latin1 does not make a text four times as large as the file."""
    Path("old.npy").write_bytes(hostile("x" * 5_000_000 + "\U0001f600"))
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match="not latin1"):
            read_legacy(Path("old.npy"))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
