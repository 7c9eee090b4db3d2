"""`mlp tune`: what is shown and written, what is refused, and how it ends."""

import io
import json
import math
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ordeals import MLP

from mlpcli.cli import progress_bars
from mlpcli.cli.trials import format_finalist
from mlpcli.tuning.finalists import Finalist
from mlpcli.tuning.results import Result

CONFIG = """\
data: {train: t.csv, test: u.csv, target: kind}
hidden: [4]
eta: 0.1
bt_size: 16
epochs: 4
output: softmax
loss: cross_entropy
"""
QUICK = ("--engine", "numpy", "--threads", 1, "--folds", 2)


@pytest.fixture(autouse=True)
def files():
    """Write a table of two classes, another to test on, and a configuration."""
    rows = [f"{i % 7 - 3 * (i % 2)},{i % 5},{'ab'[i % 2]}\n" for i in range(60)]
    Path("t.csv").write_text("x,y,kind\n" + "".join(rows[:48]), encoding="utf-8")
    Path("u.csv").write_text("x,y,kind\n" + "".join(rows[48:]), encoding="utf-8")
    Path("t.yaml").write_text(CONFIG, encoding="utf-8")


def test_it_shows_what_was_found_and_writes_what_trains(run_mlp):
    """A line per trial, the best trials; and files that mlp train makes again."""
    ran = run_mlp("tune", "t.yaml", *QUICK, "--trials", 5)
    assert ran.returncode == 0, ran.stderr
    *trials, given, best = ran.stderr.splitlines()
    assert [line.split()[:2] for line in trials] == [["trial", str(i)] for i in range(5)]
    assert re.fullmatch(r"measured again: trial 0 0\.\d+ \(accuracy 0\.\d{4}\)", given)
    assert best.startswith("measured again: trial ")
    lines = ran.stdout.splitlines()
    assert lines[0].split() == [
        "trial",
        "error",
        "eta",
        "weight_decay",
        "hidden",
        "dropout",
        "feature_scale",
        "members",
    ]
    values = [float(line.split()[1]) for line in lines[1:6]]
    assert values == sorted(values)
    assert lines[6] == "5 trials, 0 pruned, 0 failed"
    # Of two folds of a few rows, some trial is better by chance.
    assert lines[7].startswith(given)
    assert lines[8].startswith("trial 0, the configuration as it was given, is kept: no other ")
    assert lines[9] == "best t-best.yaml; again: mlp train t-best.yaml --overwrite"
    assert lines[11].startswith("test accuracy ")
    again = run_mlp("train", "t-best.yaml", "-q", "--engine", "numpy", "--verify", "t-best.npy")
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    ("accuracies", "text"),
    [
        ((), "trial 3 0.6"),
        ((0.5, 0.7), "trial 3 0.6"),
        ((0.75, 1), "trial 3 0.6 (accuracy 0.8750)"),
    ],
)
def test_an_accuracy_is_shown_beside_another_metric(accuracies, text):
    """How often a trial is right is not said twice, and not of quantities."""
    result = Result(3, "complete", {}, 0.6, (), (), "")
    assert format_finalist(Finalist(result, (0.5, 0.7), accuracies)) == text


def test_json_has_everything(run_mlp):
    """`--json` prints trials with what they chose and came to, the best, and the test."""
    words = ("tune", "t.yaml", "-q", "--json", *QUICK, "--trials", 3, "--space", "eta=0.1..0.5")
    found = json.loads(run_mlp(*words).stdout)
    assert (found["study"], found["storage"], found["metric"]) == ("t", "t.journal", "error")
    first = found["trials"][0]
    # The configuration as it is.
    assert (first["number"], first["state"], first["chosen"]) == (0, "complete", {"eta": 0.1})
    assert math.isclose(first["value"], sum(first["values"]) / 2)
    assert len(first["values"]) == 2
    assert found["best"] in found["trials"]
    assert {each["number"] for each in found["finalists"]} <= {0, 1, 2}
    assert found["best"]["number"] in {each["number"] for each in found["finalists"]}
    assert found["importance"] == {}
    assert found["test"]["examples"] == 12
    assert (found["config"], found["weights"]) == ("t-best.yaml", "t-best.npy")


def test_the_test_has_no_say(run_mlp):
    """With other test examples the trials are the same, and what the test says is not."""
    words = ("tune", "t.yaml", "-q", "--json", *QUICK, "--trials", 3)
    before = json.loads(run_mlp(*words).stdout)
    Path("t.journal").unlink()
    Path("t-best.npy").unlink()
    text = Path("u.csv").read_text(encoding="utf-8")
    Path("u.csv").write_text(text.translate({97: "b", 98: "a"}), encoding="utf-8")
    after = json.loads(run_mlp(*words).stdout)
    assert after["trials"] == before["trials"]
    assert after["test"]["correct"] == 12 - before["test"]["correct"]


def test_a_test_fraction_is_the_same_for_all_seeds(run_mlp):
    """`--seeds` trains from other seeds, and not on what the first sets aside for the test."""
    settings = ("--set", "data.test=0.25", "--space", "eta=0.1,0.2", "--sampler", "grid")
    # Log losses would have one temperature for all seeds.
    plain = ("--set", "output=sigmoid", "--set", "loss=mse")
    words = ("tune", "t.yaml", "-q", "--json", *QUICK, *settings, *plain)
    one = json.loads(run_mlp(*words, "--study", "one").stdout)["trials"]
    two = json.loads(run_mlp(*words, "--study", "two", "--seeds", 2).stdout)["trials"]
    by_eta = {trial["chosen"]["eta"]: trial["values"] for trial in two}
    for trial in one:
        assert by_eta[trial["chosen"]["eta"]][::2] == trial["values"]
        assert by_eta[trial["chosen"]["eta"]][1::2] != trial["values"]


