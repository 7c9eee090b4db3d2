"""How many threads matrix products use, decided before NumPy is loaded, which reads it once.

The threads of NumPy's matrix library wait for one another by spinning, each on a processor of its
own. Beside another busy process they have no processor of their own: measured on two, a run of
small products then takes four times as long with two threads as with one, and alone only a little
less. So one thread is the default but for large products.
"""

import os
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlpcli.cli import console

if TYPE_CHECKING:
    from mlpcli.config.schema import Experiment

# What NumPy's various matrix libraries read when they are loaded.
VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
# Multiply-adds of a product beyond which a second thread pays. On two quiet processors a step
# with products of 6 and 13 million took 0.9 and 0.75 times as long with two threads; 26 million
# 0.65, 80 million 0.55. Beside a busy process: 4.7, 3.5, 2.2 and 2.2 times.
WORTH_THREADS = 1 << 24

# Threads that hinder one another are looked for in so many steps, and reported from a factor on.
PACE_STEPS = 30
SLOW = 3


class Threads(NamedTuple):
    """A number of threads."""

    number: int
    why: str
    """Where the number comes from, for people."""

    def use(self) -> None:
        """Tell the matrix library, which must not be loaded yet."""
        os.environ.update(dict.fromkeys(VARIABLES, str(self.number)))

    def __str__(self) -> str:
        return f"{self.number}: {self.why}"


def choose(experiment: "Experiment", given: int | None = None) -> Threads:
    """Choose from structure, mini-batch and allowed processors alone: the same on each run.

    Args:
        experiment: what is to be trained.
        given: the number that was asked for, if any.
    """
    if asked := asked_for(given):
        return asked
    allowed = allowed_processors()
    # Of `hidden` alone, inputs and outputs are not known yet.
    sizes = experiment.structure or experiment.hidden or ()
    rows = experiment.bt_size * (experiment.members or 1)
    largest = rows * max((a * b for a, b in pairwise(sizes)), default=0)
    if allowed == 1:
        return Threads(1, "one processor is allowed")
    if largest <= WORTH_THREADS:
        return Threads(1, f"products are small; --threads {allowed} uses all processors")
    return Threads(allowed, "all processors that are allowed; --threads 1 suits a busy machine")


def asked_for(given: int | None) -> Threads | None:
    """Return the number that --threads or the environment gives; None if neither does."""
    if given:
        return Threads(given, "as --threads says")
    for name in VARIABLES:
        value = os.environ.get(name, "")
        if value.isascii() and value.isdigit() and len(value) < 5 and int(value):
            return Threads(int(value), f"as {name} says")
    return None


def limit(most: int | None = None) -> None:
    """Keep matrix products to the allowed processors, which the library does not all know of.

    Args:
        most: how many to use at most, unless the environment says otherwise; None for all.
    """
    if not any(os.environ.get(name) for name in VARIABLES):
        allowed = allowed_processors()
        Threads(min(allowed, most or allowed), "").use()


def allowed_processors(root: Path = Path("/")) -> int:
    """Return how many processors this process may use: its affinity, and its group's quota.

    Args:
        root: where `proc` and `sys` are.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    quota = _cgroup_quota(root)
    return count if quota is None else max(1, min(count, int(quota)))


def _cgroup_quota(root: Path) -> float | None:
    """Return the processors that the process's control groups allow, the least of all; or None."""
    quotas = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers == "":
            quotas += _quotas(root / "sys/fs/cgroup", path, ("cpu.max",))
        elif "cpu" in controllers.split(","):
            files = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            quotas += _quotas(root / "sys/fs/cgroup" / controllers, path, files)
    return min(quotas, default=None)


def _quotas(base: Path, path: str, files: tuple[str, ...]) -> list[float]:
    """Return the quotas of a group and of those that it is in, whose files hold time and period."""
    group, quotas = base / path.lstrip("/"), []
    for folder in (group, *group.parents):
        words = " ".join(_read(folder / file) for file in files).split()
        if len(words) == 2 and all(word.isdigit() and int(word) for word in words):
            quotas.append(int(words[0]) / int(words[1]))
        if folder == base:
            break
    return quotas


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def watch_pace(experiment: "Experiment") -> Callable[[], None]:
    """Return what is to be called after each step: it finds threads that hinder one another.

    After `PACE_STEPS` steps, it says once if these took far longer than with one thread.
    """
    from mlpcli.training.cost import one_thread_seconds

    times: list[float] = []
    done = False

    def watch() -> None:
        nonlocal done
        if done:
            return
        times.append(time.perf_counter())
        taken, elapsed = len(times) - 1, times[-1] - times[0]
        # Compiled steps are reported several at a time: it counts when the first of them is.
        if taken < PACE_STEPS or times[-1] - times[-2] <= elapsed / taken / 2:
            return
        step, alone = elapsed / taken, one_thread_seconds(experiment)
        done = True
        if step > SLOW * alone:
            console.note(
                f"threads: steps take about {step / alone:.0f} times as long as with one "
                "thread, since other processes are busy; --threads 1 is faster here"
            )

    return watch
