"""IDX files, the format of MNIST: a magic number, the shape, then the elements, big-endian."""

import math
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.gzipped import open_maybe_gzipped
from mlpcli.data.readers.regular import read_exactly
from mlpcli.data.readers.table import stays_on_disk
from mlpcli.errors import DataError

ELEMENT_TYPES = {
    0x08: ">u1",
    0x09: ">i1",
    0x0B: ">i2",
    0x0C: ">i4",
    0x0D: ">f4",
    0x0E: ">f8",
}


def read_idx(path: Path) -> NDArray[np.generic]:
    """Read an IDX file, raw or gzip-compressed.

    Args:
        path: the file.

    Returns:
        The array, in the file's shape and element type.

    Raises:
        DataError: if the file is damaged, or not IDX.
        OSError: if it cannot be read.
    """
    with open_maybe_gzipped(path) as (stream, compressed):
        return _read(stream, path, None if compressed else os.fstat(stream.fileno()).st_size)


def _read(stream: BinaryIO, path: Path, file_size: int | None) -> NDArray[np.generic]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in ELEMENT_TYPES:
        raise DataError(
            path,
            f"is not an IDX file (it begins with {magic.hex() or 'nothing'})",
            "check the file",
        )
    rank = magic[3]
    header = stream.read(4 * rank)
    if len(header) < 4 * rank:
        raise _damaged(path, "its header ends early")
    shape = tuple(int(n) for n in np.frombuffer(header, ">u4"))
    dtype = np.dtype(ELEMENT_TYPES[magic[2]])
    expected = math.prod(shape) * dtype.itemsize
    if file_size is not None and file_size != 4 + 4 * rank + expected:
        found = file_size - 4 - 4 * rank
        raise _damaged(path, f"its header announces {expected} bytes of data, and it holds {found}")
    if file_size is not None and stays_on_disk(expected):
        array: NDArray[np.uint8] = np.memmap(stream, np.uint8, "r", file_size - expected)
    else:
        array = read_exactly(stream, expected, path, compressed=file_size is None)
        if stream.read(1):
            raise _damaged(path, f"it goes on after the {expected} bytes that its header announces")
    try:
        return array.view(dtype).reshape(shape)
    except ValueError as error:
        raise _damaged(path, f"its header announces an impossible shape ({error})") from error


def _damaged(path: Path, problem: str) -> DataError:
    return DataError(path, f"is damaged: {problem}", "fetch it again")
