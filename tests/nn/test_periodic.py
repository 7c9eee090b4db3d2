"""Periodic embeddings: against the paper's formula in plain NumPy, and central differences."""

import numpy as np
import pytest

from mlpcli.nn.dropout import draw_masks
from mlpcli.nn.inference import predict_batches
from mlpcli.nn.initializers import initialize
from mlpcli.nn.layout import Layout
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.network import as_inputs
from mlpcli.nn.periodic import PeriodicNetwork
from mlpcli.nn.periodic_backprop import backward_pass

ROWS = 6
IS_NUMBER = np.array([True, False, True, True, False])
KINDS = [(members, scale) for members in (None, 3) for scale in (1.0, 1 / 255)]


def make_network(members, scale, dtype=np.float64):
    """Return a network of five features, three of them numbers, with random parameters."""
    layout = Layout((5, 7, 3), members, 3)
    network = PeriodicNetwork(layout, ("tanh", "softmax"), IS_NUMBER, dtype, scale)
    network.theta[:] = np.random.default_rng(0).normal(size=network.theta.shape)
    return network


def make_inputs(scale):
    """Return features in the units of the data."""
    return np.random.default_rng(1).normal(size=(ROWS, 5)) / scale


def by_definition(network, x):
    """Return the outputs by the formula, in float64 and with none of the engine's code."""
    theta, x = network.theta.astype(np.float64), x * network.input_scale
    members = network.layout.members or 1
    frequencies = network.frequencies.astype(np.float64)
    v = [2 * np.pi * c * x[:, i : i + 1] for i, c in zip((0, 2, 3), frequencies, strict=True)]
    inputs = np.hstack([x[:, [1, 4]], *map(np.cos, v), *map(np.sin, v)])
    n = inputs.shape[1]
    first, rest = np.split(theta, [(n + 1) * 7])
    last, rest = np.split(rest, [(7 + 1) * 3 * members])
    first, last = first.reshape(n + 1, 7), last.reshape(7 + 1, members, 3)
    scales = rest[: members * n].reshape(-1, n) if network.layout.members else np.ones((1, n))
    outputs = []
    for k, own in enumerate(scales):
        a = np.tanh(inputs * own @ first[:-1] + first[-1])
        e = np.exp(a @ last[:-1, k] + last[-1, k])
        outputs.append(e / e.sum(axis=1, keepdims=True))
    return np.mean(outputs, axis=0)


@pytest.mark.parametrize(("members", "scale"), KINDS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_the_forward_pass(members, scale, dtype, tolerance):
    """Outputs are those of the formula, whatever the precision."""
    network, x = make_network(members, scale, dtype), make_inputs(scale).astype(dtype)
    ((_, found),) = predict_batches(network, x)
    expected = by_definition(network, x.astype(np.float64))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("members", "scale"), KINDS)
@pytest.mark.parametrize("rates", [(), (0.4, 0.3)])
def test_the_gradient(members, scale, rates):
    """Every derivative is that of central differences, with weights and dropout, too."""
    network, x = make_network(members, scale), make_inputs(scale)
    rng = np.random.default_rng(2)
    y, weight = np.eye(3)[rng.integers(3, size=ROWS)], rng.uniform(0.5, 2, (ROWS, 1))
    make_workspace, backprop = backward_pass(network)
    ws = make_workspace(network, ROWS, None, rates)
    draw_masks(ws.masks, rates or (0.0, 0.0), rng)
    x = as_inputs(network, x if ws.masks[0] is None else x * ws.masks[0])
    loss, theta = LOSSES["cross_entropy", "softmax"], network.theta

    def error():
        return backprop(loss, x, y, ws, 1 / ROWS, weight) / ROWS

    error()
    gradient, numeric, h = ws.gradient.copy(), np.empty_like(theta), 1e-6
    for i, value in enumerate(theta.copy()):
        theta[i] = value + h
        above = error()
        theta[i] = value - h
        numeric[i] = (above - error()) / (2 * h)
        theta[i] = value
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-8)
    assert np.abs(gradient[-network.frequencies.size :]).min() > 0


@pytest.mark.parametrize("members", [None, 3])
def test_a_copy_is_a_twin(members):
    """A copy has parameters and temperature of its own, and smaller room lies in the larger."""
    network, x = make_network(members, 1.0), make_inputs(1.0)
    network.cool(2.0)
    twin = network.copy()
    before = np.concatenate([a.copy() for _, a in predict_batches(network, x)])
    network.theta[:] = 0
    ((_, found),) = predict_batches(twin, x)
    np.testing.assert_array_equal(found, before)
    make_workspace, _ = backward_pass(twin)
    large = make_workspace(twin, ROWS, None, (0.1, 0.1))
    small = make_workspace(twin, 2, large)
    assert np.shares_memory(small.x, large.x)
    assert np.shares_memory(small.masks[0], large.masks[0])


def test_frequencies_start_small():
    """They are drawn from N(0, 0.1), after all else, which is drawn as without them."""
    layout = Layout((400, 7, 3), None, 400)
    network = PeriodicNetwork(layout, ("relu", "linear"), np.ones(400, bool))
    initialize(network, "he", np.random.default_rng(0))
    assert network.frequencies.std() == pytest.approx(0.1, rel=0.05)
    rng = np.random.default_rng(0)
    first = rng.standard_normal(network.weights[0].shape)
    n_in = network.weights[0].shape[1]
    np.testing.assert_allclose(network.weights[0], first * np.sqrt(2 / n_in), rtol=1e-5)
