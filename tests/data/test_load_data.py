"""The door to all data."""

import subprocess
import sys


def test_opening_data_imports_no_training():
    """Who opens data loads neither the training nor any part of the engine."""
    code = "import sys, mlpcli.data.load; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(run.stdout.split())
    assert {"mlpcli.data.load", "mlpcli.data.files", "mlpcli.config.schema"} <= loaded
    others = ("cli", "evaluation", "prediction", "checkpoint", "training", "model", "nn")
    assert [name for name in loaded if name.startswith("mlpcli.") and name.split(".")[1] in others
            ] == []  # fmt: skip
