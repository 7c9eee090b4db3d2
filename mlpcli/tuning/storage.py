"""Where a study is kept, a journal file or a database, and which trials are being worked on.

A process that dies leaves its trial to be begun again. Of a journal that is told by locks, which
end with the process; of a database by Optuna's heartbeat.
"""

import json
import os
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mlpcli import atomic
from mlpcli.errors import ConfigError, DataError, MlpError, OutputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage, RetryHeartbeatStaleTrialCallback

# How often a trial that died with its process is begun again: it may be what kills it.
RETRIES = 3
BEAT_SECONDS, GRACE_SECONDS = 5, 30
# Processes that make the tables of an empty database at the same time hinder one another.
ATTEMPTS, ATTEMPT_SECONDS = 5, 0.5
# No trial has these numbers: who holds such a lock is about to begin a trial, or writes.
_BEGINNING, _WRITING = 2**40, 2**40 + 1
# Of a journal: a study was made.
_FIRST_LINE = re.compile(rb'\{"op_code":0,"worker_id":.*\}\n')


class Locks:
    """Locks on bytes of a file, one for each trial, which a process has as long as it lives."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file if fcntl else None

    @contextmanager
    def working_on(self, number: int) -> Iterator[None]:
        """Wait for the lock of a trial, and have it."""
        if self._file:
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, number)
        try:
            yield
        finally:
            self._release(number)

    def beginning(self) -> AbstractContextManager[None]:
        """Keep other processes from beginning trials."""
        return self.working_on(_BEGINNING)

    def is_abandoned(self, number: int) -> bool:
        """Return whether no process works on a trial any more, as far as locks can tell."""
        if not self._file:
            return False
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return False
        self._release(number)
        return True

    def _release(self, number: int) -> None:
        if self._file:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)

    # What Optuna asks of the lock of a journal. Its own outlive their process by half a minute.

    def acquire(self) -> bool:
        """Wait until no other process writes."""
        if self._file:
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, _WRITING)
        return True

    def release(self) -> None:
        """Let others write."""
        self._release(_WRITING)


class JournalFile:
    """A journal as Optuna uses it: what cannot be written whole is not written at all.

    Args:
        path: of the file.
        lock: what one process has that writes.
        backend: Optuna's own, which reads.
    """

    def __init__(self, path: Path, lock: Any, backend: Any) -> None:
        self._path, self._lock, self.read_logs = path, lock, backend.read_logs

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write a line each.

        Raises:
            OutputError: if that is not possible; the file is then as before.
        """
        lines = [json.dumps(log, separators=(",", ":")) + "\n" for log in logs]
        self._lock.acquire()
        try:
            with atomic.explained(self._path, "--storage"):
                _append(self._path, "".join(lines).encode())
        finally:
            self._lock.release()


def is_url(where: str) -> bool:
    """Return whether a study is kept in a database, and not in a file."""
    return "://" in where


def without_password(where: str) -> str:
    """Return the URL of a database as it may be shown."""
    parts = urlsplit(where)
    if not is_url(where) or parts.password is None:
        return where
    return where.replace(f":{parts.password}@", ":***@")


@contextmanager
def open_storage(where: str) -> Iterator[tuple["BaseStorage", Locks]]:
    """Open what a study is kept in, or make it.

    Args:
        where: the path of a journal, beside which `.NAME.running` is locked; or a database's URL.

    Raises:
        ConfigError: if a package is missing, or there is no such kind of database.
        DataError: if the file is no journal or damaged, or the database cannot be reached, now or
            later.
        OutputError: if the file cannot be written, now or later.
    """
    if is_url(where):
        database = _database(where)
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with _explained(where, SQLAlchemyError):
                yield database, Locks(None)
        finally:
            with suppress(Exception):
                # The connection may be lost.
                database.remove_session()
            database.engine.dispose()
        return
    path = Path(where)
    atomic.check_writable(path, 0, "--storage")
    with atomic.explained(path, "--storage"):
        running = path.with_name(f".{path.name}.running").open("ab")
    with running:
        locks = Locks(running)
        with atomic.explained(path, "--storage"):
            storage = _journal(path, locks)
        with _explained(where, OutputError):
            yield storage, locks


