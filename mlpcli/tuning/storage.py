"""Where a study is kept, a journal file or a database, and which trials are being worked on.

A process that dies leaves its trial to be begun again. Of a journal that is told by locks, which
end with the process; of a database by Optuna's heartbeat.
"""

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from mlpcli import atomic
from mlpcli.errors import ConfigError, DataError

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
        DataError: if the file is no journal, or the database cannot be reached.
        OutputError: if the file cannot be written.
    """
    if is_url(where):
        database = _database(where)
        try:
            yield database, Locks(None)
        finally:
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
        yield storage, locks


def _journal(path: Path, locks: Locks) -> "BaseStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    locks.acquire()
    try:
        if path.exists():
            _mend(path)
    finally:
        locks.release()
    return JournalStorage(JournalFileBackend(str(path), lock_obj=locks if fcntl else None))


def _mend(path: Path) -> None:
    """Cut off what a process that was killed has left of a journal's last line.

    Raises:
        DataError: if the file is no journal.
    """
    with path.open("rb+") as stream:
        content = stream.read()
        whole = content.rfind(b"\n") + 1
        if content and not _FIRST_LINE.match(content[:whole]):
            raise DataError(path, "is no journal of a study", "choose another --storage")
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
    problem = str(getattr(found, "orig", None) or found).splitlines()[0]
    raise DataError(without_password(url), f"cannot be used: {problem}", "check it") from None


def retry() -> "RetryHeartbeatStaleTrialCallback":
    """Return what begins a trial again that died with its process."""
    from optuna.storages import RetryHeartbeatStaleTrialCallback

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)
