"""Weights in 8 bits: symmetric, with a scale for every row of W, the weights to one output."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.export.steps import Affine, Steps
from mlpcli.model import Model

LARGEST = 127


class Quantized(NamedTuple):
    """W, (n_in, n_out), as q · scale."""

    q: NDArray[np.int8]
    """(n_in, n_out), from -127 to 127."""
    scale: NDArray[np.floating]
    """(n_out,)."""


def quantize(steps: Steps) -> list[Quantized]:
    """Return the weights of every affine layer in 8 bits."""
    return [_quantized(layer) for layer in steps.affine]


def _quantized(layer: Affine) -> Quantized:
    scale = (np.abs(layer.W).max(axis=0) / LARGEST).astype(layer.W.dtype)
    # Of a row of zeros any will do.
    scale[scale == 0] = 1
    # A scale that was rounded down may give 127.00001.
    q = np.clip(np.rint(layer.W / scale), -LARGEST, LARGEST)
    return Quantized(q.astype(np.int8), scale)


def size_of(steps: Steps, quantized: list[Quantized]) -> int:
    """Return how many bytes weights, scales and biases take."""
    return sum(
        q.nbytes + scale.nbytes + layer.b.nbytes
        for layer, (q, scale) in zip(steps.affine, quantized, strict=True)
    )


def weights_of(stored: Affine | Quantized) -> NDArray[np.floating]:
    """Return the W, (n_in, n_out), that a layer computes with."""
    return stored.W if isinstance(stored, Affine) else stored.q * stored.scale


def with_weights(model: Model, weights: Iterable[NDArray[np.floating]]) -> Model:
    """Return a model like another, with other weights W^(2)..W^(L), (n_in, n_out) each."""
    network = model.network.copy()
    for Wb, W in zip(network.layers, weights, strict=True):
        Wb[:-1] = W
    return Model(network, model.experiment, model.encoding, model.fingerprint)
