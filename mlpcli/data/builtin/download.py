"""Fetching a published file: verified before it has its name, and never begun anew without need."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mlpcli import atomic
from mlpcli.data.builtin import transport
from mlpcli.data.builtin.answers import ChangedError, check_status, check_whole, validator_of
from mlpcli.data.builtin.parts import find_part, part_path, remove_parts
from mlpcli.data.builtin.registry import RemoteFile
from mlpcli.data.builtin.transport import Answer, BrokenOffError, Session, TransferError
from mlpcli.data.builtin.verify import is_valid, problem_of
from mlpcli.errors import DownloadError, OutputError, os_reason

# How often a mirror may break off without PROGRESS_BYTES more than ever before.
TRIES = 4
PROGRESS_BYTES = 1 << 20
BLOCK_BYTES = 1 << 18
OPTION = "--data-dir"

Progress = Callable[[int, int], object]
"""Told how many bytes are there, and how many of them were when the transfer began."""


def fetch(
    file: RemoteFile,
    sources: Sequence[str | Path],
    folder: Path,
    progress: Progress = lambda _there, _began: None,
    waiting: Callable[[], object] = lambda: None,
) -> str | None:
    """Make sure that a published file is in a folder.

    What arrives is kept beside it until it is whole, from one try, mirror and run to the next, and
    takes its name only when size and SHA-256 are right.

    Args:
        file: what to fetch.
        sources: addresses of folders that end in a slash, or folders, tried in order.
        folder: where it will be; made if missing.
        progress: see `Progress`.
        waiting: called if another process fetches the same file, which is then waited for.

    Returns:
        Which source delivered; None if the file was there after all.

    Raises:
        DownloadError: if no source delivered; says what each answered.
        OutputError: if the file cannot be written.
    """
    target = Path(os.path.realpath(folder / file.name))
    with _folder_made_for(target), atomic.locked(target, OPTION, waiting):
        if is_valid(target, file):
            remove_parts(target)
            return None
        if _complete(target, file):
            return "an earlier download"
        failures = []
        with transport.connections() as session:
            for source in sources:
                try:
                    if isinstance(source, Path):
                        _copy(source / file.name, file, target, progress)
                    else:
                        _download(session, source + file.name, file, target, progress)
                except TransferError as error:
                    failures.append(f"{source}: {error}")
                else:
                    remove_parts(target)
                    return str(source)
    remedy = "check the connection and run the same command again"
    if isinstance(sources[0], Path):
        remedy = "put the published file there"
    raise DownloadError(
        folder / file.name, "no mirror delivered it (" + ", ".join(failures) + ")", remedy
    )


@contextmanager
def _folder_made_for(target: Path) -> Iterator[None]:
    """Make the folder of a file, and those above; what is empty in the end was made for nothing.

    Raises:
        OutputError: if it cannot be made.
    """
    with atomic.explained(target, OPTION):
        made = [folder for folder in target.parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):
            for path in made:
                path.rmdir()


def tidy(path: Path) -> None:
    """Remove what killed downloads have left beside a file that is valid, where that is allowed."""
    target = Path(os.path.realpath(path))
    with suppress(OutputError), atomic.locked(target, OPTION):
        remove_parts(target)


def _download(
    session: Session, url: str, file: RemoteFile, target: Path, progress: Progress
) -> None:
    """Fetch a file from one address, in as many pieces as it takes.

    Raises:
        TransferError: if the address does not deliver.
    """
    tries, furthest = TRIES, 0
    while True:
        try:
            began, sha256 = _receive(session, url, file, target, progress)
        except ChangedError:
            remove_parts(target)
            continue
        except BrokenOffError:
            part = find_part(target)
            size = part.size if part else 0
            tries = TRIES if size >= furthest + PROGRESS_BYTES else tries - 1
            furthest = max(furthest, size)
            if not tries:
                raise
            transport.pause(TRIES - tries)
            continue
        if sha256 == file.sha256:
            _place(target)
            return
        remove_parts(target)
        problem = f"has SHA-256 {sha256}, and {file.sha256} is published"
        if not began:
            raise TransferError(f"sent what {problem}")
        # Pieces of two different files: this time all of it is asked for at once.
        tries -= 1
        if not tries:
            raise TransferError(f"sent pieces of a file that {problem}")


def _place(target: Path) -> None:
    """Give a part that is the whole file its name."""
    if part := find_part(target):
        atomic.place(part.path, target, OPTION)
    remove_parts(target)


def _complete(target: Path, file: RemoteFile) -> bool:
    """Return whether an earlier download had everything but the name; it is given that now."""
    part = find_part(target)
    if part is None or part.size < file.size:
        return False
    if is_valid(part.path, file):
        _place(target)
        return True
    remove_parts(target)
    return False


def _receive(
    session: Session, url: str, file: RemoteFile, target: Path, progress: Progress
) -> tuple[int, str]:
    """Ask once, from where the part ends, and add to the part what comes.

    Returns:
        How many bytes were there before, and the SHA-256 of all.

    Raises:
        TransferError: if the answer is of no use; BrokenOffError if it is, and ends early.
        ChangedError: if it does not belong to the part.
    """
    part = find_part(target)
    if part and not part.validator:
        part = None
    headers = {"Range": f"bytes={part.size}-", "If-Range": part.validator} if part else {}
    with transport.get(session, url, headers) as answer:
        began = check_status(answer, part, file)
        block = answer.read(min(BLOCK_BYTES, file.size - began + 1))
        digest = hashlib.sha256()
        if part and began:
            path = part.path
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256")
        else:
            check_whole(answer, block, file)
            remove_parts(target)
            path = part_path(target, validator_of(answer))
        there = began
        with _appending(path, target) as write:
            while block:
                there += len(block)
                if there > file.size:
                    remove_parts(target)
                    raise TransferError(f"sent more than the {file.size} bytes published")
                write(block)
                digest.update(block)
                progress(there, began)
                block = _next(answer, file.size - there)
    if there < file.size:
        raise BrokenOffError(f"sent {there} bytes of {file.size}")
    return began, digest.hexdigest()


@contextmanager
def _appending(path: Path, target: Path) -> Iterator[Callable[[bytes], None]]:
    """Yield what adds bytes to a part; each arrives there whatever becomes of this process."""
    with atomic.explained(target, OPTION):
        stream = path.open("ab", buffering=0)

    def write(block: bytes) -> None:
        with atomic.explained(target, OPTION):
            rest = memoryview(block)
            while rest:
                rest = rest[stream.write(rest) :]

    with stream:
        yield write


def _next(answer: Answer, missing: int) -> bytes:
    """Return what comes next, up to one byte more than is missing."""
    try:
        return answer.read(min(BLOCK_BYTES, missing + 1))
    except BrokenOffError:
        if missing:
            raise
        return b""


def _copy(path: Path, file: RemoteFile, target: Path, progress: Progress) -> None:
    """Copy a file from a folder, if it is the published one.

    Raises:
        TransferError: if it is not.
    """
    try:
        if problem := problem_of(path, file):
            raise TransferError(problem)
        source = path.open("rb")
    except OSError as error:
        raise TransferError(f"cannot be read: {os_reason(error)}") from error
    digest, there = hashlib.sha256(), 0
    with source, atomic.open(target, OPTION) as stream:
        while block := _read(source):
            digest.update(block)
            there += len(block)
            with atomic.explained(target, OPTION):
                stream.write(block)
            progress(there, 0)
        if digest.hexdigest() != file.sha256:
            raise TransferError("changed while it was copied")


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(BLOCK_BYTES)
    except OSError as error:
        raise TransferError(f"cannot be read: {os_reason(error)}") from error
