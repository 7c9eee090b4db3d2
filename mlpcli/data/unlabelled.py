"""Examples to predict, in an encoding that was fitted before."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import Files
from mlpcli.data.encode import encode
from mlpcli.data.encoding import Encoding
from mlpcli.data.known_columns import as_in_training
from mlpcli.data.missing import handle_missing, mark_missing
from mlpcli.data.readers.table import Table, blocks


class InputBatch(NamedTuple):
    """Successive examples of an input."""

    table: Table
    """As the input has them."""
    features: NDArray[np.generic]
    """(m, n_1), in a network's encoding."""


def encode_table(
    table: Table, encoding: Encoding, files: Files, dtype: str
) -> Iterator[InputBatch]:
    """Yield all examples of a table that was read for an encoding, some at a time.

    Args:
        table: examples without labels.
        encoding: that of the network.
        files: how its training file was read.
        dtype: the precision of the network's arithmetic.

    Raises:
        DataError: naming the place, if something in it does not fit the encoding.
    """
    told = as_in_training(mark_missing(table, files.missing_values, encoding), encoding)
    # Every example gets an answer: none can be dropped.
    checked = handle_missing(told, files.missing)
    # A little at a time: an array may be larger than memory.
    for part, _ in blocks(checked.values):
        some = checked.take(part)
        yield InputBatch(some, encode(encoding, some, dtype))
