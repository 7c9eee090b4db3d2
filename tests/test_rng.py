"""Keyed random draws."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.rng import KeyedStreams


@given(seed=st.integers(0, 2**32 - 1), epoch=st.integers(0, 10**6), n=st.integers(1, 50))
def test_a_draw_can_be_repeated_alone(seed, epoch, n):
    """An epoch's order is a permutation that depends on its key and on nothing drawn before."""
    used = KeyedStreams(seed)
    used.weights().normal(size=3)
    used.order(epoch + 1, n)
    order = used.order(epoch, n)
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    np.testing.assert_array_equal(order, KeyedStreams(seed).order(epoch, n))


def test_every_part_of_the_key_counts():
    """Another seed, purpose, epoch or step gives other numbers."""
    keys = [(0, "a", 0, 0), (1, "a", 0, 0), (0, "b", 0, 0), (0, "a", 1, 0), (0, "a", 0, 1)]
    drawn = {KeyedStreams(seed).generator(*key).random() for seed, *key in keys}
    assert len(drawn) == len(keys)


def test_every_order_is_possible():
    """Over 100 epochs three examples come in all their six orders.

    By chance one would be missing with probability below 6 · (5/6)**100 = 7e-8.
    """
    orders = {tuple(KeyedStreams(0).order(epoch, 3).tolist()) for epoch in range(100)}
    assert orders == set(permutations(range(3)))
