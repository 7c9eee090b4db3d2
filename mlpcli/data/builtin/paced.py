"""Connections that are given up when too little comes in a window of time, or far too much."""

import http.client
import io
import time
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

# Whoever sends less than this in a window of time is too slow, however steadily it drips.
WINDOW_SECONDS = 30.0
WINDOW_BYTES = 30 << 10
# Of one answer with its headers; the largest file has 562 MB. What is no file is short.
MOST_BYTES = 1 << 30
MOST_OTHER_BYTES = 1 << 20


class HoldingError(TimeoutError):
    """A server that drips, or never ends."""


class _Paced(io.RawIOBase):
    """The bytes of a socket, as long as enough of them come in every window of time."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._since, self._recent, self._left = time.monotonic(), 0, MOST_OTHER_BYTES

    def allow(self, count: int) -> None:
        """Let so many bytes more come."""
        self._left += count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self._raw.readinto(buffer) or 0
        self._recent += count
        self._left -= count
        if self._left < 0:
            raise HoldingError("it does not end")
        now = time.monotonic()
        if count and now - self._since > WINDOW_SECONDS:
            if self._recent < WINDOW_BYTES:
                raise HoldingError(f"less than {WINDOW_BYTES} bytes in {WINDOW_SECONDS:g} s")
            self._since, self._recent = now, 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedResponse(http.client.HTTPResponse):
    """Reads headers and body through `_Paced`, and returns what is there instead of waiting."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._paced = _Paced(self.fp.detach())
        self.fp: Any = io.BufferedReader(self._paced, 1 << 16)

    def begin(self) -> None:
        super().begin()
        if self.status in (200, 206):
            self._paced.allow(MOST_BYTES)

    def read(self, amt: int | None = None) -> bytes:
        return super().read() if amt is None else self.read1(amt)


class _Connection(HTTPConnection):
    response_class = _PacedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _PacedResponse


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def pace(manager: Any) -> Any:
    """Let a manager of connections make such ones, and return it."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return manager
