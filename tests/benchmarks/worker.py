"""One contender in a process of its own, `python -m benchmarks.worker`.

The first line of standard input says what to prepare. Every further line is a number of epochs to
run; the end of input asks for the accuracy. Each is answered by one line of JSON.
"""

import json
import os
import resource
import sys
import time
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.threads import limit


def main() -> None:
    """Serve until the end of input, or until something fails."""
    spec = json.loads(sys.stdin.readline())
    try:
        if spec["threads"]:
            limit(spec["threads"])
        elif spec["contender"].startswith("mlp"):
            _choose_threads(spec)
        _serve(spec)
    except Exception as error:  # noqa: BLE001 - a contender that cannot run is a line of the report
        _answer(error=f"{type(error).__name__}: {error}")


def _choose_threads(spec: dict[str, Any]) -> None:
    """Use as many threads as `mlp train` does, before NumPy is loaded."""
    from benchmarks.workloads import Workload
    from mlpcli.cli import threads
    from mlpcli.config.load import from_mapping

    threads.choose(from_mapping(Workload(*spec["workload"]).mapping(1), {})).use()


def _serve(spec: dict[str, Any]) -> None:
    from benchmarks.problem import load
    from benchmarks.workloads import Workload

    contender = import_module(f"benchmarks.contenders.{spec['contender']}")
    workload = Workload(*spec["workload"])
    dataset = load(workload, spec["data_dir"], spec["examples"])
    trainer = contender.prepare(workload, dataset)
    trainer.run(1)  # warm-up: compilation, caches, thread pools
    n = len(dataset.train.labels)
    _answer(
        versions={name: version(name) for name in contender.LIBRARIES},
        blas=_blas() if "numpy" in contender.LIBRARIES else None,
        examples=n,
        steps=workload.steps(n),
        data_bytes=dataset.train.features.nbytes + dataset.train.labels.nbytes,
    )
    for line in sys.stdin:
        epochs = int(line)
        others, start = _others(), time.perf_counter()
        error = trainer.run(epochs)
        elapsed = time.perf_counter() - start
        others = (_others() - others) / elapsed
        _answer(seconds=elapsed / epochs, training_error=error, others=max(others, 0.0))
    peak = _peak_bytes()
    _answer(accuracy=trainer.accuracy(), peak_bytes=peak)


def _answer(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def _blas() -> list[str]:
    """Return the BLAS libraries in use, with the kernels they chose for this processor."""
    from threadpoolctl import threadpool_info

    return [
        f"{Path(lib['filepath']).name}: {lib.get('architecture')}, {lib['num_threads']} threads"
        for lib in threadpool_info()
        if lib["user_api"] == "blas"
    ]


def _others() -> float:
    """Return the processor seconds that this machine has spent on other processes, where known."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, lines[0].split()[1:9])
    busy = user + nice + system + irq + softirq + steal
    return busy / os.sysconf("SC_CLK_TCK") - time.process_time()


def _peak_bytes() -> int:
    """Return this process's largest resident size so far."""
    with suppress(FileNotFoundError):
        # ru_maxrss counts the parent's size at the fork, too; Linux has the program's own.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
    # JAX and PyTorch may take seconds to tear down what nobody needs any more.
    sys.stdout.flush()
    os._exit(0)
