"""Several networks in one: they share their hidden layers (TabM-mini, Gorishniy et al., 2025).

Member k of K multiplies the inputs by r_k, numbers of its own, and has an output layer of its own:

    a_k^(1) = r_k ⊙ x, then the layers 2..L-1 that all share, z_k = W_k^(L) a_k^(L-1) + b_k^(L)

Training minimises the mean of the members' errors on the same examples; in use their probabilities,
or quantities, are averaged. To the shared layers all is one mini-batch of K m examples, member by
member, which `network.forward` computes as any other.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

from mlpcli.nn.activations import Array
from mlpcli.nn.layout import SCALES, Layout, count_parameters
from mlpcli.nn.network import Buffers, Network, forward


class MemberNetwork(Network):
    """K networks that share their hidden layers, of which there is at least one.

    `theta` holds the layers, of which the last is W_1^(L)..W_K^(L) side by side, then r_1..r_K.

    Args:
        structure: layer sizes of each member, [n_1, ..., n_L], L >= 3.
        activations: names of σ for layers 2..L.
        members: K.
        dtype: of parameters and arithmetic, float32 or float64.
        input_scale: factor applied to every input, in the arithmetic and not in the data.
        theta: the vector to stand in, whose beginning these are; a new one by default.

    Attributes:
        layers, weights, biases: as of a network, the last for all members, with K n_L outputs.
        scales: r_1..r_K, a view of `theta`, (K, n_1); also in `extras`.
        heads: the members' output layers, views of `theta`, (K, n_{L-1} + 1, n_L).
        shared: layers 2..L-1, a network on the same `theta`.
        temperature: what the averaged outputs' weighted inputs are divided by in use.
    """

    def __init__(
        self,
        structure: Sequence[int],
        activations: Sequence[str],
        members: int,
        dtype: DTypeLike = np.float32,
        input_scale: float = 1.0,
        theta: Array | None = None,
    ) -> None:
        layout = Layout(tuple(structure), members)
        if theta is None:
            theta = np.zeros(layout.parameters, dtype)
        super().__init__(layout.layers, activations, dtype, input_scale, theta)
        self.structure = tuple(structure)
        self.members = members
        self.scales = theta[count_parameters(layout.layers) : layout.parameters]
        self.scales = self.scales.reshape(layout.extras[SCALES])
        self.extras = {SCALES: self.scales}
        self.heads = heads_of(self.layers[-1], members)
        self.shared = Network(structure[:-1], activations[:-1], dtype, input_scale, theta)
        self.temperature = 1.0

    def copy(self) -> "MemberNetwork":
        """Return a network of the same kind, with parameters of its own."""
        twin = MemberNetwork(
            self.structure, self.activation_names, self.members, self.dtype, self.input_scale
        )
        twin.theta[:] = self.theta
        twin.temperature = self.temperature
        return twin

    def cool(self, temperature: float) -> None:
        """Divide the weighted inputs that belong to the averaged outputs by a temperature."""
        # Of the members' own it would change which class has the largest mean.
        self.temperature = temperature


def heads_of(layer: Array, members: int) -> Array:
    """Return the members' parts of an output layer's matrix, (K, n_{L-1} + 1, n_L), as a view."""
    return layer.reshape(len(layer), members, -1).transpose(1, 0, 2)


class MemberBuffers:
    """Room for the forward pass of m examples through every member.

    Args:
        network: the network that will use it.
        rows: m.
        share: larger buffers of the same network to lie in, instead of new memory.
        dropout: rates for layers 1..L-1; none are dropped by default.

    Attributes:
        x: the members' inputs, (K m, n_1 + 1).
        shared: room for layers 2..L-1.
        a: a^(L-1), dropped neurons set to 0, and a column of 1, (K m, n_{L-1} + 1).
        z_of_members, sigma_of_members: z^(L) and σ(z^(L)) of the members, (K m, n_L).
        z, sigma: of the averaged outputs, a list of one array (m, n_L) each.
        masks: of layers 1..L-1, or None: (m, n_1) for the inputs, which members share, then
            (K m, n_l).
    """

    room: type[Buffers] = Buffers

    def __init__(
        self,
        network: MemberNetwork,
        rows: int,
        share: "MemberBuffers | None" = None,
        dropout: Sequence[float] = (),
    ) -> None:
        self.network = network
        n_first, *_, n_below, n_out = network.structure
        all_rows, dtype = network.members * rows, network.dtype
        of_inputs, *of_hidden = dropout or [0.0] * (len(network.structure) - 1)
        if share is None:
            self.x = np.full((all_rows, n_first + 1), 1 / network.input_scale, dtype)
            self.shared = self.room(network.shared, all_rows, None, (0.0, *of_hidden[:-1]))
            self.a = np.ones((all_rows, n_below + 1), dtype)
            self.z_of_members = np.empty((all_rows, n_out), dtype)
            self.sigma_of_members = np.empty_like(self.z_of_members)
            self.z = [np.empty((rows, n_out), dtype)]
            self.sigma = [np.empty_like(self.z[0])]
            of_x = np.empty((rows, n_first), dtype) if of_inputs else None
            of_a = np.empty((all_rows, n_below), dtype) if of_hidden[-1] else None
        else:
            self.x, self.a = share.x[:all_rows], share.a[:all_rows]
            self.shared = self.room(network.shared, all_rows, share.shared)
            self.z_of_members = share.z_of_members[:all_rows]
            self.sigma_of_members = share.sigma_of_members[:all_rows]
            self.z, self.sigma = [share.z[0][:rows]], [share.sigma[0][:rows]]
            of_x, of_a = (
                None if mask is None else mask[:n]
                for mask, n in zip((share.masks[0], share.masks[-1]), (rows, all_rows), strict=True)
            )
        self.masks: list[Array | None] = [of_x, *self.shared.masks[1:], of_a]


def by_member(array: Array, network: MemberNetwork) -> Array:
    """View an array of (K m, n) rows, member by member, as (K, m, n)."""
    return array.reshape(network.members, -1, array.shape[1])


def scale_inputs(x: Array, buffers: MemberBuffers) -> None:
    """Write r_k ⊙ x of every member into `buffers.x`; x is (m, n_1 + 1)."""
    network = buffers.network
    inputs = by_member(buffers.x, network)[:, :, :-1]
    np.multiply(x[:, :-1], network.scales[:, np.newaxis], inputs)


def forward_heads(sigma: Array, buffers: MemberBuffers) -> Array:
    """Compute the members' outputs, (K m, n_L), of σ(z^(L-1)), (K m, n_{L-1})."""
    network, a, mask = buffers.network, buffers.a, buffers.masks[-1]
    if mask is None:
        a[:, :-1] = sigma
    else:
        np.multiply(sigma, mask, a[:, :-1])
    z = buffers.z_of_members
    np.matmul(by_member(a, network), network.heads, by_member(z, network))
    network.activations[-1].forward(z, buffers.sigma_of_members)
    return buffers.sigma_of_members


