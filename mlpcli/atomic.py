"""Files that are written whole or not at all, and by one run at a time."""

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

from mlpcli.errors import OutputError, os_reason

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def open(path: Path, option: str = "-o") -> Iterator[BinaryIO]:  # noqa: A001 - it is atomic.open
    """Open a file for writing that appears at `path` whole, at the end, or not at all.

    Args:
        path: the target; a symbolic link is written through.
        option: what chose it on the command line, for the error.

    Raises:
        OutputError: if it cannot be made or put in place. What else is raised amid the writing
            passes as it is; in any case nothing is left behind.
    """
    with _temporary(path, option) as (temporary, stream):
        yield stream
        with explained(path, option):
            _sync(stream)
            _put(temporary, stream, path)


def write(path: Path, content: bytes, option: str = "-o") -> None:
    """Put a file in place whole, proved by reading it back, or leave what is there untouched.

    Args:
        path: the target; a symbolic link is written through.
        content: its bytes.
        option: what chose the target on the command line, for the error.

    Raises:
        OutputError: if it cannot be written; nothing is left behind.
    """
    with explained(path, option), _temporary(path, option) as (temporary, stream):
        _write_proved(stream, content, path)
        _put(temporary, stream, path)


def place(whole: Path, path: Path, option: str = "-o") -> None:
    """Give a file that is whole, and in the same folder as the target, the target's name.

    Args:
        whole: the file; its bytes reach the disk first.
        path: the target; a symbolic link is written through.
        option: what chose the target on the command line, for the error.

    Raises:
        OutputError: if it cannot be put there; the file then stays as it is.
    """
    with explained(path, option):
        _check_regular(path, option)
        with whole.open("r+b") as stream:
            _sync(stream)
            _put(whole, stream, path)


def check_writable(path: Path, size: int) -> None:
    """Find out before training whether a checkpoint of `size` bytes could be written.

    Raises:
        OutputError: if it could not.
    """
    with explained(path, "-o"), _temporary(path, "-o") as (temporary, stream):
        _write_proved(stream, bytes(size), path)
        stream.close()
        _sync_folder(temporary.parent)
        temporary.unlink()


@contextmanager
def _temporary(path: Path, option: str) -> Iterator[tuple[Path, BinaryIO]]:
    """Make a file beside the target of `path`; close it, and remove it on failure."""
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    with explained(path, option):
        _check_regular(path, option)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        # 0o666 less the umask, as open() does: not mkstemp, which would hide the file from others.
        descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            yield temporary, stream
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_temporary(name: str, target: str) -> bool:
    """Return whether a name is a temporary's of this target: of `w`, and not of `w.npy`."""
    return bool(re.fullmatch(rf"\.{re.escape(target)}\.[0-9a-f]{{8}}\.tmp", name, re.DOTALL))


def _write_proved(stream: BinaryIO, content: bytes, path: Path) -> None:
    stream.write(content)
    _sync(stream)
    stream.seek(0)
    if stream.read() != content:
        raise OutputError(path, "differs when read back", "check the disk")


def _put(temporary: Path, stream: BinaryIO, path: Path) -> None:
    """Give a temporary that has reached the disk the name of the target."""
    stream.close()
    target = Path(os.path.realpath(path))
    temporary.replace(target)
    _sync_folder(target.parent)


@contextmanager
def locked(
    path: Path, option: str = "-o", waiting: Callable[[], object] | None = None
) -> Iterator[None]:
    """Keep other runs from writing the same file, as long as this process lives.

    What a run that was killed left beside it is removed.

    Args:
        path: the file.
        option: what chose it on the command line, for the error.
        waiting: called once if another run holds it, which is then waited for; None to refuse.

    Raises:
        OutputError: if another run holds it.
    """
    if fcntl is None:
        yield
        return
    target = Path(os.path.realpath(path))
    lock = target.with_name(f".{target.name}.lock")
    with explained(path, option):
        _check_regular(path, option)
        stream = _locked_file(lock)
        if stream is None and waiting:
            waiting()
            stream = _locked_file(lock, wait=True)
    if stream is None:
        remedy = f"wait for it, or choose another place with {option}"
        raise OutputError(path, "is being written by another run", remedy)
    with stream:
        try:
            for leftover in target.parent.iterdir():
                if _is_temporary(leftover.name, target.name):
                    leftover.unlink(missing_ok=True)
            yield
        finally:
            lock.unlink(missing_ok=True)


def _locked_file(lock: Path, wait: bool = False) -> IO[bytes] | None:
    """Open and lock a file; None if another process has it and is not to be waited for."""
    while True:
        stream = lock.open("ab")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
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


def _check_regular(path: Path, option: str) -> None:
    if path.exists() and not path.is_file():
        raise OutputError(path, "is not a regular file", f"choose another place with {option}")


@contextmanager
def explained(path: Path, option: str) -> Iterator[None]:
    """Make what the system refuses an error about the target."""
    try:
        yield
    except OSError as error:
        problem = f"cannot be written: {os_reason(error)}"
        raise OutputError(path, problem, f"choose another place with {option}") from error


def _sync(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
