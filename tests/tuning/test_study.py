"""A study that processes share, in a journal: it goes on, whatever becomes of them."""

import errno
import json
import os
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import optuna
import pytest
from ordeals import MLP
from sqlalchemy.exc import OperationalError

from mlpcli.errors import DataError
from mlpcli.tuning import storage
from mlpcli.tuning.space import Dimension
from mlpcli.tuning.storage import RETRIES, without_password
from mlpcli.tuning.study import SharedStudy

pytestmark = pytest.mark.usefixtures("config", "alone")
QUIET = ("--engine", "numpy", "--threads", 1)


def tune(run_mlp, *words):
    """Run a search; return what it printed as JSON."""
    ran = run_mlp("tune", "t.yaml", "-q", "--json", *QUIET, *words)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def chosen(found):
    """Return what the trials of a search had chosen and come to."""
    return [(trial["chosen"], trial["values"]) for trial in found["trials"]]


def test_a_search_goes_on_where_it_stood(run_mlp):
    """Trials that are there are kept, and those that follow are those of one search."""
    tune(run_mlp, "--trials", 3)
    more = tune(run_mlp, "--trials", 8)
    whole = tune(run_mlp, "--trials", 8, "--storage", "other.journal", "-o", "other.yaml")
    assert chosen(more) == chosen(whole)
    assert more["best"] == whole["best"]


def test_a_trial_that_sigkill_ended_is_begun_again(config, run_mlp, doomed_mlp):
    """The next process has the same trials as one that was not interrupted."""
    process = doomed_mlp("tune", config, "--trials", 4, *QUIET)
    Path("die").touch()
    assert process.wait(60) == -signal.SIGKILL
    found = tune(run_mlp, "--trials", 4)
    whole = tune(run_mlp, "--trials", 4, "--storage", "other.journal", "-o", "other.yaml")
    assert chosen(found) == chosen(whole)
    assert {trial["number"] for trial in found["trials"]} == {1, 2, 3, 4}


def test_two_processes_share_a_journal_and_one_is_killed(config, doomed_mlp, tune_process):
    """The one that is left does what the other began, and ends with all trials."""
    doomed = doomed_mlp("tune", config, "--trials", 6, *QUIET)
    with tune_process(config, "--trials", 6, "--json", *QUIET) as other:
        # The first is being worked on.
        lines = [other.stderr.readline().split()[1] for _ in range(5)]
        assert lines == ["1", "2", "3", "4", "5"]
        Path("die").touch()
        assert doomed.wait(60) == -signal.SIGKILL
        assert other.stderr.readline().split()[1] == "6"
        found = json.loads(other.stdout.read())
    assert other.returncode == 0
    assert [trial["number"] for trial in found["trials"]] == [1, 2, 3, 4, 5, 6]
    # Begun again with what it had: the configuration as it is.
    assert found["trials"][-1]["chosen"] == {"eta": 0.1, "hidden": 4}


def test_a_trial_that_kills_its_process_is_given_up(config, run_mlp, doomed_mlp):
    """After some attempts it has failed, and the search ends."""
    Path("die").touch()
    for _ in range(RETRIES + 1):
        process = doomed_mlp("tune", config, "--trials", 3, *QUIET)
        assert process.wait(60) == -signal.SIGKILL
    first = tune(run_mlp, "--trials", 3)["trials"][0]
    assert (first["state"], first["reason"]) == ("failed", "its process died")


def test_a_line_that_was_not_finished_is_forgotten(run_mlp):
    """What a crash left of the journal's last line does not spoil the rest."""
    before = tune(run_mlp, "--trials", 2)
    with Path("t.journal").open("a", encoding="utf-8") as journal:
        journal.write('{"op_code": 4, "tri')
    assert chosen(tune(run_mlp, "--trials", 2)) == chosen(before)


