"""ONNX graphs as they grow; the library `onnx` is an extra, imported here alone."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlpcli.errors import ConfigError
from mlpcli.export.steps import Steps
from mlpcli.nn.activations import LEAK, MISH_LIMIT, SELU_ALPHA, SELU_SCALE

# ONNX's numbers of types, TensorProto.DataType.
CODES = {np.float32: 1, np.int64: 7, np.str_: 8, np.bool_: 9, np.float64: 11}


def load_onnx() -> Any:
    """Import the library.

    Raises:
        ConfigError: if it is not installed.
    """
    try:
        import onnx
    except ImportError:
        remedy = "pip install 'mlpcli[onnx]'"
        raise ConfigError("--format onnx", "needs the library onnx", remedy) from None
    return onnx


def float_type(steps: Steps) -> type[np.floating[Any]]:
    """Return the type of a network's arithmetic."""
    return np.float32 if steps.dtype == "float32" else np.float64


class Graph:
    """An ONNX graph as it grows; every name in it is used once.

    Args:
        onnx: the library.
        taken: names of inputs and outputs.
    """

    def __init__(self, onnx: Any, taken: Sequence[str]) -> None:
        self._helper, self._numpy_helper = onnx.helper, onnx.numpy_helper
        self._taken = {*taken}
        self._axis = ""
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def _new(self, name: str) -> str:
        found, i = name, 2
        while found in self._taken:
            found, i = f"{name}_{i}", i + 1
        self._taken.add(found)
        return found

    def constant(self, name: str, values: Any) -> str:
        """Add an array; return its name."""
        name = self._new(name)
        array = np.asarray(values)
        if array.dtype.kind == "U":
            array = array.astype(object)
        self.constants.append(self._numpy_helper.from_array(array, name))
        return name

    def axis(self) -> str:
        """Return the name of the number of the axis of columns, 1, as an array."""
        if not self._axis:
            self._axis = self.constant("axis", np.array([1]))
        return self._axis

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add an operation; return the name of its output."""
        output = self._new(name)
        self.add(operator, inputs, output, **attributes)
        return output

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        """Add an operation whose output's name is known."""
        node = self._helper.make_node(operator, inputs, [output], name=output, **attributes)
        self.nodes.append(node)


OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": LEAK}),
    "gelu": ("Gelu", {"approximate": "tanh"}),
    "selu": ("Selu", {"alpha": SELU_ALPHA, "gamma": SELU_SCALE}),
    "mish": ("Mish", {}),
    "softmax": ("Softmax", {"axis": -1}),
}


def activate(graph: Graph, name: str, z: str, kind: type[np.floating[Any]]) -> str:
    """Add an activation function of z; return the name of its output."""
    if kind is np.float64 and name in COMPOSED:
        return COMPOSED[name](graph, z)
    operator, attributes = OPERATORS[name]
    return graph.node(operator, [z], name, **attributes)


def _number(graph: Graph, value: float) -> str:
    return graph.constant("number", np.float64(value))


def _leaky_relu(graph: Graph, z: str) -> str:
    leak = graph.node("Mul", [z, _number(graph, LEAK)], "leak")
    return graph.node("Max", [z, leak], "leaky_relu")


def _selu(graph: Graph, z: str) -> str:
    above = graph.node("Max", [z, _number(graph, 0)], "above")
    power = graph.node("Exp", [graph.node("Min", [z, _number(graph, 0)], "below")], "power")
    less = graph.node("Sub", [power, _number(graph, 1)], "less")
    scaled = graph.node("Mul", [less, _number(graph, SELU_ALPHA)], "scaled")
    total = graph.node("Add", [above, scaled], "total")
    return graph.node("Mul", [total, _number(graph, SELU_SCALE)], "selu")


def _mish(graph: Graph, z: str) -> str:
    power = graph.node(
        "Exp", [graph.node("Min", [z, _number(graph, MISH_LIMIT)], "limited")], "power"
    )
    two = _number(graph, 2)
    w = graph.node("Mul", [power, graph.node("Add", [power, two], "more")], "w")
    share = graph.node("Div", [w, graph.node("Add", [w, two], "w_and_two")], "tanh")
    return graph.node("Mul", [z, share], "mish")


# What onnxruntime has no operator for in float64.
COMPOSED: dict[str, Callable[[Graph, str], str]] = {
    "leaky_relu": _leaky_relu,
    "selu": _selu,
    "mish": _mish,
}
