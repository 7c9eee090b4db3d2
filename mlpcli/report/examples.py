"""Sections that show examples, weights and inputs: what the network gets wrong, and looks at."""

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.table import Table
from mlpcli.evaluation.importance import METRIC, input_groups, square_side
from mlpcli.evaluation.intervals import Interval
from mlpcli.evaluation.mistakes import cell_text, image_of, in_words
from mlpcli.nn.probabilities import as_probabilities
from mlpcli.report import words
from mlpcli.report.findings import Findings
from mlpcli.report.html import Html, figure, join, number, table, tag
from mlpcli.report.png import as_bytes, diverging, picture, shades, thumbnail
from mlpcli.report.sections import interval_text, section

# Columns of a table of mistakes: the most important ones.
MOST_COLUMNS = 12
# Units whose weights are drawn, and inputs that are listed.
MOST_UNITS, MOST_INPUTS = 48, 30
# Pixels on a side of a picture.
SIDE = 160
# A picture of weights has so many rows and columns at most.
MOST_SQUARES = 160


def mistakes(found: Findings) -> Html:
    """Return the examples that the model is most wrong about, as they are in the data."""
    heading = "What it is most wrong about"
    if not len(found.worst):
        return section(heading, tag("p", "It makes no mistake here."), name="mistakes")
    shape, values = found.model.encoding.image_shape, found.opened.table.values
    if not shape:
        note = _note(found, "The values are those of the data.")
        return section(heading, _rows(found), note, name="mistakes")
    black, white = shades(values)
    pixels = (image_of(as_bytes(values[i], black, white), shape) for i in found.worst)
    pictures = (
        figure(
            picture(thumbnail(image, SIDE), f"example {i}"),
            join(*(tag("span", line) for line in _verdict(found, int(i)))),
        )
        for i, image in zip(found.worst, pixels, strict=True)
    )
    return section(
        heading, tag("div", *pictures, class_="gallery"), _note(found, ""), name="mistakes"
    )


def _note(found: Findings, more: str) -> Html:
    ordered = {
        "regression": "The largest differences come first, in standard deviations of the target.",
        "multilabel": "Those with an output farthest on the wrong side come first.",
    }.get(found.task, "Those of which the network is surest come first.")
    return tag("p", f"{ordered} {more}".rstrip(), class_="note")


def _verdict(found: Findings, i: int) -> tuple[str, str]:
    """Return what an example is, and what it was taken for."""
    names, output = found.model.encoding.class_names, found.outputs[i]
    label = found.opened.examples.labels[i]
    truth, predicted = in_words(found.model, names, label, output)
    if found.task == "multilabel":
        return f"true: {truth}", f"predicted: {predicted}"
    probability = as_probabilities(output[np.newaxis]).max()
    return f"true: {truth}", f"predicted: {predicted} ({probability:.3f})"


def _rows(found: Findings) -> Html:
    opened, model = found.opened, found.model
    inputs = sorted(range(len(found.importance)), key=lambda j: -found.importance[j].drop)
    shown = sorted(inputs[:MOST_COLUMNS])
    heads: list[object] = ["example", *(found.importance[j].name for j in shown)]
    quantities = found.task == "regression"
    for name in model.encoding.class_names if quantities else ():
        heads += [f"true {name}", f"predicted {name}"]
    truth, predicted = (
        (model.quantities(values) if quantities else None)
        for values in (opened.examples.labels, found.outputs)
    )
    rows: list[list[object]] = []
    for i in found.worst.tolist():
        row: list[object] = [
            _place(opened.table, i),
            *(cell_text(opened.table, i, j) or "missing" for j in shown),
        ]
        if truth is not None and predicted is not None:
            for y, p in zip(truth[i].tolist(), predicted[i].tolist(), strict=True):
                row += [number(y, ".5g"), number(p, ".5g")]
        else:
            row += [part.partition(": ")[2] for part in _verdict(found, i)]
        rows.append(row)
    return table(heads if quantities else [*heads, "true", "predicted"], rows, class_="cells")


def _place(table: Table, i: int) -> str:
    if table.lines is not None:
        return f"line {table.lines[i]}"
    return f"row {i if table.rows is None else table.rows[i]}"


def importance(found: Findings) -> Html:
    """Return which inputs matter."""
    metric = words.METRICS[METRIC[found.task]][0]
    note = tag(
        "p",
        f"How much the {metric} falls when an input is shuffled among the examples, in the mean of "
        "ten times, with 95 % intervals. Inputs that tell the same share what they are worth.",
        class_="note",
    )
    shape = found.model.encoding.image_shape
    if shape:
        return section("Where it looks", _heat(found, shape), _list(found, 10), note, name="inputs")
    return section("Which inputs matter", _list(found, MOST_INPUTS), note, name="inputs")


