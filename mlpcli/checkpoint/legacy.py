"""The article's own checkpoints: weights and biases that `np.save` pickled in an object array.

The file's pickle is read into records that nothing runs. They are described first: element type,
shape and where the bytes are. Numbers are made of them when all of it is one network.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mlpcli.checkpoint.described import OBJECTS, Numbers, Objects, describe
from mlpcli.checkpoint.format import MAX_HEADER, parse_literal
from mlpcli.checkpoint.unpickle import PickleError, unpickle
from mlpcli.errors import CheckpointError, os_reason

# A .npy file's first bytes, by version, and the width of the header's length.
LENGTH_BYTES = {b"\x93NUMPY\1\0": 2, b"\x93NUMPY\2\0": 4, b"\x93NUMPY\3\0": 4}
MAX_BYTES = 2**31
REMEDY = "give a file that np.save wrote of one network's weights and biases"


# What takes part in a network: an array of numbers, or something that holds more.
Part = Numbers | Sequence[object]
Layers = list[tuple[NDArray[np.floating], NDArray[np.floating]]]


def read_legacy(path: Path) -> Layers:
    """Read a network that the article's code saved, trusting nothing in the file.

    Accepted are an object array of the list of weights and the list of biases, of a pair of them
    for each layer, or of both in turns; with or without empty places for the input layer.

    Args:
        path: a .npy file of pickled objects.

    Returns:
        Weights (n_l, n_{l-1}) and biases (n_l,) of the layers 2 to L, finite, and all of float32
        or all of float64: of the latter if the file mixes them.

    Raises:
        CheckpointError: if it is missing, damaged, or anything else.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise PickleError("is not a regular file")
        with path.open("rb") as stream:
            shape = _read_header(stream)
            size = os.fstat(stream.fileno()).st_size
            if size > MAX_BYTES:
                raise PickleError(f"has {size:,} bytes, more than {MAX_BYTES:,}")
            pickled = stream.read(size)
        return _made(_network(_top(unpickle(memoryview(pickled)), shape)), len(pickled))
    except PickleError as error:
        raise CheckpointError(path, str(error), REMEDY) from None
    except OSError as error:
        raise CheckpointError(path, f"cannot be read: {os_reason(error)}", REMEDY) from None


def _read_header(stream: BinaryIO) -> tuple[int, ...]:
    """Return the shape that the header of a .npy file says, and move behind the header."""
    if (width := LENGTH_BYTES.get(stream.read(8))) is None:
        raise PickleError("is no .npy file")
    length = int.from_bytes(stream.read(width), "little")
    text = stream.read(min(length, MAX_HEADER)).decode("latin1")
    if len(text) != length:
        raise PickleError("has a header that ends early or is too long")
    try:
        header = parse_literal(text.strip())
    except ValueError:
        raise PickleError("has a header that is no Python literal") from None
    match header:
        case {"descr": str() as dtype, "fortran_order": bool(), "shape": tuple() as shape} if (
            dtype in OBJECTS and len(header) == 3 and all(type(n) is int for n in shape)
        ):
            return shape
    raise PickleError("holds no pickled objects, so that there is nothing to convert")


def _top(value: object, shape: tuple[int, ...]) -> Sequence[object]:
    """Return the objects, or the rows of objects, of the array that the file is."""
    array = describe(value)
    if not isinstance(array, Objects) or array.shape != shape or len(shape) not in (1, 2):
        raise PickleError("holds something other than its header says")
    if not array.values:
        raise PickleError("holds an empty array")
    if len(array.shape) == 1:
        return array.values
    width = array.shape[1]
    return [array.values[start : start + width] for start in range(0, len(array.values), width)]


def _part(value: object) -> Part:
    """Return what a value is in a network."""
    match value:
        case None:
            return ()
        case list() | tuple() | Numbers():
            return value
    array = describe(value)
    if isinstance(array, Numbers):
        return array
    # The rows of a table would be cut again for every use of it.
    if len(array.shape) != 1:
        raise PickleError("holds a table of objects inside a list")
    return array.values


