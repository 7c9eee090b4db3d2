"""Growth: seconds per epoch and peak memory as the data and the hidden layer grow.

On random images: neither depends on the values. Each measurement is a process of its own.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.turns import REST, UnavailableError, Worker
from benchmarks.workloads import WORKLOADS

TIMES = (1, 3, 10)
WIDTHS = (32, 128, 512, 2048)
TIMED_EPOCHS = 3


def measure(
    contenders: Sequence[str], data_dir: Path, threads: int, examples: int
) -> list[dict[str, Any]]:
    """Train the article's network on more examples, and wider networks on `examples`."""
    article = WORKLOADS["article"]
    cases = [(times * examples, 32) for times in TIMES]
    cases += [(examples, width) for width in WIDTHS if width != 32]
    results = []
    for n, width in cases:
        workload = article._replace(structure=[784, width, 10])
        for name in contenders:
            result: dict[str, Any] = {"contender": name, "examples": n, "width": width}
            worker = Worker(name, workload, data_dir, threads, n)
            try:
                ready = worker.answer()
                seconds = []
                for _ in range(TIMED_EPOCHS):
                    time.sleep(REST)
                    seconds.append(worker.turn(1)["seconds"])
                result["median"] = median(seconds)
                result["peak_bytes"] = worker.finish()["peak_bytes"]
                result["data_bytes"] = ready["data_bytes"]
            except UnavailableError as error:
                result["error"] = str(error)
            finally:
                worker.stop()
            results.append(result)
    return results
