"""Files of examples of every format: which reader takes which."""

import math
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path

from mlpcli.config.data_files import Files, Target
from mlpcli.data.readers import images
from mlpcli.data.readers.arrays import read_archive, read_labels, table_from_array
from mlpcli.data.readers.blocks import BLOCK_BYTES, Block, blocks_of, read_blocks
from mlpcli.data.readers.csv import read_csv
from mlpcli.data.readers.csv_dialect import CsvOptions, csv_options, json_options
from mlpcli.data.readers.idx import read_idx
from mlpcli.data.readers.json_lines import read_json_lines
from mlpcli.data.readers.npy import read_npy
from mlpcli.data.readers.parquet import read_parquet
from mlpcli.data.readers.source import Source
from mlpcli.data.readers.table import Selector, Table
from mlpcli.errors import DataError


def read_files(
    source: Source,
    files: Files,
    select: Selector,
    *,
    header_names: Collection[str] = (),
    target: Target | None = None,
    labelled: bool = True,
    features: int | None = None,
    image_shape: tuple[int, int] | None = None,
    role: str = "train",
    new_names: bool = True,
) -> Table:
    """Read examples from a file or folder of any format.

    Args:
        source: the file or folder, and the file of its labels if they have one.
        files: how the configuration says to read it.
        select: for tables, decides which columns are read.
        header_names: for tables, names that tell a header.
        target: for arrays in one file, where in it the classes are.
        labelled: whether the classes are read, too.
        features: for arrays, n_1 where it is known.
        image_shape: what images are to become, where it is known.
        role: `train`, `validation` or `test`, for archives that have several.
        new_names: whether JSON objects may have names that the first one has not.

    Raises:
        DataError: naming file, line and column, if something is wrong with it.
        OSError: if it cannot be read.
    """
    path, kind, labels = source
    if kind in ("table", "json"):
        return read_csv(path, select, *csv_reader(source, files, header_names, new_names))
    if kind == "parquet":
        return read_parquet(path, select, csv_options(files, header_names))
    if kind in ("folder", "image"):
        size, gray = files.size, files.grayscale
        if image_shape:
            size, gray = image_shape, features == math.prod(image_shape)
        if kind == "folder":
            return images.read_folder(path, size, gray)
        raise DataError(path, "is one image", "give a folder with a folder of images per class")
    columns = target if isinstance(target, tuple) else (target if isinstance(target, int) else -1,)
    if not labelled and (isinstance(target, str) or not files.train):
        # Classes were not in the same array then, so they are not now.
        columns = ()
    if kind == "npz":
        array, found = read_archive(path, target, labels is not None, labelled, role)
    else:
        array, found = read_idx(path) if kind == "idx" else read_npy(path), None
    if labels and labelled:
        found = read_labels(labels, files.encoding)
    return table_from_array(path, array, found, columns, labelled, features, image_shape)


def csv_reader(
    source: Source, files: Files, header_names: Collection[str], new_names: bool
) -> tuple[CsvOptions, Callable[[Path], Iterator[Block]]]:
    """Return what is known of a table of text or JSON, and what yields its lines.

    Args:
        source: a file in the format `table` or `json`.
        files: how the configuration says to read it.
        header_names: names that tell a header.
        new_names: whether JSON objects may have names that the first one has not.
    """
    if source.format == "table":
        return csv_options(files, header_names), partial(read_blocks, charset=files.encoding)
    header, _ = read_json_lines(source.path)

    def read(path: Path) -> Iterator[Block]:
        return blocks_of(read_json_lines(path, new_names, files.point)[1], BLOCK_BYTES)

    return json_options(files, header_names, header), read
