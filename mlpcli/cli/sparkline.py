"""A curve in one line of text."""

import math
from collections.abc import Sequence
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
# Where the locale has no blocks.
PLAIN = "_.-=*#"
MOST_COLUMNS = 40
# From this ratio on, small values are told apart on a logarithmic scale alone.
LOG_RATIO = 10


def sparkline(values: Sequence[float], encoding: str | None) -> str:
    """Return a character for each value, from low to high; of many values their means.

    The scale is logarithmic where all are above 0 and the largest is ten times the smallest.

    Args:
        values: one or more finite numbers.
        encoding: that of the stream it is for; None for one that has none.
    """
    means = [sum(part) / len(part) for part in _parts(values)]
    low, high = min(means), max(means)
    if low > 0 and high / low >= LOG_RATIO:
        means = [math.log(value) for value in means]
        low, high = math.log(low), math.log(high)
    levels = BLOCKS if _can_write(BLOCKS, encoding) else PLAIN
    top = len(levels) - 1
    return "".join(
        levels[round(top * (value - low) / (high - low)) if high > low else 0] for value in means
    )


def _parts(values: Sequence[float]) -> list[Sequence[float]]:
    n, columns = len(values), min(len(values), MOST_COLUMNS)
    ends = [i * n // columns for i in range(columns + 1)]
    return [values[a:b] for a, b in pairwise(ends)]


def _can_write(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
