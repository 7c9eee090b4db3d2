"""The network in the page: its steps and what it takes to try them."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.pixels import has_light_ground
from mlpcli.data.readers.table import Table
from mlpcli.errors import ConfigError
from mlpcli.export.of_model import steps_of
from mlpcli.export.steps import Category, Column, Date, Number, Steps, to_mapping
from mlpcli.report.findings import Findings
from mlpcli.report.html import Html, join, tag
from mlpcli.report.png import as_bytes, picture, shades, thumbnail

# What each type of field takes of a cell: of dates as ISO 8601 has them.
TAKEN = {
    "date": slice(10),
    "time": slice(11, None),
    "datetime-local": slice(None),
    "text": slice(None),
}
# Larger networks make pages that no mail takes.
MOST_BYTES = 30_000_000
MOST_EXAMPLES = 12
# Rows among which a typical one is looked for.
TYPICAL = 10_000
# Pixels on a side of a button.
SIDE = 64
# Examples from which it is found out how images are framed.
FRAMED = 500
# Ink is darker than this share of the largest difference to the paper.
INK = 0.1


def live(found: Findings) -> Html:
    """Return the section with the network in it; where it cannot be, why."""
    heading = tag("h2", "Try it")
    size = found.model.network.theta.nbytes
    problem = f"Its {size:,} bytes of weights are too many for a page." if size > MOST_BYTES else ""
    if not problem:
        try:
            steps = steps_of(found.model)
        except ConfigError as error:
            problem = f"The network cannot be in this page: {error.problem}."
    if problem:
        return tag("section", heading, tag("p", problem), class_="live")
    given, controls = _images(found, steps) if steps.image_shape else _form(found, steps)
    # As JSON in a script no text of the data can end the script.
    content = json.dumps({"steps": to_mapping(steps), "given": given}).replace("<", "\\u003c")
    return tag(
        "section",
        heading,
        tag("div", tag("div", controls), tag("output", id="answer", aria_live="polite")),
        tag("noscript", tag("p", "This part needs JavaScript.")),
        tag("script", Html(content), type="application/json", id="network"),
        id="live",
        class_="live",
    )


def _form(found: Findings, steps: Steps) -> tuple[dict[str, Any], Html]:
    cells = typical_cells(found.opened.table, len(steps.columns))
    typical = [
        cell[TAKEN[_type_of(column)]] for column, cell in zip(steps.columns, cells, strict=True)
    ]
    fields = (_field(i, steps, name) for i, name in enumerate(_names(steps)))
    return {"typical": typical}, join(
        tag("div", *fields, class_="fields"),
        tag("p", tag("button", "a typical example", type="button", id="typical")),
    )


def _names(steps: Steps) -> Iterator[str]:
    for i, column in enumerate(steps.columns):
        yield column.name or (f"column {i + 1}" if steps.named else f"feature {i}")


def _type_of(column: Column) -> str:
    """Return the type of a column's field: of dates for what their features tell apart."""
    if not isinstance(column, Date):
        return "text"
    if "time" not in column.parts:
        return "date"
    return "datetime-local" if len(column.parts) > 1 else "time"


def _field(i: int, steps: Steps, name: str) -> Html:
    column = steps.columns[i]
    choices = None
    if isinstance(column, Category):
        options = (tag("option", value=category) for category in column.categories)
        choices = tag("datalist", *options, id=f"choices{i}")
    return tag(
        "div",
        tag("label", name, for_=f"cell{i}"),
        tag(
            "input",
            id=f"cell{i}",
            data_column=i,
            autocomplete="off",
            spellcheck="false",
            type=_type_of(column),
            step=1 if isinstance(column, Date) and "time" in column.parts else None,
            inputmode="decimal" if isinstance(column, Number) else None,
            list=f"choices{i}" if choices else None,
            aria_describedby=f"note{i}",
        ),
        choices,
        tag("span", id=f"note{i}", class_="problem"),
    )


