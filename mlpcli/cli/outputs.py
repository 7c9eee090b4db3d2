"""What a command writes is nothing that it reads, and no two of its outputs are one file."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mlpcli.errors import ConfigError


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path | None]) -> None:
    """Refuse an output that is an input or another output, before anything is opened for writing.

    Args:
        outputs: by the option that names them; None for one that is not asked for.
        inputs: every file that is read; of a folder, the files in it and in its sub-folders.

    Raises:
        ConfigError: naming the output, whatever links lead to it; or if it is standard output.
    """
    identities: dict[object, str] = {}
    written = {option: path for option, path in outputs.items() if path is not None}
    for option, path in written.items():
        if str(path) == "-":
            problem = "- is standard output, and this is written as a file"
            raise ConfigError(option, problem, "give it a name")
        other = identities.setdefault(_identity(path), option)
        if other != option:
            raise ConfigError(path, f"is both {other} and {option}", "choose two names")
    # What does not exist yet is read by nobody.
    if not any(path.exists() for path in written.values()):
        return
    for source in inputs:
        for file in _files(source) if source else ():
            if option := identities.get(_identity(file), ""):
                where = written[option]
                raise ConfigError(where, "is both input and output", f"choose another {option}")


def _identity(path: Path) -> object:
    """Return what all names of a file have in common, and those of one that is to be made."""
    try:
        status = path.stat()
    except OSError:
        # Some file systems take A and a for one name.
        return os.path.realpath(path).casefold()
    except ValueError:  # No path has a NUL.
        return None
    return status.st_dev, status.st_ino


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for entry in path.iterdir():
        yield from entry.iterdir() if entry.is_dir() else [entry]
