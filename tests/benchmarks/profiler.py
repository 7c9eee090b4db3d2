"""`python -m benchmarks.profiler [WORKLOAD]`: where a step's time goes, line by line.

Traces `training.train` and prints the microseconds per step of the functions and source lines of
`mlpcli`. Lines are what to look at because one line is about one NumPy call.
"""

import argparse
import linecache
import os
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks import mnist
from benchmarks.report import table
from benchmarks.threads import add_shared_options, environment, limit
from benchmarks.workloads import WORKLOADS, Workload

SHOWN_LINES = 25

Place = tuple[str, str, int]
"""File, function, line."""


class LineClock:
    """A trace function that gives the time between two events to the line that ran.

    The clock is read when the tracer is entered and left, so that its own work is not counted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.nanoseconds: Counter[Place] = Counter()
        self.hits: Counter[Place] = Counter()
        self.stack: list[Place | None] = [None]
        self.left = time.perf_counter_ns()

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:  # noqa: ARG002 - sys.settrace
        """Book the time since the last event; note where the program is now."""
        now = time.perf_counter_ns()
        code = frame.f_code
        if not code.co_filename.startswith(self.folder):
            return None  # books its time to the line of ours that called it
        if place := self.stack[-1]:
            self.nanoseconds[place] += now - self.left
        here = (code.co_filename, code.co_qualname, frame.f_lineno)
        if event == "call":
            self.stack.append(here)
        elif event == "line":
            self.stack[-1] = here
            self.hits[here] += 1
        elif event == "return":
            self.stack.pop()
        self.left = time.perf_counter_ns()
        return self


def main() -> None:
    """Profile one workload."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiler", description=__doc__)
    parser.add_argument("workload", nargs="?", choices=WORKLOADS, default="article")
    add_shared_options(parser)
    options = parser.parse_args()
    os.environ.update(environment(options.threads))
    limit(options.threads)
    workload = WORKLOADS[options.workload]
    with mnist.data(options.examples) as (data_dir, description):
        print(f"{workload.summary()}; {description}; {options.threads} threads")
        profile(workload, data_dir)


def profile(workload: Workload, data_dir: Path) -> None:
    """Train for a turn untraced and for one traced, after a warm-up; print the tables."""
    import mlpcli
    from benchmarks.contenders.mlp import prepare
    from benchmarks.problem import load

    dataset = load(workload, str(data_dir))
    steps = workload.turn * workload.steps(len(dataset.train.labels))
    trainer = prepare(workload, dataset)
    trainer.run(1)
    start = time.perf_counter()
    trainer.run(workload.turn)
    untraced = 1e6 * (time.perf_counter() - start) / steps
    clock = LineClock(Path(mlpcli.__file__).parent)
    sys.settrace(clock)
    trainer.run(workload.turn)
    sys.settrace(None)

    spent = {place: ns / 1000 / steps for place, ns in clock.nanoseconds.most_common()}
    total = sum(spent.values())
    print(f"{untraced:.1f} µs per step, {total:.1f} when traced; {steps} steps\n")
    functions: Counter[str] = Counter()
    for (file, function, _), microseconds in spent.items():
        functions[f"{Path(file).name} {function}"] += microseconds
    rows = [(f"{us:.1f}", f"{us / total:.0%}", name) for name, us in functions.most_common()]
    print(table("by function", ("µs", "share", "function"), rows))
    rows = []
    for place, us in spent.items():
        file, _, line = place
        source = linecache.getline(file, line).strip()
        times = f"{clock.hits[place] / steps:.2f}"
        where = f"{Path(file).name}:{line}"
        rows.append((f"{us:.1f}", f"{us / total:.0%}", times, where, source))
    heads = ("µs", "share", "times", "line", "source")
    print(table("by line, most expensive first", heads, rows[:SHOWN_LINES]))


if __name__ == "__main__":
    main()
