"""A model as an ONNX file of standard operators."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli import __version__
from mlpcli.data.readers.table import Table
from mlpcli.export.examples import Run, column_of
from mlpcli.export.onnx_graph import Graph, activate, load_onnx
from mlpcli.export.steps import (
    Activate,
    Affine,
    Category,
    Classes,
    Labels,
    Members,
    Missing,
    Number,
    Periodic,
    Quantities,
    Steps,
)

# The first with RegexFullMatch, and comparisons of texts;
OPSET = 20
# the first format with that.
IR_VERSION = 9
# Float32 rounds a number by this share of it; so little of a column's spread makes no difference.
FLOAT32_ROUNDING, LITTLE = 2.0**-24, 1e-6
# ONNX's numbers of types, TensorProto.DataType.
CODES = {np.float32: 1, np.int64: 7, np.str_: 8, np.bool_: 9, np.float64: 11}


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

    It is `float64` where float32 cannot tell numbers of a column apart, whose spread is small.
    """
    types: list[type[np.generic]] = [
        np.str_ if isinstance(column, Category) else np.float64 if _is_fine(column) else np.float32
        for column in steps.columns
    ]
    if steps.named:
        return types
    return [np.float64 if np.float64 in types else np.float32]


def _is_fine(column: Number) -> bool:
    """Return whether float32 cannot hold a column's numbers."""
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
    graph = Graph(onnx, [*input_names(steps), *output_names(steps)])
    a = features = _features(graph, steps)
    for layer in steps.layers:
        a = _layer(graph, layer, a, _float(steps))
    # 0, but NaN where a feature is no number: layers may hide that.
    zeros = graph.node("Mul", [features, graph.constant("zero", _float(steps)(0))], "zeros")
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


def _float(steps: Steps) -> type[np.floating[Any]]:
    return np.float32 if steps.dtype == "float32" else np.float64


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
    yield from ((name, _float(steps), each) for name in rest)


def _features(graph: Graph, steps: Steps) -> str:
    """Add what makes features, (N, n_1), of the inputs; NaN where a cell is refused."""
    inputs = input_names(steps)
    if not steps.named:
        flat = inputs[0]
        if steps.image_shape:
            flat = graph.node("Flatten", [flat], "pixels", axis=1)
        return _numbers(graph, steps, flat, list(steps.columns), input_types(steps)[0])
    parts = []
    cells = zip(steps.columns, inputs, input_types(steps), strict=True)
    for kind, group in groupby(cells, key=lambda cell: (type(cell[0]), cell[2])):
        columns, names, _ = zip(*group, strict=True)
        if kind[0] is Category:
            parts += [_category(graph, steps, *pair) for pair in zip(columns, names, strict=True)]
        else:
            joined = names[0]
            if len(names) > 1:
                joined = graph.node("Concat", list(names), "numbers", axis=1)
            parts.append(_numbers(graph, steps, joined, list(columns), kind[1]))
    return graph.node("Concat", parts, "x", axis=1) if len(parts) > 1 else parts[0]


def _numbers(graph: Graph, steps: Steps, given: str, columns: list[Any], kind: Any) -> str:
    """Add what makes features of numbers, (N, m)."""
    limits = np.array([[c.limit or np.inf for c in columns for _ in range(c.width)]])
    centers = np.array([[column.center for column in columns]])
    spreads = np.array([[column.spread for column in columns]])
    bent, binned = np.isfinite(limits).any(), any(column.bins for column in columns)
    scaled = centers.any() or (spreads != 1).any() or bent or binned
    filled = columns[0].fill is not None
    x = given
    # As mlp does, in float64.
    if (scaled or filled or steps.dtype == "float64") and kind is not np.float64:
        x = graph.node("Cast", [x], "exact", to=CODES[np.float64])
        kind = np.float64
    for number in steps.missing.numbers:
        stands = graph.node("Equal", [x, graph.constant("missing_number", kind(number))], "stands")
        x = graph.node("Where", [stands, graph.constant("nan", kind(np.nan)), x], "marked")
    if filled:
        missing = graph.node("IsNaN", [x], "missing")
        fill = graph.constant("fill", np.array([[column.fill for column in columns]]))
        x = graph.node("Where", [missing, fill, x], "filled")
    if binned:
        x = _shares(graph, x, columns)
    elif scaled:
        x = graph.node("Sub", [x, graph.constant("center", centers)], "centered")
        x = graph.node("Div", [x, graph.constant("spread", spreads)], "scaled")
    if bent:
        t = graph.node("Div", [x, graph.constant("limit", limits)], "t")
        squared = graph.node("Mul", [t, t], "t_squared")
        total = graph.node("Add", [squared, graph.constant("one", np.float64(1))], "one_and_t")
        x = graph.node("Div", [x, graph.node("Sqrt", [total], "bend")], "bent")
    if kind is not _float(steps):
        x = graph.node("Cast", [x], "features", to=CODES[_float(steps)])
    return x


