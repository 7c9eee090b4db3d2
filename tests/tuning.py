"""Measure `mlp tune` against what `mlp init` writes, on tables that scikit-learn bundles.

Usage: python tests/tuning.py [--only NAME ...] [--splits 5] [--trials 40], or with more, `make
acceptance`. Prints the gain of each table and exits with 1 if tuning is clearly worse than no
tuning, by more than two standard errors over splits. It is to be a point better on one table, and
worse on none, which is not so: see README.md.

Every split sets a fifth of every class aside for the test, which both see once, at their end.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn import datasets

MLP = Path(sys.executable).with_name("mlp")
TABLES = ("wine", "breast_cancer", "digits")
# So many standard errors are no chance.
CLEAR = 2


def run(folder: Path, *words: object) -> dict:
    """Run `mlp` and return the JSON that it printed."""
    ran = subprocess.run([MLP, *map(str, words)], check=True, stdout=subprocess.PIPE, cwd=folder)
    return json.loads(ran.stdout)


def accuracies(name: str, seed: int, trials: int) -> tuple[float, float]:
    """Return the test accuracy of what `mlp init` writes, and of what `mlp tune` makes of it."""
    table = getattr(datasets, f"load_{name}")()
    names = [*map(str, table.feature_names), "class"]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        rows = np.column_stack([table.data, table.target])
        header = ",".join(names)
        np.savetxt(folder / "t.csv", rows, "%.9g", ",", header=header, comments="")
        subprocess.run([MLP, "init", "t.csv"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        shared = ("t.yaml", "--set", f"seed={seed}", "--threads", 1, "--quiet", "--json")
        given = run(folder, "train", *shared)["test"]["accuracy"]
        tuned = run(folder, "tune", *shared, "--trials", trials)
        best, found = tuned["best"], tuned["test"]["accuracy"]
        pruned = sum(trial["state"] == "pruned" for trial in tuned["trials"])
        accuracies = f"{name} split {seed}: {given:.4f} {found:.4f}"
        print(accuracies, f"{pruned} pruned; {best['number']}: {best['chosen']}", flush=True)
    return given, found


def main() -> None:
    """Measure every table and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--trials", type=int, default=40)
    asked = parser.parse_args()
    clearly_worse = False
    for name in asked.only:
        begun = time.perf_counter()
        pairs = [accuracies(name, seed, asked.trials) for seed in range(asked.splits)]
        given, tuned = np.mean(pairs, axis=0)
        gains = np.diff(pairs)
        error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.inf
        clearly_worse |= bool(gains.mean() < -CLEAR * error)
        seconds = time.perf_counter() - begun
        print(f"{name}: mlp init {given:.4f}, mlp tune {tuned:.4f},", end=" ")
        print(f"gain {gains.mean():+.4f} ± {error:.4f} in {seconds:.0f} s", flush=True)
    sys.exit(clearly_worse)


if __name__ == "__main__":
    main()
