"""Compiled kernels against the functions of NumPy that they stand in for."""

import numpy as np
import pytest
from builders import dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpcli.config.load import from_mapping
from mlpcli.errors import DivergedError
from mlpcli.model import new_model
from mlpcli.nn.activations import ACTIVATIONS
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.network import Network
from mlpcli.training.engine import NUMPY, Engine
from mlpcli.training.loop import train
from mlpcli.training.run import start_run
from mlpcli.training.step import optimizer_of, update_rule

kernels = pytest.importorskip("mlpcli.nn.kernels", exc_type=ImportError)

# Relative: a few roundings of each type.
ROUNDING = {"float32": 2e-5, "float64": 1e-12}
RULES = st.one_of(
    st.fixed_dictionaries({"optimizer": st.sampled_from(["adam", "adamw", "rmsprop"])}),
    st.fixed_dictionaries({"momentum": st.floats(0.1, 0.99), "nesterov": st.booleans()}),
    st.just({}),
)
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
        updated(NUMPY, experiment, seed), updated(Engine(kernels), experiment, seed), strict=True
    )
    for expected, found in pairs:
        np.testing.assert_allclose(
            found, expected, rtol=ROUNDING[dtype], atol=ROUNDING[dtype], equal_nan=False
        )


ENDS = [(loss, output) for loss, output in LOSSES if output in ("sigmoid", "softmax")]


def trained(engine, keys, on_step=None, scale="none"):
    """Return the run of an experiment with an engine, on inputs of some scale."""
    base = {"data": "parity", "structure": [4, 3], "eta": 0.05, "bt_size": 8, "epochs": 2}
    experiment = from_mapping(base | keys, {})
    data = dataset(scale=scale)
    run = start_run(experiment, new_model(experiment, data).network)
    run.engine = engine
    for _ in train(experiment, run, data, on_step):
        pass
    return run


@settings(max_examples=80)
@given(
    hidden=st.lists(st.integers(1, 9), max_size=2),
    activation=st.sampled_from([name for name in ACTIVATIONS if name not in ("softmax", "linear")]),
    ends=st.sampled_from(ENDS),
    rule=RULES,
    options=st.fixed_dictionaries(
        {},
        optional={
            "weight_decay": st.floats(1e-6, 0.1),
            "clip_norm": st.floats(0.1, 10),
            "label_smoothing": st.floats(0, 0.3),
            "class_weight": st.just("balanced"),
            "schedule": st.just("cosine"),
            "checkpoint_every": st.just(0.4),
            "bt_size": st.integers(1, 70),
        },
    ),
    dtype=st.sampled_from(["float64", "float32"]),
    scale=st.sampled_from(["none", "unit"]),
)
def test_an_epoch_is_numpys(hidden, activation, ends, rule, options, dtype, scale):
    """Whole steps of small networks end where NumPy's do, and tell of the same errors."""
    keys = {"structure": [4, *hidden, 3], "dtype": dtype, "loss": ends[0], "output": ends[1]}
    keys |= {"activation": activation} | options | rule
    reports = {NUMPY: [], Engine(kernels): []}
    expected, found = (
        trained(engine, keys, told.append, scale) for engine, told in reports.items()
    )
    # Adam divides by the size of a slope, however small and rounded it is.
    close = {"rtol": 1e-2, "atol": 2e-3} if dtype == "float32" else {"rtol": 1e-6, "atol": 1e-8}
    np.testing.assert_allclose(found.network.theta, expected.network.theta, **close)
    one, other = (np.array(told) for told in reports.values())
    np.testing.assert_allclose(other, one, **close)


def test_members_are_numpys():
    """Passes through members stay NumPy's; the compiled update is of all their parameters."""
    keys = {"structure": [4, 5, 3], "members": 3, "optimizer": "adam", "weight_decay": 0.01}
    expected, found = (trained(engine, keys) for engine in (NUMPY, Engine(kernels)))
    np.testing.assert_allclose(found.network.theta, expected.network.theta, rtol=1e-3, atol=1e-5)
    assert not np.isin(found.network.scales, (-1, 1)).any()


def test_divergence_is_found_in_a_compiled_loop():
    """An error that is no number ends the run at NumPy's step, with the parameters of its start."""
    keys = {"activation": "relu", "eta": 1e30, "structure": [4, 5, 3], "loss": "cross_entropy"}
    keys["output"] = "softmax"
    problems = []
    for engine in (NUMPY, Engine(kernels)):
        with pytest.raises(DivergedError) as caught:
            trained(engine, keys)
        problems.append(caught.value.problem)
    assert problems[0] == problems[1]
