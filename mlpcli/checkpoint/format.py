"""The checkpoint: one `.npy` file that holds everything that came out of a run.

The file is a 0-d structured record, readable with `np.load(path)` and without pickle. Its fields
are the arrays, then `meta`, UTF-8 JSON, then `sha256`, over every byte of the file before it.
"""

import ast
import hashlib
import io
import json
import math
import os
import stat
import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlpcli.errors import CheckpointError, os_reason

FORMAT = 1
MAGIC = b"\x93NUMPY\x01\x00"
# np.load refuses longer headers.
MAX_HEADER = 10_000
SHA_BYTES = 32
# NumPy counts the bytes of a record in 32 bits, and sums that are too large wrap around silently.
# The arrays may have these, the description's history an eighth of that beside them.
MAX_BYTES = 2**31 - 1 - 2**28
# With a header, and with all the history.
MAX_FILE_BYTES = 2**31
# No row of a history is longer.
ROW_BYTES = 200
MAX_EPOCHS = 2**28 // ROW_BYTES
ELEMENT_TYPES = ("<f4", "<f8")
# No dimension of an array comes near it, and products of two stay printable.
MAX_DIMENSION = 1 << 48


Field = tuple[str, str, tuple[int, ...]]


class Record(NamedTuple):
    """What a checkpoint holds."""

    arrays: dict[str, NDArray[np.floating]]
    meta: dict[str, Any]


def serialise(arrays: Mapping[str, NDArray[np.floating]], meta: Mapping[str, Any]) -> bytes:
    """Return the bytes of a checkpoint: the same for the same arrays and meta.

    Args:
        arrays: float32 or float64 vectors and matrices by field name.
        meta: JSON values; `format` is added.

    Raises:
        CheckpointError: if there are more arrays than a header can name.
    """
    # What is no character, of a file's name, becomes JSON's own escape.
    text = json.dumps({"format": FORMAT, **meta}, ensure_ascii=False, allow_nan=False).encode(
        errors="backslashreplace"
    )
    body = b"".join(
        [
            header({name: (array.dtype, array.shape) for name, array in arrays.items()}, len(text)),
            *(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays.values()),
            text,
        ]
    )
    return body + hashlib.sha256(body).digest()


def header(
    arrays: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]], text_bytes: int = MAX_BYTES
) -> bytes:
    """Return the first bytes of a checkpoint.

    Args:
        arrays: dtype and shape by field name.
        text_bytes: the size of the description; the largest by default.

    Raises:
        CheckpointError: if there are more arrays than a header can name.
    """
    fields: list[Any] = [
        (name, dtype.newbyteorder("<").str, shape) for name, (dtype, shape) in arrays.items()
    ]
    fields += [("meta", "|u1", (text_bytes,)), ("sha256", "|u1", (SHA_BYTES,))]
    # NumPy adds the other keys and pads the header to a multiple of 64.
    if (length := len(str(fields)) + 128) > MAX_HEADER:
        raise CheckpointError(
            "checkpoint",
            f"naming {len(arrays)} arrays takes {length:,} bytes, more than the {MAX_HEADER:,} of "
            "the header of a .npy file",
            "write a structure with fewer layers",
        )
    stream = io.BytesIO()
    npy.write_array_header_1_0(stream, {"descr": fields, "fortran_order": False, "shape": ()})
    return stream.getvalue()


def read(path: Path) -> Record:
    """Read a checkpoint, trusting nothing in it.

    Raises:
        CheckpointError: if it is missing, damaged, or not a checkpoint.
    """

    def refuse(problem: str, remedy: str = "give a file that mlp train wrote") -> NoReturn:
        raise CheckpointError(path, problem, remedy)

    try:
        # Before it is opened: opening a named pipe waits for somebody to write.
        if not stat.S_ISREG(path.stat().st_mode):
            refuse("is not a regular file")
        with path.open("rb") as stream:
            head = stream.read(len(MAGIC) + 2 + MAX_HEADER)
            fields, start = _parse_header(head, refuse)
            stop = start + sum(_field_bytes(field) for field in fields)
            size = os.fstat(stream.fileno()).st_size
            if size > MAX_FILE_BYTES:
                refuse(f"has {size} bytes, more than the {MAX_FILE_BYTES} of the format")
            if size != stop:
                refuse(
                    f"is damaged: it has {size} bytes, and its header announces {stop}",
                    "restore it from a copy, or train again",
                )
            stream.seek(start)
            found = [_read_field(stream, field) for field in fields]
    except OSError as error:
        refuse(f"cannot be read: {os_reason(error)}")
    digest = hashlib.sha256(head[:start])
    for array in found[:-1]:
        digest.update(array.reshape(-1).view(np.uint8).data)
    if digest.digest() != found[-1].tobytes():
        refuse("is damaged: its checksum is wrong", "restore it from a copy, or train again")
    arrays = {
        field[0]: array.astype(array.dtype.newbyteorder("="), copy=False)
        for field, array in zip(fields[:-2], found, strict=False)
    }
    return Record(arrays, _parse_meta(found[-2].tobytes(), refuse))


