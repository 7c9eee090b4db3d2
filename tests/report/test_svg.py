"""Diagrams: numbers are where their axes say, and axes are marked with round numbers."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlpcli.report.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Diagram,
    axis_of,
    legend,
)


def test_corners():
    """The ends of the axes are the corners of the frame; up is more."""
    diagram = Diagram(Axis("x", 0, 10), Axis("y", 1, 100, log=True))
    assert diagram.at(0, 1) == (LEFT, HEIGHT - BOTTOM)
    assert diagram.at(10, 100) == (WIDTH - RIGHT, TOP)
    assert diagram.at(5, 10)[1] == pytest.approx((TOP + HEIGHT - BOTTOM) / 2)


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis("x", 0, 10), [0, 2, 4, 6, 8, 10]),
        (Axis("x", -0.07, 0.26), [0, 0.1, 0.2]),
        (Axis("x", 3, 3), [3]),
        (Axis("x", 0.03, 0.6, log=True), [0.05, 0.1, 0.2, 0.5]),
        (Axis("x", 1e-6, 2, log=True), [1e-6, 1e-4, 1e-2, 1]),
    ],
)
def test_ticks(axis, ticks):
    """They are round, within the axis, and few."""
    assert axis.ticks() == pytest.approx(ticks)


@example([1.5e27, 8.4e-282], True)
@example([5e-324, 1e-321], True)
@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=9), st.booleans())
def test_whatever_the_numbers_are_they_are_drawn(values, log):
    """Every finite series has an axis that holds it, with a few ticks, and a line in the frame."""
    axis = axis_of("y", values, log)
    assert axis.low < axis.high
    assert len(axis.ticks()) <= 20
    drawn = Diagram(axis_of("x", range(len(values))), axis).line(range(len(values)), values, 0, "")
    for x, y in re.findall(r"(?:points=\"| )([\d.]+),([\d.]+)", drawn):
        assert LEFT <= float(x) <= WIDTH
        assert TOP - 0.01 <= float(y) <= HEIGHT - BOTTOM + 0.01


def test_thirty_six_lines_look_different():
    """Each has another pair of a colour and a dash, in the diagram as in its legend."""
    looks = re.findall(r'class="(line [^"]*)"', str(legend([f"run {i}" for i in range(36)])))
    assert len(set(looks)) == len(looks) == 36
    diagram = Diagram(Axis("x", 0, 1), Axis("y", 0, 1))
    drawn = [str(diagram.line([0, 1], [0, 1], kind, "run")) for kind in range(36)]
    assert [re.findall(r'class="([^"]*)"', line)[0] for line in drawn] == looks