def typical_cells(table: Table, width: int) -> Iterator[str]:
    """Yield what a typical example has in each column: a middle number, the commonest text."""
    for j in range(width):
        given = table.given(j, slice(TYPICAL))
        if not len(given):
            yield ""
        elif j in table.texts:
            yield table.texts[j][int(np.bincount(given.astype(np.intp)).argmax())]
        else:
            middle = np.sort(given)[len(given) // 2]
            if j in table.dates:
                yield str(np.datetime64(round(middle), "s"))
                continue
            yield str(int(middle)) if middle == int(middle) else str(middle)


def _images(found: Findings, steps: Steps) -> tuple[dict[str, Any], Html]:
    rows, columns, *colours = steps.image_shape or ()
    examples = found.opened.table.values
    black, white = shades(examples)
    chosen = _one_of_each(found.opened.examples.labels)
    pixels = [as_bytes(examples[i], black, white).reshape(rows, columns, *colours) for i in chosen]
    sample = as_bytes(examples[:FRAMED], black, white).reshape(-1, rows, columns, *colours)
    paper, framing = (0, None) if colours else framing_of(sample)
    given = {
        "rows": rows,
        "columns": columns,
        "channels": colours[0] if colours else 1,
        "paper": paper,
        "framing": framing,
        "black": black,
        "white": white,
        "examples": [base64.b64encode(image.tobytes()).decode() for image in pixels],
    }
    return given, _canvas(found, rows, columns, given, list(zip(chosen, pixels, strict=True)))


def _one_of_each(labels: NDArray[Any]) -> list[int]:
    """Return the first example of each class, of the first ones at most so many."""
    if labels.ndim > 1:
        return list(range(min(len(labels), MOST_EXAMPLES)))
    return [int(i) for i in np.unique(labels, return_index=True)[1][:MOST_EXAMPLES]]


def framing_of(images: NDArray[np.uint8]) -> tuple[int, float | None]:
    """Return the paper's grey, 0 or 255, and how large what is on it is drawn.

    Args:
        images: (n, rows, columns).

    Returns:
        The paper, and the larger side of the ink's box, the median, as a share of the larger side
        of an image; None where the ink's centre is not in the middle of nearly every image.
    """
    paper = 255 if has_light_ground(images) else 0
    ink = np.abs(images.astype(np.float64) - paper)
    rows, columns = images.shape[1:]
    inked = ink.sum(axis=(1, 2)) > 0
    ink = ink[inked]
    if not len(ink):
        return paper, None
    total = ink.sum(axis=(1, 2))
    down = (ink.sum(axis=2) @ (np.arange(rows) + 0.5)) / total - rows / 2
    across = (ink.sum(axis=1) @ (np.arange(columns) + 0.5)) / total - columns / 2
    side = max(rows, columns)
    if np.quantile(np.abs([down, across]), 0.9) > side / 20:
        return paper, None
    strong = ink > INK * ink.max()
    boxes = [
        max(np.ptp(np.flatnonzero(image.any(axis=1 - axis))) + 1 for axis in (0, 1))
        for image in strong
        if image.any()
    ]
    return paper, float(np.median(boxes) / side)


def _canvas(
    found: Findings, rows: int, columns: int, given: dict[str, Any], examples: list[tuple[int, Any]]
) -> Html:
    names = found.model.encoding.class_names
    labels = found.opened.examples.labels
    buttons = (
        tag(
            "button",
            picture(
                thumbnail(pixels, SIDE),
                f"an example of {names[labels[i]]}" if labels.ndim == 1 else f"example {i}",
            ),
            type="button",
            data_example=k,
        )
        for k, (i, pixels) in enumerate(examples)
    )
    box = tag(
        "label",
        tag("input", type="checkbox", id="centred", checked=True),
        "centre and scale, as the examples are",
    )
    pen = tag("label", "pen ", tag("input", type="color", id="ink", value="#ffffff"))
    return join(
        _pads(rows, columns),
        tag(
            "p",
            tag("button", "clear", type="button", id="clear"),
            " ",
            pen if given["channels"] > 1 else box if given["framing"] else None,
        ),
        tag("p", *buttons, class_="thumbnails"),
    )


def _pads(rows: int, columns: int) -> Html:
    zoom = max(1, 280 // max(rows, columns))
    return tag(
        "div",
        tag(
            "canvas",
            id="pad",
            tabindex="0",
            role="img",
            width=columns * zoom,
            height=rows * zoom,
            aria_label="Draw here: with the pointer, or move the pen with the arrow keys, and "
            "put it down and lift it with the space bar.",
        ),
        tag(
            "figure",
            tag("canvas", id="seen", width=columns, height=rows, class_="pixels"),
            tag("figcaption", "what the network sees"),
        ),
        class_="pads",
    )
