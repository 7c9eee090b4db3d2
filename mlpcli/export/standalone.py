"""A trained network: predict(row), predict_proba(row), or a filter for tables on standard input."""

from __future__ import annotations

import base64
import csv
import io
import math
import signal
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import mul
from typing import Any

from mlpcli.export.standalone_cells import READERS, as_number

# What was learned, step by step; the arrays are little-endian.
MODEL: dict[str, Any] = {}

# What tables call their targets, where the training table had no names.
TARGET_NAMES = ("y", "labels", "label", "target", "targets", "classes", "class")
LARGEST = {"float32": 3.4028234663852886e38, "float64": sys.float_info.max}
GELU_SCALE = math.sqrt(2 / math.pi)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def predict(row: Any) -> Any:
    """Return what a row is predicted to be.

    Args:
        row: a cell per column, in the order of `columns()` or by their names, or an image's pixels.
            A cell is a number or its text, or a date as text or of `datetime`; None, NaN or ""
            where it is missing.

    Returns:
        The name of its class; of labels a list of those that it has; of quantities a number, or a
        list of several.

    Raises:
        ValueError: naming the column of a cell that has no meaning.
    """
    answer, outputs = MODEL["answer"], _outputs(row)
    names = answer["names"]
    if answer["step"] == "Classes":
        return names[outputs.index(max(outputs))]
    if answer["step"] == "Labels":
        limit = answer["threshold"]
        return [name for name, a in zip(names, outputs, strict=True) if a >= limit]
    units = zip(outputs, answer["stds"], answer["means"], strict=True)
    numbers = [a * std + mean for a, std, mean in units]
    if answer["ranges"]:
        ranges = answer["ranges"]
        numbers = [min(max(y, low), high) for y, (low, high) in zip(numbers, ranges, strict=True)]
    return numbers if len(numbers) > 1 else numbers[0]


def predict_proba(row: Any) -> list[float]:
    """Return the network's output for every class or label, in the order of `classes()`.

    Raises:
        ValueError: as `predict` does; or if the network predicts quantities.
    """
    if MODEL["answer"]["step"] == "Quantities":
        raise ValueError("the network predicts quantities, not probabilities: use predict")
    return _outputs(row)


def columns() -> list[str]:
    """Return the names of a row's columns, "" for those that have none."""
    return [column["name"] for column in MODEL["columns"]]


def classes() -> list[str]:
    """Return the names of the classes, labels or quantities."""
    return list(MODEL["answer"]["names"])


def _outputs(row: Any) -> list[float]:
    x = _features(row)
    if not all(abs(value) <= LARGEST[MODEL["dtype"]] for value in x):
        raise ValueError("a value is too large for the network's arithmetic")
    for layer in _layers():
        x = layer(x)
    if not all(map(math.isfinite, x)):
        raise ValueError("a value is too large for the network's arithmetic")
    return x


def _features(row: Any) -> list[float]:
    if isinstance(row, Mapping):
        for name in columns():
            if name not in row:
                raise ValueError(f"column {name} is missing")
        cells = [row[name] for name in columns()]
    else:
        cells = list(_flat(row))
    if len(cells) != len(MODEL["columns"]):
        raise ValueError(f"{len(cells)} values, not {len(MODEL['columns'])}")
    found: list[float] = []
    for position, (column, cell) in enumerate(zip(MODEL["columns"], cells, strict=True), 1):
        try:
            found += READERS[column["step"]](column, cell, MODEL["missing"])
        except ValueError as error:
            raise ValueError(f"column {column['name'] or position}: {error}") from None
    return found


def _flat(row: Any) -> Iterator[Any]:
    """Yield the cells of a row, or the pixels of an image of rows of pixels of colours."""
    for cell in row:
        if hasattr(cell, "__iter__") and not isinstance(cell, str):
            yield from _flat(cell)
        else:
            yield cell


@cache
def _layers() -> list[Any]:
    """Return a function from row to row for every layer."""
    return [_layer(layer) for layer in MODEL["layers"]]


def _layer(layer: Mapping[str, Any]) -> Any:
    if layer["step"] == "Activate":
        return _activation(layer["name"])
    return {"Affine": _affine, "Members": _members, "Periodic": _periodic}[layer["step"]](layer)


def _periodic(layer: Mapping[str, Any]) -> Any:
    """Return what makes cosines and sines of the features that are numbers."""
    is_number, factor = layer["is_number"], layer["factor"]
    frequencies, each = _array(layer["frequencies"]), layer["frequencies"]["shape"][1]

    def forward(x: list[float]) -> list[float]:
        cells = list(zip(x, is_number, strict=True))
        others = [factor * value for value, number in cells if not number]
        numbers = (value for value, number in cells if number for _ in range(each))
        v = list(map(mul, numbers, frequencies))
        return [*others, *map(math.cos, v), *map(math.sin, v)]

    return forward


def _members(layer: Mapping[str, Any]) -> Any:
    """Return what averages the outputs of networks that share layers."""
    layers, output = [_layer(below) for below in layer["layers"]], _activation(layer["output"])
    count, n = layer["scales"]["shape"]
    scales = _array(layer["scales"])

    def forward(x: list[float]) -> list[float]:
        total = [0.0] * len(classes())
        for k in range(count):
            a = list(map(mul, scales[k * n : (k + 1) * n], x))
            for below in layers:
                a = below(a)
            own = output(a[k * len(total) : (k + 1) * len(total)])
            total = [one + other / count for one, other in zip(total, own, strict=True)]
        return _cooled(total, layer["output"], layer["temperature"])

    return forward


