"""Members: against single networks, plain NumPy and central differences, and broken on purpose."""

import numpy as np
import pytest
from definitions import ERRORS, FUNCTIONS, OUTPUT_AND_LOSS

from mlpcli.nn.calibration import Judged, fit_temperature
from mlpcli.nn.dropout import draw_masks
from mlpcli.nn.inference import predict_batches
from mlpcli.nn.initializers import initialize
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.members import MemberNetwork
from mlpcli.nn.network import Buffers, Network, as_inputs, forward
from mlpcli.nn.optimizers import make_optimizer
from mlpcli.nn.periodic import forward_pass
from mlpcli.nn.periodic_backprop import backward_pass

MEMBERS, ROWS = 4, 6
STRUCTURES = [(5, 7, 3), (5, 7, 6, 3)]
CASES = [
    *((structure, ("tanh", *ends)) for structure in STRUCTURES for ends in OUTPUT_AND_LOSS),
    ((5, 7, 6, 3), ("relu", "softmax", "cross_entropy")),
    ((5, 1, 1), ("mish", "linear", "huber")),
]


class Problem:
    """A network of four members with random parameters, a loss, inputs and labels."""

    def __init__(self, structure, functions, scale=1.0, dtype=np.float64):
        hidden, output, self.loss = functions
        rng = np.random.default_rng(0)
        names = [hidden] * (len(structure) - 2) + [output]
        self.network = MemberNetwork(structure, names, MEMBERS, dtype, scale)
        self.network.theta[:] = rng.normal(size=self.network.theta.shape)
        self.x = (rng.normal(size=(ROWS, structure[0])) / scale).astype(dtype)
        self.y = np.eye(structure[-1], dtype=dtype)[rng.integers(structure[-1], size=ROWS)]
        self.weight = rng.uniform(0.5, 2, (ROWS, 1)).astype(dtype)
        self.rates = ()
        self.make_room()

    def make_room(self, share=None):
        """Make a workspace."""
        make_workspace, self.backprop = backward_pass(self.network)
        self.workspace = make_workspace(self.network, ROWS, share, self.rates)

    def gradient(self):
        """Run the engine once; return the mean error and the gradient, (p,)."""
        loss, x = LOSSES[self.loss, self.network.activation_names[-1]], self.dropped_inputs()
        x = as_inputs(self.network, x)
        error = self.backprop(loss, x, self.y, self.workspace, 1 / ROWS, self.weight)
        return error / ROWS, self.workspace.gradient.copy()

    def dropped_inputs(self):
        """Return the inputs, as training drops them."""
        mask = self.workspace.masks[0]
        return self.x if mask is None else self.x * mask

    def member_outputs(self, k):
        """Return the outputs of one member, from the definition and none of the engine's code."""
        network = self.network
        a = self.dropped_inputs().astype(np.float64) * network.scales[k] * network.input_scale
        n_out, names = network.structure[-1], network.activation_names
        of_k = slice(k * n_out, (k + 1) * n_out)
        weights = [*network.weights[:-1], network.weights[-1][of_k]]
        biases = [*network.biases[:-1], network.biases[-1][of_k]]
        masks = [*self.workspace.masks[1:], None]
        for W, b, name, mask in zip(weights, biases, names, masks, strict=True):
            a = FUNCTIONS[name](a @ W.astype(np.float64).T + b)
            if mask is not None:
                a = a * mask[k * ROWS : (k + 1) * ROWS]
        return a

    def mean_error(self):
        """Return the mean of E over examples and members."""
        error = ERRORS[self.loss, self.network.activation_names[-1]]
        errors = [error(self.y, self.member_outputs(k)) * self.weight for k in range(MEMBERS)]
        return np.sum(errors) / ROWS / MEMBERS

    def agrees(self, gradient):
        """Return whether `gradient` is the slope of the mean error along random directions."""
        theta, h, slopes = self.network.theta.copy(), 1e-6, []
        directions = np.random.default_rng(1).normal(size=(8, len(gradient)))
        for direction in directions:
            self.network.theta[:] = theta + h * direction
            above = self.mean_error()
            self.network.theta[:] = theta - h * direction
            slopes.append((above - self.mean_error()) / (2 * h))
        self.network.theta[:] = theta
        return np.allclose(directions @ gradient, slopes, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("scale", [1.0, 1 / 255])
@pytest.mark.parametrize(("structure", "functions"), CASES)
def test_gradient_agrees_with_central_differences(structure, functions, scale):
    """Scales, shared layers and output layers have the gradient of the members' mean error."""
    problem = Problem(structure, functions, scale)
    error, gradient = problem.gradient()
    assert error == pytest.approx(problem.mean_error(), rel=1e-12)
    assert problem.agrees(gradient)


@pytest.mark.parametrize(("structure", "functions"), CASES)
def test_float32_has_the_same_gradient(structure, functions):
    """In float32 the gradient is that of float64 to rounding."""
    double, single = (Problem(structure, functions, dtype=t) for t in (np.float64, np.float32))
    double.network.theta[:] = single.network.theta
    double.x[:], double.weight[:] = single.x, single.weight
    (error, gradient), (error32, gradient32) = double.gradient(), single.gradient()
    assert gradient32.dtype == np.float32
    assert error32 == pytest.approx(error, rel=1e-5)
    np.testing.assert_allclose(gradient32, gradient, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_gradient_through_dropout(structure):
    """Members share what is dropped of the inputs; of the hidden layers each drops its own."""
    problem = Problem(structure, ("tanh", "softmax", "cross_entropy"))
    problem.rates = (0.3, *[0.5] * (len(structure) - 2))
    problem.make_room()
    draw_masks(problem.workspace.masks, problem.rates, np.random.default_rng(0))
    assert [len(mask) for mask in problem.workspace.masks] == [ROWS, *[24] * (len(structure) - 2)]
    assert problem.agrees(problem.gradient()[1])


@pytest.mark.parametrize(("structure", "functions"), CASES)
def test_a_broken_gradient_is_noticed(structure, functions):
    """The comparison fails when any part of theta has a wrong gradient."""
    problem = Problem(structure, functions)
    problem.gradient()
    ws = problem.workspace
    parts = [part for d_layer in ws.d_layers for part in (d_layer[:-1], d_layer[-1])]
    for part in [*parts, *ws.d_heads, *ws.d_scales]:
        right = part.copy()
        part[...] = 1.01 * right + 1e-4
        assert not problem.agrees(ws.gradient)
        part[...] = right
    assert problem.agrees(ws.gradient)


def test_room_left_over_does_not_matter():
    """A small mini-batch in the corner of a large workspace has the gradient it has alone."""
    problem = Problem((5, 7, 6, 3), ("tanh", "softmax", "cross_entropy"))
    _, expected = problem.gradient()
    large = backward_pass(problem.network).workspace(problem.network, 3 * ROWS)
    problem.make_room(share=large)
    np.testing.assert_array_equal(problem.gradient()[1], expected)


@pytest.mark.parametrize(("structure", "functions"), CASES)
def test_each_member_is_a_network(structure, functions):
    """Member k is the single network with W^(2) diag(r_k) and its own output layer."""
    problem = Problem(structure, functions, scale=0.5)
    network, n_out, outputs = problem.network, structure[-1], []
    x = as_inputs(network, problem.x)
    for k in range(MEMBERS):
        alone = Network(structure, network.activation_names, network.dtype, 0.5)
        for mine, shared in zip(alone.layers[:-1], network.layers, strict=False):
            mine[:] = shared
        alone.layers[0][:-1] *= network.scales[k][:, np.newaxis]
        alone.layers[-1][:] = network.layers[-1][:, k * n_out : (k + 1) * n_out]
        outputs.append(forward(x, Buffers(alone, ROWS)).copy())
    make_buffers, forward_members = forward_pass(network)
    mean = forward_members(x, make_buffers(network, ROWS))
    np.testing.assert_allclose(mean, np.mean(outputs, axis=0), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
def test_the_papers_network_and_step(dtype, tolerance, optimizer):
    """Outputs and one step are those of the paper's formulas, written out member by member.

    Gorishniy, Kotelnikov and Babenko, TabM, 2025, TabM-mini: relu(W3 relu(W2 (r_k ⊙ x) + b2) + b3),
    an output layer for each member, softmax, cross-entropy; the mean of the members' losses.
    """
    problem = Problem((5, 7, 6, 3), ("relu", "softmax", "cross_entropy"), dtype=dtype)
    problem.weight = None
    network, x, y = problem.network, problem.x.astype(np.float64), problem.y
    W2, W3, W4 = (W.astype(np.float64) for W in network.weights)
    b2, b3, b4 = (b.astype(np.float64) for b in network.biases)
    gradients = [np.zeros_like(p) for p in (W2, b2, W3, b3, W4, b4)]
    dW2, db2, dW3, db3, dW4, db4 = gradients
    dr, probabilities = np.zeros((MEMBERS, 5)), []
    for k in range(MEMBERS):
        r, of_k = network.scales[k].astype(np.float64), slice(3 * k, 3 * k + 3)
        a1 = r * x
        a2 = np.maximum(a1 @ W2.T + b2, 0)
        a3 = np.maximum(a2 @ W3.T + b3, 0)
        e = np.exp(a3 @ W4[of_k].T + b4[of_k])
        p = e / e.sum(axis=1, keepdims=True)
        probabilities.append(p)
        d4 = (p - y) / ROWS / MEMBERS
        d3 = (d4 @ W4[of_k]) * (a3 > 0)
        d2 = (d3 @ W3) * (a2 > 0)
        dW4[of_k], db4[of_k] = d4.T @ a3, d4.sum(axis=0)
        dW3 += d3.T @ a2
        db3 += d3.sum(axis=0)
        dW2 += d2.T @ a1
        db2 += d2.sum(axis=0)
        dr[k] = (d2 @ W2 * x).sum(axis=0)
    make_buffers, forward_members = forward_pass(network)
    inputs = as_inputs(network, problem.x)
    found = forward_members(inputs, make_buffers(network, ROWS))
    np.testing.assert_allclose(found, np.mean(probabilities, axis=0), atol=tolerance)

    layers = [np.vstack([dW.T, db]).ravel() for dW, db in ((dW2, db2), (dW3, db3), (dW4, db4))]
    g = np.concatenate([*layers, dr.ravel()])
    # The first step of Adam: both means are corrected to g and g². Its usual epsilon, 1e-8, would
    # make a step of whatever a gradient near 0 is rounded to.
    settings = {} if optimizer == "sgd" else {"epsilon": 1e-3}
    step = 0.04 * (g if optimizer == "sgd" else g / (np.abs(g) + 1e-3))
    expected = network.theta - step
    rule = make_optimizer(optimizer, **settings)
    gradient = problem.gradient()[1]
    rule.step(network.theta, gradient, np.zeros((rule.slots, len(g)), dtype), 0.04, 1)
    np.testing.assert_allclose(network.theta, expected, atol=tolerance)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_of_extreme_outputs_are_finite(output, dtype):
    """Where members are as sure as numbers allow, of different things, the mean error is finite."""
    problem = Problem((5, 7, 3), ("relu", output, "cross_entropy"), dtype=dtype)
    problem.network.layers[-1] *= 30
    chunks = predict_batches(problem.network, problem.x)
    [(z, a)] = [(z.copy(), a.copy()) for z, a in chunks]
    with np.errstate(over="ignore"):
        p = [problem.member_outputs(k) for k in range(MEMBERS)]
    np.testing.assert_allclose(a, np.mean(p, axis=0), atol=1e-3)
    error = LOSSES["cross_entropy", output](problem.y, z, a, np.empty_like(a), None)
    assert np.isfinite(error)
    assert error > 0


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("size", [0.2, 1.0, 5.0])
def test_a_temperature_changes_no_class(output, size):
    """Calibrated, the mean has the same largest output and a log loss that is not above it."""
    problem = Problem((5, 7, 3), ("tanh", output, "cross_entropy"))
    network, rng = problem.network, np.random.default_rng(3)
    network.layers[-1] *= size
    x, labels = rng.normal(size=(400, 5)), rng.integers(3, size=400)

    def outputs():
        return np.concatenate([a.copy() for _, a in predict_batches(network, x)])

    before = outputs()
    network.cool(fit_temperature(Judged(network, x, labels)))
    after = outputs()
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert not np.allclose(after, before)
    y = np.eye(3)[labels]
    losses = [
        -(y * np.log(p) + (output == "sigmoid") * (1 - y) * np.log(1 - p)).sum()
        for p in (before, after)
    ]
    assert losses[1] <= losses[0]
    np.testing.assert_array_equal(outputs(), after)
    assert network.copy().temperature == network.temperature != 1


@pytest.mark.parametrize("init", ["glorot", "he", "normal"])
def test_start(init):
    """Scales are 1 or -1, as often; layers are drawn as those of a single network."""
    network = MemberNetwork((300, 200, 4), ["relu", "softmax"], 50, np.float64)
    initialize(network, init, np.random.default_rng(0))
    assert set(np.unique(network.scales)) == {-1, 1}
    assert abs(network.scales.mean()) < 0.03  # four of its standard deviations, 1 / sqrt(15,000)
    alone = Network((300, 200, 4), ["relu", "softmax"], np.float64)
    initialize(alone, init, np.random.default_rng(1))
    for mine, single in zip(network.weights, alone.weights, strict=True):
        assert mine.std() == pytest.approx(single.std(), rel=0.1)
