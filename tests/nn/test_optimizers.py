"""Optimisers against tables, closed forms, the papers' rules and scikit-learn."""

import warnings
from math import sqrt

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from mlpcli.nn import optimizers
from mlpcli.nn.backprop import Workspace, backprop
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.network import Network, as_inputs
from mlpcli.nn.optimizers import (
    FLUSH_STEPS,
    add_l2_gradient,
    clip,
    decay_weights,
    make_optimizer,
)


class Descent:
    """An optimiser at work on a vector, taking any gradients."""

    def __init__(self, theta, *args, **settings):
        self.theta = np.array(theta, float)
        self.optimizer = make_optimizer(*args, **settings)
        self.state = np.zeros((self.optimizer.slots, len(self.theta)))
        self.t = 0

    def step(self, gradient, eta):
        """Take a step."""
        self.t += 1
        g = np.array(gradient, float)
        self.optimizer.step(self.theta, g, self.state, eta, self.t)


MEMORIES = {
    "momentum": ("sgd", 0.9),
    "nesterov": ("sgd", 0.9, True),
    "adam": ("adam",),
    "rmsprop": ("rmsprop",),
}


@pytest.mark.parametrize("arguments", MEMORIES.values(), ids=MEMORIES)
def test_memories_of_vanished_gradients_become_zero(arguments):
    """No subnormal number stays in a memory, which would make every pass over it slow."""
    descent, tiny = Descent([1.0, 1.0], *arguments), np.finfo(float).tiny
    descent.step([1.0, 1.0], 0.1)
    descent.state[0] = tiny / 2, 1e-200
    for _ in range(FLUSH_STEPS):
        descent.step([0.0, 0.0], 0.1)
    assert descent.state[0, 0] == 0
    assert abs(descent.state[0, 1]) > tiny


def test_paraboloid_of_the_article():
    """Seven steps down g(a, b) = a² + b² from (10, 10) with eta 0.3 print the article's table."""
    descent, errors, points = Descent([10, 10], "sgd"), [], []
    for _ in range(7):
        errors.append(f"{descent.theta @ descent.theta:.5g}")
        descent.step(2 * descent.theta, 0.3)
        points.append(f"{descent.theta[0]:.2g}")
        assert descent.theta[0] == descent.theta[1]
    assert errors == ["200", "32", "5.12", "0.8192", "0.13107", "0.020972", "0.0033554"]
    assert points == ["4", "1.6", "0.64", "0.26", "0.1", "0.041", "0.016"]


GRADIENTS = np.random.default_rng(0).normal(size=(20, 5))


def test_rmsprop_is_the_lectures_rule():
    """V <- 0.9 v + 0.1 g²; theta <- theta - eta g / (sqrt(v) + epsilon), written out."""
    descent = Descent(np.ones(5), "rmsprop")
    theta, v = np.ones(5), np.zeros(5)
    for g in GRADIENTS:
        descent.step(g, 0.01)
        v = 0.9 * v + 0.1 * g**2
        theta = theta - 0.01 * g / (np.sqrt(v) + 1e-8)
    np.testing.assert_allclose(descent.theta, theta, rtol=1e-13)


def test_adam_is_the_papers_algorithm():
    """Kingma and Ba's Algorithm 1, line by line; adamw has the same step."""
    theta, m, v = np.ones(5), np.zeros(5), np.zeros(5)
    descents = [Descent(np.ones(5), name, beta1=0.8, beta2=0.95) for name in ("adam", "adamw")]
    for t, g in enumerate(GRADIENTS, 1):
        m = 0.8 * m + (1 - 0.8) * g
        v = 0.95 * v + (1 - 0.95) * g**2
        m_hat, v_hat = m / (1 - 0.8**t), v / (1 - 0.95**t)
        theta = theta - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-8)
        for descent in descents:
            descent.step(g, 0.01)
            np.testing.assert_allclose(descent.theta, theta, rtol=1e-12)


def test_momentum_has_its_closed_form():
    """Under a constant gradient the n-th step of momentum mu is eta g (1 - mu^n) / (1 - mu)."""
    descent, expected = Descent([1.0], "sgd", 0.9), 1.0
    for n in range(1, 6):
        descent.step([2.0], 0.1)
        expected -= 0.1 * 2.0 * (1 - 0.9**n) / (1 - 0.9)
        assert descent.theta[0] == pytest.approx(expected, rel=1e-13)


