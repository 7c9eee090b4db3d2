"""The processes of `--jobs`: they share the threads, and end with who started them."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("config")
WORDS = ("t.yaml", "--engine", "numpy")


def children(pid):
    """Return the processes that a process has started, but for those that track resources."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    lines = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in found}
    return [int(child) for child, line in lines.items() if b"spawn_main" in line]


def test_jobs_share_the_trials_and_a_dead_one_is_replaced(tune_process):
    """All trials come to an end, though one of two processes is killed by SIGKILL in mid-trial."""
    words = (*WORDS, "--trials", 5, "--jobs", 2, "--json", "--set", "epochs=100")
    with tune_process(*words) as process:
        assert process.stderr.readline().startswith("trial ")
        os.kill(children(process.pid)[0], signal.SIGKILL)
        found = json.loads(process.stdout.read())
    assert process.returncode == 0
    assert len(found["trials"]) == 5
    assert {trial["state"] for trial in found["trials"]} <= {"complete", "pruned"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_jobs_end_with_the_command(number, tune_process):
    """A signal to the command ends its processes, too, and no trial is lost."""
    words = (*WORDS, "--trials", 5, "--jobs", 2, "--set", "epochs=20000")
    with tune_process(*words) as process:
        while not started():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        jobs = children(process.pid)
        process.send_signal(number)
        process.communicate()
    assert process.returncode == -number
    assert len(jobs) == 2
    for _ in range(3000):
        if not any(Path(f"/proc/{job}").exists() for job in jobs):
            return
        time.sleep(0.01)
    raise AssertionError("they live on")


def started():
    """Return whether trials are being worked on."""
    journal = Path("t.journal")
    # Of two trials, a value is chosen.
    chosen = '"op_code":5'
    return journal.exists() and journal.read_text(encoding="utf-8").count(chosen) >= 4


def test_jobs_that_cannot_work_are_an_error(run_mlp, monkeypatch):
    """Where processes end again and again before a trial does, the search gives up."""
    monkeypatch.setattr("mlpcli.tuning.workers._work", os._exit)
    monkeypatch.setattr("mlpcli.tuning.workers.MOST_DEATHS", 0)
    ran = run_mlp("tune", *WORDS, "--trials", 2, "--jobs", 2)
    assert ran.returncode == 1
    assert ran.stderr.startswith("mlp: error: --jobs: processes end before their trials do")
