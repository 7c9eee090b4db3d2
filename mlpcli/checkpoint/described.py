"""What the records of a pickled array mean: its element type, its shape and where its bytes are.

Nothing is made here, and everything is checked: that the bytes are as many as the shape needs, and
that the element type is a plain one.
"""

import math
from dataclasses import dataclass

from mlpcli.checkpoint.unpickle import Known, Made, PickleError

# No dimension of an array comes near it, and products of two stay printable.
MAX_DIMENSION = 1 << 48
WIDTHS = {"<f4": 4, ">f4": 4, "<f8": 8, ">f8": 8}
OBJECTS = ("|O", "|O4", "|O8")


@dataclass(frozen=True)
class Numbers:
    """An array of float32 or float64.

    Args:
        dtype: one of WIDTHS.
        shape: at most two dimensions.
        transposed: whether the numbers lie column by column.
        data: their bytes; text is to be encoded in latin1.
    """

    dtype: str
    shape: tuple[int, ...]
    transposed: bool
    data: memoryview | bytes | str


@dataclass(frozen=True)
class Objects:
    """An array of objects.

    Args:
        shape: at most two dimensions.
        values: the objects, row by row.
    """

    shape: tuple[int, ...]
    values: list[object]


def describe(value: object) -> Numbers | Objects:
    """Return which array a record stands for.

    Args:
        value: what `unpickle` returned, or a part of it.

    Raises:
        PickleError: if it is no array, of another element type, or contradicts itself.
    """
    match value:
        case Made(
            Known.RECONSTRUCT,
            (Known.NDARRAY, (0,), _),
            (1, tuple() as shape, dtype, bool() as transposed, data),
        ):
            pass
        case Made(Known.FROMBUFFER, (data, dtype, tuple() as shape, "C" | "F" as order), None):
            transposed = order == "F"
        case _:
            raise PickleError("holds something other than arrays")
    name = _element_type(dtype)
    # The length first: going through a tuple takes long if it is long and in many arrays.
    if len(shape) > 2 or not all(type(n) is int and 0 <= n < MAX_DIMENSION for n in shape):
        raise PickleError("holds an array of an impossible shape")
    if name in OBJECTS:
        if not isinstance(data, list):
            raise PickleError("is damaged: the objects of an array are no list")
        _check_length(shape, len(data), 1, "objects")
        return Objects(shape, data)
    content = _bytes(data)
    _check_length(shape, len(content), WIDTHS[name], "bytes")
    return Numbers(name, shape, transposed, content)


def _check_length(shape: tuple[int, ...], length: int, width: int, what: str) -> None:
    if length != (needed := math.prod(shape) * width):
        raise PickleError(
            f"is damaged: an array of shape {shape} has {length:,} {what} and needs {needed:,}"
        )


def _element_type(value: object) -> str:
    match value:
        case Made(
            Known.DTYPE,
            (str() as code, 0, 1),
            (3, str() as order, None, None, None, -1, -1, int()),
        ) if (name := order + code) in WIDTHS or name in OBJECTS:
            return name
        case Made(Known.DTYPE, (str() as code, *_)):
            raise PickleError(
                f"holds elements of type {code[:10]!r}, and only plain float32 ('f4') and "
                "float64 ('f8') are read"
            )
    raise PickleError("is damaged: an array has no element type")


def _bytes(data: object) -> memoryview | bytes | str:
    match data:
        case memoryview():
            return data
        case Made(Known.ENCODE, (str() as text, "latin1"), None):
            return text
        case Made(Known.BYTES, (), None):
            return b""
    raise PickleError("is damaged: the numbers of an array are no bytes")
