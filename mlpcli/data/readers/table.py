"""What a file of examples holds, before anything is decided about what it means."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli import signals
from mlpcli.config.data_files import ColumnRef
from mlpcli.data.readers.notation import Notation
from mlpcli.errors import DataError

Values = NDArray[Any]
Rows = NDArray[np.integer] | slice | None

# What the classes are called: a column of a table, an array of an archive.
TARGET_NAMES = ("y", "labels", "label", "target", "targets", "classes", "class")
# A compressed file may unpack to this many bytes, or else to this many times its size.
EXPANDED_BYTES = 1 << 28
EXPANDED_TIMES = 200
# Larger arrays stay on disk, mapped into memory; smaller ones are safer as copies.
MAPPED_BYTES = 1 << 28
# Values looked at together: their temporary copies fit a core's cache.
BLOCK_VALUES = 1 << 18
# Of gray images and of coloured ones.
CHANNELS = (1, 3)
# What they are in a column of numbers.
TRUTHS = {"true": 1.0, "false": 0.0}


# What a table has of each example beside its features and its labels.
BESIDE = ("weights", "groups", "times", "kept", "files")


class ColumnSelection(NamedTuple):
    """Which columns of a table are read, and as what."""

    width: int
    """Number of the file's columns."""
    features: tuple[int, ...]
    """Columns of the file, in the order of the features."""
    text: frozenset[int] = frozenset()
    """Those among them that are read as text."""
    detect: bool = False
    """Whether other columns may turn out to be text."""
    target: int | tuple[int, ...] | None = None
    """The column with the classes; of several targets their columns."""
    extra: tuple[int, ...] = ()
    """Columns that were not there in training."""
    keep: tuple[int, ...] = ()
    """Columns that are carried through as they are."""
    roles: tuple[tuple[str, int], ...] = ()
    """Of the last features, which are none: the part of `data` that names one, and its column."""

    @property
    def targets(self) -> tuple[int, ...]:
        """The columns with targets, however many there are."""
        if self.target is None:
            return ()
        return self.target if isinstance(self.target, tuple) else (self.target,)


Selector = Callable[[tuple[str, ...] | None, int, str], ColumnSelection]
"""Decides from a table's column names, if it has them, their number, and where they stand."""


class Labels(NamedTuple):
    """Classes, or other targets, as the file has them."""

    codes: NDArray[np.intp]
    """(n,), or (n, k) of k targets, positions in `names`, -1 where there is none."""
    names: tuple[str, ...]
    notation: Notation | None = None
    """How numbers among the names are written."""
    columns: tuple[str, ...] = ()
    """What the k targets are called where the file has no columns for them."""


class Table(NamedTuple):
    """Examples from one file."""

    where: Path | str
    values: Values
    """(n, d) numbers, codes of texts, NaN where nothing is given."""
    labels: Labels | None = None
    names: tuple[str, ...] | None = None
    """Of all columns of the file."""
    selection: ColumnSelection | None = None
    """Which column of the file each column of `values` is; None where they agree."""
    texts: dict[int, tuple[str, ...]] = {}  # noqa: RUF012 - never changed
    """For columns of `values` that hold text, the text of each code."""
    lines: NDArray[np.intp] | None = None
    """(n,) the line of each example, where the file has lines."""
    skipped: tuple[int, ...] = ()
    """The lines that were left out, since they have more or fewer cells."""
    rows: NDArray[np.integer] | range | None = None
    """(n,) the row of each example in the file, where they are not all of it."""
    image_shape: tuple[int, int] | None = None
    """Rows and columns, where each example is an image."""
    dates: Mapping[int, bool | None] = {}
    """For columns of `values` that are dates, in seconds from 1970 on: whether their day is first
    in the texts, or None where it makes no difference."""
    marked: dict[int | None, dict[str, int]] = {}  # noqa: RUF012 - never changed
    """For columns of text (None: the classes): words taken for missing values, and how often."""
    weights: NDArray[np.float64] | None = None
    """(n,) how much each example counts, from 0."""
    groups: NDArray[np.intp] | None = None
    """(n,) which examples stay on one side of a split."""
    times: NDArray[np.float64] | None = None
    """(n,) numbers that grow with time."""
    kept: NDArray[np.object_] | None = None
    """(n, k) texts, and numbers where the file tells them apart, of the selection's `keep`."""
    files: NDArray[np.object_] | None = None
    """(n,) the path of each example, where it is a file of its own."""

    @property
    def kept_names(self) -> tuple[str, ...]:
        """What the columns of `kept` are called: by name, or by position from 0."""
        keep = self.selection.keep if self.selection else ()
        return tuple(str((self.names and self.names[i]) or i) for i in keep)

    def row(self, i: int) -> str:
        """Return where example i stands, for an error."""
        if self.lines is not None:
            return f"{self.where}:{self.lines[i]}"
        return f"{self.where}: row {i if self.rows is None else self.rows[i]}"

    def position(self, j: int) -> int:
        """Return which column of the file column j of `values` is."""
        return self.selection.features[j] if self.selection else j

    def given(self, j: int, rows: Rows = None) -> Values:
        """Return what is not missing in column j of `values`, in some rows or in all."""
        column = self.values[:, j] if rows is None else self.values[rows, j]
        return column[~np.isnan(column)] if column.dtype.kind == "f" else column

    def codes(self, j: int) -> list[int]:
        """Return which of the texts of column j are there, ascending."""
        return np.flatnonzero(np.bincount(self.given(j).astype(np.intp))).tolist()

    def weights_of(self, rows: Rows = None) -> NDArray[np.float64] | None:
        """Return how much each of some rows counts, (m,); None where all count the same."""
        return self.weights if self.weights is None or rows is None else self.weights[rows]

    def reference(self, j: int) -> ColumnRef:
        """Return how a configuration refers to column j of `values`."""
        position = self.position(j)
        return (self.names[position] if self.names else "") or position

    def column(self, j: int) -> str:
        """Return what column j of `values` is called, for an error."""
        if self.selection is None:
            return f"feature {j}"
        return column_name(self.names, self.selection.features[j])

    def take(self, rows: NDArray[np.integer] | slice) -> "Table":
        """Return the table of some of its examples."""
        labels = self.labels and self.labels._replace(codes=self.labels.codes[rows])
        lines = None if self.lines is None else self.lines[rows]
        kept: NDArray[np.integer] | range
        if isinstance(rows, slice):
            kept = (range(len(self.values)) if self.rows is None else self.rows)[rows]
        else:
            kept = rows if self.rows is None else np.asarray(self.rows)[rows]
        beside: dict[str, Any] = {}
        for name in BESIDE:
            column = getattr(self, name)
            beside[name] = None if column is None else column[rows]
        values = self.values[rows]
        return self._replace(values=values, labels=labels, lines=lines, rows=kept, **beside)


