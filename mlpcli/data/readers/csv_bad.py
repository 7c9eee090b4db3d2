"""Lines of a table with more or fewer cells than its first, which may be left out."""

from collections.abc import Iterable

import numpy as np

from mlpcli.data.readers.blocks import Block, block_of
from mlpcli.data.readers.csv_decimals import ends_of_cells
from mlpcli.data.readers.csv_dialect import Dialect, has_all_cells


def without_bad(block: Block, dialect: Dialect) -> Block:
    """Return a block without such lines.

    Raises:
        DataError: naming a line with stray quotes.
    """
    if _is_regular(block, dialect):
        return block
    return block_of([line for line in block.lines if has_all_cells(line, dialect)])


def find_bad(blocks: Iterable[Block], dialect: Dialect) -> tuple[list[int], int]:
    """Return which lines are such, and how many are not.

    Raises:
        DataError: naming a line with stray quotes.
    """
    bad, good = [], 0
    for block in blocks:
        kept = without_bad(block, dialect)
        good += len(kept.numbers)
        if kept is not block:
            bad += sorted({*block.numbers}.difference(kept.numbers))
    return bad, good


def _is_regular(block: Block, dialect: Dialect) -> bool:
    """Return whether all lines have as many cells as the first, for all that is told at once."""
    if b'"' in block.data:
        return False
    characters = np.frombuffer(block.data, np.uint8)
    return ends_of_cells(characters, dialect.delimiter, dialect.width) is not None
