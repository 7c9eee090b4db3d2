"""The few best trials are measured again before one is chosen."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlpcli.config.load import load_experiment
from mlpcli.data.load import load_data
from mlpcli.tuning.defaults import all_folds
from mlpcli.tuning.finalists import Finalist, choose_finalist
from mlpcli.tuning.objective import Objective
from mlpcli.tuning.results import Result

QUIET = ("-q", "--json", "--engine", "numpy", "--threads", 1)
ERROR = Objective("error", 1, all_folds(3), Path(), "numpy")
GIVEN = {"eta": 0}


def finalist(number, *values, right=()):
    """Return a trial that chose its number, and what it came to when measured again."""
    return Finalist(Result(number, "complete", {"eta": number}, 0.0, (), ""), values, right)


@pytest.mark.parametrize(
    ("values", "used"),
    [
        ((0.2, 0.3, 0.1), 1),  # by 0.1 everywhere
        ((0.3, -0.1, 0.1), 1),  # by 0.2 ± 0.24
        ((0.2, 0.6, 0.0), 0),  # in two of three, and in the mean, but by 0.03 ± 0.19
        # By 0.08 ± 0.19; of runs that shared nothing it would be 0.08 ± 0.12.
        ((0.0, 0.5, 0.16), 0),
    ],
)
def test_a_trial_is_used_if_it_is_likely_to_be_better(values, used):
    """What was given is kept unless one is better by half a standard error."""
    known = finalist(0, 0.3, 0.4, 0.2)
    finalists = [known, finalist(1, *values), finalist(2, 0.9, 0.9, 0.9)]
    assert choose_finalist(finalists, GIVEN, ERROR).result.number == used
    # Of gains it is the same.
    gains = [f._replace(values=tuple(1 - value for value in f.values)) for f in finalists]
    accuracy = ERROR._replace(metric="accuracy")
    assert choose_finalist(gains, GIVEN, accuracy).result.number == used


def test_the_next_best_is_used_where_the_best_is_not_likely():
    """A trial whose mean is less good may be better than what was given in every run."""
    finalists = [
        finalist(0, 0.3, 0.4, 0.2),
        finalist(1, 0.9, -0.5, -0.2),
        finalist(2, 0.2, 0.3, 0.1),
    ]
    assert choose_finalist(finalists, GIVEN, ERROR).result.number == 2


def test_a_trial_is_not_used_if_it_is_less_often_right():
    """Of those that are likely to be better, and as often right, the one most often right is."""
    finalists = [
        finalist(0, 0.3, 0.4, 0.2, right=(0.8, 0.8, 0.8)),
        finalist(1, 0.0, 0.1, 0.0, right=(0.7, 0.8, 0.8)),
        finalist(2, 0.1, 0.2, 0.1, right=(0.8, 0.8, 0.8)),
        finalist(3, 0.2, 0.3, 0.1, right=(0.8, 0.9, 0.8)),
        finalist(4, 0.3, 0.4, 0.3, right=(1.0, 1.0, 1.0)),
    ]
    used = [choose_finalist(finalists[:n], GIVEN, ERROR).result.number for n in range(2, 6)]
    assert used == [0, 2, 3, 3]


def test_what_failed_when_measured_again_is_not_used():
    """Nor is there a need to be better than what was given where that failed, or was no trial."""
    assert choose_finalist([finalist(0, 0.3, 0.4), finalist(1)], GIVEN, ERROR).result.number == 0
    assert (
        choose_finalist(
            [finalist(0), finalist(2, 0.9), finalist(1, 0.8)], GIVEN, ERROR
        ).result.number
        == 1
    )
    assert choose_finalist([finalist(2, 0.3), finalist(1, 0.29)], GIVEN, ERROR).result.number == 1
    assert choose_finalist([finalist(0), finalist(1)], GIVEN, ERROR).result.number == 0
    assert choose_finalist([finalist(1)], GIVEN, ERROR).result.number == 1


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
