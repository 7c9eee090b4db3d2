"""Intervals of metrics: what the bootstrap says, and for what."""

import math

import numpy as np
import pytest
from scipy import stats

from mlpcli.evaluation.evaluate import all_outputs, report
from mlpcli.evaluation.intervals import (
    bootstrap,
    interval_of_mean,
    metric_intervals,
    statistic_of,
    t_quantile,
    wilson,
)


def test_the_interval_of_a_share_is_that_of_a_binomial():
    """Of 100 examples, 80 right, it is 0.8 less and more 1.96 standard deviations, 0.04 each."""
    right = np.arange(100) < 80
    found = bootstrap(lambda rows: {"a": right[rows].mean()}, 100, np.random.default_rng(0))
    assert found["a"] == pytest.approx((0.8 - 0.0784, 0.8 + 0.0784), abs=0.015)


def test_intervals_cover():
    """Of 40 samples of a coin that falls right in 70 %, about 38 intervals hold 0.7."""
    held = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        right = rng.random(150) < 0.7
        low, high = bootstrap(lambda rows, right=right: {"a": right[rows].mean()}, 150, rng)["a"]
        held += low <= 0.7 <= high
    assert 35 <= held < 40


def test_what_has_no_value_has_no_interval():
    """A metric that is NaN in every draw is left out."""
    found = bootstrap(lambda _: {"a": math.nan, "b": 1.0}, 5, np.random.default_rng(0))
    assert found == {"b": (1, 1)}


def test_of_all_examples_the_statistic_is_the_report(model, examples):
    """Computed of every example once, each metric is what `mlp evaluate` says, of classes too."""
    statistic = statistic_of(model, examples, all_outputs(model, examples))
    found, said = statistic(np.arange(len(examples.labels))), report(model, examples)
    for name, value in found.items():
        metric, _, class_name = name.rstrip("]").partition("[")
        expected = said["classes"][class_name][metric] if class_name else said[metric]
        expected = math.nan if expected is None else expected
        assert value == pytest.approx(expected, nan_ok=True), name
    assert {"accuracy", "roc_auc", "recall[odd]", "roc_auc[even]"} <= set(found)


def test_the_seed_decides(model, examples):
    """The same model and examples give the same intervals, each around the metric."""
    outputs = all_outputs(model, examples)
    found = metric_intervals(model, examples, outputs)
    assert found == metric_intervals(model, examples, outputs)
    low, high = found["accuracy"]
    assert low < report(model, examples)["accuracy"] < high


def test_all_right_is_not_all_sure(model, examples):
    """Of 18 examples, all right, accuracy may be as low as 1 / (1 + 1.96² / 18), not 1."""
    outputs = np.eye(2)[examples.labels[:18]]
    some = examples._replace(features=examples.features[:18], labels=examples.labels[:18])
    assert metric_intervals(model, some, outputs)["accuracy"] == pytest.approx(
        (0.8241, 1), abs=1e-4
    )
    assert wilson(0.0, 18) == pytest.approx((0, 0.1759), abs=1e-4)


def test_students_quantiles():
    """They are scipy's, for odd and even degrees of freedom, few and many."""
    for freedom in (*range(1, 30), 100, 1001):
        assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-12)


def test_the_interval_of_a_mean():
    """It is scipy's, and of one value there is none."""
    values = [0.9, 0.95, 0.91, 0.99]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval_of_mean(values) == pytest.approx(tuple(expected))
    assert interval_of_mean(values[:1]) is None
