"""The few best trials are measured again before one is chosen."""

import json
from pathlib import Path

import numpy as np

from mlpcli.config.load import load_experiment
from mlpcli.data.load import load_data
from mlpcli.tuning.defaults import all_folds
from mlpcli.tuning.finalists import Finalist, choose_finalist
from mlpcli.tuning.objective import Objective
from mlpcli.tuning.results import Result

QUIET = ("-q", "--json", "--engine", "numpy", "--threads", 1)
ERROR = Objective("error", 1, all_folds(3), Path(), "numpy")


def finalist(number, *values, right=()):
    """Return a trial that chose its number, and what it came to when measured again."""
    return Finalist(Result(number, "complete", {"eta": number}, 0.0, (), (), ""), values, right)


def used(*finalists):
    """Return the number of the trial that is used."""
    return choose_finalist(finalists, ERROR).result.number


def test_the_best_of_what_was_measured_again_is_used():
    """Of quantities, of which no accuracy is known, the mean of the metric tells."""
    finalists = [finalist(0, 0.3, 0.4, 0.2), finalist(1, 0.9, 0.9, 0.9), finalist(2, 0.3, 0.2, 0.2)]
    assert used(*finalists) == 2
    # Of gains it is the other way round.
    assert choose_finalist(finalists, ERROR._replace(metric="accuracy")).result.number == 1


def test_how_often_a_trial_is_right_counts_as_much():
    """A trial with a smaller error is not used if it is less often right; a tie changes nothing."""
    known = finalist(0, 0.3, 0.3, right=(0.8, 0.8))
    surer = finalist(1, 0.1, 0.1, right=(0.7, 0.8))
    better = finalist(2, 0.2, 0.2, right=(0.8, 0.9))
    right = finalist(3, 0.4, 0.4, right=(0.9, 0.9))
    assert used(known, surer) == 0
    assert used(known, right) == 0
    assert used(known, better) == 2
    assert used(known, surer, better, right) == 2
    assert used(known, finalist(4, 0.1, 0.1, right=(0.8, 0.8))) == 0


def test_what_failed_when_measured_again_is_not_used():
    """And what was given need not be beaten where that failed, or was no trial."""
    assert used(finalist(0, 0.3, 0.4), finalist(1)) == 0
    assert used(finalist(0), finalist(2, 0.9), finalist(1, 0.8)) == 1
    assert used(finalist(2, 0.3), finalist(1, 0.29)) == 1
    assert used(finalist(0), finalist(1)) == 0
    assert used(finalist(1)) == 1


def test_other_folds_and_seeds_measure_again(config):
    """What is measured again has as many folds, of another division, and seeds of its own."""
    experiment = load_experiment(config)
    objective = Objective("error", 2, all_folds(3), Path(), "numpy")
    again = objective.anew(1)
    seeds = [start.experiment.seed for start in next(again.epochs(experiment, lambda _: None)).runs]
    assert seeds == [2, 3] * 3
    for before, after in zip(objective.folds, again.folds, strict=True):
        rows = [load_data(experiment, Path(), fold).train_rows for fold in (before, after)]
        assert len(rows[0]) == len(rows[1])
        assert not np.array_equal(*rows)


def test_the_best_of_the_trials_are_measured_once(config, run_mlp):
    """What was given and the best that is better are measured again; going on, they are known."""
    words = ("tune", config, *QUIET, "--trials", 8)
    found = json.loads(run_mlp(*words).stdout)
    known, best = found["finalists"]
    better = min(found["trials"], key=lambda trial: trial["value"] or 9)
    assert (known["number"], best["number"]) == (0, better["number"])
    assert best["values"] != better["values"]
    assert len(best["values"]) == len(best["accuracies"]) == 2 * len(better["values"])
    journal = Path("t.journal")
    assert json.loads(run_mlp(*words).stdout) == found
    assert journal.read_text(encoding="utf-8").count('"finalist ') == 2


def test_a_choice_of_one_is_not_measured_again(config, run_mlp):
    """Where no trial is better than what was given, there is nothing to choose."""
    ran = run_mlp("tune", config, *QUIET, "--trials", 1)
    assert json.loads(ran.stdout)["finalists"] == [{"number": 0, "values": [], "accuracies": []}]
