"""Comma-separated numbers, one example per line."""

import math
import re
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from mlpcli.errors import DataError

NUMBER = re.compile(r"\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)
# Lines parsed at a time.
CHUNK_LINES = 1024


def read_rows(lines: Iterable[str], where: str, width: int) -> Iterator[NDArray[np.float64]]:
    """Parse lines of comma-separated numbers; blank lines are passed over.

    Args:
        lines: text lines, such as standard input.
        where: their name, for errors.
        width: how many numbers each line must have.

    Yields:
        (m, width) arrays.

    Raises:
        DataError: naming line and column, where something is not a finite number.
    """
    numbered = ((i, line) for i, line in enumerate(lines, 1) if line.strip())
    while chunk := list(islice(numbered, CHUNK_LINES)):
        yield np.array([_parse(line, f"{where}:{i}", width) for i, line in chunk])


def _parse(line: str, where: str, width: int) -> list[float]:
    cells = line.split(",")
    if len(cells) != width:
        raise DataError(where, f"has {len(cells)} values", f"the network takes {width}")
    values = [float(cell) if NUMBER.fullmatch(cell) else math.nan for cell in cells]
    for column, (value, cell) in enumerate(zip(values, cells, strict=True), 1):
        if not math.isfinite(value):
            problem = f"column {column}: {cell.strip()[:40]!r} is not a finite number"
            raise DataError(where, problem, "write numbers such as 0.5, with commas between")
    return values
