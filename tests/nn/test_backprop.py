"""The gradient, against central differences and a loop over examples, and broken on purpose."""

from itertools import product

import numpy as np
import pytest
from definitions import ERRORS, FUNCTIONS, HIDDEN, OUTPUT_AND_LOSS, sigma

from mlpcli.nn.backprop import Workspace, backprop
from mlpcli.nn.dropout import draw_masks
from mlpcli.nn.losses import LOSSES
from mlpcli.nn.network import Network, as_inputs

STRUCTURES = [(3, 2), (4, 3, 2), (5, 4, 3, 2), (2, 7, 1, 6, 3)]
FUNCTIONS_AND_LOSSES = [(hidden, *ends) for hidden in HIDDEN for ends in OUTPUT_AND_LOSS]
CASES = [
    *product(STRUCTURES, [("sigmoid", "sigmoid", "mse")]),
    *product([(5, 4, 3, 2)], FUNCTIONS_AND_LOSSES),
]


class Problem:
    """A float64 network with random parameters, a loss, inputs and labels."""

    def __init__(self, structure, functions=("sigmoid", "sigmoid", "mse"), rows=6, scale=1.0):
        hidden, output, self.loss = functions
        rng = np.random.default_rng(0)
        names = [hidden] * (len(structure) - 2) + [output]
        self.network = Network(structure, names, np.float64, scale)
        self.network.theta[:] = rng.normal(size=self.network.theta.shape)
        self.x = rng.normal(size=(rows, structure[0])) / scale
        self.y = np.eye(structure[-1])[rng.integers(structure[-1], size=rows)]
        self.weight = None
        self.workspace = Workspace(self.network, rows)

    def backprop(self, divisor=None):
        """Run the engine once; return the error and the gradient, (p,)."""
        names = self.loss, self.network.activation_names[-1]
        error = backprop(
            LOSSES[names], as_inputs(self.network, self.x), self.y, self.workspace,
            1 / (divisor or len(self.x)), self.weight,
        )  # fmt: skip
        return error, self.workspace.gradient.copy()

    def mean_error(self):
        """Return the mean of E, from the definitions and none of the engine's code."""
        network, a = self.network, self.x * self.network.input_scale
        layers = zip(network.weights, network.biases, network.activation_names, strict=True)
        masks = self.workspace.masks
        for layer, (W, b, name) in enumerate(layers):
            if masks[layer] is not None and layer:
                a = a * masks[layer]
            a = FUNCTIONS[name](a @ W.T + b)
        errors = ERRORS[self.loss, network.activation_names[-1]](self.y, a)
        return (errors if self.weight is None else errors * self.weight).sum() / len(a)

    def slope(self, direction, h=1e-6):
        """Return the central difference of the mean error along a direction."""
        theta = self.network.theta.copy()
        self.network.theta[:] = theta + h * direction
        above = self.mean_error()
        self.network.theta[:] = theta - h * direction
        below = self.mean_error()
        self.network.theta[:] = theta
        return (above - below) / (2 * h)

    def agrees(self, gradient):
        """Return whether `gradient` is the slope of the mean error along random directions.

        Central differences with h = 1e-6 in float64 err by about h² + 1e-16/h = 1e-10.
        """
        directions = np.random.default_rng(1).normal(size=(8, len(gradient)))
        slopes = [self.slope(direction) for direction in directions]
        return np.allclose(directions @ gradient, slopes, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("scale", [1.0, 1 / 255])
@pytest.mark.parametrize(("structure", "functions"), CASES)
def test_gradient_agrees_with_central_differences(structure, functions, scale):
    """The gradient is that of the mean error, for every activation, output and loss."""
    problem = Problem(structure, functions, scale=scale)
    error, gradient = problem.backprop()
    assert error / 6 == pytest.approx(problem.mean_error(), rel=1e-12)
    assert problem.agrees(gradient)


@pytest.mark.parametrize("functions", [("tanh", *ends) for ends in OUTPUT_AND_LOSS])
def test_gradient_with_weights_and_smoothed_labels(functions):
    """Class weights and smoothed labels enter error and gradient alike."""
    problem = Problem((5, 4, 3), functions)
    problem.weight = np.array([[0.5], [2], [1], [3], [0.25], [1]])
    problem.y = 0.9 * problem.y + 0.1 / 3
    error, gradient = problem.backprop()
    assert error / 6 == pytest.approx(problem.mean_error(), rel=1e-12)
    assert problem.agrees(gradient)


def test_gradient_through_dropout():
    """With masks the gradient is that of the network that remains, hidden neurons scaled up."""
    problem = Problem((5, 8, 8, 2), ("sigmoid", "softmax", "cross_entropy"))
    rates = (0.0, 0.5, 0.25)
    problem.workspace = Workspace(problem.network, 6, dropout=rates)
    draw_masks(problem.workspace.masks, rates, np.random.default_rng(0))
    assert problem.agrees(problem.backprop()[1])


@pytest.mark.parametrize(("structure", "functions"), CASES)
def test_a_broken_gradient_is_noticed(structure, functions):
    """The comparison fails when any one layer's weights or biases have a wrong gradient."""
    problem = Problem(structure, functions)
    problem.backprop()
    workspace = problem.workspace
    for part in [part for d_layer in workspace.d_layers for part in (d_layer[:-1], d_layer[-1])]:
        right = part.copy()
        part[:] = 1.01 * right + 1e-5
        assert not problem.agrees(workspace.gradient)
        part[:] = right
    assert problem.agrees(workspace.gradient)


def gradient_example_by_example(problem):
    """Return the mean gradient from the six equations, one example and one layer at a time."""
    network, x, y = problem.network, problem.x, problem.y
    weights, biases = network.weights, network.biases
    total = [(np.zeros(W.shape), np.zeros(b.shape)) for W, b in zip(weights, biases, strict=True)]
    for example, label in zip(x * network.input_scale, y, strict=True):
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
    problem = Problem(structure, rows=rows, scale=0.5)
    expected = gradient_example_by_example(problem)
    np.testing.assert_allclose(problem.backprop()[1], expected, rtol=1e-11, atol=1e-13)


def test_order_within_a_mini_batch_does_not_matter():
    """Shuffling a mini-batch's examples leaves its gradient as it was."""
    problem = Problem((4, 3, 2), rows=9)
    _, expected = problem.backprop()
    order = np.random.default_rng(2).permutation(9)
    problem.x, problem.y = problem.x[order], problem.y[order]
    np.testing.assert_allclose(problem.backprop()[1], expected, rtol=1e-12)


def test_room_left_over_does_not_matter():
    """A small mini-batch in the corner of a large workspace has the gradient it has alone."""
    problem = Problem((4, 3, 2), rows=3)
    _, expected = problem.backprop()
    large = Workspace(problem.network, 8)
    for array in (*large.z, *large.delta, *large.sigma):
        array.fill(np.nan)
    problem.workspace = Workspace(problem.network, 3, share=large)
    np.testing.assert_array_equal(problem.backprop()[1], expected)


def test_divisor_divides_the_gradient_and_not_the_error():
    """The gradient is the sum over the mini-batch divided by `divisor`; the error is the sum."""
    problem = Problem((4, 3, 2))
    error, mean = problem.backprop()
    halved, doubled = problem.backprop(divisor=3)
    np.testing.assert_allclose(doubled, 2 * mean, rtol=1e-12)
    assert error == halved == pytest.approx(6 * problem.mean_error(), rel=1e-12)


@pytest.mark.parametrize("functions", FUNCTIONS_AND_LOSSES)
def test_huge_inputs_are_finite(functions):
    """Weighted inputs of ±1e4 and more give finite errors and gradients."""
    problem = Problem((4, 3, 2), functions)
    problem.x *= 1e4
    with np.errstate(over="ignore"):
        error, gradient = problem.backprop()
    assert np.isfinite(error)
    assert np.isfinite(gradient).all()