def test_decay_moves_weights_and_not_biases():
    """L2 adds rate · W to the gradient, AdamW's shrinks W; both leave biases alone."""
    network = Network((2, 3, 2), ["sigmoid"] * 2, np.float64)
    network.theta[:] = 2
    weights, g = network.weight_slices(), np.zeros_like(network.theta)
    add_l2_gradient(network.theta, g, np.empty_like(g), weights, 0.25)
    decay_weights(network.theta, weights, 0.5)
    assert all((W == 1).all() for W in network.weights)
    assert all((b == 2).all() for b in network.biases)
    network.theta[:] = g
    assert all((W == 0.5).all() for W in network.weights)
    assert all((b == 0).all() for b in network.biases)


def test_clip_shortens_and_never_lengthens():
    """A gradient of length 5 is cut to length 1 in its direction; one of length 0.5 stays."""
    g = np.array([3.0, 4.0])
    clip(g, 1.0)
    np.testing.assert_allclose(g, [0.6, 0.8])
    g = np.array([0.3, 0.4])
    clip(g, 1.0)
    np.testing.assert_array_equal(g, [0.3, 0.4])


SOLVERS = {
    "sgd": ({"solver": "sgd", "momentum": 0.0}, ("sgd",)),
    "momentum": ({"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False}, ("sgd", 0.9)),
    "nesterov": ({"solver": "sgd", "momentum": 0.9}, ("sgd", 0.9, True)),
    "adam": ({"solver": "adam"}, ("adam",)),
}
EPSILON, BETA2 = 1e-8, 0.999


def peer_with_parameters_of(network, x, labels, activation, settings):
    """Return scikit-learn's network with the same parameters and a fresh optimiser."""
    peer = MLPClassifier(
        network.structure[1:-1], activation=activation, alpha=0.0, batch_size=16, shuffle=False,
        max_iter=1, learning_rate_init=1e-300, **settings,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        peer.fit(x, labels)
    for i, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        peer.coefs_[i][:], peer.intercepts_[i][:] = W.T, b
    del peer._optimizer
    return peer.set_params(learning_rate_init=0.05)


@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_an_epoch_agrees_with_scikit_learn(solver, activation):
    """From the same weights, on the same mini-batches, an epoch ends at the same parameters.

    scikit-learn adds epsilon before Adam's bias correction; ours, as in the paper, comes after it,
    so theirs is set to epsilon · sqrt(1 - beta2^t) at each step.
    """
    settings, args = SOLVERS[solver]
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(96, 6)), rng.integers(3, size=96)
    hidden = {"logistic": "sigmoid"}.get(activation, activation)
    network = Network((6, 5, 4, 3), [hidden, hidden, "softmax"], np.float64)
    network.theta[:] = rng.normal(size=network.theta.shape)
    peer = peer_with_parameters_of(network, x, labels, activation, settings)

    descent = Descent(network.theta, *args)
    descent.theta = network.theta
    workspace = Workspace(network, 16)
    loss = LOSSES["cross_entropy", "softmax"]
    for t, start in enumerate(range(0, 96, 16), 1):
        rows = slice(start, start + 16)
        inputs = as_inputs(network, x[rows])
        backprop(loss, inputs, np.eye(3)[labels[rows]], workspace, 1 / 16)
        descent.step(workspace.gradient, 0.05)
        peer.set_params(epsilon=EPSILON * sqrt(1 - BETA2**t))
        if t > 1:
            peer._optimizer.epsilon = peer.epsilon
        peer.partial_fit(x[rows], labels[rows])

    for i, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        np.testing.assert_allclose(W, peer.coefs_[i].T, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(b, peer.intercepts_[i], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("etas", ["one", "each"])
def test_blocks_make_no_difference(name, etas, monkeypatch):
    """Parameters that are more than a block are updated to the same bits as all at once."""
    p, rng = 1000, np.random.default_rng(0)
    eta = 0.1 if etas == "one" else rng.random(p, np.float32)
    found = []
    for block in (p, 64):
        monkeypatch.setattr(optimizers, "BLOCK", block)
        optimizer = make_optimizer(name, 0.9 if name == "sgd" else None, nesterov=True)
        theta, state = np.ones(p, np.float32), np.zeros((optimizer.slots, p), np.float32)
        for t in range(1, 40):
            g = np.random.default_rng(t).standard_normal(p, np.float32)
            optimizer.update(theta, g, state, eta, t)
        found.append((theta, state))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])
