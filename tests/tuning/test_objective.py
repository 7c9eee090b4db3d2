"""How good an experiment is: over seeds and folds, without a look at the test."""

from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from mlpcli.config.load import load_experiment
from mlpcli.data.dataset import Fold
from mlpcli.data.load import load_data
from mlpcli.errors import ConfigError
from mlpcli.model import evaluate
from mlpcli.tuning.defaults import all_folds, default_folds
from mlpcli.tuning.objective import Objective


def last(objective, experiment):
    """Return the values at the end of all runs."""
    *_, progress = objective.epochs(experiment, lambda _: None)
    assert progress.share == 1
    return progress.values(objective.metric)


def objective(metric="error", seeds=1, folds=()):
    """Return an objective that computes with NumPy."""
    return Objective(metric, seeds, folds, Path(), "numpy")


def test_every_example_judges_once(config):
    """Folds are parts that have every class in proportion, and no example is in two."""
    experiment = load_experiment(config)
    folds = [load_data(experiment, Path(), fold) for fold in all_folds(5)]
    judged = [np.setdiff1d(np.arange(48), fold.train_rows) for fold in folds]
    assert all(fold.validation is None for fold in folds)
    assert sorted(np.concatenate(judged)) == list(range(48))
    for fold in folds:
        # 24 of each class, in five parts.
        assert set(np.bincount(fold.test.labels)) <= {4, 5}


def test_what_chooses_the_weights_has_no_say_in_how_good_they_are(config):
    """With a validation key, a fraction of what a fold leaves chooses them, and the fold judges."""
    experiment = load_experiment(config, ["validation=0.25", "eta=3", "epochs=9", "loss=mse"])
    folds = objective(folds=(Fold(1, 4),))
    *_, end = folds.epochs(experiment, lambda _: None)
    (started,) = end.runs
    rows, dataset = started.dataset.train.features, started.dataset
    parts = [rows[dataset.train_rows], dataset.validation.features, dataset.test.features]
    assert [len(part) for part in parts] == [28, 8, 12]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts), 0), np.sort(rows, 0))
    # The weights are those of the best epoch by validation, which is not the last.
    errors = [row["validation_error"] for row in started.run.history]
    assert errors.index(min(errors)) < len(errors) - 1
    by_fold, by_validation = (
        evaluate(started.run.in_use(), experiment, dataset.encoding, examples).error
        for examples in (dataset.test, dataset.validation)
    )
    assert by_validation == pytest.approx(min(errors))
    assert end.values("error") == [by_fold]


def test_nothing_to_choose_weights_by_is_refused(config):
    """Where a fold leaves too few examples for `validation`, no trial could be what is trained."""
    experiment = load_experiment(config, ["validation=0.02"])
    with pytest.raises(ConfigError, match="48 examples are too few"):
        next(objective(folds=(Fold(1, 4),)).epochs(experiment, lambda _: None))


def test_what_is_learned_of_data_is_learned_without_the_fold(config):
    """A column's scale, in a fold, is that of the examples trained on."""
    experiment = load_experiment(config)
    fold = load_data(experiment, Path(), Fold(1, 5))
    features = fold.train.features[fold.train_rows]
    assert np.allclose(features.mean(axis=0), 0, atol=1e-5)
    assert not np.allclose(fold.train.features.mean(axis=0), 0, atol=1e-5)


def test_a_run_is_what_the_loop_comes_to(config):
    """A fold's value is its error after the last epoch, from the experiment's own seed."""
    experiment = load_experiment(config, ["loss=mse"])
    (both,) = {tuple(last(objective(seeds=2, folds=(Fold(1, 5),)), experiment))}
    assert last(objective(folds=(Fold(1, 5),)), experiment) == [both[0]]
    assert both[0] != both[1]


def test_the_best_epoch_counts_where_validation_chooses(config):
    """With a validation key, the value is the best that any epoch came to."""
    experiment = load_experiment(config, ["validation=0.3", "eta=3", "epochs=9", "loss=mse"])
    epochs = [p.values("error")[0] for p in objective().epochs(experiment, lambda _: None)]
    assert epochs == list(np.minimum.accumulate(epochs))


def test_errors_of_classes_are_those_after_calibration(config):
    """How sure answers are is left to `calibrate`: one temperature suits all runs best."""
    smoothed = load_experiment(config, ["label_smoothing=0.4", "epochs=60", "eta=0.5"])
    folds = objective(folds=all_folds(3))
    *_, end = folds.epochs(smoothed, lambda _: None)
    plain = [started.evaluate(started.run.network).error for started in end.runs]
    assert fmean(end.values("error")) < fmean(plain)
    # Of networks that are half as sure it is the same.
    calibrated = end.values("error")
    for started in end.runs:
        started.run.network.cool(2)
    assert end.values("error") == pytest.approx(calibrated, rel=1e-4)
    # An error that is no log loss is what it is.
    squared = replace(smoothed, loss="mse", label_smoothing=0.0)
    *_, end = folds.epochs(squared, lambda _: None)
    assert end.values("error") == [s.evaluate(s.run.network).error for s in end.runs]


@pytest.mark.parametrize(
    "keys", [["data.time=x"], ["data.group=x"], ["data.group=x", "validation=0.2"]]
)
def test_folds_respect_times_and_groups(config, keys):
    """Parts are newer than what is learned from, or have groups of their own."""
    Path("t.csv").write_text(
        "x,y,kind\n" + "".join(f"{i // 3},{i % 5},{'ab'[i % 2]}\n" for i in range(60)),
        encoding="utf-8",
    )
    experiment = load_experiment(config, [*keys, "data.test=none"])
    for part in range(4):
        fold = load_data(experiment, Path(), Fold(part, 4))
        learned = set(fold.train_rows)
        assert learned
        if "time" in keys[0]:
            # Of five parts of twelve, the newest judges first.
            assert learned == set(range(60 - 12 * (part + 1)))
        else:
            assert {i // 3 for i in learned}.isdisjoint(i // 3 for i in set(range(60)) - learned)


@pytest.mark.parametrize(
    ("validation", "n", "judges"),
    [
        (None, 150, 5),
        (0.1, 150, 5),
        (0.1, 4999, 1),
        (None, 1400, 2),
        (None, 60000, 1),
        (0.1, 6000, 0),
        ("file.csv", 100, 0),
    ],
)
def test_few_examples_all_judge(config, validation, n, judges):
    """By default as many folds judge as it takes for 500 examples, or all; or `validation` does."""
    overrides = [] if validation is None else [f"validation={validation}"]
    experiment = load_experiment(config, overrides)
    assert len(default_folds(experiment, n)) == judges
