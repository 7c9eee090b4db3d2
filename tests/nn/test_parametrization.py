"""Other parametrizations of the same network."""

import numpy as np
import pytest

from mlpcli.nn.backprop import Workspace, backprop
from mlpcli.nn.layout import count_parameters
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.network import Buffers, Network, as_inputs, forward
from mlpcli.nn.optimizers import make_optimizer
from mlpcli.nn.parametrization import Parametrization

STRUCTURE = (5, 7, 6, 3)
ACTIVATIONS = ("selu", "selu", "softmax")
LAMBDA, ALPHA = 1.0507009873554805, 1.6732632423543772


class Problem:
    """A network whose theta follows from a random phi, inputs and labels."""

    def __init__(self, dtype=np.float64, ntk=True, feature_scale=True):
        rng = np.random.default_rng(0)
        self.network = Network(STRUCTURE, ACTIVATIONS, dtype)
        self.parametrization = Parametrization(STRUCTURE, dtype, ntk, feature_scale)
        self.phi = rng.normal(size=self.parametrization.size).astype(dtype)
        self.x = rng.normal(size=(8, 5)).astype(dtype)
        self.y = np.eye(3, dtype=dtype)[rng.integers(3, size=8)]
        self.workspace = Workspace(self.network, 8)

    def error(self):
        """Return the mean error at phi, and leave its gradient in the workspace."""
        self.parametrization.apply(self.phi, self.network.theta)
        loss = LOSSES["cross_entropy", "softmax"]
        x = as_inputs(self.network, self.x)
        return backprop(loss, x, self.y, self.workspace, 1 / 8) / 8

    def gradient(self):
        """Return dE/dphi."""
        self.error()
        d_phi = np.empty_like(self.phi)
        self.parametrization.backward(self.workspace.gradient, self.phi, d_phi)
        return d_phi


@pytest.mark.parametrize(("ntk", "feature_scale"), [(True, True), (True, False), (False, True)])
def test_gradient_agrees_with_central_differences(ntk, feature_scale):
    """dE/dphi is the slope of the error along every direction, scales of features included."""
    problem = Problem(ntk=ntk, feature_scale=feature_scale)
    gradient, phi, h = problem.gradient(), problem.phi.copy(), 1e-6
    directions = [*np.random.default_rng(1).normal(size=(8, len(phi))), *np.eye(len(phi))[-8:]]
    for direction in directions:
        problem.phi[:] = phi + h * direction
        above = problem.error()
        problem.phi[:] = phi - h * direction
        below = problem.error()
        slope = (above - below) / (2 * h)
        assert gradient @ direction == pytest.approx(slope, rel=1e-6, abs=1e-8)
        assert 1.01 * gradient @ direction + 1e-5 != pytest.approx(slope, rel=1e-6, abs=1e-8)


def layers_of(phi):
    """Return W and b of every layer, and s, as the paper has them."""
    layers, start = [], 0
    for n_in, n_out in ((5, 7), (7, 6), (6, 3)):
        Wb = phi[start : start + (n_in + 1) * n_out].reshape(n_in + 1, n_out)
        layers.append((Wb[:-1], Wb[-1]))
        start += Wb.size
    return layers, phi[start:]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
def test_the_papers_network_and_step(dtype, tolerance):
    """Forward pass and one step of Adam are those of the paper's formulas, written out by hand.

    Holzmüller, Grinsztajn and Steinwart, Better by Default, 2024: x ⊙ s, then
    SELU(x W / sqrt(n) + b) twice, x W / sqrt(n) + b, softmax, cross-entropy; eta is 6 times as
    large for s, and a tenth for b.
    """
    problem = Problem(dtype)
    layers, s = layers_of(problem.phi.astype(np.float64))
    a, inputs, slopes = problem.x.astype(np.float64) * s, [], []
    for W, b in layers:
        inputs.append(a)
        z = a @ W / np.sqrt(len(W)) + b
        a = LAMBDA * np.where(z > 0, z, ALPHA * np.expm1(z))
        slopes.append(LAMBDA * np.where(z > 0, 1, ALPHA * np.exp(z)))
    probabilities = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    problem.error()
    outputs = forward(as_inputs(problem.network, problem.x), Buffers(problem.network, 8))
    np.testing.assert_allclose(outputs, probabilities, atol=tolerance)

    delta, gradients = (probabilities - problem.y) / 8, []
    for i in (2, 1, 0):
        W, _ = layers[i]
        root = np.sqrt(len(W))
        gradients[:0] = [(inputs[i].T @ delta / root).ravel(), delta.sum(axis=0)]
        below = delta @ W.T / root
        delta = below * slopes[i - 1] if i else below
    gradients.append((delta * problem.x).sum(axis=0))
    etas = [0.04, 0.004] * 3 + [0.24]
    expected = problem.phi.astype(np.float64)
    # The first step of Adam: both means are corrected to g and g².
    steps = [eta * g / (np.abs(g) + 1e-8) for eta, g in zip(etas, gradients, strict=True)]
    expected -= np.concatenate(steps)
    optimizer = make_optimizer("adam", beta2=0.95)
    state = np.zeros((2, len(problem.phi)), dtype)
    eta = 0.04 * problem.parametrization.eta_factors
    optimizer.step(problem.phi, problem.gradient(), state, eta, 1)
    np.testing.assert_allclose(problem.phi, expected, atol=tolerance)


def test_start():
    """Weights and biases are N(0, 1), the last layer 0, scales 1; theta's weights N(0, 1/n_in)."""
    structure = (300, 200, 100, 4)
    parametrization = Parametrization(structure, np.float64, ntk=True, feature_scale=True)
    phi = np.full(parametrization.size, np.nan)
    parametrization.initialize(phi, np.random.default_rng(0))
    network = Network(structure, ACTIVATIONS, np.float64)
    parametrization.apply(phi, network.theta)
    for W, b in zip(network.weights[:2], network.biases[:2], strict=True):
        assert W.std() == pytest.approx(1 / np.sqrt(W.shape[1]), rel=0.02)
        assert b.std() == pytest.approx(1, rel=0.2)
    assert not network.weights[2].any() and not network.biases[2].any()
    np.testing.assert_array_equal(phi[-300:], 1)


@pytest.mark.parametrize(("ntk", "feature_scale"), [(True, True), (True, False), (False, True)])
def test_invert_is_the_way_back(ntk, feature_scale):
    """Any theta has a phi that it follows from."""
    theta = np.random.default_rng(0).normal(size=count_parameters(STRUCTURE))
    parametrization = Parametrization(STRUCTURE, np.float64, ntk, feature_scale)
    phi, back = np.empty(parametrization.size), np.empty_like(theta)
    parametrization.invert(theta, phi)
    parametrization.apply(phi, back)
    np.testing.assert_allclose(back, theta, rtol=1e-15)


def test_what_no_phi_gives_is_inf():
    """Parameters near the largest number have no phi, which training finds out and says."""
    parametrization = Parametrization(STRUCTURE, np.float32, ntk=True, feature_scale=False)
    theta = np.full(count_parameters(STRUCTURE), np.finfo(np.float32).max)
    phi = np.empty(parametrization.size, np.float32)
    parametrization.invert(theta, phi)
    assert np.isinf(phi).any()
