"""The README's CI script: it trains, gates against a baseline and keeps the better model."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CONFIGS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
(SCRIPT,) = (
    block for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "if [" in block
)


@pytest.fixture
def script():
    """Return a function that runs the script beside a copy of configs/, as a new clone has it."""
    shutil.copytree(CONFIGS, "configs")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(epochs):
        config = Path("configs/parity.yaml")
        text = re.sub("epochs: .*", f"epochs: {epochs}", config.read_text(encoding="utf-8"))
        config.write_text(text, encoding="utf-8")
        return subprocess.run(
            ["sh", "-c", SCRIPT],
            check=False,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PATH": path},
        )

    return run


def test_the_better_model_is_kept(script):
    """The first model becomes the baseline, an equal one replaces it, a worse one does not."""
    assert script(epochs=11).returncode == 0
    assert json.loads(Path("best.json").read_text())["accuracy"] == 1.0
    first = Path("best.npy").read_bytes()
    assert script(epochs=10).returncode == 0
    better = Path("best.npy").read_bytes()
    assert better != first
    worse = script(epochs=3)
    assert worse.returncode == 4
    assert re.search(
        r"misses 1 of 1 gates: accuracy>=1 \(1 in best\.json\) missed by 0\.\d+", worse.stderr
    )
    assert Path("best.npy").read_bytes() == better


def test_a_model_below_the_bar_is_refused(script):
    """Without a baseline, too, a bad model is not kept."""
    run = script(epochs=1)
    assert run.returncode == 4
    assert "misses 1 of 1 gates: accuracy>=0.9 missed by" in run.stderr
    assert not Path("best.npy").exists()