@contextmanager
def _explained(where: str, kind: type[Exception]) -> Iterator[None]:
    """Say what a storage failed at, where Optuna made another error of it.

    Args:
        where: as `open_storage`.
        kind: what is raised by what Optuna keeps it in.

    Raises:
        DataError: if a database cannot be used any more.
        OutputError: if a journal cannot be written any more.
    """
    try:
        yield
    except Exception as error:
        found: BaseException | None = error
        while found and not isinstance(found, kind):
            found = found.__cause__ or found.__context__
        if isinstance(found, MlpError):
            raise found from None
        if found:
            raise _unusable(where, found) from None
        raise


def _unusable(url: str, error: BaseException) -> DataError:
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return DataError(without_password(url), f"cannot be used: {reason}", "check it")


def _journal(path: Path, locks: Locks) -> "BaseStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    lock = locks if fcntl else JournalFileOpenLock(str(path))
    lock.acquire()
    try:
        if path.exists():
            _mend(path)
    finally:
        lock.release()
    try:
        return JournalStorage(JournalFile(path, lock, JournalFileBackend(str(path), lock)))
    except (MlpError, OSError):
        raise
    except Exception:  # noqa: BLE001 - Optuna replays whatever the lines say
        raise _damaged(path) from None


def _damaged(where: object) -> DataError:
    remedy = "restore it from a copy, or choose another --storage"
    return DataError(where, "is damaged", remedy)


def _append(path: Path, content: bytes) -> None:
    """Write what follows in a file, or nothing: part of a line would spoil the next one, too."""
    with path.open("ab", buffering=0) as stream:
        whole = stream.tell()
        try:
            while content:
                content = content[stream.write(content) :]
            os.fsync(stream.fileno())
        except OSError:
            stream.truncate(whole)
            raise


def _mend(path: Path) -> None:
    """Cut off what a process that was killed has left of a journal's last line.

    Raises:
        DataError: if the file is no journal, or another line is damaged.
    """
    with path.open("rb+") as stream:
        content = stream.read()
        whole = content.rfind(b"\n") + 1
        if content and not _FIRST_LINE.match(content[:whole]):
            raise DataError(path, "is no journal of a study", "choose another --storage")
        for number, line in enumerate(content[:whole].splitlines(), 1):
            try:
                json.loads(line)
            except ValueError:
                raise _damaged(f"{path}:{number}") from None
        if whole < len(content):
            stream.truncate(whole)


def _database(url: str) -> "RDBStorage":
    from optuna.exceptions import OptunaError
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    scheme, _, rest = url.partition("://")
    if scheme not in ("postgresql", "postgresql+psycopg"):
        remedy = "write postgresql://USER@HOST/DATABASE, or the path of a journal"
        raise ConfigError(without_password(url), f"{scheme} is not supported", remedy)
    for attempt in range(ATTEMPTS):
        try:
            with warnings.catch_warnings():
                # The heartbeat may still change.
                warnings.simplefilter("ignore")
                return RDBStorage(
                    f"postgresql+psycopg://{rest}",
                    heartbeat_interval=BEAT_SECONDS,
                    grace_period=GRACE_SECONDS,
                    heartbeat_stale_trial_callback=retry(),
                )
        except ImportError:
            remedy = "pip install 'mlpcli[tune]'"
            raise ConfigError("--storage", "needs the package psycopg", remedy) from None
        except (OptunaError, SQLAlchemyError) as error:
            found = error
        time.sleep(ATTEMPT_SECONDS * attempt)
    raise _unusable(url, found) from None


def retry() -> "RetryHeartbeatStaleTrialCallback":
    """Return what begins a trial again that died with its process."""
    from optuna.storages import RetryHeartbeatStaleTrialCallback

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)
