"""The ten-bit numbers of the article's §7.1."""

import numpy as np

from mlpcli.data.builtin import parity


def test_numbers():
    """All 1024 numbers stand in order, most significant bit first; class 1 is even, 0 is odd."""
    bits, labels = parity.load()
    assert bits.shape == (1024, 10)
    n = bits @ (2 ** np.arange(9, -1, -1))
    np.testing.assert_array_equal(n, np.arange(1024))
    assert [parity.CLASS_NAMES[label] for label in labels[:4]] == ["even", "odd", "even", "odd"]
    np.testing.assert_array_equal(labels, n % 2 == 0)
