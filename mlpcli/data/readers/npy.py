"""NumPy's own files of arrays, `.npy` and `.npz`, without pickle."""

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlpcli.data.readers.table import check_expansion
from mlpcli.errors import DataError

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
NUMBERS = "buif"
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


def read_npy(path: Path, kinds: str = NUMBERS) -> NDArray[np.generic]:
    """Open a `.npy` array, memory-mapped: neither its size nor its content is trusted.

    Args:
        path: the file.
        kinds: what its elements may be, as in `dtype.kind`.

    Raises:
        DataError: if the file is damaged, or holds anything but real numbers.
        OSError: if it cannot be read.
    """
    try:
        # NumPy multiplies the shape in fixed-width integers and, otherwise, only warns.
        with np.errstate(over="raise"):
            array: NDArray[np.generic] = npy.open_memmap(path, mode="r")
    except DAMAGE as error:
        damage = str(error) or type(error).__name__
        problem = "holds Python objects" if "Python objects" in damage else f"is damaged: {damage}"
        raise DataError(path, problem, "write an array of numbers with np.save") from error
    _check_kind(array.dtype, path, kinds)
    return array


def _check_kind(dtype: np.dtype[np.generic], where: object, kinds: str) -> None:
    if dtype.kind not in kinds:
        kind = "a checkpoint" if dtype.names else f"elements of type {dtype}"
        raise DataError(where, f"holds {kind}, not numbers", "give an array of numbers")


def npz_names(path: Path) -> list[str]:
    """Return the names of the arrays in a `.npz` file.

    Raises:
        DataError: if it is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()
                     if name.endswith(".npy")]  # fmt: skip
    except zipfile.BadZipFile as error:
        raise DataError(path, f"is damaged: {error}", "fetch it again") from error
    if not names:
        raise DataError(path, "is a zip file without arrays", "write arrays with np.savez")
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
    try:
        with zipfile.ZipFile(path) as archive:
            announced = archive.getinfo(f"{name}.npy").file_size
            check_expansion(path, announced)
            with archive.open(f"{name}.npy") as member:
                shape, fortran, dtype = _read_header(member)
                _check_kind(dtype, where, kinds)
                size = math.prod(shape) * dtype.itemsize
                if size != announced - member.tell():
                    raise ValueError(f"it announces {size} bytes and holds other")
                content = member.read()
    except (*DAMAGE, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise DataError(where, f"is damaged: {error}", "write it again with np.savez") from error
    if len(content) != size:
        raise DataError(where, "is damaged: it ends early", "write it again with np.savez")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _read_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    major, _ = npy.read_magic(member)
    reader = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    return reader(member)
