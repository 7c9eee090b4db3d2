"""Matrix products of the library that NumPy has loaded, for compiled code to call.

numba has none of its own. So there is one library, with one number of threads.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import binding
from numba import types

# Of the C interface with 64-bit integers, as in NumPy's own wheels with OpenBLAS or Accelerate.
SYMBOLS = ("scipy_cblas_{}64_", "cblas_{}$NEWLAPACK$ILP64")
ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112
LIBRARY = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]


def _find(name: str) -> bool:
    """Give compiled code a function of the library by name; return whether it is there."""
    for symbol in SYMBOLS:
        function = getattr(LIBRARY, symbol.format(name), None)
        if function:
            binding.add_symbol(f"mlp_{name}", ctypes.cast(function, ctypes.c_void_p).value)
            return True
    return False


def _declare(name: str, number: Any) -> Any:
    """Return it as compiled code calls it: C <- alpha A B + beta C."""
    flags, sizes, matrix = [types.int32] * 3, [types.int64] * 3, [types.voidptr, types.int64]
    arguments = [*flags, *sizes, number, *matrix, *matrix, number, *matrix]
    return types.ExternalFunction(f"mlp_{name}", types.void(*arguments))


AVAILABLE = all([_find("sgemm"), _find("dgemm")])
sgemm, dgemm = _declare("sgemm", types.float32), _declare("dgemm", types.float64)

# OpenBLAS can be told, while it runs, how many threads its products are divided among.
_get, _set = (
    getattr(LIBRARY, f"scipy_openblas_{verb}_num_threads64_", None) for verb in ("get", "set")
)
SETTABLE = AVAILABLE and bool(_get and _set)


def threads() -> int:
    """Return how many threads products are divided among; 1 if the library cannot be told."""
    return int(_get()) if _get else 1


def set_threads(number: int) -> None:
    """Divide products among so many threads from now on."""
    if _set:
        _set(number)


@contextmanager
def one_thread() -> Iterator[None]:
    """Divide no product among threads meanwhile, since several of them call the library."""
    number = threads()
    set_threads(1)
    try:
        yield
    finally:
        set_threads(number)
