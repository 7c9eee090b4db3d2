"""HTTP for downloads: a server may fail, wait or lie, but it cannot hold us for ever."""

import os
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from mlpcli import __version__
from mlpcli.data.builtin.paced import HoldingError, pace

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0
RETRIES = 3
RETRIED = (429, 500, 502, 503, 504)
BACKOFF_SECONDS = 0.5
# A server that asks for more patience is asked no more: the next mirror may be ready.
LONGEST_WAIT_SECONDS = 60.0
REDIRECTS = 10


class TransferError(Exception):
    """Why a mirror did not deliver."""


class BrokenOffError(TransferError):
    """A transfer that ended early, and may go on where it did."""


Session = requests.Session
"""What requests are made with."""


class Answer(NamedTuple):
    """What a server answered, its body yet to be read."""

    status: int
    headers: Mapping[str, str]
    """Their names are found in upper and lower case."""
    read: Callable[[int], bytes]
    """Return up to so many bytes as they arrive, as they were sent; b"" at the end."""


@contextmanager
def connections() -> Iterator[Session]:
    """Open and close a session: proxies and certificates are those of the environment."""
    with _Session() as session:
        # The published checksums are those of the files as they are: nobody unpacks on the way.
        session.headers.update(
            {"Accept-Encoding": "identity", "User-Agent": f"mlpcli/{__version__}"}
        )
        session.verify = os.environ.get("SSL_CERT_FILE") or True
        retries = _Retry(
            RETRIES,
            status_forcelist=RETRIED,
            backoff_factor=BACKOFF_SECONDS,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(max_retries=retries))
        yield session


@contextmanager
def get(session: Session, url: str, headers: Mapping[str, str]) -> Iterator[Answer]:
    """Ask for a file, and follow redirects to where it is.

    Args:
        session: from `connections`.
        url: its address.
        headers: more of them than every request has.

    Raises:
        TransferError: if no answer came, or a redirect leads where none may.
    """
    for _ in range(REDIRECTS + 1):
        response = _ask(session, url, headers)
        with response:
            if not response.is_redirect:
                yield Answer(response.status_code, response.headers, _reader(response))
                return
            url = _redirected(url, response.headers["Location"])
    raise TransferError(f"redirects more than {REDIRECTS} times")


def pause(n: int) -> None:
    """Wait before the n-th repetition in a row, the longer the more there were."""
    time.sleep(BACKOFF_SECONDS * 2 ** max(n - 1, 0) * _jitter())


def printable(text: str, most: int = 80) -> str:
    """Return the first characters of a text from a server, on one line and harmless."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= most else shown[: most - 2] + ".."


def _ask(session: Session, url: str, headers: Mapping[str, str]) -> requests.Response:
    try:
        return session.get(
            url,
            headers=headers,
            stream=True,
            timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
            allow_redirects=False,
        )
    # A RequestException is an OSError; so is a bundle of certificates that is not there.
    except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
        raise TransferError(_reason(error)) from error


def _reader(response: requests.Response) -> Callable[[int], bytes]:
    def read(size: int) -> bytes:
        try:
            data: bytes = response.raw.read(size, decode_content=False)
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            raise BrokenOffError(_reason(error)) from error
        return data

    return read


def _redirected(url: str, location: str) -> str:
    """Return where a redirect leads.

    Raises:
        TransferError: if that is no address, or neither as safe as the one before.
    """
    shown = printable(location)
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        complete = False
    if not complete:
        raise TransferError(f"redirects to {shown}, which is no address")
    if parts.scheme not in ("http", "https"):
        raise TransferError(f"redirects to {shown}, which is neither http nor https")
    if parts.scheme == "http" and urlsplit(url).scheme == "https":
        raise TransferError(f"redirects from https to {shown}")
    return target


def _reason(error: BaseException) -> str:
    """Return what went wrong, from the exceptions of three libraries that wrap one another."""
    causes = list(_causes(error))
    for kinds, reason in REASONS:
        for cause in causes:
            if isinstance(cause, kinds):
                return reason or printable(str(cause))
    malformed = "a malformed address: " if isinstance(error, ValueError) else ""
    return malformed + printable(str(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        inner = [getattr(error, "reason", None), *error.args, error.__cause__]
        error = next((e for e in inner if isinstance(e, BaseException)), None)


def _jitter() -> float:
    return random.uniform(1, 2)  # noqa: S311 - so that many clients do not come back at once


REASONS: tuple[tuple[Any, str], ...] = (
    (HoldingError, ""),
    (urllib3.exceptions.ProxyError, "the proxy does not connect"),
    (urllib3.exceptions.SSLError, ""),
    (urllib3.exceptions.NewConnectionError, "no connection"),
    ((TimeoutError, urllib3.exceptions.TimeoutError, requests.Timeout), "no answer in time"),
    (urllib3.exceptions.ProtocolError, "the connection broke off"),
)


class _Session(requests.Session):
    """Does not look at redirects, whose bodies requests would read whole."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        return None


class _Retry(urllib3.Retry):
    """Waits that grow and differ; a server's Retry-After is kept to, within reason."""

    def get_backoff_time(self) -> float:
        return super().get_backoff_time() * _jitter()

    def get_retry_after(self, response: urllib3.BaseHTTPResponse) -> float | None:
        try:
            return super().get_retry_after(response)
        except urllib3.exceptions.InvalidHeader:
            return None

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: urllib3.BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> "_Retry":
        late = response is not None and (self.get_retry_after(response) or 0) > LONGEST_WAIT_SECONDS
        mistrusted = any(isinstance(e, ssl.SSLCertVerificationError) for e in _causes(error))
        retries = self.new(total=0) if late or mistrusted else self
        return super(_Retry, retries).increment(method, url, response, error, _pool, _stacktrace)


class _Adapter(HTTPAdapter):
    """Makes connections that are paced, but through a SOCKS proxy, which brings its own."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        pace(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        return manager if proxy.lower().startswith("socks") else pace(manager)
