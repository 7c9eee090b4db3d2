"""Quotes around cells that do not need any: they are taken away from many at a time."""

import numpy as np

from mlpcli.data.readers.blocks import NEWLINE, QUOTE


def without_quotes(text: bytes, delimiter: str) -> bytes | None:
    """Return lines without the quotes around cells.

    Args:
        text: lines that each end with a line feed.
        delimiter: what stands between cells.

    Returns:
        The lines; None if a quote is anywhere else, or what is quoted has a delimiter or line feed.
    """
    if b'"' not in text:
        return text
    characters = np.frombuffer(b"\n%b" % text, np.uint8)
    is_end = (characters == NEWLINE) | (characters == ord(delimiter))
    quotes = np.flatnonzero(characters == QUOTE)
    if len(quotes) % 2:
        return None
    first, last, ends = quotes[::2], quotes[1::2], np.cumsum(is_end)
    around = is_end[first - 1].all() and is_end[last + 1].all()
    return text.replace(b'"', b"") if around and (ends[first] == ends[last]).all() else None
