"""Schedules: the factor on `eta`, as a function of how far training has come.

Every schedule is a function of the position, in epochs from 0 and with fractions, of the number of
epochs of the run, and of its settings; `plateau` is one of the validation errors so far. None has
a memory of its own, so a resumed run goes on where it stood.
"""

from collections.abc import Callable, Sequence
from math import cos, log2, pi


def constant(position: float, epochs: int) -> float:  # noqa: ARG001 - all schedules alike
    """Return 1."""
    return 1.0


def step(position: float, epochs: int, every: int, factor: float) -> float:  # noqa: ARG001
    """Multiply by `factor` after every so many epochs."""
    return factor ** (int(position) // every)


def exponential(position: float, epochs: int, factor: float) -> float:  # noqa: ARG001
    """Multiply by `factor` after every epoch."""
    return factor ** int(position)


def cosine(position: float, epochs: int) -> float:
    """Fall from 1 to 0 along half a cosine (Loshchilov and Hutter, 2017, without restarts)."""
    return (1 + cos(pi * position / epochs)) / 2


def cosine_log(position: float, epochs: int) -> float:
    """Rise and fall four times, each time twice as long: (1 - cos(2π log2(1 + 15 t))) / 2.

    t is the position as a share of the run (Holzmüller, Grinsztajn and Steinwart, Better by
    Default, 2024).
    """
    return (1 - cos(2 * pi * log2(1 + 15 * position / epochs))) / 2


# Smith and Topin, Super-Convergence, 2018: eta rises from a small part to all of it, then falls to
# almost nothing.
RISE = 0.3
START = 1 / 25
END = 1e-4


def one_cycle(position: float, epochs: int) -> float:
    """Rise along a cosine from 1/25 to 1 for 0.3 of the run, then fall along one to 1e-4 / 25."""
    done = position / epochs
    if done < RISE:
        return START + (1 - START) * (1 - cos(pi * done / RISE)) / 2
    low = START * END
    return low + (1 - low) * (1 + cos(pi * (done - RISE) / (1 - RISE))) / 2


def plateau(errors: Sequence[float], factor: float, patience: int) -> float:
    """Multiply by `factor` whenever `patience` epochs in a row brought no lower error.

    Args:
        errors: validation error of every epoch so far.
        factor: below 1.
        patience: in epochs.
    """
    best, waited, result = float("inf"), 0, 1.0
    for error in errors:
        if error < best:
            best, waited = error, 0
        else:
            waited += 1
        if waited == patience:
            result, waited = result * factor, 0
    return result


def warm_up(position: float, warmup: float) -> float:
    """Rise in a line from 0 to 1 over the first `warmup` epochs."""
    return min(1.0, position / warmup) if warmup else 1.0


# Those that are functions of the position; `plateau` is one of the errors.
SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "cosine": cosine,
    "cosine_log": cosine_log,
    "one_cycle": one_cycle,
}