def _read_field(stream: BinaryIO, field: Field) -> NDArray[Any]:
    """Read a field, once and into its place; what a file that shrinks lacks stays 0."""
    _, dtype, shape = field
    array = np.zeros(shape, dtype)
    stream.readinto(array.reshape(-1).view(np.uint8).data)  # type: ignore[attr-defined]
    return array


def checksum(path: Path) -> str:
    """Return the SHA-256, in hexadecimal, that a checkpoint ends with.

    Raises:
        CheckpointError: as `read` does.
    """
    read(path)
    with path.open("rb") as stream:
        stream.seek(-SHA_BYTES, os.SEEK_END)
        return stream.read().hex()


def _parse_header(head: bytes, refuse: Any) -> tuple[list[Field], int]:
    """Return the record's fields and where their data start, from a file's first bytes."""
    if head[: len(MAGIC)] != MAGIC:
        refuse("is not an mlp checkpoint")
    start = len(MAGIC) + 2 + int.from_bytes(head[len(MAGIC) : len(MAGIC) + 2], "little")
    if len(head) < start:
        refuse("is not an mlp checkpoint: its header ends early or is too long")
    text = head[len(MAGIC) + 2 : start].decode("latin1").strip()
    try:
        header = parse_literal(text)
    except ValueError:
        refuse("is not an mlp checkpoint: its header is not a Python literal")
    if isinstance(header, dict) and "'|O" in text:
        refuse(
            "holds pickled Python objects, which can run code, and was not opened",
            "if it is the article's, make a checkpoint of it: mlp convert OLD.npy NEW.npy",
        )
    if (
        not isinstance(header, dict)
        or set(header) != {"descr", "fortran_order", "shape"}
        or header["shape"] != ()
        or header["fortran_order"] is not False
        or not isinstance(header["descr"], list)
        or not all(_is_field(field) for field in header["descr"])
        or len({field[0] for field in header["descr"]}) != len(header["descr"])
        or [field[0] for field in header["descr"][-2:]] != ["meta", "sha256"]
        or [field[1] for field in header["descr"][-2:]] != ["|u1", "|u1"]
        or header["descr"][-1][2] != (SHA_BYTES,)
        or any(field[1] not in ELEMENT_TYPES for field in header["descr"][:-2])
    ):
        refuse("is not an mlp checkpoint: it holds another kind of array")
    return header["descr"], start


def parse_literal(text: str) -> Any:
    """Return the Python literal that the header of a .npy file is.

    Raises:
        ValueError: if it is none.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of escapes that damage made odd
            return ast.literal_eval(text)
    except (TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("is no Python literal") from error


def _is_field(field: object) -> bool:
    match field:
        case (str(), str() as dtype, tuple() as shape):
            return (
                dtype in (*ELEMENT_TYPES, "|u1")
                and len(shape) <= 2
                and all(type(n) is int and 0 <= n < MAX_DIMENSION for n in shape)
            )
    return False


def _field_bytes(field: Field) -> int:
    """Return a field's size in Python's integers, which cannot wrap around."""
    return int(field[1][2:]) * math.prod(field[2])


def _parse_meta(text: bytes, refuse: Any) -> dict[str, Any]:
    try:
        meta = json.loads(text)
    except (ValueError, RecursionError):
        refuse("is not an mlp checkpoint: its description is not JSON")
    found = meta.get("format") if isinstance(meta, dict) else None
    if type(found) is not int:
        refuse("is not an mlp checkpoint: its description names no format")
    if found != FORMAT:
        refuse(
            f"has checkpoint format {found}, and this version reads {FORMAT}",
            "use the version of mlp that wrote it",
        )
    return dict(meta)


def layer_names(layers: int) -> list[tuple[str, str]]:
    """Return the field names of weights and biases, W2 and b2 to WL and bL."""
    return [(f"W{layer}", f"b{layer}") for layer in range(2, layers + 1)]


def layer_shapes(structure: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of W2, b2 to WL, bL."""
    shapes: dict[str, tuple[int, ...]] = {}
    for (w_name, b_name), (n_in, n_out) in zip(
        layer_names(len(structure)), pairwise(structure), strict=True
    ):
        shapes |= {w_name: (n_out, n_in), b_name: (n_out,)}
    return shapes
