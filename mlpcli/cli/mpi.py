"""`mlp train --mpi`: how the ranks of a job start, and how they end together."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from click.exceptions import Exit

from mlpcli.cli import console
from mlpcli.cli.main import on_failure
from mlpcli.cli.threads import PACE_STEPS, Threads, asked_for
from mlpcli.errors import ConfigError, DivergedError, Interrupted, Killed, MlpError

if TYPE_CHECKING:
    from mlpcli.config.schema import Experiment
    from mlpcli.data.dataset import Dataset
    from mlpcli.training.ranks import MpiRanks
    from mlpcli.training.run import Run

# Between the errors of one rank and the next: the first ends all before others repeat it.
PAUSE = 0.2
MOST_PAUSES = 5
# Where MPICH and Open MPI tell a process which of how many it is.
LAUNCHED = (("PMI_RANK", "PMI_SIZE"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"))


def rank_threads(given: int | None) -> Threads:
    """Return how many threads each rank has: one, where nothing else is asked for."""
    return asked_for(given) or Threads(1, "one for each rank; --threads gives it more")


def started_as_several() -> str:
    """Return a line if mpiexec has started several processes, to the first of them; else ""."""
    for rank, size in LAUNCHED:
        number = os.environ.get(size, "")
        if os.environ.get(rank) == "0" and number.isdecimal() and int(number) > 1:
            return f"{number} processes train alone; --mpi has them train one network together"
    return ""


@contextmanager
def join_ranks(given: int | None) -> Iterator["MpiRanks"]:
    """Meet the other ranks, and end with them.

    What all ranks know of, a signal or a diverged run, ends each of them with its exit code, and
    what one alone fails at ends the others at once. In either case one of them says so.

    Args:
        given: the threads that --threads asks for.

    Raises:
        ConfigError: if there is no MPI.
    """
    rank_threads(given).use()
    # Imports NumPy.
    from mlpcli.training.ranks import connect

    ranks = connect()
    on_failure.append(ranks.abort)
    try:
        yield ranks
    except Killed:
        raise
    except Interrupted as stopped:
        if stopped.number not in ranks.agreed:
            raise
        _leave(ranks)
        # Not by the signal: to mpiexec that is a crash, and it says so in ten lines.
        raise Exit(128 + stopped.number) from None
    except DivergedError as error:
        _leave(ranks)
        if ranks.rank:
            raise Exit(error.exit_code) from None
        raise
    except Exception as error:
        time.sleep(PAUSE * min(ranks.rank, MOST_PAUSES))
        if ranks.rank and isinstance(error, MlpError):
            error.where = f"rank {ranks.rank}: {error.where}"
        raise
    _leave(ranks)


def _leave(ranks: "MpiRanks") -> None:
    """Wait until all have done what they had to do, and let the process end by itself."""
    ranks.wait()
    on_failure.remove(ranks.abort)


def describe_ranks(ranks: "MpiRanks", threads: Threads) -> str:
    """Return a line on how many ranks there are, and their threads."""
    if ranks.number == 1:
        return "1 rank: start more of them with mpiexec -n 4 mlp train ... --mpi"
    return f"{ranks.number} ranks, threads of each {threads}"


def open_part(
    ranks: "MpiRanks", experiment: "Experiment | None" = None
) -> tuple["Experiment", "Dataset | None"]:
    """Give all ranks the first one's experiment, and open this rank's part of the data.

    Returns:
        The experiment, and what this rank has of the data; None where one file has them all.
    """
    from mlpcli.data.load import load_data
    from mlpcli.data.parts import RANK, Parts

    # The first rank gives one.
    shared = cast("Experiment", ranks.once(lambda: experiment))
    files = shared.data.files
    if not files or RANK not in files.train:
        return shared, None
    dataset = load_data(shared, Path(), parts=Parts(ranks.rank, ranks.gather))
    ranks.part = dataset.part and dataset.part.rows
    return shared, dataset


def lead(ranks: "MpiRanks", experiment: "Experiment", dataset: "Dataset", run: "Run") -> None:
    """Give a run, from the first rank, to all.

    Raises:
        ConfigError: naming the key that cannot be divided among ranks.
    """
    refused = {
        "compat": experiment.compat,
        "members": experiment.members,
        "embeddings": experiment.embeddings == "periodic",
        "calibrate": experiment.calibrate and dataset.part,
    }
    for name, given in refused.items():
        if given:
            problem = "cannot be divided among ranks"
            raise ConfigError(experiment.where(name), problem, f"leave out {name}, or --mpi")
    run.ranks = ranks
    if not dataset.part:
        ranks.send_data(experiment, dataset)
    ranks.send_run(run)


def engine_of(ranks: "MpiRanks | None", given: str) -> str:
    """Return the engine to ask for: that of ranks is NumPy.

    Raises:
        ConfigError: if ranks are to have another.
    """
    if ranks and given == "numba":
        problem = "is not for --mpi, whose ranks compute with NumPy"
        raise ConfigError("--engine numba", problem, "leave it out")
    return "numpy" if ranks else given


def watch_ranks(ranks: "MpiRanks") -> Callable[[], None]:
    """Return what is to be called after each step: it says once if ranks do not pay.

    With R of them, a step in one process takes no more than R times what one rank computes in it.
    """
    times: list[tuple[float, float]] = []

    def watch() -> None:
        if len(times) > PACE_STEPS:
            return
        times.append((time.perf_counter(), ranks.reducing))
        if len(times) > PACE_STEPS:
            (begun, before), (ended, after) = times[0], times[-1]
            step, adding = (ended - begun) / PACE_STEPS, (after - before) / PACE_STEPS
            if adding > step * (ranks.number - 1) / ranks.number:
                console.note(
                    f"ranks: a step takes {step * 1e3:.3g} ms, of which adding up gradients "
                    f"{adding * 1e3:.3g} ms; one process is faster here, or a larger bt_size"
                )

    return watch
