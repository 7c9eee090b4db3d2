"""Files that are written whole or not at all, and by one run at a time."""

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

from mlpcli.errors import OutputError, os_reason

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


# A disk, a quota or a limit has no room.
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


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
        try:
            yield stream
        except OSError as error:
            # Amid other work, only these must come from the writing.
            if error.errno not in FULL or error.filename:
                raise
            raise _refused(path, option, error) from error
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


def check_writable(path: Path, size: int, option: str = "-o", copies: int = 1) -> None:
    """Find out before some work whether its result of `size` bytes could be written.

    Args:
        path: the target.
        size: in bytes.
        option: what chose it on the command line, for the error.
        copies: how many of them there must be room for at a time.

    Raises:
        OutputError: if it could not.
    """
    with explained(path, option), _temporary(path, option) as (temporary, stream):
        _write_proved(stream, bytes(size), path)
        stream.close()
        if copies > 1:
            check_writable(path, size, option, copies - 1)
        _sync_folder(temporary.parent)
        temporary.unlink()
        _check_replaceable(path, option)


def _check_replaceable(path: Path, option: str) -> None:
    """Refuse another user's file in a sticky folder such as /tmp, where only owners replace files.

    Raises:
        OutputError: if it is one.
    """
    target = Path(os.path.realpath(path))
    if not target.exists() or not hasattr(os, "geteuid"):
        return
    folder = target.parent.stat()
    owners = {target.stat().st_uid, folder.st_uid}
    if folder.st_mode & stat.S_ISVTX and os.geteuid() not in {0, *owners}:
        problem = "belongs to another user, and its folder lets only owners replace files"
        raise OutputError(path, problem, f"choose another place with {option}")


@contextmanager
def _temporary(path: Path, option: str) -> Iterator[tuple[Path, BinaryIO]]:
    """Make a file beside the target of `path`; close it, and remove it on failure."""
    with explained(path, option):
        _check_regular(path, option)
        target = Path(os.path.realpath(path))
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        # 0o666 less the umask, as open() does: not mkstemp, which would hide the file from others.
        descriptor = os.open(temporary, flags, 0o666)
    with suppress(OSError):
        _adopt(descriptor, target)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            yield temporary, stream
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _adopt(descriptor: int, target: Path) -> None:
    """Give a new file the owner, as far as that is allowed, and the mode of what it will replace.

    Raises:
        OSError: if there is nothing to be replaced, or the file system has no modes.
    """
    if not hasattr(os, "fchown"):  # Windows
        return
    status = target.stat()
    for owner, group in ((-1, status.st_gid), (status.st_uid, -1)):
        with suppress(OSError):
            os.fchown(descriptor, owner, group)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


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
    with explained(path, option):
        _check_regular(path, option)
        target = Path(os.path.realpath(path))
        lock = target.with_name(f".{target.name}.lock")
        stream = _locked_file(lock, path, option)
        if stream is None and waiting:
            waiting()
            stream = _locked_file(lock, path, option, wait=True)
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


def _locked_file(lock: Path, path: Path, option: str, wait: bool = False) -> IO[bytes] | None:
    """Open and lock a file; None if another process has it and is not to be waited for.

    Raises:
        OutputError: if another user has left it.
        OSError: if it cannot be made.
    """
    while True:
        try:
            stream = lock.open("ab")
        except PermissionError as error:
            if not lock.exists():
                raise
            problem = f"cannot be locked: {lock} was left by another user"
            remedy = f"have it removed, or choose another place with {option}"
            raise OutputError(path, problem, remedy) from error
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
        raise _refused(path, option, error) from error


def _refused(path: Path, option: str, error: OSError) -> OutputError:
    problem = f"cannot be written: {os_reason(error)}"
    return OutputError(path, problem, f"choose another place with {option}")


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
