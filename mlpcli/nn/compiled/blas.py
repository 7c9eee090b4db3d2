"""Matrix products of the library that NumPy has loaded, for compiled code to call.

numba has none of its own. So there is one library, with one number of threads.
"""

import ctypes
from typing import Any

import numpy as np
from llvmlite import binding
from numba import types

# Of the C interface with 64-bit integers, as in NumPy's own wheels with OpenBLAS or Accelerate.
SYMBOLS = ("scipy_cblas_{}64_", "cblas_{}$NEWLAPACK$ILP64")
ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112


def _find(name: str) -> bool:
    """Give compiled code a function of the library by name; return whether it is there."""
    library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    for symbol in SYMBOLS:
        function = getattr(library, symbol.format(name), None)
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
