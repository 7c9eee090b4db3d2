"""Quotes around cells that do not need any: they are taken away from many at a time."""

import numpy as np

from mlpcli.data.readers.blocks import NEWLINE, QUOTE

# What stands between cells where quoted ones have the delimiter, as in "1,234.50": ASCII's own.
UNIT_SEPARATOR = "\x1f"


def without_quotes(text: bytes, delimiter: str) -> tuple[bytes, str] | None:
    """Return lines without the quotes around cells, and what stands between these.

    Args:
        text: lines that each end with a line feed.
        delimiter: what stands between cells.

    Returns:
        The lines and their delimiter; None if a quote is anywhere else, or what is quoted has a
        line feed.
    """
    if b'"' not in text:
        return text, delimiter
    characters = np.frombuffer(b"\n%b" % text, np.uint8)
    is_newline, is_delimiter = characters == NEWLINE, characters == ord(delimiter)
    is_end = is_newline | is_delimiter
    is_quote = characters == QUOTE
    quotes = np.flatnonzero(is_quote)
    if len(quotes) % 2:
        return None
    first, last = quotes[::2], quotes[1::2]
    if not (is_end[first - 1].all() and is_end[last + 1].all()):
        return None
    is_quoted = np.bitwise_xor.accumulate(is_quote)
    if (is_newline & is_quoted).any():
        return None
    if (is_delimiter & is_quoted).any():
        if UNIT_SEPARATOR.encode() in text:
            return None
        characters = np.where(is_delimiter & ~is_quoted, ord(UNIT_SEPARATOR), characters)
        text, delimiter = characters.astype(np.uint8).tobytes()[1:], UNIT_SEPARATOR
    return text.replace(b'"', b""), delimiter
