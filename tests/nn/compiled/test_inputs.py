"""Mini-batches that compiled code gathers against NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpcli.training.engine import NUMPY, Engine

jit = pytest.importorskip("mlpcli.jit", exc_type=ImportError)


@settings(max_examples=30)
@given(
    st.integers(1, 40), st.integers(1, 70), st.integers(0, 20), st.sampled_from(["f4", "f8"]),
    st.integers(0, 2**32),
)  # fmt: skip
def test_gathered_bytes_are_numpys(n, columns, m, dtype, seed):
    """The chosen rows are what NumPy makes of them, and the column of ones is left alone."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 256, (n, columns), np.uint8)
    chosen, x = rng.integers(0, n, m), np.full((m + 1, columns + 1), 7, dtype)
    Engine(jit.VERSION).gather(features)(features, chosen, x)
    np.testing.assert_array_equal(x[:m, :-1], features[chosen])
    assert (x[:, -1] == 7).all()
    assert (x[m] == 7).all()


def test_other_features_stay_numpys():
    """One pass is taken over bytes in rows alone, and by numba alone."""
    features = np.zeros((4, 6), np.uint8)
    engine = Engine(jit.VERSION)
    assert engine.gather(features)
    assert not engine.gather(features.astype(np.float32))
    assert not engine.gather(features[:, ::2])
    assert not NUMPY.gather(features)
