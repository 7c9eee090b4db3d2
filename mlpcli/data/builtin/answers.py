"""Whether a server's answer is the file that was asked for, or goes on from the part there is."""

import re

from mlpcli.data.builtin.parts import Part
from mlpcli.data.builtin.registry import RemoteFile
from mlpcli.data.builtin.transport import Answer, TransferError, printable


class ChangedError(Exception):
    """A server that does not go on from where the part ends."""


def check_status(answer: Answer, part: Part | None, file: RemoteFile) -> int:
    """Return where in the file the answer begins.

    Raises:
        ChangedError: if it does not go on from where the part ends.
        TransferError: if it is neither a file nor part of one.
    """
    if answer.status == 206 and part:
        pattern = rf"bytes {part.size}-\d+/({file.size}|\*)"
        if not re.fullmatch(pattern, answer.headers.get("Content-Range", "")):
            raise ChangedError
        if validator_of(answer) not in ("", part.validator):
            raise ChangedError
        return part.size
    if answer.status == 416 and part:
        raise ChangedError
    if answer.status != 200:
        raise TransferError(f"HTTP status {answer.status}")
    return 0


def check_whole(answer: Answer, head: bytes, file: RemoteFile) -> None:
    """Refuse pages, such as those of a hotel's network, and other lengths than the file's.

    Args:
        answer: of a whole file.
        head: the first bytes of its body.
        file: what was asked for.

    Raises:
        TransferError: saying what was sent instead.
    """
    kind = printable(answer.headers.get("Content-Type", "no content type"))
    packed = head.startswith((b"\x1f\x8b", b"PK"))
    if _is_html(head) or ("html" in kind and not packed):
        words = re.sub(r"<[^>]*>", " ", head[:4096].decode("utf-8", "replace"))
        raise TransferError(f'sent a page, {kind}: "{printable(words)}"')
    length = answer.headers.get("Content-Length", "")
    if length.isdecimal() and length.lstrip("0") != str(file.size):
        encoding = answer.headers.get("Content-Encoding")
        kind += f", Content-Encoding {printable(encoding)}" if encoding else ""
        shown = printable(length, 20)
        raise TransferError(f"announces {shown} bytes ({kind}), and {file.size} are published")


def _is_html(head: bytes) -> bool:
    return head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html"))


def validator_of(answer: Answer) -> str:
    """Return what If-Range may name: a strong ETag, or else the time of the last change."""
    etag = answer.headers.get("ETag", "")
    return etag if etag.startswith('"') else answer.headers.get("Last-Modified", "")
