"""Seconds from the start of a process until its network is right on 98 and 99 % of MNIST's tests.

Start-up, reading, and an evaluation after each epoch are included.
"""

import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.mnist import TEST_IMAGES, TRAIN_IMAGES
from benchmarks.processes import SCRIPTS
from benchmarks.threads import environment

TARGETS = (0.98, 0.99)
# Of thirty in the recipe; eta falls to 0 over as many.
EPOCHS = 10
RECIPE = Path(__file__).parents[2] / "configs" / "mnist-best.yaml"


def commands(folder: Path, data_dir: Path) -> dict[str, list[str]]:
    """Return what to run, by contender."""
    mnist = data_dir / "mnist"
    data = f"data: {{train: {mnist / TRAIN_IMAGES}, test: {mnist / TEST_IMAGES}}}"
    recipe = RECIPE.read_text(encoding="utf-8").replace("data: mnist", data)
    config = folder / "best.yaml"
    config.write_text(f"{recipe}validation: {mnist / TEST_IMAGES}\n", encoding="utf-8")
    mlp = [str(Path(sys.executable).with_name("mlp")), "train", str(config), "--overwrite"]
    mlp += ["--set", f"epochs={EPOCHS}", "-o", str(folder / "best.npy"), "--engine"]
    script = str(SCRIPTS / "pytorch_best.py")
    return {
        "mlp": [*mlp, "numpy"],
        "mlp_numba": [*mlp, "numba"],
        "pytorch": [sys.executable, script, str(EPOCHS), str(data_dir)],
    }


def measure(commands: Mapping[str, Sequence[str]], threads: int) -> dict[str, dict[str, Any]]:
    """Return by contender the `seconds` to each of the targets, None where it is not reached."""
    return {name: _run(command, threads) for name, command in commands.items()}


def _run(command: Sequence[str], threads: int) -> dict[str, Any]:
    started = time.perf_counter()
    seconds: dict[float, float] = {}
    last, best = "", 0.0
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(threads),
        encoding="utf-8",
    ) as process:
        for line in process.stdout:
            last = line.strip()
            if found := re.search(r"accuracy (\d\.\d+)", line):
                best = max(best, float(found[1]))
                for target in TARGETS:
                    if best >= target:
                        seconds.setdefault(target, time.perf_counter() - started)
            if len(seconds) == len(TARGETS):
                process.kill()
    if not best:
        return {"error": last or "it printed nothing"}
    return {"seconds": [seconds.get(target) for target in TARGETS], "best": best}
