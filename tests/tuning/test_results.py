"""What is made of the trials of a study."""

import pytest

from mlpcli.tuning.results import Result, choose, rank


def trial(number, *values):
    """Return a trial of some runs, which chose its number."""
    return Result(number, "complete", {"eta": number}, sum(values) / len(values), values, "")


@pytest.mark.parametrize(
    ("best", "used"),
    [
        ((0.2, 0.3, 0.1), 1),  # by 0.1 everywhere
        ((0.2, 0.6, 0.0), 0),  # in two of three, and in the mean, but by chance
    ],
)
def test_the_best_is_used_if_it_is_better_beyond_noise(best, used):
    """What was given is kept where the best is better by less than a standard error."""
    trials = [trial(0, 0.3, 0.4, 0.2), trial(1, *best), trial(2, 0.9, 0.9, 0.9)]
    assert choose(rank(trials, maximize=False), {"eta": 0}).number == used
    # Of gains it is the same.
    gains = [trial(t.number, *(1 - value for value in t.values)) for t in trials]
    assert choose(rank(gains, maximize=True), {"eta": 0}).number == used


def test_the_best_is_used_where_nothing_says_how_much_is_noise():
    """One run has no standard error, and a configuration that no trial had cannot be kept."""
    assert choose([trial(1, 0.2), trial(0, 0.21)], {"eta": 0}).number == 1
    assert choose([trial(1, 0.2, 0.2), trial(0, 0.19, 0.22)], {"eta": 7}).number == 1
    assert choose([], {"eta": 0}) is None
