"""The gradient, against central differences and a loop over examples, and broken on purpose."""

import numpy as np
import pytest

from mlpcli.nn.backprop import Workspace, backprop
from mlpcli.nn.losses import mse
from mlpcli.nn.network import Network, input_buffer

STRUCTURES = [(3, 2), (4, 3, 2), (5, 4, 3, 2), (2, 7, 1, 6, 3)]


def sigma(z):
    """Return the article's σ(z) = 1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def problem(structure, rows, input_scale=1.0, seed=0):
    """Return a float64 network with random parameters, inputs and one-hot labels."""
    rng = np.random.default_rng(seed)
    network = Network(structure, ["sigmoid"] * (len(structure) - 1), np.float64, input_scale)
    network.theta[:] = rng.normal(size=network.theta.shape)
    x = input_buffer(network, rows)
    x[:, :-1] = rng.normal(size=(rows, structure[0])) / input_scale
    y = np.eye(structure[-1])[rng.integers(structure[-1], size=rows)]
    return network, x, y


def gradient(network, x, y):
    """Return the mean gradient as the engine computes it, (p,)."""
    workspace = Workspace(network, len(x))
    backprop(network, mse, x, y, workspace, len(x))
    return workspace.gradient.copy()


def mean_error(network, x, y):
    """Return the mean of E, from the article's equations and none of the engine's code."""
    a = x[:, :-1] * network.input_scale
    for W, b in zip(network.weights, network.biases, strict=True):
        a = sigma(a @ W.T + b)
    return ((y - a) ** 2).sum() / len(y)


def slope(network, x, y, direction, h=1e-6):
    """Return the central difference of the mean error along a direction."""
    theta = network.theta.copy()
    network.theta[:] = theta + h * direction
    above = mean_error(network, x, y)
    network.theta[:] = theta - h * direction
    below = mean_error(network, x, y)
    network.theta[:] = theta
    return (above - below) / (2 * h)


def agrees(network, x, y, g):
    """Return whether `g` is the slope of the mean error along random directions.

    Central differences with h = 1e-6 in float64 err by about h² + 1e-16/h = 1e-10.
    """
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(8, len(g)))
    slopes = [slope(network, x, y, direction) for direction in directions]
    return np.allclose(directions @ g, slopes, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("input_scale", [1.0, 1 / 255])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_gradient_agrees_with_central_differences(structure, input_scale):
    """The gradient is that of the mean error, shallow or deep, inputs scaled or not."""
    network, x, y = problem(structure, rows=6, input_scale=input_scale)
    assert agrees(network, x, y, gradient(network, x, y))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_broken_gradient_is_noticed(structure):
    """The comparison fails when any one layer's weights or biases have a wrong gradient."""
    network, x, y = problem(structure, rows=6)
    workspace = Workspace(network, len(x))
    backprop(network, mse, x, y, workspace, len(x))
    for block in workspace.gradient_blocks:
        for part in (block[:-1], block[-1]):
            right = part.copy()
            part[:] = 1.01 * right
            assert not agrees(network, x, y, workspace.gradient)
            part[:] = right
    assert agrees(network, x, y, workspace.gradient)


def gradient_example_by_example(network, x, y):
    """Return the mean gradient from the six equations, one example and one layer at a time."""
    weights, biases = network.weights, network.biases
    total = [(np.zeros(W.shape), np.zeros(b.shape)) for W, b in zip(weights, biases, strict=True)]
    for example, label in zip(x[:, :-1] * network.input_scale, y, strict=True):
        activations = [example]
        for W, b in zip(weights, biases, strict=True):
            activations.append(sigma(W @ activations[-1] + b))
        a = activations[-1]
        delta = -2 * (label - a) * a * (1 - a)  # (2)
        for layer in reversed(range(len(weights))):
            dW, db = total[layer]
            dW += np.outer(delta, activations[layer])  # (1), (4)
            db += delta  # (3), (6)
            a = activations[layer]
            delta = (weights[layer].T @ delta) * a * (1 - a)  # (5)
    blocks = [np.vstack([dW.T, db]) for dW, db in total]
    return np.concatenate([block.ravel() for block in blocks]) / len(y)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("rows", [1, 9])
def test_vectorised_pass_equals_the_loop(structure, rows):
    """The vectorised gradient equals the article's example-by-example procedure."""
    network, x, y = problem(structure, rows, input_scale=0.5)
    expected = gradient_example_by_example(network, x, y)
    np.testing.assert_allclose(gradient(network, x, y), expected, rtol=1e-11, atol=1e-13)


def test_order_within_a_mini_batch_does_not_matter():
    """Shuffling a mini-batch's examples leaves its gradient as it was."""
    network, x, y = problem((4, 3, 2), rows=9)
    order = np.random.default_rng(2).permutation(9)
    expected = gradient(network, x, y)
    np.testing.assert_allclose(gradient(network, x[order], y[order]), expected, rtol=1e-12)


def test_room_left_over_does_not_matter():
    """A small mini-batch in the corner of a large workspace has the gradient it has alone."""
    network, x, y = problem((4, 3, 2), rows=3)
    large = Workspace(network, 8)
    for array in (*large.z, *large.delta, *large.sigma):
        array.fill(np.nan)
    corner = Workspace(network, 3, share=large)
    backprop(network, mse, x, y, corner, 3)
    np.testing.assert_array_equal(corner.gradient, gradient(network, x, y))


def test_divisor_divides_the_gradient_and_not_the_error():
    """The gradient is the sum over the mini-batch divided by `divisor`; the error is the sum."""
    network, x, y = problem((4, 3, 2), rows=6)
    workspace = Workspace(network, 6)
    error = backprop(network, mse, x, y, workspace, 3)
    np.testing.assert_allclose(workspace.gradient, 2 * gradient(network, x, y), rtol=1e-12)
    assert error == pytest.approx(6 * mean_error(network, x, y), rel=1e-12)


def test_saturated_sigmoids_are_finite():
    """Inputs as large as raw bytes times N(0, 1) weights give finite errors and gradients."""
    network, x, y = problem((4, 3, 2), rows=6, input_scale=1.0)
    x[:, :-1] *= 1e6
    with np.errstate(over="ignore"):
        assert np.isfinite(gradient(network, x, y)).all()
