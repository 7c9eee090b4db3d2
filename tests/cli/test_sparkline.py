"""The learning curve in one line: its shape, and characters that can be written."""

import re

import pytest

from mlpcli.cli.sparkline import BLOCKS, MOST_COLUMNS, PLAIN, sparkline


def test_each_value_is_as_high_as_it_is():
    """Eight equal steps are the eight blocks; what is constant lies at the bottom."""
    assert sparkline([float(i) for i in range(8)], "utf-8") == BLOCKS
    assert sparkline([3.0, 3.0], "utf-8") == "▁▁"


def test_small_errors_are_told_apart():
    """Where errors fall to a thousandth, equal factors are equal steps."""
    assert sparkline([1000.0, 100.0, 10.0, 1.0], "utf-8") == "█▆▃▁"
    assert sparkline([-1000.0, 0.0, 1000.0], "utf-8") == "▁▅█"


def test_many_epochs_fit_a_line():
    """A long history is as wide as a line has room for, and falls as the history does."""
    line = sparkline([1 / (1 + i) for i in range(1234)], "utf-8")
    assert len(line) == MOST_COLUMNS
    assert list(line) == sorted(line, reverse=True)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", None, "no such"])
def test_plain_where_there_are_no_blocks(encoding):
    """Another encoding gets plain characters."""
    line = sparkline([float(i) for i in range(6)], encoding)
    assert line == PLAIN
    assert line.isascii()


def test_show_draws_it(mlp_process, parity_weights):
    """`mlp show` has the line, in blocks or, in the locale C, in plain characters."""
    for language, levels in (("C.UTF-8", BLOCKS), ("C", PLAIN)):
        environment = {"LC_ALL": language, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        run = mlp_process("show", parity_weights, env=environment)
        (line,) = re.findall(r"^error +(\S+) from 0\.48236 to 0\.0089463$", run.stdout, re.M)
        assert len(line) == 10
        assert set(line) <= set(levels)
        assert (line[0], line[-1]) == (levels[-1], levels[0])
