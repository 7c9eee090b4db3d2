"""Schedules against their closed forms."""

from math import cos, pi

import pytest

from mlpcli.nn.schedules import SCHEDULES, plateau, warm_up


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("constant", {}, {0: 1, 3.5: 1, 10: 1}),
        ("step", {"every": 3, "factor": 0.5}, {0: 1, 2.9: 1, 3: 0.5, 6: 0.25, 8.9: 0.25}),
        ("exponential", {"factor": 0.9}, {0: 1, 0.9: 1, 1: 0.9, 4.2: 0.9**4}),
        ("cosine", {}, {0: 1, 2.5: (1 + cos(pi / 4)) / 2, 5: 0.5, 10: 0}),
        # 0 at t = 0, 1/15, 1/5, 7/15 and 1; 1 half-way between in log2, as at 15 t = sqrt(2) - 1.
        ("cosine_log", {}, {0: 0, 10 / 15: 0, 2: 0, 10 * (2**0.5 - 1) / 15: 1, 10: 0}),
        # Rise from 1/25 over 3 of 10 epochs, half-way up in between; then down to 1e-4 / 25.
        ("one_cycle", {}, {0: 0.04, 1.5: 0.52, 3: 1, 6.5: (1 + 4e-6) / 2, 10: 4e-6}),
    ],
)
def test_closed_forms(name, settings, expected):
    """Each schedule has the values of its formula in a run of ten epochs."""
    for position, factor in expected.items():
        assert SCHEDULES[name](position, 10, **settings) == pytest.approx(factor, abs=1e-12)


def test_plateau_waits_for_a_lower_error():
    """The factor applies once per `patience` epochs without a new lowest error."""
    errors = [3, 2, 2, 2, 1, 1.5, 1, 1, 1]
    factors = [plateau(errors[:n], 0.5, 2) for n in range(len(errors) + 1)]
    assert factors == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_warm_up_is_a_line():
    """Over the warm-up epochs the factor rises from 0 to 1, and stays there."""
    assert [warm_up(t, 2) for t in (0, 0.5, 1, 2, 5)] == [0, 0.25, 0.5, 1, 1]
    assert warm_up(0, 0) == 1
