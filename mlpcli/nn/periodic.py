"""Periodic embeddings: a number becomes cosines and sines of learned frequencies.

Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular Deep Learning,
NeurIPS 2022, section 3.3: of a number x with frequencies c_1..c_k of its own, drawn from N(0, σ),

    v = 2π [c_1 x, ..., c_k x], and what stands for x are [cos(v), sin(v)].

The network above, with members or without, has these as its inputs: those features that are no
numbers, as they are, then the cosines of all numbers, then the sines.
"""

from collections.abc import Callable, Sequence
from math import tau
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mlpcli.nn.activations import Array
from mlpcli.nn.layout import FREQUENCIES, PER_NUMBER, Layout
from mlpcli.nn.members import MemberBuffers, MemberNetwork, forward_members
from mlpcli.nn.network import Buffers, Network, forward


class PeriodicNetwork(Network):
    """A network whose inputs are embedded first.

    `theta` holds what the network above has, then c, (numbers, k).

    Args:
        layout: what theta consists of.
        activations: names of σ for layers 2..L.
        is_number: which of the features are embedded, (n_1,).
        dtype: of parameters and arithmetic, float32 or float64.
        input_scale: factor applied to every input, before it is embedded.

    Attributes:
        above: the network above, on the same `theta`.
        frequencies: c, a view of `theta`; also in `extras`.
        numbers, others: the positions of the features that are embedded, and of the rest.
    """

    def __init__(
        self,
        layout: Layout,
        activations: Sequence[str],
        is_number: NDArray[np.bool],
        dtype: DTypeLike = np.float32,
        input_scale: float = 1.0,
    ) -> None:
        theta: Array = np.zeros(layout.parameters, dtype)
        super().__init__(layout.layers, activations, dtype, input_scale, theta)
        self.structure, self.layout, self.is_number = layout.structure, layout, is_number
        self.numbers, self.others = np.flatnonzero(is_number), np.flatnonzero(~is_number)
        self.frequencies = theta[-layout.numbers * PER_NUMBER :].reshape(-1, PER_NUMBER)
        self.above: Network
        if layout.members:
            self.members, sizes = layout.members, layout.embedded
            self.above = MemberNetwork(sizes, activations, layout.members, dtype, theta=theta)
        else:
            self.above = Network(layout.embedded, activations, dtype, theta=theta)
        self.extras = dict(self.above.extras) | {FREQUENCIES: self.frequencies}

    def copy(self) -> "PeriodicNetwork":
        """Return a network of the same kind, with parameters of its own."""
        twin = PeriodicNetwork(
            self.layout, self.activation_names, self.is_number, self.dtype, self.input_scale
        )
        twin.theta[:] = self.theta
        twin.cool(self.temperature)
        return twin

    @property
    def temperature(self) -> float:  # type: ignore[override]
        """That of the network above."""
        return self.above.temperature

    def cool(self, temperature: float) -> None:
        """Divide the weighted inputs of the outputs by a temperature from now on."""
        self.above.cool(temperature)


class PeriodicBuffers:
    """Room for the forward pass of m examples through a network and its embedding.

    Args:
        network: the network that will use it.
        rows: m.
        share: larger buffers of the same network to lie in, instead of new memory.
        dropout: rates for layers 1..L-1; none are dropped by default. An input that is dropped is
            0 before it is embedded.

    Attributes:
        x: the inputs of the network above, (m, n + 1); the last column is 1.
        v: 2π c x of the numbers, (m, numbers, k).
        cos, sin: of `v`, views of `x`.
        above: room for the network above.
        masks: of layers 1..L-1, or None, those of the inputs (m, n_1).
    """

    def __init__(
        self,
        network: PeriodicNetwork,
        rows: int,
        share: "PeriodicBuffers | None" = None,
        dropout: Sequence[float] = (),
    ) -> None:
        self.network = network
        of_inputs, *of_hidden = dropout or [0.0] * (len(network.structure) - 1)
        make_room, numbers = self.room_above(), (rows, *network.frequencies.shape)
        if share is None:
            self.above = make_room(network.above, rows, None, (0.0, *of_hidden))
            self.x = np.ones((rows, network.layout.embedded[0] + 1), network.dtype)
            self.v = np.empty(numbers, network.dtype)
            mask = np.empty((rows, network.structure[0]), network.dtype) if of_inputs else None
        else:
            self.above = make_room(network.above, rows, share.above)
            self.x, self.v, mask = share.x[:rows], share.v[:rows], share.masks[0]
        cos, sin = numbers_of(self.x[:, :-1], network)
        self.cos, self.sin = cos.reshape(numbers), sin.reshape(numbers)
        self.masks: list[Array | None] = [
            None if mask is None else mask[:rows],
            *self.above.masks[1:],
        ]

    def room_above(self) -> Callable[..., Any]:
        """Return what makes room for the network above."""
        return forward_pass(self.network.above).buffers

    @property
    def z(self) -> list[Array]:
        """Weighted inputs, the last of them of the outputs."""
        z: list[Array] = self.above.z
        return z


def numbers_of(x: Array, network: PeriodicNetwork) -> tuple[Array, Array]:
    """View the cosines and the sines among inputs of the network above, (m, numbers k) each."""
    start, width = len(network.others), network.frequencies.size
    return x[:, start : start + width], x[:, start + width :]


def embed(x: Array, buffers: PeriodicBuffers) -> None:
    """Write the inputs of the network above into `buffers.x`; x is (m, n_1 + 1)."""
    network, scale = buffers.network, buffers.network.input_scale
    np.multiply(x[:, network.others], scale, buffers.x[:, : len(network.others)])
    numbers = x[:, network.numbers, np.newaxis]
    np.multiply(numbers, tau * scale * network.frequencies, buffers.v)
    np.cos(buffers.v, buffers.cos)
    np.sin(buffers.v, buffers.sin)


def forward_periodic(x: Array, buffers: PeriodicBuffers) -> Array:
    """Compute the outputs for inputs that are embedded first, as `network.forward` does."""
    embed(x, buffers)
    return forward_pass(buffers.network.above).forward(buffers.x, buffers.above)


class ForwardPass(NamedTuple):
    """What computes a kind of network, and the room that it takes."""

    buffers: Callable[..., Any]
    forward: Callable[[Array, Any], Array]


def forward_pass(network: Network) -> ForwardPass:
    """Return what computes a network's outputs."""
    if isinstance(network, PeriodicNetwork):
        return ForwardPass(PeriodicBuffers, forward_periodic)
    if isinstance(network, MemberNetwork):
        return ForwardPass(MemberBuffers, forward_members)
    return ForwardPass(Buffers, forward)
