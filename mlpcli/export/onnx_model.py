"""A model as an ONNX file of standard operators."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli import __version__
from mlpcli.data.readers.table import Table
from mlpcli.export.examples import Run, column_of
from mlpcli.export.onnx_features import category_features, date_features, number_features
from mlpcli.export.onnx_graph import CODES, Graph, float_type, load_onnx
from mlpcli.export.onnx_layers import add_layer
from mlpcli.export.steps import (
    Category,
    Classes,
    Date,
    Labels,
    Number,
    Quantities,
    Steps,
)

# The first with RegexFullMatch, and comparisons of texts;
OPSET = 20
# the first format with that.
IR_VERSION = 9
# What is said of an input that takes dates.
DATES = "seconds since 1970-01-01 00:00 by the clock on the wall, or since midnight; NaN if missing"
# Float32 rounds a number by this share of it; so little of a column's spread makes no difference.
FLOAT32_ROUNDING, LITTLE = 2.0**-24, 1e-6


def input_names(steps: Steps) -> list[str]:
    """Return the names of the graph's inputs: of a table its columns', else one."""
    if not steps.named:
        return ["image" if steps.image_shape else "features"]
    taken, names = {*output_names(steps)}, []
    for position, column in enumerate(steps.columns, 1):
        name = column.name or f"column_{position}"
        while name in taken:
            name += "_"
        taken.add(name)
        names.append(name)
    return names


def output_names(steps: Steps) -> tuple[str, ...]:
    """Return the names of the graph's outputs."""
    if isinstance(steps.answer, Quantities):
        return ("predicted",)
    return ("class" if isinstance(steps.answer, Classes) else "labels", "proba")


def input_types(steps: Steps) -> list[type[np.generic]]:
    """Return the type of every input: of texts `str_`, of numbers `float32`.

    It is `float64` of dates, and where float32 cannot tell numbers of a column apart, whose spread
    is small.
    """
    types: list[type[np.generic]] = [
        np.str_ if isinstance(column, Category) else np.float64 if _is_fine(column) else np.float32
        for column in steps.columns
    ]
    if steps.named:
        return types
    return [np.float64 if np.float64 in types else np.float32]


def _is_fine(column: Number | Date) -> bool:
    """Return whether float32 cannot hold a column's numbers, or the seconds of its dates."""
    if isinstance(column, Date):
        return True
    center, spread = column.center, column.spread
    if column.bins:
        center, spread = max(map(abs, column.bins)), float(np.diff(column.bins).min())
    return abs(center) * FLOAT32_ROUNDING > LITTLE * spread


