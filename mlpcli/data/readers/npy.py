"""NumPy's own files of arrays, `.npy` and `.npz`, without pickle."""

import math
import os
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlpcli.data.readers.foreign import foreign_archive
from mlpcli.data.readers.regular import open_regular, read_exactly
from mlpcli.data.readers.table import check_expansion, stays_on_disk
from mlpcli.errors import DataError, os_reason

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
NUMBERS = "buif"
# What np.savez writes, and np.savez_compressed.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 1
# What one or another damaged header makes NumPy raise.
DAMAGE = (
    ArithmeticError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)
# NotImplementedError is a RuntimeError.
ZIP_DAMAGE = (EOFError, LookupError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error)


class ArrayHeader(NamedTuple):
    """What stands before an array's elements."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    order: Literal["C", "F"]

    @property
    def size(self) -> int:
        """Bytes of all elements."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy(path: Path, kinds: str = NUMBERS) -> NDArray[np.generic]:
    """Read a `.npy` array: neither its size nor its content is trusted.

    Args:
        path: the file.
        kinds: what its elements may be, as in `dtype.kind`.

    Returns:
        The array; a large one stays on disk, mapped into memory.

    Raises:
        DataError: if the file is damaged, or holds anything but real numbers.
        OSError: if it cannot be read.
    """
    with open_regular(path) as stream:
        try:
            header = _read_header(stream)
            held = os.fstat(stream.fileno()).st_size - stream.tell()
            if header.size > held:
                raise ValueError(f"it announces {header.size} bytes, and holds {held}")
            _check_kind(header.dtype, path, kinds)
            if stays_on_disk(header.size):
                shape, dtype, order = header
                return np.memmap(stream, dtype, "r", stream.tell(), shape, order)
            content = read_exactly(stream, header.size, path, compressed=False)
            return _array(header, content)
        except DAMAGE as error:
            damage = str(error) or type(error).__name__
            raise DataError(
                path, f"is damaged: {damage}", "write an array of numbers with np.save"
            ) from error


def _check_kind(dtype: np.dtype[np.generic], where: object, kinds: str) -> None:
    if dtype.hasobject:
        raise DataError(where, "holds Python objects", "write an array of numbers with np.save")
    if dtype.kind not in kinds:
        kind = f"elements of type {dtype}"
        if dtype.names:
            kind = "a checkpoint" if "W2" in dtype.names else "records of named fields"
        raise DataError(where, f"holds {kind}, not numbers", "give an array of numbers")


def npz_names(path: Path) -> list[str]:
    """Return the names of the arrays in a `.npz` file.

    Raises:
        DataError: if it is none.
    """
    with _archive(path) as archive:
        members = archive.namelist()
    names = [name.removesuffix(".npy") for name in members if name.endswith(".npy")]
    if not names:
        raise DataError(path, *foreign_archive(members))
    if len(set(names)) < len(names):
        raise DataError(path, "two arrays have the same name", "write arrays with np.savez")
    return names


def read_npz(path: Path, name: str, kinds: str = NUMBERS) -> NDArray[np.generic]:
    """Read one array of a `.npz` file.

    Args:
        path: the file.
        name: one of its `npz_names`.
        kinds: what its elements may be, as in `dtype.kind`.

    Raises:
        DataError: if the file is damaged, unpacks to far more than its size, or the array holds
            anything but real numbers.
        OSError: if it cannot be read.
    """
    where = f"{path}[{name}]"
    with _archive(path, where) as archive:
        entry = archive.getinfo(f"{name}.npy")
        if entry.compress_type not in COMPRESSIONS or entry.flag_bits & ENCRYPTED:
            raise DataError(
                where, "is compressed in another way, or encrypted", "write it with np.savez"
            )
        check_expansion(path, entry.file_size)
        with archive.open(entry) as member:
            header = _read_header(member)
            _check_kind(header.dtype, where, kinds)
            if header.size != entry.file_size - member.tell():
                raise ValueError(f"it announces {header.size} bytes and holds other")
            # To its end, where the checksum is.
            content = member.read()
        if len(content) != header.size:
            raise ValueError("it ends early")
        return _array(header, np.frombuffer(content, np.uint8))


@contextmanager
def _archive(path: Path, where: object = None) -> Iterator[zipfile.ZipFile]:
    """Open a zip file; what goes wrong with it is damage, of the file or of one of its arrays."""
    with open_regular(path) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                yield archive
        except (*DAMAGE, *ZIP_DAMAGE) as error:
            problem = os_reason(error) if isinstance(error, OSError) else error
            raise DataError(
                where or path, f"is damaged: {problem}", "write it again with np.savez"
            ) from error


def _read_header(stream: IO[bytes]) -> ArrayHeader:
    major, _ = npy.read_magic(stream)
    reader = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    with warnings.catch_warnings():
        # Of Python, about what it finds in a damaged header, and of NumPy, about old ones.
        warnings.simplefilter("ignore")
        shape, fortran, dtype = reader(stream)
    if any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"it has no shape {shape}")
    return ArrayHeader(shape, dtype, "F" if fortran else "C")


def _array(header: ArrayHeader, content: NDArray[np.uint8]) -> NDArray[np.generic]:
    """Return bytes as the array that they are."""
    if not header.size:
        return np.empty(header.shape, header.dtype)
    return content.view(header.dtype).reshape(header.shape, order=header.order)
