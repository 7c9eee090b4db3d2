"""A study in a PostgreSQL database, which any number of machines share."""

import json
import subprocess
import time
import warnings

import pytest
from ordeals import MLP

from mlpcli.tuning import storage
from mlpcli.tuning.storage import open_storage

pytestmark = pytest.mark.usefixtures("config")
WORDS = ("tune", "t.yaml", "-q", "--json", "--engine", "numpy", "--threads", "1")


def test_three_workers_share_a_database(postgres):
    """Each runs the same command and ends with the same best of all trials, none done twice."""
    processes = [
        subprocess.Popen(
            [MLP, *WORDS, "--trials", "9", "--storage", postgres, "-o", f"{i}.yaml"],
            stdout=-1,
            stderr=-1,
            text=True,
        )
        for i in range(3)
    ]
    found = []
    for process in processes:
        stdout, stderr = process.communicate()
        assert (process.returncode, stderr) == (0, "")
        found.append(json.loads(stdout))
    assert len(found[0]["trials"]) == 9
    assert found[0]["trials"] == found[1]["trials"] == found[2]["trials"]
    assert found[0]["best"] == found[1]["best"] == found[2]["best"]
    assert "secret" not in found[0]["storage"]


@pytest.mark.usefixtures("alone")
def test_a_trial_without_a_heartbeat_is_begun_again(postgres, run_mlp, monkeypatch):
    """What a machine left when it went down is done by another one."""
    monkeypatch.setattr(storage, "BEAT_SECONDS", 1)
    monkeypatch.setattr(storage, "GRACE_SECONDS", 1)
    words = (*WORDS, "--storage", postgres, "--study", "left")
    assert run_mlp(*words, "--trials", 1).returncode == 0
    with warnings.catch_warnings(), open_storage(postgres) as (kept, _):
        warnings.simplefilter("ignore")
        import optuna

        lost = optuna.load_study(study_name="left", storage=kept).ask()
        lost.suggest_float("eta", 0.01, 1, log=True)
        kept.record_heartbeat(lost._trial_id)
    time.sleep(2.1)
    ran = run_mlp(*words, "--trials", 3)
    assert ran.returncode == 0, ran.stderr
    assert [trial["number"] for trial in json.loads(ran.stdout)["trials"]] == [0, 2, 3]


def test_a_database_that_cannot_be_reached_is_an_error_without_its_password(run_mlp, monkeypatch):
    """One line says what is wrong, after some attempts."""
    monkeypatch.setattr(storage, "ATTEMPT_SECONDS", 0)
    ran = run_mlp(*WORDS, "--storage", "postgresql://me:secret@127.0.0.1:1/db")
    assert ran.returncode == 1
    assert ran.stderr.startswith(
        "mlp: error: postgresql://me:***@127.0.0.1:1/db: cannot be used: connection failed"
    )
    assert ran.stderr.count("\n") == 1


def test_other_databases_are_refused(run_mlp):
    """The error says what would do."""
    ran = run_mlp(*WORDS, "--storage", "mysql://me@host/db")
    assert ran.returncode == 2
    assert "mysql is not supported; write postgresql://" in ran.stderr
