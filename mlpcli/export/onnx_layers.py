"""The layers of a network, as operators of ONNX."""

from typing import Any

import numpy as np

from mlpcli.export.onnx_graph import CODES, Graph, activate
from mlpcli.export.steps import Activate, Affine, Members, Periodic, Quantized


def add_layer(
    graph: Graph,
    layer: Affine | Quantized | Activate | Members | Periodic,
    a: str,
    kind: type[np.floating[Any]],
) -> str:
    """Add what a layer makes of features or of the layer below; return its name."""
    if isinstance(layer, Periodic):
        return _periodic(graph, layer, a, kind)
    if isinstance(layer, Members):
        return _members(graph, layer, a, kind)
    if isinstance(layer, Activate):
        return activate(graph, layer.name, a, kind)
    W, b = graph.constant("W", layer.W), graph.constant("b", layer.b)
    return graph.node("Gemm", [a, W, b], "z", alpha=layer.factor)


def _periodic(graph: Graph, periodic: Periodic, x: str, kind: type[np.floating[Any]]) -> str:
    """Add what stands for the features, x: (N, others and a cosine and a sine per frequency)."""
    is_number, each = np.array(periodic.is_number), periodic.frequencies.shape[1]
    parts = []
    if not is_number.all():
        others = graph.constant("others", np.flatnonzero(~is_number))
        parts.append(graph.node("Gather", [x, others], "of_others", axis=1))
        if periodic.factor != 1:
            factor = graph.constant("factor", kind(periodic.factor))
            parts = [graph.node("Mul", [*parts, factor], "scaled_others")]
    numbers = graph.constant("numbers", np.repeat(np.flatnonzero(is_number), each))
    repeated = graph.node("Gather", [x, numbers], "of_numbers", axis=1)
    frequencies = graph.constant("frequencies", periodic.frequencies.reshape(1, -1))
    v = graph.node("Mul", [repeated, frequencies], "v")
    parts += [graph.node("Cos", [v], "cos"), graph.node("Sin", [v], "sin")]
    return graph.node("Concat", parts, "embedded", axis=1)


def _members(graph: Graph, members: Members, x: str, kind: type[np.floating[Any]]) -> str:
    """Add the mean of the members' outputs, which are computed as (K, N, n)."""
    (*shared, last), (count, n) = members.layers, members.scales.shape
    scales = graph.constant("member_scales", members.scales[:, np.newaxis])
    a = graph.node("Mul", [x, scales], "of_members")
    a = graph.node("Reshape", [a, graph.constant("rows", np.array([-1, n]))], "member_rows")
    for layer in shared:
        a = add_layer(graph, layer, a, kind)
    if isinstance(last, Activate):
        raise TypeError
    below = graph.constant("by_member", np.array([count, -1, len(last.W)]))
    a = graph.node("Reshape", [a, below], "a_by_member")
    W = last.W.reshape(len(last.W), count, -1).transpose(1, 0, 2)
    a = graph.node("MatMul", [a, graph.constant("W", W)], "product")
    z = graph.node("Add", [a, graph.constant("b", last.b.reshape(count, 1, -1))], "z")
    if cooled := members.temperature != 1:
        z = graph.node("Cast", [z], "exact_z", to=CODES[np.float64])
    a = z if members.output == "linear" else activate(graph, members.output, z, kind)
    a = graph.node("ReduceMean", [a, graph.constant("of_all", np.array([0]))], "mean", keepdims=0)
    if not cooled:
        return a
    z = graph.node("Log", [a], "log")
    if members.output == "sigmoid":
        rest = graph.node("Sub", [graph.constant("whole", np.float64(1)), a], "rest")
        z = graph.node("Sub", [z, graph.node("Log", [rest], "log_rest")], "logit")
    temperature = graph.constant("temperature", np.float64(members.temperature))
    a = activate(graph, members.output, graph.node("Div", [z, temperature], "cooled"), np.float64)
    return graph.node("Cast", [a], "cooled_outputs", to=CODES[kind])
