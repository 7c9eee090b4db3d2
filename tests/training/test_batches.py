"""Mini-batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.training.batches import CHUNK_BYTES, BatchSizes, MiniBatches, batch_sizes, buffer_rows


@given(n=st.integers(1, 300), bt_size=st.integers(1, 400))
def test_plan_of_the_equation(n, bt_size):
    """Each mini-batch has bt_size examples, the last what remains; divisors are the real sizes."""
    sizes, divisors, error_divisor = batch_sizes(n, bt_size)
    assert sum(sizes) == n == error_divisor
    assert list(divisors) == list(sizes)
    assert set(sizes[:-1]) <= {bt_size}
    assert sizes[-1] == (n % bt_size or bt_size)


@given(
    n=st.integers(1, 40),
    width=st.integers(1, 4),
    bt_size=st.integers(1, 50),
    row_bytes=st.integers(1, CHUNK_BYTES),
    features=st.sampled_from(["u1", "?", "<i2", ">f4", "<f4", "<f8"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_example_is_seen_once(n, width, bt_size, row_bytes, features, dtype, seed):
    """An epoch holds each example once, in order, beside its label and what biases multiply."""
    rng = np.random.default_rng(seed)
    examples = rng.integers(256, size=(n, width)).astype(features)
    labels = rng.integers(3, size=n)
    cut = batch_sizes(n, bt_size)
    x = np.full((buffer_rows(cut, row_bytes), width + 1), 7, dtype)
    batches = MiniBatches(examples, labels, cut, x, targets=np.eye(3))
    for _ in range(2):  # the second epoch reuses the first one's buffers
        order = rng.permutation(n)
        seen_x, seen_y = [], []
        for batch in batches.epoch(order):
            assert len(batch.x) == len(batch.y) == batch.divisor
            assert batch.x.dtype == batch.y.dtype == dtype
            assert np.shares_memory(batch.x, x)
            seen_x.append(batch.x.copy())
            seen_y.append(batch.y.copy())
        assert [len(rows) for rows in seen_x] == list(cut.sizes)
        seen = np.vstack(seen_x)
        np.testing.assert_array_equal(seen[:, :-1], examples[order].astype(dtype))
        assert (seen[:, -1] == 7).all()
        np.testing.assert_array_equal(np.vstack(seen_y), np.eye(3)[labels[order]])


@pytest.mark.parametrize(
    ("n", "bt_size", "row_bytes", "rows"),
    [
        (700, 8, 44, 700),  # all parity fits
        (60_000, 256, 785 * 4, 256),  # 262144 // 3140 = 83 rows fit, fewer than one mini-batch
        (60_000, 1, 785 * 4, 83),
        (10, 100, 1, 10),
        (5, 1, 1 << 30, 1),
    ],
)
def test_buffer_rows(n, bt_size, row_bytes, rows):
    """A buffer holds what a core's cache holds, at least one mini-batch and at most the data."""
    assert buffer_rows(batch_sizes(n, bt_size), row_bytes) == rows


def test_merged_last_batch_is_gathered_whole():
    """A last mini-batch larger than the others, as `compat: article` has it, fits the buffers."""
    cut = BatchSizes(sizes=[2, 2, 3], divisors=[2, 2, 2], error_divisor=6)
    x = np.empty((buffer_rows(cut, CHUNK_BYTES), 2))
    batches = MiniBatches(np.arange(7)[:, np.newaxis], np.zeros(7, int), cut, x, targets=np.eye(2))
    parts = [(batch.x[:, 0].tolist(), batch.divisor) for batch in batches.epoch(np.arange(7))]
    assert parts == [([0, 1], 2), ([2, 3], 2), ([4, 5, 6], 2)]
