"""A model of parity whose outputs are wrong here and there."""

import builders
import numpy as np
import pytest

from mlpcli.data.builtin import parity
from mlpcli.data.dataset import Examples


@pytest.fixture
def model():
    """Return a network of parity with random parameters."""
    return builders.made()


@pytest.fixture
def examples():
    """Return some examples of parity."""
    features, labels = parity.load()
    return Examples(features[:200].astype(np.float32), labels[:200])
