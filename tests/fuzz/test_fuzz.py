"""A fixed fortieth of `make fuzz`."""

import subprocess
import sys

import pytest
from conftest import ROOT

from fuzz.__main__ import COUNTS


@pytest.mark.parametrize("module", COUNTS)
def test_hostile_input(module, tmp_path):
    """No case of the fortieth ends in anything but what is documented."""
    run = subprocess.run(
        [sys.executable, "-m", "fuzz", "--module", module, "--seed=0", "--share=40",
         "--keep", tmp_path / "failed"],
        check=False, capture_output=True, encoding="utf-8", errors="replace", cwd=ROOT / "tests",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert "cases" in run.stdout


def test_a_failure_is_kept_and_replayed(tmp_path, monkeypatch, capsys):
    """A case that breaks a promise is counted, written to a file, and fails again from there."""
    from fuzz import __main__ as fuzz
    from fuzz import yaml_files

    monkeypatch.setattr(fuzz, "supervise", lambda *_: ({"failed": 1}, {3: "why"}))
    words = ["fuzz", "--module", "yaml_files", "--name", "file", "--seed", "1", "--keep", "kept"]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.chdir(tmp_path)
    assert fuzz.main() == 1
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.read_bytes() == fuzz.case_of(yaml_files, "file", 1, 3)
    monkeypatch.setattr(yaml_files, "check", lambda *_: 1 / 0)
    # What bounds a case's process would end the tests' own later.
    monkeypatch.setattr(fuzz.signal, "alarm", lambda _: None)
    monkeypatch.setattr(fuzz.resource, "setrlimit", lambda *_: None)
    assert fuzz.attempt(yaml_files, "file", kept.read_bytes()).startswith(
        "FAILED ZeroDivisionError: division by zero"
    )
    assert f"{kept.relative_to(tmp_path)}: why" in capsys.readouterr().out
