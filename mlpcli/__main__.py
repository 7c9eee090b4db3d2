"""The program `mlp`, which is `python -m mlpcli`, too."""

# What is behind the module signal, and there from Python's start.
import _signal  # type: ignore[import-not-found]

# While modules are imported, Ctrl-C ends the process as SIGTERM does: without a traceback.
if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import sys
from typing import TYPE_CHECKING

from mlpcli.cli.main import main
from mlpcli.errors import Interrupted

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


def _unraisable(caught: "UnraisableHookArgs") -> None:
    """Print what a finaliser raised, but no signal: that was noted, and ends the process."""
    if not issubclass(caught.exc_type, Interrupted):
        sys.__unraisablehook__(caught)


sys.unraisablehook = _unraisable

if __name__ == "__main__":
    main()
