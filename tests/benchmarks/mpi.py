"""`python -m benchmarks.mpi`: what ranks cost and gain here, and, as a model, on many machines."""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

BIN = Path(sys.executable).parent
BATCHES = (32, 128, 512, 1024, 8192)
LENGTHS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
STRUCTURES = {"article": [784, 32, 10], "deep": [784, 256, 128, 10]}
MANY = [2**k for k in range(1, 11)]
CONFIG = """\
data: {{train: {folder}/x.npy, target: {folder}/y.npy, scale: unit}}
structure: {structure}
activation: relu
output: softmax
loss: cross_entropy
eta: 0.01
bt_size: {bt_size}
epochs: {epochs}
"""
# What every rank of the measured all-reduce runs: it prints microseconds, the fastest of several.
ALL_REDUCE = """\
import sys, time
import numpy as np
from mpi4py import MPI
from mlpcli.training.ranks import MpiRanks
ranks, comm = MpiRanks(MPI), MPI.COMM_WORLD
for length in map(int, sys.argv[1:]):
    ranks.gradient(np.zeros(length, np.float32))
    seconds = []
    for _ in range(20):
        comm.Barrier()
        begun = time.perf_counter()
        ranks.add_up(0.0)
        seconds.append(time.perf_counter() - begun)
    if not ranks.rank:
        print(length, 1e6 * min(seconds))
"""


class Link(NamedTuple):
    """What connects a rank to the next, in the model."""

    name: str
    latency: float
    """Seconds for a message, however short."""
    bandwidth: float
    """Bytes per second."""


LINKS = (Link("100 Gbit/s, 2 µs", 2e-6, 12.5e9), Link("10 Gbit/s, 25 µs", 25e-6, 1.25e9))


def ring_seconds(ranks: int, size: int, link: Link) -> float:
    """Return the time of a ring all-reduce of so many bytes (Patarasuk and Yuan, 2009).

    Each rank sends 2 (R - 1) messages, of 1/R of the vector each.
    """
    return 2 * (ranks - 1) * (link.latency + size / ranks / link.bandwidth)


def modelled_step(ranks: int, alone: float, size: int, link: Link) -> float:
    """Return the time of a step on so many ranks: its computation divided, and the ring.

    Args:
        ranks: R.
        alone: seconds of a step in one process.
        size: bytes of the gradient.
        link: between the ranks.
    """
    return alone / ranks + ring_seconds(ranks, size, link)


def parameters(structure: Sequence[int]) -> int:
    """Return the number of weights and biases."""
    return sum((a + 1) * b for a, b in pairwise(structure))


def measure_steps(folder: Path, examples: int, epochs: int) -> Iterator[dict[str, Any]]:
    """Yield milliseconds per step in one process and on 1 and 2 ranks, of the fastest epoch."""
    rng = np.random.default_rng(0)
    np.save(folder / "x.npy", rng.integers(0, 256, (examples, 784), np.uint8))
    np.save(folder / "y.npy", np.arange(examples) % 10)
    for name, structure in STRUCTURES.items():
        for bt_size in BATCHES:
            text = CONFIG.format(folder=folder, structure=structure, bt_size=bt_size, epochs=epochs)
            (folder / "c.yaml").write_text(text, encoding="utf-8")
            steps = -(-examples // bt_size)
            found = {
                label: min(_epochs(folder, launcher, options)) / steps * 1e3
                for label, launcher, options in (
                    ("one process", [], ["--engine", "numpy", "--threads", "1"]),
                    ("1 rank", [BIN / "mpiexec", "-n", "1"], ["--mpi"]),
                    ("2 ranks", [BIN / "mpiexec", "-n", "2"], ["--mpi"]),
                )
            }
            yield {"network": name, "bt_size": bt_size, **found}


def _epochs(folder: Path, launcher: Sequence[Any], options: Sequence[str]) -> list[float]:
    """Train, and return the seconds of every epoch."""
    files = ["-o", folder / "c.npy", "--history", folder / "h.csv"]
    words = [*launcher, BIN / "mlp", "train", folder / "c.yaml", "-q", "--overwrite", *files]
    command = [*map(str, words), *options]
    subprocess.run(command, check=True, capture_output=True)
    with open(folder / "h.csv", encoding="utf-8") as rows:
        return [float(row["seconds"]) for row in csv.DictReader(rows)]


def measure_all_reduce(lengths: Sequence[int]) -> dict[int, float]:
    """Return the microseconds of an all-reduce of 2 ranks by the length of its float32 vector."""
    words = [BIN / "mpiexec", "-n", "2", sys.executable, "-c", ALL_REDUCE, *lengths]
    run = subprocess.run([*map(str, words)], check=True, capture_output=True, encoding="utf-8")
    pairs = (line.split() for line in run.stdout.splitlines())
    return {int(length): float(micro) for length, micro in pairs}


def model(steps: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield how many times as fast as one process many ranks would be, by measured step."""
    for row in steps:
        alone, size = row["one process"] / 1e3, 4 * parameters(STRUCTURES[row["network"]])
        for link in LINKS:
            gains = {
                ranks: alone / modelled_step(ranks, alone, size, link)
                for ranks in MANY
                if ranks <= row["bt_size"]
            }
            yield {"network": row["network"], "bt_size": row["bt_size"], "link": link.name} | gains


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=16384, help="random images, 16384")
    parser.add_argument("--epochs", type=int, default=5, help="of which the fastest counts")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args(arguments)
    print("Measured here: milliseconds per step, one thread each")
    print(f"{'network':10}{'bt_size':>8}{'one process':>13}{'1 rank':>9}{'2 ranks':>9}{'gain':>7}")
    steps = []
    with tempfile.TemporaryDirectory() as folder:
        for row in measure_steps(Path(folder), options.examples, options.epochs):
            steps.append(row)
            one, single, two = row["one process"], row["1 rank"], row["2 ranks"]
            start = f"{row['network']:10}{row['bt_size']:8}"
            print(f"{start}{one:13.3f}{single:9.3f}{two:9.3f}{one / two:7.2f}", flush=True)
    print("\nMeasured here: microseconds of an all-reduce of 2 ranks, the fastest of 20")
    reduced = measure_all_reduce(LENGTHS)
    for length, micro in reduced.items():
        print(f"{length:12,} numbers{micro:12,.0f}")
    print(
        "\nA MODEL, nothing measured: times as fast as one process, with the measured step divided"
    )
    print("by the ranks, and a ring all-reduce over links of this bandwidth and latency")
    print(f"{'network':10}{'bt_size':>8}  {'link':18}" + "".join(f"{n:>7}" for n in MANY))
    gains = list(model(steps))
    for row in gains:
        shown = "".join(f"{row[n]:7.1f}" if n in row else f"{'-':>7}" for n in MANY)
        print(f"{row['network']:10}{row['bt_size']:8}  {row['link']:18}{shown}")
    if options.json:
        found = {"steps": steps, "all_reduce": reduced, "model": gains}
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
