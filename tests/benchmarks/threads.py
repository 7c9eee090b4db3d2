"""The same number of threads for everybody. Imports nothing that starts threads."""

import argparse
import os

# OpenMP is PyTorch's, NPROC is JAX's.
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NPROC",
)


def available() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment(threads: int | None) -> dict[str, str]:
    """Return the environment of a process that shall use so many threads; None for its default."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    given = dict.fromkeys(VARIABLES, str(threads)) if threads else {}
    return kept | given | {"JAX_PLATFORMS": "cpu"}


def limit(threads: int) -> None:
    """Confine this process, and what it starts, to so many processors, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def add_shared_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every benchmark has."""
    parser.add_argument(
        "--threads",
        type=int,
        default=min(2, available()),
        help="threads of each (default: 2, for which the targets are set)",
    )
    parser.add_argument(
        "--examples", type=int, metavar="N", help="N random images in place of MNIST, for a trial"
    )
