"""Fetching a named dataset: each file verified before it takes its place."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import requests

from mlpcli import atomic, signals
from mlpcli.data.builtin.registry import RemoteFile
from mlpcli.errors import DownloadError

CONNECT_SECONDS = 10
SILENCE_SECONDS = 30
BLOCK_BYTES = 1 << 16
# The published checksums are those of the .gz files: a server must not unpack them on the way.
HEADERS = {"Accept-Encoding": "identity"}


def is_valid(path: Path, file: RemoteFile) -> bool:
    """Return whether `path` holds exactly the published bytes."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def fetch(
    file: RemoteFile, mirrors: tuple[str, ...], folder: Path, advance: Callable[[int], object]
) -> str:
    """Download one file into `folder` from the first mirror that delivers it.

    Bytes go to a temporary file beside the target, which takes the target's name only when size
    and SHA-256 are right.

    Args:
        file: what to download.
        mirrors: addresses of folders, tried in order.
        folder: made if missing.
        advance: called with the count of every block received; with a negative count if what was
            received turned out wrong.

    Returns:
        The mirror that delivered.

    Raises:
        DownloadError: if no mirror did; says what each answered.
        OutputError, OSError: if the file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    for mirror in mirrors:
        try:
            with atomic.open(folder / file.name, "--data-dir") as stream:
                _receive(mirror + file.name, file, stream, advance)
        except (requests.RequestException, _WrongFileError) as error:
            failures.append(f"{mirror}: {_reason(error)}")
        else:
            return mirror
    raise DownloadError(
        folder / file.name,
        "no mirror delivered it (" + ", ".join(failures) + ")",
        "check the connection and run the same command again",
    )


class _WrongFileError(Exception):
    """What a mirror sent is not the published file."""


def _receive(
    url: str, file: RemoteFile, stream: BinaryIO, advance: Callable[[int], object]
) -> None:
    digest, received = hashlib.sha256(), 0
    timeout = (CONNECT_SECONDS, SILENCE_SECONDS)
    try:
        with requests.get(url, stream=True, headers=HEADERS, timeout=timeout) as response:
            response.raise_for_status()
            for block in response.iter_content(BLOCK_BYTES):
                signals.check()
                if received + len(block) > file.size:
                    raise _WrongFileError(f"sent more than the {file.size} bytes published")
                digest.update(block)
                stream.write(block)
                received += len(block)
                advance(len(block))
        if received != file.size:
            raise _WrongFileError(f"sent {received} bytes of {file.size}")
        if digest.hexdigest() != file.sha256:
            raise _WrongFileError(
                f"sent SHA-256 {digest.hexdigest()}, and {file.sha256} is published"
            )
    except (requests.RequestException, _WrongFileError):
        advance(-received)
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    return str(error)
