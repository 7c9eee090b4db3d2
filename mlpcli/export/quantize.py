"""Weights in 8 bits: symmetric, with a scale for every row of W, the weights to one output."""

from typing import TypeVar

import numpy as np

from mlpcli.export.steps import Affine, Members, Quantized, Steps
from mlpcli.model import Model

LARGEST = 127
Layer = TypeVar("Layer")


def quantize(steps: Steps) -> Steps:
    """Return the steps of a model with the weights of every affine layer in 8 bits."""
    layers = (
        layer._replace(layers=tuple(map(_quantized, layer.layers)))
        if isinstance(layer, Members)
        else _quantized(layer)
        for layer in steps.layers
    )
    return steps._replace(layers=tuple(layers))


def _quantized(layer: Layer) -> Layer | Quantized:
    if not isinstance(layer, Affine):
        return layer
    scale = (np.abs(layer.W).max(axis=0) / LARGEST).astype(layer.W.dtype)
    # Of a row of zeros any will do.
    scale[scale == 0] = 1
    # A scale that was rounded down may give 127.00001.
    q = np.clip(np.rint(layer.W / scale), -LARGEST, LARGEST)
    return Quantized(q.astype(np.int8), scale, layer.b, layer.factor)


def size_of(steps: Steps) -> int:
    """Return how many bytes weights in 8 bits, scales and biases take."""
    quantized = (layer for layer in steps.affine if isinstance(layer, Quantized))
    return sum(part.nbytes for layer in quantized for part in (layer.q, layer.scale, layer.b))


def with_weights(model: Model, steps: Steps) -> Model:
    """Return a model like another, with the weights W^(2)..W^(L) of some steps."""
    network = model.network.copy()
    for Wb, layer in zip(network.layers, steps.affine, strict=True):
        Wb[:-1] = layer.W
    return Model(network, model.experiment, model.encoding, model.fingerprint)