def _shares(graph: Graph, x: str, columns: list[Number]) -> str:
    """Add the share of each bin that numbers have passed, / spread.

    A number without bins has one from its center on, as wide as its spread, where no share ends.
    """
    width = [column.width for column in columns]
    spread = np.repeat([column.spread if column.bins else 1.0 for column in columns], width)
    low = np.concatenate([column.bins[:-1] or [column.center] for column in columns])
    size = np.concatenate([np.diff(c.bins) if c.bins else [c.spread] for c in columns])
    least, most = np.zeros(len(low)), np.ones(len(low))
    last = np.cumsum(width) - 1
    least[last - np.array(width) + 1], most[last] = -np.inf, np.inf
    each = graph.constant("each", np.repeat(np.arange(len(columns)), width))
    x = graph.node("Gather", [x, each], "of_bins", axis=1)
    for operator, values in (
        ("Sub", low), ("Div", size), ("Max", least), ("Min", most), ("Div", spread)
    ):  # fmt: skip
        x = graph.node(operator, [x, graph.constant("of_bin", values[np.newaxis])], "shares")
    return x


def _category(graph: Graph, steps: Steps, column: Category, given: str) -> str:
    """Add what makes features of a text, (N, categories)."""
    kind = _float(steps)

    def features(name: str, values: Sequence[float]) -> str:
        return graph.constant(name, np.array([values], kind))

    texts = graph.constant("categories", np.array([column.categories], object))
    hits = graph.node("Equal", [given, texts], "is_category")
    off = features("off", column.off or (0.0,) * len(column.categories))
    found = graph.node("Where", [hits, features("on", column.on), off], "one_hot")
    if not column.off:
        found = graph.node("ReduceSum", [found, graph.axis()], "sign", keepdims=1)
    counted = graph.node("Cast", [hits], "hits", to=CODES[np.int64])
    any_hit = graph.node("ReduceMax", [counted, graph.axis()], "hit")
    known = graph.node("Cast", [any_hit], "known", to=CODES[np.bool_])
    refused = (np.nan,) * column.width
    other = features("unknown", (0.0,) * column.width if column.ignore_unknown else refused)
    if column.fill or column.ignore_unknown:
        pattern = missing_pattern(steps.missing)
        missing = graph.node("RegexFullMatch", [given], "missing", pattern=pattern)
        fill = features("fill", column.fill or refused)
        other = graph.node("Where", [missing, fill, other], "otherwise")
    return graph.node("Where", [known, found, other], "category")


def missing_pattern(missing: Missing) -> str:
    """Return a regular expression, of RE2's, for texts that stand for a missing value."""
    spelled = (f(n) for n in missing.numbers for f in (repr, "{:g}".format))
    words = "|".join(re.escape(word) for word in (*missing.text_words, *spelled))
    return rf"(?i)\s*({words})?\s*"


def _layer(
    graph: Graph,
    layer: Affine | Activate | Members | Periodic,
    a: str,
    kind: type[np.floating[Any]],
) -> str:
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
        a = _layer(graph, layer, a, kind)
    if not isinstance(last, Affine):
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
