"""What a path is, and where its labels are: found out once, and handed on to whoever reads it."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mlpcli.config.data_files import Target
from mlpcli.data.readers import images
from mlpcli.data.readers.foreign import HEAD, foreign
from mlpcli.data.readers.gzipped import open_maybe_gzipped
from mlpcli.data.readers.image_files import is_image
from mlpcli.data.readers.npy import NPY_MAGIC, ZIP_MAGIC
from mlpcli.data.readers.parquet import PARQUET_MAGIC
from mlpcli.errors import DataError

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
# The beginning of an object with a name, or of an array of such or of numbers or texts.
JSON_HEAD = re.compile(rb'(\xef\xbb\xbf)?\s*(\{\s*"|\[\s*[\[{"\d-])')


class Source(NamedTuple):
    """A file or folder of examples."""

    path: Path
    format: str
    """table, json, npy, npz, idx, parquet, image or folder."""
    labels: "Source | None" = None
    """What has the labels of an array, where they are in a file of their own."""


def find_source(path: Path) -> Source:
    """Return what a path is, without its labels.

    Raises:
        DataError: if it is empty, or a compressed array.
        OSError: if it cannot be read.
    """
    return Source(path, detect_format(path))


def with_labels(
    source: Source, target: Target | None, search_paths: Sequence[Path], key: str
) -> Source:
    """Return a source with the file of its labels, if they are in a file of their own.

    Args:
        source: what holds the examples.
        target: where the classes are: a column, an array of an archive, or a file; None for a file
            named like the source, if there is one.
        search_paths: what the path of a file may be relative to.
        key: the KEY.PART of a configuration that gives the target.

    Raises:
        DataError: if there is no such file, or it is empty.
        OSError: if it cannot be read.
    """
    if source.format not in ("npy", "npz", "idx") or isinstance(target, int | tuple):
        return source
    is_archive = source.format == "npz"
    path = None
    if target is None:
        path = None if is_archive else find_label_file(source.path)
    elif not is_archive or any((folder / target).is_file() for folder in search_paths):
        path = resolve_path(target, search_paths, "correct target", key)
    return source._replace(labels=find_source(path) if path else None)


def detect_format(path: Path) -> str:
    """Return what a file is: table, json, npy, npz, idx, parquet, image or folder.

    Raises:
        DataError: if it is empty, a compressed array, or what no reader takes.
        OSError: if it cannot be read.
    """
    if path.is_dir():
        return "folder"
    if path.suffix.lower() in images.SUFFIXES:
        return "image"
    with open_maybe_gzipped(path) as (stream, compressed):
        head = stream.read(HEAD)
    if not head:
        raise DataError(path, "is empty", "give a file with examples")
    if compressed and head.startswith((NPY_MAGIC, ZIP_MAGIC, PARQUET_MAGIC)):
        raise DataError(path, "is a compressed array or table", "unpack it with gunzip")
    if is_image(head):
        return "image"
    if other := foreign(head):
        raise DataError(path, *other)
    for magic, name in ((NPY_MAGIC, "npy"), (ZIP_MAGIC, "npz"), (PARQUET_MAGIC, "parquet")):
        if head.startswith(magic):
            return name
    if head[:2] == b"\0\0":
        return "idx"
    by_name = path.name.lower().removesuffix(".gz").endswith(JSON_SUFFIXES)
    return "json" if by_name or JSON_HEAD.match(head[:8]) else "table"


def find_label_file(path: Path) -> Path | None:
    """Return the file that by its name has the labels of an array: x.npy has y.npy."""
    for pattern, replacement in (
        (r"images([-.])idx\d", r"labels\1idx1"),
        (r"(?<![a-zA-Z])(images|features|data)(?![a-zA-Z])", "labels"),
        (r"(?<![a-zA-Z])x(?![a-zA-Z])", "y"),
        (r"(?<![a-zA-Z])X(?![a-zA-Z])", "y"),
    ):
        beside = path.with_name(re.sub(pattern, replacement, path.name, count=1))
        if beside != path and beside.is_file():
            return beside
    return None


def candidates(name: str, search_paths: Sequence[Path]) -> list[Path]:
    """Return where a path given in a configuration may be, in the order in which to look."""
    # Not Path.expanduser, which fails where there is no such user.
    return [folder / os.path.expanduser(name) for folder in search_paths]  # noqa: PTH111


def locate(name: str, search_paths: Sequence[Path]) -> Path | None:
    """Return where a path is, relative to the first folder that has it; None if none does."""
    return next((path for path in candidates(name, search_paths) if path.exists()), None)


def resolve_path(name: str, search_paths: Sequence[Path], remedy: str, key: str) -> Path:
    """Return where a path given in a configuration is.

    Args:
        name: absolute, or relative to one of the folders.
        search_paths: in the order in which they are tried.
        remedy: what to do if it is not there.
        key: the KEY or KEY.PART that gives it.

    Raises:
        DataError: if it is not there.
    """
    if path := locate(name, search_paths):
        return path
    folders = " or ".join(map(str, dict.fromkeys(search_paths)))
    raise DataError(name, f"there is no such file in {folders}", remedy, key)