def render(steps: Steps, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX file that predicts what a model does.

    A row that `mlp predict` refuses has NaN for outputs, and "" for its class.

    Args:
        steps: the model.
        metadata: what to say of it.

    Raises:
        ConfigError: if the library is not installed, or a name is no Unicode.
    """
    onnx = load_onnx()
    helper = onnx.helper
    values = [
        [helper.make_tensor_value_info(name, CODES[kind], shape) for name, kind, shape in declared]
        for declared in (_inputs(steps), _outputs(steps))
    ]
    for column, value in zip(steps.columns, values[0], strict=False):
        value.doc_string = DATES if isinstance(column, Date) else ""
    graph = Graph(onnx, [*input_names(steps), *output_names(steps)])
    a = features = _features(graph, steps)
    for layer in steps.layers:
        a = add_layer(graph, layer, a, float_type(steps))
    # 0, but NaN where a feature is no number: layers may hide that.
    zeros = graph.node("Mul", [features, graph.constant("zero", float_type(steps)(0))], "zeros")
    refused = graph.node("ReduceSum", [zeros, graph.axis()], "refused", keepdims=1)
    _answer(graph, steps.answer, graph.node("Add", [a, refused], "outputs"))
    model = helper.make_model(
        helper.make_graph(graph.nodes, "mlp", *values, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="mlp",
        producer_version=__version__,
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _inputs(steps: Steps) -> Iterator[tuple[str, type[np.generic], list[Any]]]:
    """Yield name, type and shape of the inputs."""
    shape: tuple[int, ...] = (1,) if steps.named else steps.image_shape or (len(steps.columns),)
    for name, kind in zip(input_names(steps), input_types(steps), strict=True):
        yield name, kind, ["N", *shape]


def _outputs(steps: Steps) -> Iterator[tuple[str, type[np.generic], list[Any]]]:
    """Yield name, type and shape of the outputs."""
    first, *rest = output_names(steps)
    each = ["N", len(steps.answer.names)]
    if isinstance(steps.answer, Quantities):
        yield first, np.float64, each
    elif isinstance(steps.answer, Classes):
        yield first, np.str_, ["N"]
    else:
        yield first, np.int64, each
    yield from ((name, float_type(steps), each) for name in rest)


def _features(graph: Graph, steps: Steps) -> str:
    """Add what makes features, (N, n_1), of the inputs; NaN where a cell is refused."""
    inputs = input_names(steps)
    if not steps.named:
        flat = inputs[0]
        if steps.image_shape:
            flat = graph.node("Flatten", [flat], "pixels", axis=1)
        return number_features(graph, steps, flat, list(steps.columns), input_types(steps)[0])
    parts = []
    cells = zip(steps.columns, inputs, input_types(steps), strict=True)
    for kind, group in groupby(cells, key=lambda cell: (type(cell[0]), cell[2])):
        columns, names, _ = zip(*group, strict=True)
        if kind[0] is not Number:
            add: Any = category_features if kind[0] is Category else date_features
            parts += [add(graph, steps, *pair) for pair in zip(columns, names, strict=True)]
        else:
            joined = names[0]
            if len(names) > 1:
                joined = graph.node("Concat", list(names), "numbers", axis=1)
            parts.append(number_features(graph, steps, joined, list(columns), kind[1]))
    return graph.node("Concat", parts, "x", axis=1) if len(parts) > 1 else parts[0]


def _answer(graph: Graph, answer: Classes | Labels | Quantities, outputs: str) -> None:
    """Add what outputs mean."""
    if isinstance(answer, Quantities):
        _quantities(graph, answer, outputs)
        return
    graph.add("Identity", [outputs], "proba")
    if isinstance(answer, Labels):
        threshold = graph.constant("threshold", np.float64(answer.threshold))
        exact = graph.node("Cast", [outputs], "exact_outputs", to=CODES[np.float64])
        enough = graph.node("GreaterOrEqual", [exact, threshold], "enough")
        graph.add("Cast", [enough], "labels", to=CODES[np.int64])
        return
    best = graph.node("ArgMax", [outputs], "best", axis=1, keepdims=0)
    names = graph.constant("class_names", np.array(answer.names, object))
    name = graph.node("Gather", [names, best], "name")
    total = graph.node("ReduceSum", [outputs, graph.axis()], "total", keepdims=0)
    refused = graph.node("IsNaN", [total], "is_refused")
    nothing = graph.constant("no_class", np.array("", object))
    graph.add("Where", [refused, nothing, name], "class")


def _quantities(graph: Graph, answer: Quantities, outputs: str) -> None:
    """Add what makes quantities in their own units of outputs in standard deviations."""
    exact = graph.node("Cast", [outputs], "standardized", to=CODES[np.float64])
    scaled = graph.node("Mul", [exact, graph.constant("std", np.array([answer.stds]))], "scaled")
    operands = [scaled, graph.constant("mean", np.array([answer.means]))]
    if answer.ranges is None:
        graph.add("Add", operands, "predicted")
        return
    low, high = (graph.constant("limit", limits) for limits in np.array(answer.ranges).T.copy())
    raised = graph.node("Max", [graph.node("Add", operands, "quantities"), low], "raised")
    graph.add("Min", [raised, high], "predicted")


def runner(steps: Steps, content: bytes) -> Run:
    """Return what runs an ONNX file, with the library's reference implementation."""
    load_onnx()
    from onnx.reference import ReferenceEvaluator

    session = ReferenceEvaluator(content)

    def run(table: Table) -> NDArray[np.float64]:
        (found,) = session.run([output_names(steps)[-1]], feeds(steps, table))
        return np.asarray(found, np.float64)

    return run


def feeds(steps: Steps, table: Table) -> dict[str, NDArray[Any]]:
    """Return the rows of a table as the inputs of the graph, by name."""
    found: dict[str, NDArray[Any]] = {}
    for j, (name, kind, (_, *shape)) in enumerate(_inputs(steps)):
        given: Any = column_of(table, j) if steps.named else table.values
        array = np.array(given, object if kind is np.str_ else kind)
        found[name] = array.reshape(len(table.values), *shape)
    return found
