"""What a run computes with: NumPy, or NumPy and what numba has compiled."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import Experiment
from mlpcli.errors import ConfigError
from mlpcli.model import count_parameters, layout_of

ENGINES = ("auto", "numpy", "numba")

Gather = Callable[[NDArray[np.generic], NDArray[np.integer], NDArray[np.floating]], None]


class Engine(NamedTuple):
    """What computes; results are the same bytes for the same engine and versions."""

    numba: str | None = None
    """The version of numba that compiles `nn.compiled`; None for NumPy alone."""

    @property
    def versions(self) -> dict[str, str]:
        """What a checkpoint records of it, beside NumPy's version."""
        return {"numba": self.numba} if self.numba else {}

    def gather(self, features: NDArray[np.generic]) -> Gather | None:
        """Return what gathers examples as floats in one pass; None if NumPy has to, in two."""
        if not self.numba or features.dtype != np.uint8 or not features.flags.c_contiguous:
            return None
        from mlpcli.nn.compiled.inputs import gather_bytes

        return gather_bytes


NUMPY = Engine()
# The update of fewer parameters takes NumPy no time that loading numba would not take.
FEW_PARAMETERS = 1 << 16


def load_engine(name: str, experiment: Experiment) -> None:
    """Load numba before the data are read, where it is sure to compute: it parses tables, too.

    Args:
        name: of `ENGINES`.
        experiment: what is to be trained, with a structure or without.
    """
    sizes = experiment.structure or (1, *(experiment.hidden or ()), 1)
    if _is_numpy(name, replace(experiment, structure=sizes, hidden=None)):
        return
    with suppress(ImportError):
        import mlpcli.jit  # noqa: F401 - what is loaded is used


def choose_engine(name: str, experiment: Experiment, tell: Callable[[str], None]) -> Engine:
    """Return an engine by name.

    Args:
        name: of `ENGINES`; `auto` is numba where it is installed, has something to compile and
            `compat` leaves the choice.
        experiment: what is to be trained.
        tell: told when something has to be compiled first, and why that takes seconds.

    Raises:
        ConfigError: if numba is asked for and not to be had.
    """
    if _is_numpy(name, experiment):
        return NUMPY
    if experiment.compat:
        where, problem = experiment.where("compat"), f"{experiment.compat} is computed by NumPy"
        raise ConfigError(where, problem, "leave out --engine numba")
    try:
        # Here, since it imports numba; which refuses versions of NumPy that it does not know.
        from mlpcli import jit
    except ImportError as error:
        if name == "auto":
            return NUMPY
        remedy = "pip install 'mlpcli[fast]', or leave the option out"
        raise ConfigError("--engine numba", f"cannot be had: {error}", remedy) from None
    jit.when_compiling(tell)
    return Engine(jit.VERSION)


def _is_numpy(name: str, experiment: Experiment) -> bool:
    """Return whether NumPy alone computes, be numba installed or not."""
    has_choice = name == "auto" and not experiment.compat
    return not (name == "numba" or (has_choice and _gains(experiment)))


def compiles_steps(experiment: Experiment) -> bool:
    """Return whether there is a compiled counterpart of all that an experiment does in a step."""
    others = any(experiment.dropout_rates) or experiment.ema or experiment.is_parametrized
    return not others and not layout_of(experiment).extras


def _gains(experiment: Experiment) -> bool:
    """Return whether numba compiles anything that takes long: whole steps, or a large update."""
    if compiles_steps(experiment):
        return True
    return not experiment.is_parametrized and count_parameters(experiment) > FEW_PARAMETERS
