"""Compiled updates against the functions of NumPy that they stand in for."""

import numpy as np
import pytest
from builders import RULES
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpcli.config.load import from_mapping
from mlpcli.nn.network import Network
from mlpcli.training.engine import NUMPY, Engine
from mlpcli.training.step import optimizer_of, update_rule

jit = pytest.importorskip("mlpcli.jit", exc_type=ImportError)

# Relative: a few roundings of each type.
ROUNDING = {"float32": 2e-5, "float64": 1e-12}
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "weight_decay": st.floats(1e-6, 0.5),
        "clip_norm": st.floats(0.01, 10),
        "ema": st.floats(0.5, 0.99),
    },
)


def updated(engine, experiment, seed):
    """Return theta, state and moving average after three steps with random gradients."""
    rng = np.random.default_rng(seed)
    network = Network(experiment.structure, ["sigmoid"] * 2, experiment.dtype)
    theta = network.theta
    theta[:] = rng.normal(size=theta.size)
    state = np.zeros((optimizer_of(experiment).slots, theta.size), theta.dtype)
    averaged = theta.copy() if experiment.ema else None
    rule = update_rule(experiment, network, theta, state, averaged, engine)
    for t in range(1, 4):
        g = rng.normal(size=theta.size).astype(theta.dtype)
        eta = 0.1 / t
        rule.update(g * theta.dtype.type(eta) if rule.scales_by_eta else g, eta, t)
    # Of RMSProp's state NumPy uses the second row as room.
    kept = state[:1] if experiment.optimizer == "rmsprop" else state
    return [theta, kept, *([] if averaged is None else [averaged])]


@settings(max_examples=60)
@given(
    RULES,
    OPTIONS,
    st.sampled_from(list(ROUNDING)),
    st.lists(st.integers(1, 9), min_size=1, max_size=2),
    st.integers(0, 2**32),
)
def test_an_update_is_numpys(rule, options, dtype, hidden, seed):
    """Every optimiser, with clipping, decay and averaging, gives NumPy's parameters and memory."""
    base = {"data": "parity", "eta": 0.1, "bt_size": 8, "epochs": 1}
    structure = {"structure": [10, *hidden[:1], 2], "dtype": dtype}
    experiment = from_mapping(base | structure | rule | options, {})
    pairs = zip(
        updated(NUMPY, experiment, seed),
        updated(Engine(jit.VERSION), experiment, seed),
        strict=True,
    )
    for expected, found in pairs:
        np.testing.assert_allclose(
            found, expected, rtol=ROUNDING[dtype], atol=ROUNDING[dtype], equal_nan=False
        )


@pytest.mark.parametrize("keys", [{"momentum": 0.9}, {"optimizer": "adam"}], ids=str)
def test_compiled_memories_become_zero(keys):
    """A memory that would be subnormal is 0 at once, and NaN stays what it is."""
    experiment = from_mapping(
        {"data": "parity", "eta": 0.1, "bt_size": 8, "epochs": 1, "structure": [10, 2]} | keys, {}
    )
    network = Network(experiment.structure, ["sigmoid"])
    state = np.full((optimizer_of(experiment).slots, network.theta.size), 1e-38, np.float32)
    state[:, 0] = np.nan
    engine = Engine(jit.VERSION)
    rule = update_rule(experiment, network, network.theta, state, None, engine)
    for t in range(1, 3):
        rule.update(np.zeros_like(network.theta), 0.1, t)
    assert (state[0, 1:] == 0).all()
    assert np.isnan(state[:, 0]).all()