@pytest.mark.parametrize(
    ("line", "where"),
    [("hel{", "t.journal:4"), ("\0\xff", "t.journal:4"), ("[1]", "t.journal"), ("{}", "t.journal")],
)
def test_a_damaged_journal_is_an_error(config, run_mlp, line, where):
    """One line says where the damage is, and the file is left as it is."""
    tune(run_mlp, "--trials", 1)
    lines = Path("t.journal").read_text(encoding="utf-8").splitlines()
    damaged = "\n".join([*lines[:3], line, *lines[4:], ""])
    Path("t.journal").write_text(damaged, encoding="latin-1")
    ran = run_mlp("tune", config, *QUIET)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"mlp: error: {where}: is damaged; restore it from a copy")
    assert ran.stderr.count("\n") == 1
    assert Path("t.journal").read_text(encoding="latin-1") == damaged


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_loses_no_trial(config, run_mlp, jobs):
    """One line says so, and once there is room the rest is that of one search."""
    words = [MLP, "tune", config, "--trials", 4, "--jobs", jobs, *QUIET]
    limited = ["sh", "-c", 'ulimit -f 8; exec "$0" "$@"', *map(str, words)]
    ran = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    said = "mlp: error: t.journal: cannot be written: file too large; choose another place with"
    assert ran.stderr.splitlines()[-1].startswith(said)
    assert "Traceback" not in ran.stderr
    found = tune(run_mlp, "--trials", 4)
    whole = tune(run_mlp, "--trials", 4, "--storage", "other.journal", "-o", "other.yaml")
    of_any_order = [sorted(map(str, chosen(each))) for each in (found, whole)]
    assert of_any_order[0] == of_any_order[1]


def test_a_trial_that_ended_for_no_reason_of_its_own_is_begun_again(run_mlp, monkeypatch, config):
    """Where the disk was full only for a moment, its trial has not failed for good."""
    append = storage._append

    def fail_once(path, content):
        if b'"intermediate_value"' in content:
            monkeypatch.setattr(storage, "_append", append)
            raise OSError(errno.ENOSPC, "no space left on device")
        append(path, content)

    monkeypatch.setattr(storage, "_append", fail_once)
    assert run_mlp("tune", config, "--trials", 2, *QUIET).returncode == 1
    found = tune(run_mlp, "--trials", 2)
    assert [(each["number"], each["state"]) for each in found["trials"]] == [
        (1, "complete"),
        (2, "complete"),
    ]


def test_what_cannot_be_written_whole_is_not_written(monkeypatch):
    """Part of a line would spoil the next one, which another process may write."""

    def fail(_):
        raise OSError(errno.ENOSPC, "no space left on device")

    Path("j").write_bytes(b"whole\n")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        storage._append(Path("j"), b"part")
    assert Path("j").read_bytes() == b"whole\n"


def test_what_optuna_makes_of_a_lost_connection_is_told(monkeypatch):
    """The error is that of the database, without its password, and not the one that followed."""
    monkeypatch.setattr(storage, "_database", lambda _: Mock())
    with (
        pytest.raises(DataError, match=r"^p://me:\*\*\*@h/db: cannot be used: gone; check it$"),
        storage.open_storage("p://me:secret@h/db"),
    ):
        try:
            raise OperationalError("", {}, Exception("gone\nDetails"))
        except OperationalError:
            raise UnboundLocalError from None


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        (("--set", "epochs=5"), "configuration"),
        (("--space", "eta=1..2"), "space"),
        (("--metric", "accuracy"), "metric"),
        (("--seeds", "2"), "number of seeds"),
        (("--folds", "3"), "parts that judge"),
        (("--sampler", "random"), "sampler"),
    ],
)
def test_another_search_does_not_go_on_with_a_study(config, run_mlp, changed, differs):
    """Trials that cannot be compared are refused by what differs, and another name helps."""
    tune(run_mlp, "--trials", 1)
    ran = run_mlp("tune", config, "-q", *QUIET, *changed)
    assert ran.returncode == 2
    assert f"t.journal: holds the study t with another {differs};" in ran.stderr
    tune(run_mlp, "--trials", 1, "--study", "u", *changed)


@pytest.mark.parametrize("content", ["hello\n", "{}\n", '{"op_code": 99}\n', "[1]\n"])
def test_what_is_no_journal_is_refused(config, run_mlp, content):
    """A file that is something else is left as it is."""
    Path("t.journal").write_text(content, encoding="utf-8")
    ran = run_mlp("tune", config, *QUIET)
    assert ran.returncode == 1, ran.stderr
    assert "t.journal: is no journal of a study; choose another --storage" in ran.stderr
    assert Path("t.journal").read_text(encoding="utf-8") == content


