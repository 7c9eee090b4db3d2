"""Reading: seconds and peak memory for tables, beside pandas. Each turn is a process."""

import random
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

# Kaggle's digits: a label and 784 pixels a line, four fifths of them blank.
ROWS, PIXELS, INKED = 42_000, 784, 0.2
DECIMAL_ROWS, COLUMNS = 100_000, 50
MIXED_ROWS, CATEGORIES = 300_000, (2, 3, 5, 12, 300)
MLP = (
    "from mlpcli.config.data_files import Files\n"
    "from mlpcli.data.files import read_training, training_source\n"
    "from pathlib import Path\n"
    "files = lambda path: Files(train=path, target=0, **keys)\n"
    "read = lambda path: read_training(files(path), training_source(files(path), [Path()]))\n"
)
# As `mlp train` has loaded it where numba computes.
COMPILED = (
    "from mlpcli.data.readers.csv_compiled import parse_decimals\n"
    "parse_decimals(b'1,2\\n', ',', '.', 2)\n"
)
READERS = {
    "mlp": MLP,
    "mlp with numba": MLP + COMPILED,
    "pandas": "import pandas\nread = lambda path: pandas.read_csv(path, **keys)",
}
TIMED = """
import resource, sys, time
start = time.perf_counter()
read(sys.argv[1])
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


class WrittenTable(NamedTuple):
    """A table to read."""

    name: str
    rows: int
    write: Callable[[Path, int], None]
    keys: dict[str, str]
    """How it is written; both readers call that the same."""


def measure(folder: Path, rounds: int, rows: int | None = None) -> dict[str, dict[str, Any]]:
    """Read each table, or one of so many rows, with each reader in turn; imports do not count."""
    return {
        table.name: _measure(folder / "table.csv", rounds, table._replace(rows=rows or table.rows))
        for table in TABLES
    }


def _measure(path: Path, rounds: int, table: WrittenTable) -> dict[str, dict[str, Any]]:
    table.write(path, table.rows)
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in READERS}
    results: dict[str, dict[str, Any]] = {}
    for _ in range(rounds + 1):
        for name, code in READERS.items():
            script = f"keys = {table.keys}\n{code}{TIMED}"
            command = [sys.executable, "-c", script, str(path)]
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


def _write_digits(path: Path, rows: int) -> None:
    rng = random.Random(0)
    lines = [
        ",".join(str(rng.randint(1, 255)) if rng.random() < INKED else "0" for _ in range(PIXELS))
        for _ in range(100)
    ]
    with path.open("w", encoding="utf-8") as stream:
        stream.write(",".join(["label", *(f"pixel{i}" for i in range(PIXELS))]) + "\n")
        stream.writelines(f"{i % 10},{lines[i % 100]}\n" for i in range(rows))


def _write_decimals(path: Path, rows: int, form: str = "{!r}", marks: str = ",.") -> None:
    """Write a label and normal numbers; `marks` are what is between cells and before decimals."""
    rng = random.Random(0)
    between, point = marks
    with path.open("w", encoding="utf-8") as stream:
        stream.write(between.join(["label", *(f"x{i}" for i in range(COLUMNS))]) + "\n")
        for i in range(rows):
            cells = between.join(form.format(rng.gauss(0, 1)) for _ in range(COLUMNS))
            stream.write(f"{i % 2}{between}{cells.replace('.', point)}\n")


def _write_mixed(path: Path, rows: int) -> None:
    """Write a class, numbers of four kinds, and words of a few and of many kinds."""
    rng = random.Random(0)
    words = [[f"{'kind of thing'[:n]} {i}" for i in range(n)] for n in CATEGORIES]
    with path.open("w", encoding="utf-8") as stream:
        names = ["class", "price", "weight", "age", "code", *(f"word{n}" for n in CATEGORIES)]
        stream.write(",".join(names) + "\n")
        for i in range(rows):
            numbers = (
                f"{rng.uniform(1, 999):.2f},{rng.gauss(0, 1):.4f},{rng.randint(0, 90)},{i % 997}"
            )
            stream.write(
                f"{'no' if i % 3 else 'yes'},{numbers},{','.join(map(rng.choice, words))}\n"
            )


TABLES = (
    WrittenTable("a label and 784 pixels", ROWS, _write_digits, {}),
    WrittenTable("50 decimals, all digits", DECIMAL_ROWS, _write_decimals, {}),
    WrittenTable(
        "50 decimals, four places", DECIMAL_ROWS, partial(_write_decimals, form="{:.4f}"), {}
    ),
    WrittenTable(
        "50 decimals, with commas",
        DECIMAL_ROWS,
        partial(_write_decimals, form="{:.4f}", marks=";,"),
        {"delimiter": ";", "decimal": ","},
    ),
    WrittenTable("4 numbers and 6 words", MIXED_ROWS, _write_mixed, {}),
)