def forward_members(x: Array, buffers: MemberBuffers) -> Array:
    """Compute the mean of the members' outputs.

    Args:
        x: inputs, (m, n_1 + 1); the last column as `network.input_buffer` has it.
        buffers: for m examples, of the network to use; overwritten, but for `masks`.

    Returns:
        The mean outputs, (m, n_L): the buffer `buffers.sigma[-1]` itself. `buffers.z[-1]` is what
        they are the σ of, as σ leaves it.
    """
    network, z, a = buffers.network, buffers.z[0], buffers.sigma[0]
    scale_inputs(x, buffers)
    forward_heads(forward(buffers.x, buffers.shared), buffers)
    MEAN[network.activation_names[-1]](by_member(buffers.z_of_members, network), z)
    if network.temperature != 1:
        np.divide(z, network.temperature, z)
    network.activations[-1].forward(z, a)
    return a


def _log_sum(logs: Array, out: Array) -> None:
    """Write log of the sum over the members, (m, n), of what `logs`, (K, m, n), are the log of."""
    np.logaddexp.reduce(logs, axis=0, out=out)


def _mean_of_sigmoids(z: Array, out: Array) -> None:
    """Write log(p / (1 - p)) of the mean p of σ(z) over the members, finite for any z."""
    no = np.empty_like(out)
    _log_sum(-np.logaddexp(0, z), no)
    _log_sum(-np.logaddexp(0, -z), out)
    np.subtract(out, no, out)


# What the mean of a^(L) over the members, (K, m, n_L), is the σ of, by the output's activation.
# Softmax leaves log a in z, and makes the mean of a sum.
MEAN: dict[str, Callable[[Array, Array], object]] = {
    "linear": lambda z, out: np.mean(z, axis=0, out=out),
    "softmax": _log_sum,
    "sigmoid": _mean_of_sigmoids,
}
