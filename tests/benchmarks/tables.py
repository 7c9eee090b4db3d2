"""Wide tables and many classes: whole commands, whose time should grow no faster than either."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import processes

COLUMNS = (500, 5_000, 50_000)
CLASSES = (20, 200, 2_000)
ROWS = 50
ROWS_PER_CLASS = 4
KEYS = "data: {train: t.csv, target: kind, test: 0.25}\neta: 0.1\nbt_size: 32\nepochs: 1\n"


def measure(folder: Path, threads: int, rounds: int) -> list[dict[str, Any]]:
    """Run each command on tables of growing size; the fastest of the rounds counts."""
    results = []
    for count, title, command in _cases(folder):
        outcomes = [processes.run(command, folder, threads) for _ in range(rounds)]
        failed = [outcome for outcome in outcomes if "error" in outcome]
        fastest = min(outcomes, key=lambda outcome: outcome.get("seconds", 0))
        results.append({"command": title, "count": count} | (failed or [fastest])[0])
    return results


def _cases(folder: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Yield a size, what it is of, and a command, when the files that it reads are there."""
    mlp = str(Path(sys.executable).with_name("mlp"))
    train = [mlp, "train", "c.yaml", "-q", "--overwrite", "-o", "w.npy"]
    for columns in COLUMNS:
        _write_table(folder, columns, ROWS, 2)
        yield columns, "columns: init", [mlp, "init", "t.csv", "-o", "-"]
        yield columns, "columns: train", train
    for classes in CLASSES:
        _write_table(folder, 4, ROWS_PER_CLASS * classes, classes)
        yield classes, "classes: train", train
        yield classes, "classes: evaluate", [mlp, "evaluate", "--weights", "w.npy"]


def _write_table(folder: Path, columns: int, rows: int, classes: int) -> None:
    """Write a table of small whole numbers, and a configuration that trains on it."""
    with (folder / "t.csv").open("w", encoding="utf-8") as stream:
        stream.write(",".join([*(f"x{i}" for i in range(columns)), "kind"]) + "\n")
        for row in range(rows):
            cells = ",".join(str((row * 7 + i * 3) % 10) for i in range(columns))
            stream.write(f"{cells},k{row % classes}\n")
    keys = f"{KEYS}structure: [{columns}, 8, {classes}]\n"
    (folder / "c.yaml").write_text(keys, encoding="utf-8")
