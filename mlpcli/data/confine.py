"""Files that a checkpoint names and its user does not: where they may be, and what is told of them.

Who gives a checkpoint away decides which paths stand in it, and reads what a failing job prints.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlpcli.config.data_files import Files
from mlpcli.data.readers.source import find_label_file, locate
from mlpcli.errors import DataError

# Files that tell of other processes and of the machine, though they look like any other.
FORBIDDEN = ("/proc", "/sys")


def check_confined(files: Files, split: str, search_paths: Sequence[Path]) -> None:
    """Refuse paths that lead out of the folders in which data are looked for.

    Args:
        files: what a checkpoint names.
        split: `train` or `test`, which of it is to be read.
        search_paths: the folders.

    Raises:
        DataError: if a path, or a link on its way or inside its folder, leads to anything but a
            file or a folder below them.
        OSError: if a folder cannot be read.
    """
    separate = split == "test" and isinstance(files.test, str)
    names = (
        (files.test, files.test_target, files.target) if separate else (files.train, files.target)
    )
    roots = [os.path.realpath(folder) for folder in search_paths]
    for name in names:
        path = locate(name, search_paths) if isinstance(name, str) else None
        for part in _parts(path) if path else ():
            if not _is_below(part, roots):
                raise DataError(
                    part,
                    "is no file below the current folder or the checkpoint's, and only the "
                    "checkpoint names it",
                    "give --data FILE",
                )


def _parts(path: Path) -> Iterator[Path]:
    """Yield what is read where a path leads: itself, its labels' file, and a folder's links."""
    yield path
    if labels := find_label_file(path):
        yield labels
    if path.is_dir():
        for entry in path.iterdir():
            inside = entry.iterdir() if entry.is_dir() else ()
            yield from (part for part in (entry, *inside) if part.is_symlink())


def _is_below(path: Path, roots: Sequence[str]) -> bool:
    real = Path(os.path.realpath(path))
    return (
        (real.is_file() or real.is_dir())
        and any(real.is_relative_to(root) for root in roots)
        and not any(real.is_relative_to(folder) for folder in FORBIDDEN)
    )


@contextmanager
def unquoted() -> Iterator[None]:
    """Say of a file that does not fit where that is, and nothing of what stands there.

    Raises:
        DataError: in place of another.
    """
    try:
        yield
    except DataError as error:
        problem = "cannot be read like the data that were trained on"
        raise DataError(error.where, problem, "give --data FILE, which says more") from None
