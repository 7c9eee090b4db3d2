"""How functions are compiled, with numba, and where the result is kept.

Only this module and a few of `nn.compiled` import numba, which takes 0.2 s. Functions are compiled
when they are first called with arguments of some types, and numba keeps the result on disk.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import event

VERSION: str = numba.__version__
# What is compiled, or becomes a part of that.
SOURCES = ("nn/**/*.py", "data/readers/csv_compiled.py", "data/readers/csv_decimals.py")


def _cache_folder() -> Path | None:
    """Return where compiled code is kept; None if it cannot be.

    Only a folder of the user's own will do, for numba runs what it finds there. What it finds is
    of this very source: numba itself looks at the file of a function alone, not at what that calls.
    """
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        here = Path(__file__).parent
        sources = sorted(path for pattern in SOURCES for path in here.glob(pattern))
        # Which products there are to be called depends on how NumPy was built.
        sources.append(Path(np.__file__).with_name("__config__.py"))
        code = b"".join(path.read_bytes() for path in sources)
        digest = hashlib.sha256(code).hexdigest()
        folder = Path(os.environ.get("NUMBA_CACHE_DIR") or cache / "mlp" / "numba") / digest[:16]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):
        return None


CACHE = _cache_folder()
if CACHE:
    numba.config.CACHE_DIR = str(CACHE)

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function where it is called.

    Sums may be taken in any order, and a product and a sum be rounded once. NaN and infinity keep
    their meaning, since divergence is found by them.
    """
    return _jit(function, {"reassoc", "nsz", "contract"})


def compiled_in_order(function: Function) -> Function:
    """Compile a function whose sums are taken in the order in which they are written."""
    return _jit(function, {"contract"})


def _jit(function: Function, fastmath: set[str]) -> Function:
    jit: Any = numba.njit(
        cache=CACHE is not None, error_model="numpy", fastmath=fastmath, nogil=True
    )
    return cast(Function, jit(function))


def when_compiling(tell: Callable[[str], None]) -> None:
    """Say once, when something is compiled and not found on disk, what takes its time."""

    class Listener(event.Listener):  # type: ignore[misc] # numba has no types
        def on_start(self, _: Any) -> None:
            event.unregister("numba:compile", self)
            kept = f"kept in {CACHE}" if CACHE else "no folder to keep it in can be written to"
            tell(f"compiling for this processor with numba {VERSION}, once; {kept}")

        def on_end(self, _: Any) -> None:
            pass

    event.register("numba:compile", Listener())
