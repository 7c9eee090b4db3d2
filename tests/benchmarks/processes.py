"""Whole processes: what a command costs from the shell, beside scripts with other libraries."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.mnist import write_one_image
from benchmarks.threads import environment

SCRIPTS = Path(__file__).parent / "scripts"
SPAWN = Path(__file__).with_name("spawn.py")
EPOCHS = 10
EXPERIMENT = f"""\
data: mnist
structure: [784, 32, 10]
eta: 0.3
bt_size: 256
epochs: {EPOCHS}
"""


def commands(folder: Path, data_dir: Path) -> dict[str, dict[str, list[str]]]:
    """Return what to run: by task, then by contender. Training comes first and leaves the files."""
    config, weights, image = folder / "mnist.yaml", folder / "mnist.npy", folder / "digit-idx3"
    config.write_text(EXPERIMENT, encoding="utf-8")
    write_one_image(data_dir, image)
    mlp = [Path(sys.executable).with_name("mlp")]
    from_data = ["--data-dir", data_dir]
    ours = {
        "train": ["train", config, *from_data, "-q", "--overwrite", "-o", weights],
        "evaluate": ["evaluate", "--weights", weights, *from_data],
        "predict": ["predict", "--weights", weights, image],
    }
    titles = {
        "train": f"train for {EPOCHS} epochs",
        "evaluate": "evaluate on the test images",
        "predict": "predict one image",
    }
    found = {}
    for task, title in titles.items():
        found[title] = {"mlp": [*mlp, *ours[task]]}
        for library in ("pytorch", "scikit_learn"):
            files = [folder / f"{library}.weights", image if task == "predict" else data_dir]
            found[title][library] = [sys.executable, SCRIPTS / f"{library}.py", task, *files]
    found["help"] = {"mlp": [*mlp, "--help"]} | {
        f"import {module}": [sys.executable, "-c", f"import {module}"]
        for module in ("click", "torch", "sklearn.neural_network")
    }
    return {
        title: {name: [str(word) for word in command] for name, command in rows.items()}
        for title, rows in found.items()
    }


def measure(
    tasks: Mapping[str, Mapping[str, Sequence[str]]], folder: Path, threads: int, rounds: int
) -> dict[str, dict[str, Any]]:
    """Run all commands of a task in turn, after one run each that is not counted."""
    results: dict[str, dict[str, Any]] = {}
    for title, rows in tasks.items():
        results[title] = {}
        runs = {name: [] for name in rows}
        for turn in range(rounds + 1):
            for name, command in rows.items():
                outcome = run(command, folder, threads)
                if turn:
                    runs[name].append(outcome)
        for name, outcomes in runs.items():
            results[title][name] = _summary(outcomes)
        ours = results[title]["mlp"]
        for result in results[title].values():
            if "error" not in result and "error" not in ours:
                result["ratio"] = result["median"] / ours["median"]
    return results


def run(command: Sequence[str], folder: Path, threads: int) -> dict[str, Any]:
    """Return the seconds, peak memory and accuracy of a command, or its error."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", SPAWN, *command],
        check=True,
        capture_output=True,
        cwd=folder,
        env=environment(threads),
        encoding="utf-8",
    )
    code, seconds, peak = done.stdout.split()[-3:]
    if code != "0":
        return {"error": f"exit code {code}: {(done.stderr.splitlines() or ['?'])[-1]}"}
    accuracy = re.search(r"accuracy (\d\.\d+)", done.stdout)
    return {
        "seconds": float(seconds),
        "peak_bytes": int(peak),
        "accuracy": float(accuracy[1]) if accuracy else None,
    }


def _summary(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    for outcome in outcomes:
        if "error" in outcome:
            return dict(outcome)
    seconds = [outcome["seconds"] for outcome in outcomes]
    return {
        "seconds": seconds,
        "median": median(seconds),
        "peak_bytes": max(outcome["peak_bytes"] for outcome in outcomes),
        "accuracy": outcomes[-1]["accuracy"],
    }
