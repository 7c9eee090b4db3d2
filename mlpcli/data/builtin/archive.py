"""A dataset's files out of an archive: known members to known names, no more than declared."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlpcli import atomic
from mlpcli.data.builtin.registry import IDX_FILES, BuiltinDataset
from mlpcli.errors import DataError

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile raises over an archive that is not as it declares.
DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError)
# All of EMNIST has half as much.
LARGEST_BYTES = 1 << 30
BLOCK_BYTES = 1 << 18
OPTION = "--data-dir"


def unpack(
    archive: Path, entry: BuiltinDataset, folder: Path, names: Sequence[str] = IDX_FILES
) -> list[Path]:
    """Take the files of one dataset out of an archive, but for those that are there already.

    Args:
        archive: a zip file.
        entry: the dataset, of whose `members` the `IDX_FILES` are made.
        folder: where these will be; made if missing.
        names: which of them.

    Returns:
        The files that were made.

    Raises:
        DataError: if the archive is damaged, or not what it should be.
        OutputError: if a file cannot be written.
    """
    made = []
    with _opened(archive) as opened:
        for name in names:
            info = _info(opened, entry.members[IDX_FILES.index(name)], archive)
            path = folder / name
            if not _same(path, info):
                with atomic.explained(path, OPTION):
                    folder.mkdir(parents=True, exist_ok=True)
                _extract(opened, info, path, archive)
                made.append(path)
    return made


def compare(archive: Path, entry: BuiltinDataset, folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield each file of a dataset, and whether it is there as the archive holds it.

    Raises:
        DataError: if the archive is damaged, or not what it should be.
    """
    with _opened(archive) as opened:
        for member, name in zip(entry.members, IDX_FILES, strict=True):
            yield folder / name, _same(folder / name, _info(opened, member, archive))


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except DAMAGES as error:
        raise _damaged(archive, str(error)) from error


def _info(opened: zipfile.ZipFile, member: str, archive: Path) -> zipfile.ZipInfo:
    try:
        info = opened.getinfo(member)
    except KeyError:
        raise _damaged(archive, f"it has no {member}") from None
    if info.compress_type not in METHODS:
        raise _damaged(archive, f"{member} is compressed by method {info.compress_type}")
    if info.file_size > LARGEST_BYTES:
        raise _damaged(archive, f"{member} declares {info.file_size} bytes")
    return info


def _extract(opened: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, archive: Path) -> None:
    """Write one member to a file, at most as many bytes as it declares, its CRC checked."""
    there = 0
    with opened.open(info) as source, atomic.open(path, OPTION) as stream:
        while block := source.read(BLOCK_BYTES):
            there += len(block)
            with atomic.explained(path, OPTION):
                stream.write(block)
        if there != info.file_size:
            problem = f"{info.filename} declares {info.file_size} bytes, and holds {there}"
            raise _damaged(archive, problem)


def _same(path: Path, info: zipfile.ZipInfo) -> bool:
    if not path.is_file() or path.stat().st_size != info.file_size:
        return False
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            crc = zlib.crc32(block, crc)
    return crc == info.CRC


def _damaged(archive: Path, problem: str) -> DataError:
    return DataError(archive, f"is damaged: {problem}", "fetch it again with mlp download")
