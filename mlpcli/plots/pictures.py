"""Pictures of arrays: weights, networks, images, confusions and mistakes."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.nn.metrics import Counts
from mlpcli.plots.canvas import only_integers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Weights = Sequence[NDArray[np.floating]]

# More rows of the first layer are too small to see.
MOST_NEURONS = 100
# Of a wider layer the first and the last are drawn.
MOST_UNITS = 12
# Counts in cells can be read up to so many classes.
MOST_COUNTED = 25
# Of a table: points, and the inches that a letter of these and a line take.
FONT_SIZE, LETTER, LINE = 9, 0.085, 0.27


class Mistake(NamedTuple):
    """An example that a model is wrong about."""

    row: int
    truth: str
    predicted: str
    pixels: NDArray[Any] | None = None
    """(rows, columns) or (rows, columns, 3), of an image."""
    cells: tuple[tuple[str, str], ...] = ()
    """Names and values of its columns, of a table."""


def draw_weights(
    figure: "Figure", weights: "Weights", image_shape: tuple[int, int] | None = None
) -> None:
    """Draw every weight matrix; of images, the first one's rows as images.

    Args:
        figure: an empty one.
        weights: W^(2) to W^(L), (n_l, n_{l-1}).
        image_shape: rows and columns of the inputs, where these are pixels.
    """
    first, rest = (weights[:1], weights[1:]) if image_shape else ((), weights)
    figure.set_size_inches(max(5.0, 3.6 * (len(rest) + 2 * len(first))), 4.2)
    widths = [2.0] * len(first) + [1.0] * len(rest)
    parts = figure.subfigures(1, len(widths), width_ratios=widths, squeeze=False)[0]
    for part, W in zip(parts, first, strict=False):
        _draw_rows(part, W, image_shape or (1, 1))
    for layer, (part, W) in enumerate(zip(parts[len(first) :], rest, strict=True), 2 + len(first)):
        axes = part.subplots()
        drawn = _heat(axes, W)
        axes.set(
            xlabel=f"unit of layer {layer - 1}", ylabel=f"unit of layer {layer}", title=f"W{layer}"
        )
        part.colorbar(drawn, ax=axes, shrink=0.8, label="weight")


def _heat(axes: "Axes", W: NDArray[np.floating]) -> Any:
    largest = float(np.abs(W).max()) or 1.0
    axes.grid(visible=False)
    only_integers(axes.xaxis)
    only_integers(axes.yaxis)
    return axes.imshow(W, vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")


def _draw_rows(part: Any, W: NDArray[np.floating], shape: tuple[int, int]) -> None:
    shown = W[:MOST_NEURONS]
    largest = float(np.abs(shown).max()) or 1.0
    images = shown.reshape(len(shown), *shape, -1)
    if images.shape[-1] > 1:
        # Colours from the most negative weight, black, to the most positive.
        images = (images / largest + 1) / 2
    drawn = None
    for i, (axes, image) in enumerate(zip(_grid(part, len(shown)), images, strict=True)):
        drawn = axes.imshow(
            image.squeeze(), vmin=-largest, vmax=largest, interpolation="nearest"
        )  # fmt: skip
        axes.set_title(str(i), fontsize=6, pad=2)
    some = f"the first {len(shown)} of {len(W)}" if len(shown) < len(W) else f"all {len(W)}"
    part.suptitle(f"W2: what each unit of layer 2 looks for ({some})", fontsize=10)
    if drawn is not None and images.shape[-1] == 1:
        part.colorbar(drawn, ax=part.axes, shrink=0.8, label="weight")


def _grid(part: Any, count: int) -> "list[Axes]":
    """Return so many axes without ticks, in rows and columns."""
    columns = math.ceil(math.sqrt(count * 1.4))
    rows = math.ceil(count / columns)
    found = part.subplots(rows, columns, squeeze=False).ravel()
    for axes in found:
        axes.grid(visible=False)
        axes.set(xticks=[], yticks=[])
    for axes in found[count:]:
        axes.set_axis_off()
    return list(found[:count])


def draw_network(
    figure: "Figure", structure: Sequence[int], weights: "Weights | None" = None
) -> None:
    """Draw the layered graph; of wide layers the ends, and how many units are left out.

    Args:
        figure: an empty one.
        structure: n_1 to n_L.
        weights: W^(2) to W^(L): the larger, the thicker the line; negative ones are dashed. None
            draws all alike.
    """
    figure.set_size_inches(max(5.0, 2.2 * len(structure)), 5)
    axes = figure.subplots()
    axes.set_axis_off()
    units = [_shown_units(n) for n in structure]
    places = [_heights(n, shown) for n, shown in zip(structure, units, strict=True)]
    for x in range(len(structure) - 1):
        W = None if weights is None else weights[x]
        largest = 1.0 if W is None else float(np.abs(W).max()) or 1.0
        for i, start in zip(units[x], places[x], strict=True):
            for j, end in zip(units[x + 1], places[x + 1], strict=True):
                share = 0.5 if W is None else float(W[j, i]) / largest
                axes.plot(
                    [x, x + 1], [start, end], color="grey" if share >= 0 else "#D55E00",
                    linestyle="-" if share >= 0 else "--", linewidth=2.5 * abs(share), zorder=1,
                )  # fmt: skip
    for x, (n, heights) in enumerate(zip(structure, places, strict=True)):
        axes.plot([x] * len(heights), heights, "o", color="#0072B2", markersize=11, zorder=2)
        called = "input" if x == 0 else "output" if x == len(structure) - 1 else f"layer {x + 1}"
        axes.annotate(f"{called}\n{n:,}", (x, -1.12), ha="center", va="top")
        if n > len(heights):
            axes.annotate(f"⋮\n{n - len(heights):,} more\n⋮", (x, 0), ha="center", va="center")
    axes.set(xlim=(-0.5, len(structure) - 0.5), ylim=(-1.4, 1.1))


def _shown_units(n: int) -> list[int]:
    if n <= MOST_UNITS:
        return list(range(n))
    half = MOST_UNITS // 2 - 1
    return [*range(half), *range(n - half, n)]


def _heights(n: int, shown: Sequence[int]) -> list[float]:
    """Return where the shown units of a layer stand, from 1 at the top to -1."""
    count = len(shown)
    if n == count:
        return [0.0] if n == 1 else list(np.linspace(1, -1, n) * min(1, n / 6))
    half = count // 2
    return [*np.linspace(1, 0.3, half), *np.linspace(-0.3, -1, half)]


def draw_images(figure: "Figure", images: Sequence[NDArray[Any]], titles: Sequence[str]) -> None:
    """Draw images in a grid, a title over each.

    Args:
        figure: an empty one.
        images: (rows, columns), or (rows, columns, 3), from 0 to 255 or to the largest value.
        titles: as many.
    """
    side = math.ceil(math.sqrt(len(images)))
    figure.set_size_inches(max(3.0, 2.0 * side), max(3.2, 2.2 * math.ceil(len(images) / side)))
    for axes, image, title in zip(_grid(figure, len(images)), images, titles, strict=True):
        low, high = min(0.0, float(image.min())), max(float(image.max()), 1e-30)
        high = 255.0 if image.dtype == np.uint8 else high
        shown = image if image.ndim == 2 else (image - low) / (high - low)
        axes.imshow(shown, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(title, fontsize=9)


def draw_confusion(figure: "Figure", counts: Counts, names: Sequence[str]) -> None:
    """Draw a confusion matrix: the shares of each true class, and the counts where they fit.

    Args:
        figure: an empty one.
        counts: (n_L, n_L), a row per true class, a column per prediction.
        names: of the n_L classes.
    """
    side = min(14.0, max(4.5, 0.5 * len(names) + 2))
    room = 0.12 * max(map(len, names))
    figure.set_size_inches(side + 1 + room, side + room)
    axes = figure.subplots()
    axes.grid(visible=False)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(totals > 0, totals, 1)
    drawn = axes.imshow(shares, vmin=0, vmax=1)
    figure.colorbar(drawn, ax=axes, shrink=0.8, label="share of the true class")
    step = math.ceil(len(names) / 50)
    ticks = range(0, len(names), step)
    shown = [names[i] for i in ticks]
    axes.set_xticks(ticks, shown, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, shown)
    axes.set(xlabel="predicted class", ylabel="true class")
    if len(names) > MOST_COUNTED:
        return
    for (i, j), count in np.ndenumerate(counts):
        if count:
            ink = "black" if shares[i, j] > 0.5 else "white"
            axes.text(
                j, i, f"{round(count, 2):.10g}", ha="center", va="center", color=ink, fontsize=8
            )


def draw_mistakes(figure: "Figure", mistakes: Sequence[Mistake]) -> None:
    """Draw examples with their true and predicted classes: images in a grid, rows as a table."""
    from matplotlib.transforms import Bbox

    images = [mistake.pixels for mistake in mistakes if mistake.pixels is not None]
    if images:
        titles = [f"{m.row}: {m.truth}\ntaken for {m.predicted}" for m in mistakes]
        draw_images(figure, images, titles)
        return
    rows = [[str(m.row), m.truth, m.predicted, *(cell for _, cell in m.cells)] for m in mistakes]
    heads = ["example", "true", "predicted", *(name for name, _ in mistakes[0].cells)]
    # By itself, matplotlib gives all columns one width, and letters what size the longest needs.
    letters = [2 + max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    figure.set_layout_engine("none")
    figure.set_size_inches(LETTER * sum(letters), LINE * (1 + len(rows)))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    shares = [count / sum(letters) for count in letters]
    drawn = axes.table(rows, colLabels=heads, colWidths=shares, bbox=Bbox.unit(), cellLoc="right")
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(FONT_SIZE)
    for cell in drawn.get_celld().values():
        cell.set(facecolor="none", edgecolor="grey")
