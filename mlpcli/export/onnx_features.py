"""Features of cells, as operators of ONNX."""

import re
from collections.abc import Sequence
from math import pi
from typing import Any

import numpy as np

from mlpcli.data.dates import FIRST_WEEKDAY
from mlpcli.data.readers.dates import DAY
from mlpcli.export.onnx_graph import CODES, Graph, float_type
from mlpcli.export.steps import Category, Date, Missing, Number, Steps

# The years 1 to 9999, in seconds from 1970 on; what is beyond them is no date.
FIRST_DATE, LAST_DATE = -62_135_596_800, 253_402_300_800


def number_features(graph: Graph, steps: Steps, given: str, columns: list[Any], kind: Any) -> str:
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
        x = _bent(graph, x, graph.constant("limit", limits))
    if kind is not float_type(steps):
        x = graph.node("Cast", [x], "features", to=CODES[float_type(steps)])
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


def date_features(graph: Graph, steps: Steps, column: Date, given: str) -> str:
    """Add what makes features of a date in seconds, (N, width): all in float64, where NaN stays."""
    parts, features = _date_parts(graph, given), []
    for name, period in zip(column.parts, column.periods, strict=True):
        if not period:
            features.append(parts[name])
            continue
        angle = graph.node("Mul", [parts[name], _exact(graph, 2 * pi / period)], "angle")
        features += [graph.node(way, [angle], name) for way in ("Sin", "Cos")]
    x = graph.node("Concat", features, "parts", axis=1)
    if column.fill is not None:
        missing = graph.node("IsNaN", [given], "missing")
        x = graph.node("Where", [missing, _exact(graph, [column.fill]), x], "filled")
    x = graph.node("Sub", [x, _exact(graph, [column.centers])], "centered")
    x = graph.node("Div", [x, _exact(graph, [column.spreads])], "scaled")
    if column.limit is not None:
        x = _bent(graph, x, _exact(graph, column.limit))
    # What lies beyond the years 1 to 9999 is refused; NaN is not.
    first, last = _exact(graph, FIRST_DATE), _exact(graph, LAST_DATE)
    beyond = [
        graph.node("Less", [given, first], "before"),
        graph.node("GreaterOrEqual", [given, last], "after"),
    ]
    refused = graph.node("Or", beyond, "is_no_date")
    x = graph.node("Where", [refused, _exact(graph, np.nan), x], "date")
    return (
        x
        if steps.dtype == "float64"
        else graph.node("Cast", [x], "features", to=CODES[float_type(steps)])
    )


def _date_parts(graph: Graph, seconds: str) -> dict[str, str]:
    """Add the parts of a date, (N, 1) each."""

    def add(operator: str, one: str, other: float | str) -> str:
        right = other if isinstance(other, str) else _exact(graph, other)
        return graph.node(operator, [one, right], "of_date")

    def divided(one: str, divisor: float) -> tuple[str, str]:
        whole = graph.node("Floor", [add("Div", one, divisor)], "whole")
        return whole, add("Sub", one, add("Mul", whole, divisor))

    def quarters(days: str) -> str:
        return add("Add", add("Mul", days, 4), 3)

    days, time = divided(seconds, DAY)
    # As the C does it, and its comment says.
    century, rest = divided(quarters(add("Add", days, 719_468)), 146_097)
    year, rest = divided(quarters(divided(rest, 4)[0]), 1461)
    fifths = add("Add", add("Mul", divided(rest, 4)[0], 5), 2)
    later, month = divided(add("Add", divided(fifths, 153)[0], 2), 12)
    _, weekday = divided(add("Add", days, FIRST_WEEKDAY), 7)
    year = add("Add", add("Add", add("Mul", century, 100), year), later)
    return {"year": year, "month": month, "weekday": weekday, "time": time}


def _exact(graph: Graph, value: Any) -> str:
    return graph.constant("of_dates", np.array(value, np.float64))


def _bent(graph: Graph, x: str, limit: str) -> str:
    """Add x / sqrt(1 + (x / limit)²), in float64."""
    t = graph.node("Div", [x, limit], "t")
    squared = graph.node("Mul", [t, t], "t_squared")
    total = graph.node("Add", [squared, graph.constant("one", np.float64(1))], "one_and_t")
    return graph.node("Div", [x, graph.node("Sqrt", [total], "bend")], "bent")


def category_features(graph: Graph, steps: Steps, column: Category, given: str) -> str:
    """Add what makes features of a text, (N, categories)."""
    kind = float_type(steps)

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
