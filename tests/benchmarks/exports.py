"""Exports: what one row costs, and how many rows a second, beside `mlp predict`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import processes
from benchmarks.mnist import write_one_image
from benchmarks.threads import environment

EXPERIMENT = processes.EXPERIMENT.replace(f"epochs: {processes.EPOCHS}", "epochs: 1")
ROWS = 10_000
# Answers one row again and again, and prints the seconds of each.
PROGRAM = """\
#include <stdio.h>
#include <time.h>
#include "network.h"

int main(void)
{
    static double row[network_columns];
    double outputs[network_outputs], seconds;
    int i, n = 20000, total = 0;
    clock_t start;
    for (i = 0; i < network_columns; i++)
        row[i] = i % 5 ? 0.0 : i % 256;
    start = clock();
    for (i = 0; i < n; i++) {
        row[0] = i % 256;
        total += network_predict(row, outputs);
    }
    seconds = (double)(clock() - start) / CLOCKS_PER_SEC / n;
    printf("{\\"latency\\": %.9f, \\"rate\\": %.9f}\\n", seconds, 1.0 / seconds);
    return total < 0;
}
"""
SCRIPT = Path(__file__).parent / "scripts" / "exports.py"
MLP = Path(sys.executable).with_name("mlp")


def measure(folder: Path, data_dir: Path, threads: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Train and export the article's network; run every form in turn, the fastest round counts."""
    (folder / "network.yaml").write_text(EXPERIMENT, encoding="utf-8")
    train = ["train", "network.yaml", "-q", "--overwrite", "--data-dir", data_dir]
    _run(folder, threads, MLP, *train, "-o", "network.npy")
    for suffix in ("h", "onnx"):
        out = f"network.{suffix}"
        _run(folder, threads, MLP, "export", "network.npy", "--overwrite", "-o", out)
    write_one_image(data_dir, folder / "one-idx3")
    pixels = np.random.default_rng(0).integers(0, 256, (ROWS, 784), np.uint8)
    np.save(folder / "many.npy", pixels * (pixels > 200))
    commands = {
        "mlpcli.load": [sys.executable, SCRIPT, "mlp"],
        "onnxruntime": [sys.executable, SCRIPT, "onnx"],
    }
    if cc := shutil.which("cc"):
        (folder / "main.c").write_text(PROGRAM, encoding="utf-8")
        _run(folder, threads, cc, "-std=c99", "-O3", "main.c", "-o", "network")
        commands["C"] = [folder / "network"]
    results: dict[str, dict[str, Any]] = {}
    for _ in range(rounds):
        found = {"mlp predict": _process(folder, threads)}
        for name, command in commands.items():
            found[name] = json.loads(_run(folder, threads, *command))
        for name, figures in found.items():
            best = results.setdefault(name, figures)
            best["latency"] = min(best["latency"], figures["latency"])
            best["rate"] = max(best["rate"], figures["rate"])
    return results


def _process(folder: Path, threads: int) -> dict[str, float]:
    """Time `mlp predict` as a command: with one row, and with many."""
    command = [str(MLP), "predict", "--weights", "network.npy"]
    one, many = (
        processes.run([*command, name], folder, threads)["seconds"]
        for name in ("one-idx3", "many.npy")
    )
    return {"latency": one, "rate": ROWS / many}


def _run(folder: Path, threads: int, *command: object) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=folder, env=environment(threads), check=True, capture_output=True
    )
    return done.stdout.decode()
