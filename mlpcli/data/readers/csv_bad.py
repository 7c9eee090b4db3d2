"""Lines of a table with more or fewer cells than its first, which may be left out."""

import numpy as np

from mlpcli.data.readers.blocks import Block, block_of
from mlpcli.data.readers.csv_decimals import ends_of_cells
from mlpcli.data.readers.csv_dialect import Dialect, has_all_cells
from mlpcli.data.readers.csv_quotes import without_quotes


def without_bad(block: Block, dialect: Dialect) -> tuple[Block, list[int]]:
    """Return a block without such lines, and which these are.

    Raises:
        DataError: naming a line with stray quotes.
    """
    if _is_regular(block, dialect):
        return block, []
    good, bad = [], []
    for line in block.lines:
        if has_all_cells(line, dialect):
            good.append(line)
        else:
            bad.append(line.number)
    return block_of(good), bad


def _is_regular(block: Block, dialect: Dialect) -> bool:
    """Return whether all lines have as many cells as the first, for all that is told at once."""
    found = without_quotes(block.data, dialect.delimiter)
    if found is None:
        return False
    text, delimiter = found
    return ends_of_cells(np.frombuffer(text, np.uint8), delimiter, dialect.width) is not None