def test_a_trial_that_fails_is_a_row_with_its_reason(run_mlp):
    """What diverges, or makes no sense together, is told and does not end the search."""
    space = ("--space", "eta=0.1,1e30", "--space", "warmup=0,3", "--space", "epochs=2,4")
    ran = run_mlp("tune", "t.yaml", *QUICK, "--sampler", "grid", *space)
    assert ran.returncode == 0, ran.stderr
    # Of eight combinations, four have the large eta, and one of the others three epochs of warmup
    # among two.
    rows = [line for line in ran.stdout.splitlines() if " failed: " in line]
    assert len(rows) == 5
    assert sum("failed: training diverged" in row for row in rows) == 3
    assert sum("failed: lasts 3 epochs, but there are 2" in row for row in rows) == 2


@pytest.mark.parametrize("output", ["", ".", "/", "folder", "no/such/folder/best.yaml"])
def test_what_cannot_be_written_is_found_before_the_search(run_mlp, output):
    """An output that is no file, or in no folder, is an error at once."""
    Path("folder").mkdir()
    ran = run_mlp("tune", "t.yaml", *QUICK, "-o", output)
    assert ran.returncode == 1
    assert "choose another place with -o" in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not Path("t.journal").exists()


def test_a_search_without_success_is_an_error(run_mlp):
    """Where every trial fails, the error has the reason, and nothing is written."""
    ran = run_mlp("tune", "t.yaml", "-q", *QUICK, "--trials", 2, "--space", "eta=1e30..1e31")
    assert ran.returncode == 1
    assert ran.stderr.startswith("mlp: error: t.journal: no trial succeeded: training diverged")
    assert not Path("t-best.yaml").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_the_same_command_goes_on(number):
    """What has ended is kept, the process ends as the signal says, and then the rest is done."""
    words = [MLP, "tune", "t.yaml", *map(str, QUICK), "--trials", "3", "--set", "epochs=500"]
    with subprocess.Popen(words, stdout=-1, stderr=-1, text=True) as process:
        assert process.stderr.readline().startswith("trial 0 ")
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == -number
    assert said.endswith("trials are kept; the same command goes on from there\n")
    assert "Traceback" not in said
    ran = subprocess.run(words, check=True, capture_output=True, text=True)
    assert "t.journal: goes on after " in ran.stderr
    assert "3 trials, 0 pruned, 0 failed" in ran.stdout


def test_a_terminal_gets_a_bar(monkeypatch):
    """A bar shows how many trials have ended, and the best so far, and no lines."""
    shown = io.StringIO()
    shown.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", shown)
    with progress_bars.trials(4, quiet=False) as show:
        show(1, "best 0.25", ["trial 0 0.25"])
        show(3, "best 0.125", ["trial 1 0.5", "trial 2 0.125"])
    assert "3/4" in shown.getvalue()
    assert "best 0.125" in shown.getvalue()
    assert "trial 0" not in shown.getvalue()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("-o", "t.yaml"), "is both input and output"),
        (("-o", "t.csv"), "is both input and output"),
        (("--storage", "t.csv"), "is both input and output"),
        (("-o", "other.yaml"), "exists, not written by mlp tune"),
        (("--metric", "rmse"), "rmse is no metric of a classification"),
        (("--folds", "49"), "--folds: 48 examples are too few"),
        (("--space", "loss=mse,cross_entropy"), "decides what the error is"),
        (("--space", "output=softmax,sigmoid"), "decides what the error is"),
        (("--space", "eta=0..1"), "must be a number above 0, not 0.0"),
        (("--space", "etas=1..2"), "there is no such key; did you mean eta?"),
        (("--sampler", "cmaes"), "is not one of"),
    ],
)
def test_what_makes_no_sense_is_refused(run_mlp, words, problem):
    """It is an error of usage, in one line, before any trial."""
    Path("other.yaml").write_text("mine", encoding="utf-8")
    ran = run_mlp("tune", "t.yaml", "--engine", "numpy", *words)
    assert ran.returncode == 2, ran.stderr
    assert problem in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert Path("other.yaml").read_text(encoding="utf-8") == "mine"


def test_quantities_are_tuned_by_their_rmse(run_mlp):
    """A regression has `--metric rmse`, in the target's units."""
    rows = "".join(f"{i},{i % 5},{3 * i}\n" for i in range(40))
    Path("t.csv").write_text("x,y,price\n" + rows, encoding="utf-8")
    text = "data: {train: t.csv, target: price}\nhidden: [4]\ntask: regression\n"
    Path("t.yaml").write_text(text + "eta: 0.05\nbt_size: 8\nepochs: 2\n", encoding="utf-8")
    ran = run_mlp("tune", "t.yaml", *QUICK, "--trials", 2, "--metric", "rmse")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "no test split"


def test_without_optuna_it_says_what_to_install(run_mlp, monkeypatch):
    """One line names the extra."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    ran = run_mlp("tune", "t.yaml")
    assert ran.returncode == 2
    assert (
        ran.stderr == "mlp: error: mlp tune: needs the package optuna; pip install 'mlpcli[tune]'\n"
    )


def test_mlp_train_leaves_the_ranges_alone(run_mlp):
    """A file with a `tune` key trains as without it."""
    Path("t.yaml").write_text(CONFIG + "tune: {eta: 0.1..1}\n", encoding="utf-8")
    assert run_mlp("train", "t.yaml", "-q").returncode == 0
    assert run_mlp("check", "t.yaml").returncode == 0
