"""Reading: seconds and peak memory for a numeric table, beside pandas. Each turn is a process."""

import random
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

# Kaggle's digits: a label and 784 pixels a line, four fifths of them blank.
ROWS, PIXELS, INKED = 42_000, 784, 0.2
READERS = {
    "mlp": "from mlpcli.config.data_files import Files\n"
    "from mlpcli.data.files import read_training, training_source\n"
    "from pathlib import Path\n"
    "files = lambda path: Files(train=path, target=0)\n"
    "read = lambda path: read_training(files(path), training_source(files(path), [Path()]))",
    "pandas": "import pandas\nread = pandas.read_csv",
}
TIMED = """
import resource, sys, time
start = time.perf_counter()
read(sys.argv[1])
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measure(folder: Path, rounds: int, rows: int = ROWS) -> dict[str, dict[str, Any]]:
    """Read a table with each reader in turn; imports are not counted."""
    path = folder / "digits.csv"
    _write(path, rows)
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in READERS}
    results: dict[str, dict[str, Any]] = {}
    for _ in range(rounds + 1):
        for name, code in READERS.items():
            command = [sys.executable, "-c", code + TIMED, str(path)]
            run = subprocess.run(command, check=False, capture_output=True, text=True)
            if run.returncode:
                results[name] = {"error": run.stderr.strip().splitlines()[-1]}
            else:
                seconds, peak = map(float, run.stdout.split())
                turns[name].append((seconds, peak / 1024))
    for name, of_one in turns.items():
        if name not in results:
            # The first turn warms the file's pages.
            seconds, peaks = zip(*of_one[1:], strict=True)
            results[name] = {"seconds": median(seconds), "peak_mb": median(peaks)}
    return results


def _write(path: Path, rows: int) -> None:
    rng = random.Random(0)
    lines = [
        ",".join(str(rng.randint(1, 255)) if rng.random() < INKED else "0" for _ in range(PIXELS))
        for _ in range(100)
    ]
    with path.open("w", encoding="utf-8") as stream:
        stream.write(",".join(["label", *(f"pixel{i}" for i in range(PIXELS))]) + "\n")
        stream.writelines(f"{i % 10},{lines[i % 100]}\n" for i in range(rows))
