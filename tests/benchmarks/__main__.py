"""`python -m benchmarks`: measure, print tables, write JSON. See README.md for what they mean."""

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import (
    downloading,
    exports,
    growth,
    mnist,
    neighbour,
    processes,
    reading,
    report,
    tables,
    to_accuracy,
    turns,
)
from benchmarks.contenders import CONTENDERS
from benchmarks.threads import add_shared_options, available
from benchmarks.workloads import WORKLOADS

SECTIONS = (
    "speed", "neighbour", "accuracy", "processes", "exports", "growth", "tables", "reading",
    "download",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections asked for; return 1 if anything failed."""
    options = _parser().parse_args(arguments)
    start = time.perf_counter()
    with (
        mnist.data(options.examples) as (data_dir, description),
        tempfile.TemporaryDirectory() as folder,
    ):
        results: dict[str, Any] = {
            "machine": _machine(),
            "threads": options.threads,
            "data": description,
        }
        print(f"{results['machine']}\n{options.threads} threads; data: {description}\n")
        if "speed" in options.section:
            results["speed"] = _speed(options, data_dir)
        if "neighbour" in options.section:
            chosen = [c for c in options.contender if c != "floor"]
            rounds = max(options.rounds // 2, 1)
            results["neighbour"] = neighbour.measure(chosen, data_dir, rounds)
            print(report.neighbour(results["neighbour"]), flush=True)
        if "accuracy" in options.section and description == "MNIST":
            tasks = to_accuracy.commands(Path(folder), data_dir)
            chosen = {name: tasks[name] for name in options.contender if name in tasks}
            results["accuracy"] = to_accuracy.measure(chosen, options.threads)
            print(report.to_accuracy(results["accuracy"]), flush=True)
        if "processes" in options.section:
            tasks = processes.commands(Path(folder), data_dir)
            rounds = max(options.rounds // 2, 1)
            results["processes"] = processes.measure(tasks, Path(folder), options.threads, rounds)
            print(report.processes(results["processes"]), flush=True)
        if "exports" in options.section:
            rounds = max(options.rounds // 2, 1)
            found = exports.measure(Path(folder), data_dir, options.threads, rounds)
            results["exports"] = found
            print(report.exports(found), flush=True)
        if "growth" in options.section:
            chosen = [c for c in options.contender if c in ("floor", "mlp")]
            results["growth"] = growth.measure(
                chosen, options.threads, options.examples or mnist.EXAMPLES
            )
            print(report.growth(results["growth"]), flush=True)
        if "tables" in options.section:
            results["tables"] = tables.measure(Path(folder), options.threads, options.rounds)
            print(report.tables(results["tables"]), flush=True)
        if "reading" in options.section:
            results["reading"] = reading.measure(Path(folder), options.rounds, options.examples)
            print(report.reading(results["reading"]), flush=True)
        if "download" in options.section:
            with downloading.tasks(Path(folder)) as tasks:
                found = processes.measure(tasks, Path(folder), options.threads, options.rounds)
            results["download"] = found
            print(report.processes(found), flush=True)
    print(f"{time.perf_counter() - start:.0f} seconds")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(_failed(results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)

    def several(option: str, names: Sequence[str], what: str) -> None:
        parser.add_argument(
            option, nargs="+", choices=names, default=names, metavar="NAME",
            help=f"{what}, of {', '.join(names)} (default: all)",
        )  # fmt: skip

    several("--section", SECTIONS, "what to measure")
    several("--workload", tuple(WORKLOADS), "what to train")
    several("--contender", CONTENDERS, "who trains")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (default: 7)")
    add_shared_options(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    return parser


def _speed(options: argparse.Namespace, data_dir: Path) -> dict[str, Any]:
    results = {}
    described = False
    for name in options.workload:
        workload = WORKLOADS[name]
        of_all = turns.compare(
            workload, options.contender, data_dir, options.threads, options.rounds
        )
        if not described:
            print(_libraries(of_all))
            described = True
        print(report.speed(workload, of_all), flush=True)
        results[name] = {"workload": workload._asdict(), "contenders": of_all}
    return results


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    return f"{model}, {available()} processors; Python {platform.python_version()}, {sys.platform}"


def _failed(node: Any) -> bool:
    """Return whether anything in the results is an error."""
    if isinstance(node, list):
        return any(map(_failed, node))
    return isinstance(node, dict) and ("error" in node or any(map(_failed, node.values())))


def _libraries(results: dict[str, dict[str, Any]]) -> str:
    """Return who the contenders are, and which BLAS kernels they run on."""
    lines = []
    for name, result in results.items():
        if "error" not in result:
            versions = ", ".join(f"{lib} {v}" for lib, v in result["versions"].items())
            kernels = "".join(f"; {lib}" for lib in result["blas"] or ())
            lines.append(f"{report.shown(name)}: {versions}{kernels}\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
