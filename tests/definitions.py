"""Activations and errors as they are defined, with none of the engine's code."""

from itertools import product

import numpy as np

HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu", "selu", "mish")
OUTPUT_AND_LOSS = [
    *product(("sigmoid", "softmax"), ("mse", "cross_entropy")),
    *product(("linear",), ("mse", "mae", "huber")),
]


def sigma(z):
    """Return the article's σ(z) = 1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def softmax(z):
    """Return exp(z) / sum of exp(z) over each row."""
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


FUNCTIONS = {
    "sigmoid": sigma,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "gelu": lambda z: z * sigma(2 * np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
    "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
    "softmax": softmax,
    "linear": lambda z: z,
}
ERRORS = {
    ("mse", "sigmoid"): lambda y, a: (y - a) ** 2,
    ("mse", "softmax"): lambda y, a: (y - a) ** 2,
    ("cross_entropy", "sigmoid"): lambda y, a: -y * np.log(a) - (1 - y) * np.log(1 - a),
    ("cross_entropy", "softmax"): lambda y, a: -y * np.log(a),
    ("mse", "linear"): lambda y, a: (y - a) ** 2,
    ("mae", "linear"): lambda y, a: np.abs(y - a),
    ("huber", "linear"): lambda y, a: np.where(
        np.abs(y - a) <= 1, (y - a) ** 2 / 2, np.abs(y - a) - 0.5
    ),
}