def _filled(values: Sequence[object]) -> list[Part]:
    """Return the parts without the empty places that the input layer has in front."""
    return list(dropwhile(_is_empty, map(_part, values)))


def _is_empty(part: Part) -> bool:
    return 0 in part.shape if isinstance(part, Numbers) else not part


def _network(top: Sequence[object]) -> list[tuple[Numbers, Numbers]]:
    """Return weights and biases by the first way of holding them that fits.

    No more than one does, save where all layers but the first are single neurons: [[A, B], [C, D]]
    is then two lists, as the article has it, and not two pairs.
    """
    fault = None
    for weights, biases in _ways([_part(value) for value in top]):
        try:
            return _fitting(_filled(weights), _filled(biases))
        except PickleError as error:
            fault = fault or error
    raise fault or PickleError("holds neither lists nor pairs of weights and biases")


def _ways(parts: list[Part]) -> Iterator[tuple[Sequence[object], Sequence[object]]]:
    """Yield the weights and the biases for every way in which they may be held."""
    groups = [part for part in parts if not isinstance(part, Numbers)]
    if len(groups) == len(parts) == 2:
        yield groups[0], groups[1]
    filled = _filled(parts)
    pairs = [part for part in filled if not isinstance(part, Numbers) and len(part) == 2]
    if len(pairs) == len(filled):
        yield [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    elif all(isinstance(part, Numbers) for part in filled):
        yield filled[::2], filled[1::2]


def _fitting(weights: list[Part], biases: list[Part]) -> list[tuple[Numbers, Numbers]]:
    """Return the layers' weights and biases if every layer takes what the one before gives."""
    if not weights or len(weights) != len(biases):
        raise PickleError(f"has {len(weights)} arrays of weights and {len(biases)} of biases")
    layers: list[tuple[Numbers, Numbers]] = []
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True), 2):
        if not (isinstance(W, Numbers) and isinstance(b, Numbers)):
            raise PickleError(f"has a list for W{layer} or b{layer}")
        if len(W.shape) != 2 or 0 in W.shape:
            raise PickleError(f"has W{layer} of shape {W.shape}, which is no matrix")
        if b.shape not in (W.shape[:1], (W.shape[0], 1)):
            raise PickleError(f"has W{layer} of shape {W.shape} and b{layer} of shape {b.shape}")
        if layers and W.shape[1] != layers[-1][0].shape[0]:
            raise PickleError(
                f"has W{layer - 1} of shape {layers[-1][0].shape} and W{layer} of shape {W.shape}"
            )
        layers.append((W, b))
    return layers


def _made(layers: list[tuple[Numbers, Numbers]], most: int) -> Layers:
    """Return a network's arrays.

    Args:
        layers: their descriptions.
        most: how many bytes they may have, because one array may stand in many places.
    """
    arrays = [array for layer in layers for array in layer]
    if sum(len(array.data) for array in arrays) > most:
        raise PickleError("holds the same numbers in many places")
    dtype = np.dtype("f8" if any(array.dtype.endswith("f8") for array in arrays) else "f4")
    return [
        (_values(W, dtype, f"W{layer}"), _values(b, dtype, f"b{layer}").reshape(-1))
        for layer, (W, b) in enumerate(layers, 2)
    ]


def _values(array: Numbers, dtype: np.dtype[Any], name: str) -> NDArray[np.floating]:
    data = array.data.encode("latin1") if isinstance(array.data, str) else array.data
    values: NDArray[np.floating] = np.frombuffer(data, array.dtype)
    # Before they are converted, which warns of some that are not.
    if not np.isfinite(values).all():
        raise PickleError(f"has numbers in {name} that are not finite")
    if array.transposed:
        values = values.reshape(array.shape[::-1]).T
    return values.reshape(array.shape).astype(dtype, order="C")
