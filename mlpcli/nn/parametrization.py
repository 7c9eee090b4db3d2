"""Parametrizations: theta, with which the engine computes, as a function of what is trained, phi.

An optimiser whose steps depend on the size of a parameter, as Adam's do, learns otherwise when
the same network is written in other parameters. Here phi is

- for every number of theta one, at the same place;
- then, where features have learned scales, s, one for each, (n_1,).

theta is W^(2) = c^(2) W' diag(s), W^(l) = c^(l) W', b^(l) = b', and the gradient follows by the
chain rule. The forward and the backward pass do not know of it, nor does anybody who uses theta.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.typing import DTypeLike

from mlpcli.nn.activations import Array
from mlpcli.nn.initializers import NormalSource
from mlpcli.nn.layout import count_parameters
from mlpcli.nn.network import layer_views

# Holzmüller, Grinsztajn and Steinwart, Better by Default, 2024: eta of biases, and of scales.
BIAS_ETA = 0.1
SCALE_ETA = 6.0


class Parametrization:
    """theta as a function of phi, (q,), for networks of one structure.

    Args:
        structure: layer sizes [n_1, ..., n_L].
        dtype: of theta and phi.
        ntk: whether c^(l) = 1 / sqrt(n_{l-1}) (Jacot, Gabriel and Hongler, 2018), not 1.
        feature_scale: whether the features have learned scales.
        p: how many numbers theta has; those after its layers phi has as they are. By default there
            are none.

    Attributes:
        size: q.
        eta_factors: (q,) what multiplies eta for each number of phi.
    """

    def __init__(
        self,
        structure: Sequence[int],
        dtype: DTypeLike,
        ntk: bool,
        feature_scale: bool,
        p: int | None = None,
    ) -> None:
        self.structure = structure
        self.ntk = ntk
        self.p = count_parameters(structure) if p is None else p
        self.size = self.p + (structure[0] if feature_scale else 0)
        self.factors: Array = np.ones(self.p, dtype)
        self.eta_factors: Array = np.ones(self.size, dtype)
        self.eta_factors[self.p :] = SCALE_ETA
        if ntk:
            of_theta = layer_views(self.eta_factors[: self.p], structure)
            views = zip(layer_views(self.factors, structure), of_theta, strict=True)
            for (c, eta), n_in in zip(views, structure, strict=False):
                c[:-1] = 1 / sqrt(n_in)
                eta[-1] = BIAS_ETA

    def initialize(self, phi: Array, rng: NormalSource) -> None:
        """Draw phi under `ntk`: N(0, 1), in the order of `initializers.initialize`.

        The last layer is 0 (Holzmüller et al., 2024), and scales of features are 1.
        """
        for (n_in, n_out), Wb in zip(
            pairwise(self.structure), layer_views(phi[: self.p], self.structure), strict=True
        ):
            Wb[:-1] = rng.standard_normal((n_out, n_in)).T
            Wb[-1] = rng.standard_normal((n_out,))
        Wb[:] = 0
        phi[self.p :] = 1

    def invert(self, theta: Array, phi: Array) -> None:
        """Write a phi that theta follows from, with scales of 1; inf where it is too large."""
        with np.errstate(over="ignore"):
            np.divide(theta, self.factors, phi[: self.p])
        phi[self.p :] = 1

    def apply(self, phi: Array, theta: Array) -> None:
        """Write theta as it follows from phi."""
        np.multiply(phi[: self.p], self.factors, theta)
        if self.size > self.p:
            weights = layer_views(theta, self.structure)[0][:-1]
            np.multiply(weights, phi[self.p :, np.newaxis], weights)

    def backward(self, d_theta: Array, phi: Array, d_phi: Array) -> None:
        """Write dE/dphi, given dE/dtheta at the theta that follows from phi."""
        np.multiply(d_theta, self.factors, d_phi[: self.p])
        if self.size > self.p:
            d_weights = layer_views(d_phi[: self.p], self.structure)[0][:-1]
            weights = layer_views(phi[: self.p], self.structure)[0][:-1]
            # W^(2) = c W' diag(s): of s_i it is the sum over n_2 of dE/dW ⊙ c W'.
            np.einsum("ij,ij->i", d_weights, weights, out=d_phi[self.p :])
            np.multiply(d_weights, phi[self.p :, np.newaxis], d_weights)
