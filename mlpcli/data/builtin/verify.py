"""Whether the files of a dataset are there, and are the published ones."""

import hashlib
import os
from pathlib import Path

from mlpcli.data.builtin.registry import IDX_FILES, BuiltinDataset, RemoteFile


def problem_of(path: Path, file: RemoteFile) -> str | None:
    """Return what is wrong with a file, as what follows its name; None if it is as published.

    Raises:
        OSError: if it cannot be read.
    """
    if not path.exists():
        return "is missing"
    if not path.is_file():
        return "is not a regular file"
    size = path.stat().st_size
    if size != file.size:
        return f"holds {size} bytes, and {file.size} are published"
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    return None if found == file.sha256 else f"has SHA-256 {found}, and {file.sha256} is published"


def is_valid(path: Path, file: RemoteFile) -> bool:
    """Return whether `path` holds exactly the published bytes."""
    return problem_of(path, file) is None


def has_leftovers(path: Path) -> bool:
    """Return whether something of an unfinished download lies beside a file."""
    target = Path(os.path.realpath(path))
    return any(other.name.startswith(f".{target.name}.") for other in target.parent.iterdir())


def is_present(name: str, entry: BuiltinDataset, data_dir: Path) -> bool:
    """Return whether a dataset can be opened, going by names and sizes alone."""
    if all(_has(data_dir / entry.folder / file.name, file.size) for file in entry.files):
        return True
    return bool(entry.members) and all(_has(data_dir / name / file) for file in IDX_FILES)


def is_there(name: str, entry: BuiltinDataset, data_dir: Path) -> bool:
    """Return whether any file of a dataset is there."""
    fetched = [data_dir / entry.folder / file.name for file in entry.files]
    return any(path.exists() for path in [*fetched, *(data_dir / name / f for f in IDX_FILES)])


def _has(path: Path, size: int | None = None) -> bool:
    return path.is_file() and size in (None, path.stat().st_size)
