"""Training speed: every contender in a process of its own, one turn after the other."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.threads import environment
from benchmarks.workloads import Workload

TESTS = Path(__file__).parents[1]
# Seconds before a turn: OpenBLAS's threads spin for 0.11 s when their work is done (measured; those
# of the others do not) and would take a processor from whoever is next.
REST = 0.25
# A round is quiet if other processes kept less than this many processors busy in any turn of it.
# One busy neighbour makes two waiting BLAS threads ten times slower, and JAX not twice.
QUIET = 0.2


class UnavailableError(Exception):
    """A contender that could not run, and why."""


class Worker:
    """A contender's process; see `worker.py` for what it answers.

    Args:
        contender: the module in `contenders` to run.
        workload: what to train.
        data_dir: as `mlp --data-dir`.
        threads: how many to use; None for its default.
        examples: train on so many random images instead of the workload's data.
    """

    def __init__(
        self,
        contender: str,
        workload: Workload,
        data_dir: Path,
        threads: int | None,
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
    workload: Workload,
    contenders: Sequence[str],
    data_dir: Path,
    threads: int | None,
    rounds: int,
) -> dict[str, dict[str, Any]]:
    """Train all contenders in turn (A B C A B C ...), up to twice as long if rounds are not quiet.

    Returns:
        Per contender either `error`, why it could not run, or what it is, what it reached, and of
        every round `seconds` per epoch and `others`, how many processors other processes kept busy
        meanwhile; see `_summarise` for the rest.
    """
    workers = {name: Worker(name, workload, data_dir, threads) for name in contenders}
    results: dict[str, dict[str, Any]] = {name: {} for name in contenders}
    try:
        _each(workers, results, lambda worker: worker.answer())
        for _ in range(2 * rounds):
            _each(workers, results, lambda worker: worker.turn(workload.turn))
            if len(_quiet_rounds(results)) == rounds:
                break
        _each(workers, results, lambda worker: worker.finish())
    finally:
        for worker in workers.values():
            worker.stop()
    _summarise(results)
    return results


def _each(
    workers: dict[str, Worker],
    results: dict[str, dict[str, Any]],
    ask: Callable[[Worker], dict[str, Any]],
) -> None:
    for name, worker in workers.items():
        if "error" in results[name]:
            continue
        time.sleep(REST)
        try:
            values = ask(worker)
        except UnavailableError as error:
            results[name] = {"error": str(error)}
            continue
        for every_round in ("seconds", "others"):
            if every_round in values:
                results[name].setdefault(every_round, []).append(values.pop(every_round))
        results[name] |= values


def _quiet_rounds(results: dict[str, dict[str, Any]]) -> list[int]:
    turns = [result["others"] for result in results.values() if "error" not in result]
    return [i for i, others in enumerate(zip(*turns, strict=True)) if max(others) < QUIET]


def _summarise(results: dict[str, dict[str, Any]]) -> None:
    """Add `rounds`, those that count: the quiet ones, or all if none is; and what they come to.

    These are `median`, `fastest`, `slowest`, `disturbed`, the largest of `others`; `ratio`, the
    median of the ratios to mlp's time in the same round; and `ratio_at_best`, that of the fastest.
    """
    quiet = _quiet_rounds(results)
    ours = results.get("mlp", {}).get("seconds")
    for result in results.values():
        if "error" not in result:
            rounds = quiet or list(range(len(result["seconds"])))
            seconds = [result["seconds"][i] for i in rounds]
            result |= {
                "rounds": rounds,
                "median": median(seconds),
                "fastest": min(seconds),
                "slowest": max(seconds),
                "disturbed": max(result["others"][i] for i in rounds),
            }
            if ours:
                result["ratio"] = median(result["seconds"][i] / ours[i] for i in rounds)
                result["ratio_at_best"] = min(seconds) / min(ours[i] for i in rounds)
