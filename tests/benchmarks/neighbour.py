"""Beside busy processes: what training takes when each contender uses what it uses by default."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import turns
from benchmarks.workloads import WORKLOADS

NEIGHBOURS = (0, 1, 2)
# Products that the default leaves to one thread, and products that it does not.
CHOSEN = ("article", "wide")


def measure(
    contenders: Sequence[str], data_dir: Path, rounds: int
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by workload and contender the median `seconds` of an epoch beside 0, 1 and 2."""
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for name in CHOSEN:
        results[name] = {contender: {"seconds": []} for contender in contenders}
        for count in NEIGHBOURS:
            with busy(count):
                found = turns.compare(WORKLOADS[name], contenders, data_dir, None, rounds)
            for contender, result in found.items():
                if "error" in result:
                    results[name][contender] = result
                elif "error" not in results[name][contender]:
                    results[name][contender]["seconds"].append(result["median"])
    return results


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many processors busy meanwhile."""
    command = [sys.executable, "-I", "-S", "-c", "while True: pass"]
    others = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()
