"""Training speed: every contender in a process of its own, one turn after the other."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.threads import environment
from benchmarks.workloads import Workload

TESTS = Path(__file__).parents[1]
# Seconds before a turn: OpenBLAS's threads spin for 0.11 s when their work is done (measured; those
# of the others do not) and would take a processor from whoever is next.
REST = 0.25


class UnavailableError(Exception):
    """A contender that could not run, and why."""


class Worker:
    """A contender's process; see `worker.py` for what it answers.

    Args:
        contender: the module in `contenders` to run.
        workload: what to train.
        data_dir: as `mlp --data-dir`.
        threads: how many to use.
        examples: train on so many random images instead of the workload's data.
    """

    def __init__(
        self,
        contender: str,
        workload: Workload,
        data_dir: Path,
        threads: int,
        examples: int | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker"],
            cwd=TESTS,
            env=environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        spec = {
            "contender": contender,
            "workload": list(workload),
            "data_dir": str(data_dir),
            "threads": threads,
            "examples": examples,
        }
        print(json.dumps(spec), file=self.process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        """Wait for a line.

        Raises:
            UnavailableError: if the contender failed or its process ended.
        """
        line = self.process.stdout.readline()
        if not line:
            raise UnavailableError(f"its process ended with code {self.process.wait()}")
        values: dict[str, Any] = json.loads(line)
        if "error" in values:
            raise UnavailableError(values["error"])
        return values

    def turn(self, epochs: int) -> dict[str, Any]:
        """Train for some epochs; return seconds per epoch and the last epoch's error."""
        print(epochs, file=self.process.stdin, flush=True)
        return self.answer()

    def finish(self) -> dict[str, Any]:
        """End training; return accuracy and peak memory."""
        self.process.stdin.close()
        values = self.answer()
        self.process.wait()
        return values

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def compare(
    workload: Workload, contenders: Sequence[str], data_dir: Path, threads: int, rounds: int
) -> dict[str, dict[str, Any]]:
    """Train all contenders in turn (A B C A B C ...).

    Returns:
        Per contender either `error`, why it could not run, or what it is, what it reached and
        `seconds`, per epoch, of every round.
    """
    workers = {name: Worker(name, workload, data_dir, threads) for name in contenders}
    results: dict[str, dict[str, Any]] = {name: {} for name in contenders}
    try:
        _each(workers, results, lambda worker: worker.answer())
        for _ in range(rounds):
            _each(workers, results, lambda worker: worker.turn(workload.turn))
        _each(workers, results, lambda worker: worker.finish())
    finally:
        for worker in workers.values():
            worker.stop()
    _add_medians(results)
    return results


def _each(workers: dict[str, Worker], results: dict[str, dict[str, Any]], ask: Any) -> None:
    for name, worker in workers.items():
        if "error" in results[name]:
            continue
        time.sleep(REST)
        try:
            values = ask(worker)
        except UnavailableError as error:
            results[name] = {"error": str(error)}
            continue
        if "seconds" in values:
            results[name].setdefault("seconds", []).append(values.pop("seconds"))
        results[name] |= values


def _add_medians(results: dict[str, dict[str, Any]]) -> None:
    """Add the median of `seconds`, and of their ratios to mlp's in the same round."""
    ours = results.get("mlp", {}).get("seconds")
    for result in results.values():
        if "error" not in result:
            result["median"] = median(result["seconds"])
            if ours:
                pairs = zip(result["seconds"], ours, strict=True)
                result["ratio"] = median(theirs / mine for theirs, mine in pairs)