def _cooled(a: list[float], output: str, temperature: float) -> list[float]:
    """Return σ(z / temperature) of outputs σ(z)."""
    if temperature == 1:
        return a
    if output == "softmax":
        return _softmax([_log(share) / temperature for share in a])
    return [_sigmoid((_log(share) - _log(1 - share)) / temperature) for share in a]


def _log(x: float) -> float:
    return math.log(max(x, sys.float_info.min))


def _affine(layer: Mapping[str, Any]) -> Any:
    W, b, factor = _array(layer["W"]), _array(layer["b"]), layer["factor"]
    rows = [W[j :: len(b)] for j in range(len(b))]

    def forward(x: list[float]) -> list[float]:
        return [factor * sum(map(mul, row, x)) + bias for row, bias in zip(rows, b, strict=True)]

    return forward


def _array(stored: Mapping[str, Any]) -> list[float]:
    numbers = array("f" if stored["dtype"] == "float32" else "d")
    numbers.frombytes(base64.b64decode(stored["base64"]))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _activation(name: str) -> Any:
    if name == "softmax":
        return _softmax
    function = ACTIVATIONS[name]
    return lambda x: [function(z) for z in x]


def _sigmoid(z: float) -> float:
    power = math.exp(-abs(z))
    return (1 if z >= 0 else power) / (1 + power)


def _gelu(z: float) -> float:
    return 0.5 * z * (1 + math.tanh(GELU_SCALE * z * (1 + 0.044715 * z * z)))


def _selu(z: float) -> float:
    return SELU_SCALE * (z if z > 0 else SELU_ALPHA * math.expm1(z))


def _mish(z: float) -> float:
    w = math.exp(min(z, 40.0))
    w *= w + 2
    return z * w / (w + 2)


def _softmax(x: list[float]) -> list[float]:
    powers = [math.exp(z - max(x)) for z in x]
    total = sum(powers)
    return [power / total for power in powers]


ACTIVATIONS = {
    "linear": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),
    "leaky_relu": lambda z: max(z, 0.01 * z),
    "gelu": _gelu,
    "selu": _selu,
    "mish": _mish,
}


def main(proba: bool = False) -> None:
    """Read a table from standard input; print what every row is predicted to be, one per line.

    Args:
        proba: print the outputs for all classes, too.
    """
    stream = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
    shown = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="backslashreplace")
    lines = (line for line in stream if line.strip(" \r\n"))
    first = next(lines, None)
    if first is None:
        return
    delimiter = max(",;\t", key="".join(first.split('"')[::2]).count)
    csv.field_size_limit(1 << 24)
    reader = csv.reader(chain([first], lines), delimiter=delimiter)
    names = next(reader)
    header = _is_header([name.strip() for name in names])
    chosen = _choose([name.strip() for name in names] if header else None, len(names))
    for number, row in enumerate(reader if header else chain([names], reader), 1):
        try:
            if len(row) != len(names):
                raise ValueError(f"{len(row)} values, and {len(names)} in the first line")
            print(_line([row[i] for i in chosen], proba), file=shown, flush=True)
        except ValueError as error:
            raise ValueError(f"row {number}: {error}") from None


def _is_header(names: list[str]) -> bool:
    """Return whether a first row has names: one that is known, or no number among them."""
    table = MODEL["table"] or {"names": [], "header": None}
    if table["header"] is False:
        return False
    words = [name for name in names if as_number(name) is None]
    known = {name for name in table["names"] if name}
    return (
        len(words) == len(names)
        or not known.isdisjoint(words)
        or (len(set(names)) == len(names) and known.issuperset(names))
    )


def _choose(names: list[str] | None, width: int) -> list[int]:
    """Return where a table has the columns of a row: by name, or else by position."""
    table = MODEL["table"] or {"names": [], "positions": []}
    if names and any(table["names"]):
        for name in columns():
            if name not in names:
                raise ValueError(f"column {name} is missing")
        return [names.index(name) for name in columns()]
    chosen = [i for i in range(width) if not (names and names[i].lower() in TARGET_NAMES)]
    for positions in (range(width), chosen):
        if len(positions) == len(columns()):
            return list(positions)
    if width != len(table["names"]):
        raise ValueError(f"{width} values, not {len(columns())}")
    return list(table["positions"])


def _line(row: Sequence[str], proba: bool) -> str:
    found = predict(row)
    words = [_shown(word) for word in (found if isinstance(found, list) else [found])]
    outputs = [f"{a:.6g}" for a in predict_proba(row)] if proba else []
    several = MODEL["answer"]["step"] == "Labels"
    if several and MODEL["answer"]["separator"] is not None:
        words = [_shown(MODEL["answer"]["separator"].join(found))]
    return "\t".join(outputs + words if several else words + outputs)


def _shown(word: Any) -> str:
    """Return a number to six digits, or a name without what would move a terminal's cursor."""
    if isinstance(word, float):
        return f"{word:.6g}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in word)


if __name__ == "__main__":
    if set(sys.argv[1:]) - {"--proba"}:
        sys.exit(f"usage: {sys.argv[0]} [--proba] < rows.csv")
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        main("--proba" in sys.argv[1:])
    except (ValueError, csv.Error) as problem:
        sys.exit(f"{sys.argv[0]}: error: {problem}")
