"""Fetching a dataset's files while somebody watches: for `mlp download`, and `mlp train`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlpcli.cli import console, progress_bars

if TYPE_CHECKING:
    from mlpcli.data.builtin.registry import BuiltinDataset, RemoteFile

    Sources = Sequence[str | Path]


class Step(NamedTuple):
    """What was done about a file of a dataset."""

    path: Path
    source: str | None
    """Where it came from; None if it was there."""
    how: str = "fetched"

    @property
    def line(self) -> str:
        """Say it."""
        if self.source is None:
            return f"{self.path} is there and valid"
        return f"{self.path} {self.how} from {self.source}"


def fetch_dataset(
    name: str,
    entry: "BuiltinDataset",
    data_dir: Path,
    base: str | Path | None = None,
    quiet: bool = False,
) -> Iterator[Step]:
    """Make sure that all files of a dataset are there and valid.

    Args:
        name: the dataset.
        entry: what the registry knows of it.
        data_dir: the folder that has one sub-folder per downloaded dataset.
        base: a folder or an address to take the files from, instead of the mirrors.
        quiet: show no bar, and say nothing of damaged files.

    Yields:
        Each file, when it is there.

    Raises:
        DownloadError, DataError, OutputError: if a file cannot be had.
    """
    sources: Sources = entry.mirrors
    if isinstance(base, Path):
        sources = (base, base / entry.folder)
    elif base is not None:
        sources = (base, f"{base}{entry.folder}/")
    for file in entry.files:
        path = data_dir / entry.folder / file.name
        yield Step(path, _ensure(path, file, sources, quiet))
    if entry.members:
        from mlpcli.data.builtin import archive

        packed, folder = data_dir / entry.folder / entry.files[0].name, data_dir / name
        made = archive.unpack(packed, entry, folder)
        for path, _ in archive.compare(packed, entry, folder):
            yield Step(path, str(packed) if path in made else None, "unpacked")


def _ensure(path: Path, file: "RemoteFile", sources: "Sources", quiet: bool) -> str | None:
    """Fetch a file unless it is valid; return from where."""
    from mlpcli.data.builtin import verify

    problem = verify.problem_of(path, file)
    if not problem and not verify.has_leftovers(path):
        return None
    from mlpcli.data.builtin import download

    if not problem:
        download.tidy(path)
        return None
    if path.is_file() and not quiet:
        console.note(f"{path} {problem}: it is fetched again")
    waiting = f"{path} is being fetched by another process: waiting for it"
    with progress_bars.transfer(file.name, file.size, quiet) as progress:
        return download.fetch(
            file, sources, path.parent, progress, lambda: None if quiet else console.note(waiting)
        )