def column_name(names: tuple[str, ...] | None, position: int) -> str:
    """Return what a column is called in an error about a cell: lines and columns count from 1."""
    return f"column {(names and names[position]) or position + 1}"


def name_labels(values: NDArray[np.generic] | Sequence[str]) -> Labels:
    """Return classes as codes and names; whole numbers are named without a decimal point."""
    given = np.asarray(values)
    found, codes = np.unique(given, return_inverse=True)
    codes = codes.reshape(given.shape)
    if given.dtype.kind == "f":
        codes[np.isnan(given)] = -1
    return Labels(codes, tuple(label_text(value) for value in found.tolist()))


def label_text(value: object) -> str:
    """Return the name of a class given as a number or text."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def blocks(
    values: Values, rows: NDArray[np.integer] | None = None, width: int = 0
) -> Iterator[tuple[slice, Values]]:
    """Yield successive rows of an array a few at a time, with where they are.

    Args:
        values: (n, d).
        rows: those to yield; None for all.
        width: how many numbers each becomes, if more than d.
    """
    height = max(1, BLOCK_VALUES // max(1, values.shape[1], width))
    for start in range(0, len(values) if rows is None else len(rows), height):
        signals.check()
        part = slice(start, start + height)
        yield part, values[part if rows is None else rows[part]]


def channels_last(
    array: NDArray[np.generic], image_shape: tuple[int, int] | None = None
) -> NDArray[np.generic]:
    """Return images whose channels are in the last axis, also where they are in the second.

    Args:
        array: any; images are (n, rows, columns, 1 or 3), or (n, 1 or 3, rows, columns).
        image_shape: rows and columns, where they are known.
    """
    if array.ndim != 4 or array.shape[1] not in CHANNELS:
        return array
    rows_and_columns = array.shape[2:]
    first = rows_and_columns == image_shape if image_shape else array.shape[3] not in CHANNELS
    return np.moveaxis(array, 1, 3) if first else array


def stays_on_disk(size: int) -> bool:
    """Return whether an array of so many bytes is mapped into memory rather than copied."""
    return size > MAPPED_BYTES


def check_expansion(where: Path, expanded: int) -> None:
    """Refuse a compressed file that unpacks to far more than its own size.

    Args:
        where: the file.
        expanded: bytes it announces, or has delivered so far.

    Raises:
        DataError: past 256 MiB and 200 times its size.
    """
    size = where.stat().st_size
    if expanded > EXPANDED_BYTES and expanded > EXPANDED_TIMES * size:
        raise DataError(
            where,
            f"its {size} bytes unpack to {expanded} or more, as a decompression bomb's do",
            "unpack it yourself if you trust it",
        )
