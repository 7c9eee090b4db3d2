"""HTML and SVG, in which all text is escaped unless it was made here."""

import html
from math import isfinite

from mlpcli.errors import printable

# Elements without an end tag.
VOID = ("br", "img", "input", "meta")


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return a value as HTML that shows it: escaped, printable, its lines kept."""
    if isinstance(value, Html):
        return value
    return Html(html.escape("\n".join(map(printable, str(value).split("\n")))))


def join(*parts: object) -> Html:
    """Return parts one after another; None is nothing."""
    return Html("".join(text(part) for part in parts if part is not None))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """Return an element.

    Args:
        name: the element's, such as `p`.
        children: what is in it; text is escaped, and None is nothing.
        attributes: by name, a dash as `_`, and one `_` at the end to avoid Python's words; True for
            one without a value, None to leave it out.
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(value)}"')
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{join(*children)}</{name}>")


def number(value: float | None, form: str = ".4f") -> Html:
    """Return a number to read, with all its digits for programs."""
    if value is None or not isfinite(value):
        return Html("–")
    return tag("data", format(value, form), value=repr(value))


def table(heads: list[object], rows: list[list[object]], **attributes: object) -> Html:
    """Return a table with a heading for each column; the first cell of a row is its heading."""
    head = tag("tr", *(tag("th", cell, scope="col") for cell in heads))
    body = (
        tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest))
        for first, *rest in rows
    )
    whole = tag("table", tag("thead", head), tag("tbody", *body), **attributes)
    # What is too wide scrolls by itself, and can be reached with the keyboard.
    return tag("div", whole, class_="wide", tabindex="0")


def figure(content: object, caption: object, **attributes: object) -> Html:
    """Return a picture with its caption."""
    return tag("figure", content, tag("figcaption", caption), **attributes)
