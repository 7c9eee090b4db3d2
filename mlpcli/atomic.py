"""Files that are written whole or not at all, and by one run at a time."""

import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mlpcli.errors import CheckpointError, os_reason

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def write(path: Path, content: bytes) -> None:
    """Put a file in place whole, or leave what is there untouched.

    Args:
        path: the target; a symbolic link is written through.
        content: its bytes.

    Raises:
        CheckpointError: if it cannot be written; nothing is left behind.
    """
    with _temporary(path, content) as temporary:
        target = Path(os.path.realpath(path))
        temporary.replace(target)
        _sync_folder(target.parent)


def check_writable(path: Path, size: int) -> None:
    """Find out before training whether a checkpoint of `size` bytes could be written.

    Raises:
        CheckpointError: if it could not.
    """
    with _temporary(path, bytes(size)) as temporary:
        _sync_folder(temporary.parent)
        temporary.unlink()


@contextmanager
def _temporary(path: Path, content: bytes) -> Iterator[Path]:
    """Write a file beside the target of `path` and prove that it is whole; remove it on failure."""
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        _check_regular(path)
        # 0o666 less the umask, as open() does: not mkstemp, which would hide the file from others.
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with open(descriptor, "w+b") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
                stream.seek(0)
                if stream.read() != content:
                    raise CheckpointError(
                        path, "reads back otherwise than written", "check the disk"
                    )
            yield temporary
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other runs from writing the same checkpoint, as long as this process lives.

    What a run that was killed left beside it is removed.

    Raises:
        CheckpointError: if another run holds it.
    """
    if fcntl is None:
        yield
        return
    target = Path(os.path.realpath(path))
    lock = target.with_name(f".{target.name}.lock")
    try:
        _check_regular(path)
        stream = _locked_file(lock)
    except OSError as error:
        raise _unwritable(path, error) from error
    if stream is None:
        raise CheckpointError(
            path, "is being written by another run", "wait for it, or choose another place with -o"
        )
    with stream:
        try:
            for leftover in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
                leftover.unlink(missing_ok=True)
            yield
        finally:
            lock.unlink(missing_ok=True)


def _locked_file(lock: Path) -> IO[bytes] | None:
    """Open and lock a file; None if another process has it."""
    while True:
        stream = lock.open("ab")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            return None
        except OSError:
            stream.close()
            raise
        # Whoever held it before may have removed the name since it was opened.
        with suppress(FileNotFoundError):
            if os.path.samestat(lock.stat(), os.fstat(stream.fileno())):
                return stream
        stream.close()


def _check_regular(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise CheckpointError(path, "is not a regular file", "choose another place with -o")


def _unwritable(path: Path, error: OSError) -> CheckpointError:
    problem = f"cannot be written: {os_reason(error)}"
    return CheckpointError(path, problem, "choose another place with -o")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
