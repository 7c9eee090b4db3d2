"""Growth: seconds per epoch and peak memory as the data and the hidden layer grow.

On random images: neither depends on the values. Each measurement is a process of its own.
"""

import time
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from benchmarks import mnist
from benchmarks.turns import REST, UnavailableError, Worker
from benchmarks.workloads import WORKLOADS

TIMES = (1, 3, 10)
WIDTHS = (32, 128, 512, 2048)
TIMED_EPOCHS = 3


def measure(contenders: Sequence[str], threads: int, examples: int) -> list[dict[str, Any]]:
    """Train the article's network on more examples, and wider networks on `examples`."""
    article = WORKLOADS["article"]
    cases = [(times * examples, 32) for times in TIMES]
    cases += [(examples, width) for width in WIDTHS if width != 32]
    results = []
    # The few images are replaced by many in the worker; reading those would add to its peak.
    with mnist.data(examples=6) as (data_dir, _):
        for n, width in cases:
            workload = article._replace(structure=[784, width, 10])
            for name in contenders:
                result = {"contender": name, "examples": n, "width": width}
                results.append(result | _train(Worker(name, workload, data_dir, threads, n)))
    return results


def _train(worker: Worker) -> dict[str, Any]:
    try:
        data_bytes = worker.answer()["data_bytes"]
        turns = []
        for _ in range(TIMED_EPOCHS):
            time.sleep(REST)
            turns.append(worker.turn(1))
        peak = worker.finish()["peak_bytes"]
    except UnavailableError as error:
        return {"error": str(error)}
    finally:
        worker.stop()
    fastest = min(turns, key=itemgetter("seconds"))
    return fastest | {"peak_bytes": peak, "data_bytes": data_bytes}
