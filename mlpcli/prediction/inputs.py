"""Inputs of every kind to predict from: as features in a network's encoding."""

import io
import os
import stat
import sys
from collections.abc import Iterator
from itertools import chain, repeat
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mlpcli.config.data_files import ColumnRef, Files
from mlpcli.data.encoding import Column, Encoding
from mlpcli.data.known_columns import header_names, select_known
from mlpcli.data.pixels import in_pixel_range
from mlpcli.data.readers import images
from mlpcli.data.readers.charsets import as_utf8
from mlpcli.data.readers.csv import csv_tables
from mlpcli.data.readers.csv_dialect import csv_options, json_options
from mlpcli.data.readers.csv_start import PRINTED, SPACE
from mlpcli.data.readers.foreign import HEAD
from mlpcli.data.readers.image_files import is_image
from mlpcli.data.readers.json_lines import json_lines, read_json_lines
from mlpcli.data.readers.lines import decode_lines, join_quoted, read_lines
from mlpcli.data.readers.notation import parse_number
from mlpcli.data.readers.npy import NPY_MAGIC, ZIP_MAGIC
from mlpcli.data.readers.parquet import PARQUET_MAGIC
from mlpcli.data.readers.read import read_files
from mlpcli.data.readers.source import Source, find_source
from mlpcli.data.readers.table import Selector, Table
from mlpcli.data.unlabelled import InputBatch, encode_table
from mlpcli.errors import DataError

# Images read, and characters of standard input parsed, at a time.
CHUNK_IMAGES = 256
CHUNK_CHARACTERS = 1 << 20


def read_input(
    name: str,
    encoding: Encoding,
    files: Files | None = None,
    invert: bool = False,
    dtype: str = "float32",
    keep: tuple[ColumnRef, ...] = (),
) -> Iterator[InputBatch]:
    """Yield an input's examples, some at a time.

    Args:
        name: a file, a folder of images, or - for a table or JSON lines on standard input.
        encoding: that of the network.
        files: how its training file was read; None for a dataset known by name.
        invert: turn black to white in images.
        dtype: the precision of the network's arithmetic.
        keep: columns to carry through, as `find_kept` takes them.

    Yields:
        One example or more; for a pipe, one as soon as its line is complete.

    Raises:
        DataError: naming file, line and column, if something in it does not fit the encoding.
        OSError: if it cannot be read.
    """
    files = files or Files()
    for table in _tables(name, encoding, files, invert, keep):
        yield from encode_table(table, encoding, files, dtype)


def _tables(
    name: str, encoding: Encoding, files: Files, invert: bool, keep: tuple[ColumnRef, ...]
) -> Iterator[Table]:
    select = select_known(encoding, labelled=False, keep=keep)
    if name == "-":
        if sys.stdin is None:
            raise DataError("-", "standard input is closed", "pipe rows into mlp")
        stream = sys.stdin.buffer
        head = stream.peek(HEAD) if isinstance(stream, io.BufferedReader) else b""
        if is_image(head) or head.startswith((NPY_MAGIC, ZIP_MAGIC, PARQUET_MAGIC)):
            raise DataError(
                "-", "is no text, but an image or an array", "give the file by its name"
            )
        characters = 1 if _is_pipe(stream) else CHUNK_CHARACTERS
        yield from read_stream(stream, encoding, characters, files, select)
        return
    source = find_source(Path(name))
    if keep and source.format not in ("table", "json", "parquet"):
        raise DataError(name, "is no table, and has no columns to keep", "leave out --keep")
    if source.format in ("image", "folder"):
        is_one = source.format == "image"
        paths = [source.path] if is_one else _images_under(source.path)
        yield from _read_images(paths, encoding, invert)
        return
    if source.format in ("table", "json"):
        yield from _read_table(source, encoding, files, select)
        return
    yield read_files(
        source,
        files,
        select,
        header_names=header_names(encoding),
        target=files.target,
        labelled=False,
        features=len(encoding.input_columns) or encoding.features,
        image_shape=encoding.image_shape,
    )


def _read_table(
    source: Source, encoding: Encoding, files: Files, select: Selector
) -> Iterator[Table]:
    names, lines = header_names(encoding), read_lines(source.path, files.encoding)
    options = csv_options(files, names)
    if source.format == "json":
        header, lines = read_json_lines(source.path, new_names=True, point=files.point)
        options = json_options(files, names, header)
    yield from csv_tables(lines, str(source.path), select, CHUNK_CHARACTERS, options)


def read_stream(
    stream: BinaryIO,
    encoding: Encoding,
    characters: int,
    files: Files,
    select: Selector,
) -> Iterator[Table]:
    """Yield about so many characters of a table or of JSON lines at a time, but a line at least."""
    text, before = as_utf8(stream, "-")
    source = decode_lines(text, "-", charset=files.encoding, head=before)
    blank, first = 0, ""
    for first in source:
        if first.strip():
            break
        blank += 1
    else:
        return
    # Only their number is kept, for errors: there may be any number of them.
    all_lines = chain(repeat("\n", blank), [first], source)

    names = header_names(encoding)
    if first.lstrip()[:1] in ("{", "["):
        header, lines = json_lines(all_lines, "-", new_names=True, point=files.point)
        if (head := next(lines, None)) is None:
            return
        lines, options = chain([head], lines), json_options(files, names, header)
    else:
        lines = join_quoted(all_lines, "-")
        # Rows may come without the header that files were declared to have, or otherwise written.
        options = csv_options(files, names)._replace(
            header=None if files.header else files.header,
            delimiter=_delimiter_of(first, encoding, files),
        )
    options = options._replace(gaps=files.missing == "mean")
    yield from csv_tables(lines, "-", select, characters, options, waits=characters > 1)


def _delimiter_of(first: str, encoding: Encoding, files: Files) -> str | None:
    """Return what is between the cells of a first line; None where that is yet to be found out."""
    if files.delimiter and files.delimiter in first:
        return files.delimiter
    words = first.split()
    is_spaced = len(words) > 1 and not any(mark in first for mark in PRINTED)
    return SPACE if is_spaced and _is_row(words, encoding) else None


def _is_row(words: list[str], encoding: Encoding) -> bool:
    """Return whether words are the names of columns, or values of each of them."""
    if header_names(encoding).issuperset(words):
        return True
    inputs = encoding.input_columns or [Column("", "number")] * encoding.features
    for columns in (inputs, encoding.columns):
        if len(words) == len(columns) and all(
            parse_number(word) is not None
            for word, column in zip(words, columns, strict=True)
            if column.role == "number"
        ):
            return True
    return False


def _is_pipe(stream: BinaryIO) -> bool:
    """Return whether lines arrive one by one, so that none may wait for the next."""
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:
        return False


def _images_under(folder: Path) -> list[Path]:
    """Return the images in a folder, or in its sub-folders, in the order of their names."""
    classes = images.class_folders(folder)
    if not classes:
        return images.images_in(folder)
    return [path for name in classes for path in images.images_in(folder / name)]


def _read_images(paths: list[Path], encoding: Encoding, invert: bool) -> Iterator[Table]:
    shape = encoding.image_shape
    if not shape:
        raise DataError(
            paths[0],
            "is an image, and the network was not trained on images",
            "give a table or an array like the training data",
        )
    for start in range(0, len(paths), CHUNK_IMAGES):
        part = paths[start : start + CHUNK_IMAGES]
        values, _ = images.read_images(part, shape, encoding.features == prod(shape), invert)
        files = np.array([*map(str, part)], object)
        table = Table(part[0].parent, values, image_shape=shape, files=files)
        yield in_pixel_range(encoding, table)
