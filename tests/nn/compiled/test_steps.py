"""Compiled steps against those of NumPy that they stand in for."""

import numpy as np
import pytest
from builders import RULES, dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlpcli.config.load import from_mapping
from mlpcli.errors import DivergedError
from mlpcli.model import new_model
from mlpcli.nn.activations import ACTIVATIONS
from mlpcli.nn.losses import LOSSES
from mlpcli.training import compiled
from mlpcli.training.engine import NUMPY, Engine
from mlpcli.training.loop import train
from mlpcli.training.run import start_run

jit = pytest.importorskip("mlpcli.jit", exc_type=ImportError)
plan = pytest.importorskip("mlpcli.nn.compiled.plan", exc_type=ImportError)

BASE = {"data": "parity", "structure": [4, 3], "eta": 0.05, "bt_size": 8, "epochs": 2}

ENDS = [(loss, output) for loss, output in LOSSES if output in ("sigmoid", "softmax")]

PENALTIES = {"weight_decay": st.floats(1e-6, 0.1), "class_weight": st.just("balanced")}


def trained(engine, keys, on_step=None, scale="none"):
    """Return the run of an experiment with an engine, on inputs of some scale."""
    experiment = from_mapping(BASE | keys, {})
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
        optional=PENALTIES
        | {
            "clip_norm": st.floats(0.1, 10),
            "label_smoothing": st.floats(0, 0.3),
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
    reports = {NUMPY: [], Engine(jit.VERSION): []}
    expected, found = (
        trained(engine, keys, told.append, scale) for engine, told in reports.items()
    )
    # Adam divides by the size of a slope, however small and rounded it is.
    close = {"rtol": 1e-2, "atol": 2e-3} if dtype == "float32" else {"rtol": 1e-6, "atol": 1e-8}
    np.testing.assert_allclose(found.network.theta, expected.network.theta, **close)
    one, other = (np.array(told) for told in reports.values())
    np.testing.assert_allclose(other, one, **close)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [{}, {"clip_norm": 0.5}, {"optimizer": "adam"}], ids=str)
def test_large_networks_are_numpys(dtype, optimizer):
    """Products that NumPy's library computes for compiled code are those of NumPy's own steps."""
    for activation, ends in (("sigmoid", ENDS[0]), ("relu", ENDS[-1])):
        keys = {"structure": [4, 200, 90, 3], "activation": activation, "dtype": dtype}
        keys |= {"loss": ends[0], "output": ends[1], "bt_size": 25} | optimizer
        told = []
        expected = trained(NUMPY, keys, scale="unit")
        found = trained(Engine(jit.VERSION), keys, told.append, scale="unit")
        close = {"rtol": 1e-3, "atol": 1e-4} if dtype == "float32" else {"rtol": 1e-9}
        np.testing.assert_allclose(found.network.theta, expected.network.theta, **close)
        assert len(told) == 6


@pytest.fixture
def three_threads(monkeypatch):
    """Let three threads take each step together, however small; skip where they cannot."""
    team = pytest.importorskip("mlpcli.nn.compiled.team", exc_type=ImportError)
    if not team.AVAILABLE:
        pytest.skip("this NumPy's library cannot be told how many threads to use")
    sizes, start, number = [], team.Team.__init__, plan.blas.threads()
    monkeypatch.setattr(compiled, "SHARE", 1)
    monkeypatch.setattr(plan.blas, "threads", lambda: 3)
    monkeypatch.setattr(team.Team, "__init__", lambda self, n: sizes.append(n) or start(self, n))
    yield sizes
    plan.blas.set_threads(number)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hidden=st.lists(st.integers(1, 30), min_size=1, max_size=3),
    activation=st.sampled_from(["sigmoid", "relu", "tanh"]),
    ends=st.sampled_from(ENDS),
    rule=RULES,
    options=st.fixed_dictionaries({}, optional=PENALTIES | {"clip_norm": st.floats(0.01, 10)}),
    bt_size=st.integers(1, 70),
    dtype=st.sampled_from(["float64", "float32"]),
    scale=st.sampled_from(["none", "unit"]),
)
def test_threads_together_are_numpys(
    hidden, activation, ends, rule, options, bt_size, dtype, scale, three_threads
):
    """Three threads that share a step end where one of NumPy does, and twice at the same bytes."""
    keys = {"structure": [4, *hidden, 3], "dtype": dtype, "loss": ends[0], "output": ends[1]}
    keys |= {"activation": activation, "bt_size": bt_size} | options | rule
    expected = trained(NUMPY, keys, scale=scale)
    found, again = (trained(Engine(jit.VERSION), keys, scale=scale) for _ in range(2))
    assert three_threads[-1] == 3
    # RMSProp, an example at a time, makes differences of rounding ten digits larger.
    close = {"rtol": 1e-2, "atol": 2e-3} if dtype == "float32" else {"rtol": 1e-3, "atol": 1e-4}
    np.testing.assert_allclose(found.network.theta, expected.network.theta, **close)
    assert found.network.theta.tobytes() == again.network.theta.tobytes()
    assert [row["error"] for row in found.history] == [row["error"] for row in again.history]


def test_threads_that_share_find_divergence(three_threads):
    """All threads stop at the same step; none is left waiting for another."""
    keys = {"activation": "relu", "eta": 1e30, "structure": [4, 5, 3], "loss": "cross_entropy"}
    with pytest.raises(DivergedError):
        trained(Engine(jit.VERSION), keys | {"output": "softmax"})
    assert three_threads == [3]


def test_large_networks_without_the_library(monkeypatch):
    """Where NumPy's library cannot be called, the passes of large networks stay NumPy's."""
    keys = {"structure": [4, 900, 90, 3], "activation": "relu", "bt_size": 25}
    network = new_model(from_mapping(BASE | keys, {}), dataset()).network
    assert plan.suits_large(network) == plan.blas.AVAILABLE
    monkeypatch.setattr(plan.blas, "AVAILABLE", False)
    assert not plan.suits_large(network)


def test_members_are_numpys():
    """Passes through members stay NumPy's; the compiled update is of all their parameters."""
    keys = {"structure": [4, 5, 3], "members": 3, "optimizer": "adam", "weight_decay": 0.01}
    expected, found = (trained(engine, keys) for engine in (NUMPY, Engine(jit.VERSION)))
    np.testing.assert_allclose(found.network.theta, expected.network.theta, rtol=1e-3, atol=1e-5)
    assert not np.isin(found.network.scales, (-1, 1)).any()


def test_divergence_is_found_in_a_compiled_loop():
    """An error that is no number ends the run at NumPy's step, with the parameters of its start."""
    keys = {"activation": "relu", "eta": 1e30, "structure": [4, 5, 3], "loss": "cross_entropy"}
    keys["output"] = "softmax"
    problems = []
    for engine in (NUMPY, Engine(jit.VERSION)):
        with pytest.raises(DivergedError) as caught:
            trained(engine, keys)
        problems.append(caught.value.problem)
    assert problems[0] == problems[1]