def test_unpromising_trials_end_early(run_mlp):
    """After the first few, successive halving ends trials at a quarter and half of their epochs."""
    found = tune(run_mlp, "--trials", 12, "--sampler", "random")
    states = [trial["state"] for trial in found["trials"]]
    assert states[:5] == ["complete"] * 5
    assert "pruned" in states


def test_the_first_trials_without_ranges_change_one_key(config, run_mlp):
    """What is given comes first, then what differs in one key, as far as trials go."""
    head = config.read_text(encoding="utf-8").partition("tune:")[0]
    config.write_text(head, encoding="utf-8")
    first, *others = tune(run_mlp, "--trials", 4)["trials"]
    changed = [dict(other["chosen"].items() - first["chosen"].items()) for other in others]
    assert [list(keys) for keys in changed] == [["eta"], ["eta"], ["hidden"]]


def test_the_first_trial_is_what_was_given(run_mlp):
    """Also where choices are written otherwise than what the configuration leaves out."""
    words = ("--space", "schedule=cosine,constant", "--space", "dropout=0.2,none")
    first, *_ = tune(run_mlp, "--trials", 1, *words)["trials"]
    given = {"eta": 0.1, "hidden": 4, "schedule": "constant", "dropout": "none"}
    assert first["chosen"] == given


def test_a_grid_is_tried_whole(run_mlp):
    """`--sampler grid` has every combination once: five values of a range, and all choices."""
    space = ("--space", "eta=0.1..0.5", "--space", "hidden=2,3")
    found = tune(run_mlp, "--sampler", "grid", *space)
    points = {(trial["chosen"]["eta"], trial["chosen"]["hidden"]) for trial in found["trials"]}
    assert points == {(eta, hidden) for eta in (0.1, 0.2, 0.3, 0.4, 0.5) for hidden in (2, 3)}
    assert len(found["trials"]) == 10


def test_random_choices_follow_the_seed(run_mlp):
    """`--sampler random` chooses the same again, and something else from another seed."""
    found = [
        chosen(tune(run_mlp, "--sampler", "random", "--trials", 3, "--study", name, *seed))
        for name, seed in (("a", ()), ("b", ()), ("c", ("--set", "seed=1")))
    ]
    assert found[0] == found[1]
    assert found[0][1] != found[2][1]


def of_values(values):
    """Return a study of eta and hidden, in whose trials, a pair for each, the error was so much."""
    space = (Dimension("hidden", "", choices=(8, 16)), Dimension("eta", "", choices=(0.01, 0.1)))
    ways = {d.key: optuna.distributions.CategoricalDistribution(d.choices) for d in space}
    study = optuna.create_study()
    for (hidden, eta), value in values:
        params = {"hidden": hidden, "eta": eta}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=ways, value=value))
    return SharedStudy(
        SimpleNamespace(space=space, objective=SimpleNamespace(sign=-1)), study, None
    )


GRID = [((hidden, eta), 1 / eta + hidden / 100) for hidden in (8, 16) for eta in (0.01, 0.1)]


def test_what_mattered_is_what_the_better_half_shares():
    """The key that decides the error comes first, of equal ones that which was named first."""
    shares = of_values(GRID * 2).importance()
    assert list(shares) == ["eta", "hidden"]
    assert shares["eta"] > 0.9
    assert list(of_values([(pair, 1.0) for pair, _ in GRID * 2]).importance()) == ["hidden", "eta"]


def test_few_trials_do_not_say_what_mattered():
    """What half of seven trials has in common may be luck: nothing is said."""
    assert of_values((GRID * 2)[:7]).importance() == {}


def test_a_password_is_not_shown():
    """A database is named without what opens it."""
    shown = without_password("postgresql://me:se:cret@host:5/db")
    assert shown == "postgresql://me:***@host:5/db"
    assert without_password("t.journal") == "t.journal"
