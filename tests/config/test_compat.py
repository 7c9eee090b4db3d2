"""The article's own random stream and mini-batches."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.config.compat import ArticleStream, batch_sizes


def test_one_stream_in_the_articles_order():
    """First the weights, then a shuffle of a fresh 0..n-1 per epoch, from one Mersenne Twister."""
    draws, stream = ArticleStream(0), np.random.RandomState(0)
    # The best known number of NumPy's legacy stream: RandomState(0).randn().
    assert draws.weights().randn() == stream.randn() == 1.764052345967664
    for epoch in range(3):
        fresh = np.arange(20)
        stream.shuffle(fresh)
        np.testing.assert_array_equal(draws.order(epoch, 20), fresh)


def test_parity_plan():
    """The article page's example: 700 by 8 is 86 batches of 8 and one of 12, divided by 8."""
    sizes, divisors, error_divisor = batch_sizes(700, 8)
    assert sizes == [8] * 86 + [12]
    assert divisors == [8] * 87
    # The mean over 87 steps of each step's sum of E divided by 8.
    assert error_divisor == 87 * 8


@given(bt_size=st.integers(1, 50), extra=st.integers(0, 500))
def test_the_remainder_joins_the_last(bt_size, extra):
    """With 2·bt_size examples or more none is lost, and only the last mini-batch is larger."""
    n = 2 * bt_size + extra
    sizes, divisors, _ = batch_sizes(n, bt_size)
    assert sum(sizes) == n
    assert set(sizes[:-1]) == {bt_size}
    assert bt_size <= sizes[-1] < 2 * bt_size
    assert divisors == [bt_size] * len(sizes)
