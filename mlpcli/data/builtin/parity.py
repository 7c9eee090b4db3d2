"""The article's §7.1: is a ten-bit number even?"""

import numpy as np
from numpy.typing import NDArray

CLASS_NAMES = ("odd", "even")
BITS = 10
TRAINING = 700


def load() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return all 1024 ten-bit numbers, in order, and their parity.

    Returns:
        Bits 0 or 1, most significant first, (1024, 10); classes, 1 for even, (1024,).
    """
    n = np.arange(2**BITS)
    bits = (n[:, np.newaxis] >> np.arange(BITS - 1, -1, -1)) & 1
    return bits.astype(np.uint8), 1 - n % 2
