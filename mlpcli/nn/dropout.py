"""Dropout (Srivastava et al., 2014), with inverted scaling: a network in use needs no change."""

from collections.abc import Sequence

import numpy as np

from mlpcli.nn.activations import Array
from mlpcli.rng import Part


def draw_masks(
    masks: Sequence[Array | None],
    rates: Sequence[float],
    rng: np.random.Generator,
    part: Part | None = None,
) -> None:
    """Draw which neurons of a mini-batch are dropped.

    Each element becomes 0 with probability `rate` and 1 / (1 - rate) otherwise, so that its mean
    stays 1.

    Args:
        masks: for every layer 1..L-1, (m, n_l), or None where nothing is dropped.
        rates: for every layer 1..L-1, in [0, 1).
        rng: what to draw from.
        part: which examples of a mini-batch the masks are for; all by default.
    """
    for mask, rate in zip(masks, rates, strict=True):
        if mask is not None:
            rows, neurons = mask.shape if part is None else (part.total, mask.shape[1])
            # Sixteen random bits an element, drawn as words of 64: a third of the time of floats.
            words = rng.integers(0, 2**64, -(-rows * neurons // 4), np.uint64)
            bits = words.view(np.uint16)[: rows * neurons].reshape(rows, neurons)
            if part is not None:
                bits = bits[part.positions]
            np.multiply(bits >= round(rate * 2**16), 1 / (1 - rate), mask)