def _list(found: Findings, most: int) -> Html:
    ranked = sorted(found.importance, key=lambda each: -each.drop)
    largest = max((each.high for each in ranked), default=0.0)
    rows: list[list[object]] = [
        [
            each.name,
            _bar(each.drop, each.low, each.high, largest),
            number(each.drop),
            interval_text(Interval(each.low, each.high)),
        ]
        for each in ranked[:most]
    ]
    heads: list[object] = ["input", "", "fall", "95 % interval"]
    rest = len(ranked) - most
    more = tag("p", f"{rest} others matter less.", class_="note") if rest > 0 else None
    return join(table(heads, rows, class_="ranking"), more)


def _bar(value: float, low: float, high: float, largest: float) -> Html:
    """Return a bar with a whisker for the interval; what is below 0 is cut off."""
    width, height = 160, 14

    def place(x: float) -> float:
        return round(width * max(0.0, x) / largest, 1) if largest > 0 else 0.0

    bar = tag("rect", x=0, y=3, width=place(value), height=8, class_="bar")
    whisker = tag("line", x1=place(low), y1=7, x2=place(high), y2=7, class_="whisker")
    return tag("svg", bar, whisker, viewBox=f"0 0 {width} {height}", aria_hidden="true")


def _heat(found: Findings, shape: tuple[int, int]) -> Html:
    side = square_side(shape)
    rows, columns = -(-shape[0] // side), -(-shape[1] // side)
    falls = np.array([each.drop for each in found.importance]).reshape(rows, columns)
    largest = float(np.abs(falls).max())
    heat = np.repeat(np.repeat(diverging(falls, largest), side, axis=0), side, axis=1)
    values = found.opened.table.values
    mean = as_bytes(values[:1000].astype(np.float64).mean(axis=0), *shades(values))
    told = f"squares of {side} × {side} pixels; the strongest colour is a fall of {largest:.4f}"
    return tag(
        "div",
        figure(
            picture(thumbnail(heat[: shape[0], : shape[1]], SIDE), "importance of each square"),
            told,
        ),
        figure(
            picture(thumbnail(image_of(mean, shape), SIDE), "mean of the examples"),
            "the mean of the examples",
        ),
        class_="gallery large",
    )


def weights(found: Findings) -> Html | None:
    """Return the weights of each layer as pictures."""
    network, shape = found.model.network, found.model.encoding.image_shape
    layers = [np.asarray(W, np.float64) for W in network.weights]
    if any(W.ndim != 2 for W in layers):
        return None
    parts = []
    for layer, W in enumerate(layers, 2):
        first = _units(layers, shape) if layer == 2 and shape else _matrix(found, W, layer)
        parts.append(first)
    return section(
        "What it has learned",
        *parts,
        tag("p", "Orange weights are positive, blue ones negative; white is 0.", class_="note"),
        name="weights",
    )


def _units(layers: list[NDArray[np.float64]], shape: tuple[int, int]) -> Html:
    """Return the weights of units of the first layer as images, those with most effect first."""
    W, after = layers[0], layers[1:]
    effect = np.linalg.norm(W, axis=1) * (np.linalg.norm(after[0], axis=0) if after else 1)
    order = np.argsort(-effect, kind="stable")[:MOST_UNITS]
    # A few pixels with large weights would leave all others white.
    largest = float(np.quantile(np.abs(W), 0.995))
    pictures = (
        picture(
            thumbnail(_unit(W[i], shape, largest), SIDE // 2),
            f"weights of unit {i}",
            title=f"unit {i}",
        )
        for i in order.tolist()
    )
    part = "" if len(order) == len(W) else f" ({len(order)} of {len(W)}, those with most effect)"
    return join(
        tag("h3", f"What the units of layer 2 look for{part}"),
        tag("div", *pictures, class_="units"),
    )


def _unit(row: NDArray[np.float64], shape: tuple[int, int], largest: float) -> NDArray[np.uint8]:
    image = row.reshape(*shape, -1)
    if image.shape[2] == 1:
        return diverging(image[..., 0], largest)
    # In colour, grey is 0, and each colour is its own weight.
    share = np.clip(image / largest if largest else image, -1, 1)
    return np.rint(127.5 + 127.5 * share).astype(np.uint8)


def _matrix(found: Findings, W: NDArray[np.float64], layer: int) -> Html:
    largest = float(np.abs(W).max())
    shown = strongest(W, MOST_SQUARES)
    told = (
        f"W{layer}, {W.shape[0]:,} units by {W.shape[1]:,} inputs; the strongest is {largest:.3g}"
    )
    if shown.shape != W.shape:
        told += "; a pixel is the strongest of its neighbours"
    groups = input_groups(found.model.encoding) if layer == 2 else []
    if 1 < len(groups) <= MOST_INPUTS:
        told += f"; inputs from left to right: {', '.join(name for name, _ in groups)}"
    heat = diverging(shown, largest)
    return figure(picture(heat, f"weights W{layer}", class_="pixels matrix"), told, class_="alone")


def strongest(W: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return a matrix of at most so many rows and columns: of each block the largest, by size."""
    for axis in (0, 1):
        block = -(-W.shape[axis] // most)
        starts = np.arange(0, W.shape[axis], block)
        high, low = np.maximum.reduceat(W, starts, axis), np.minimum.reduceat(W, starts, axis)
        W = np.where(high >= -low, high, low)
    return W
