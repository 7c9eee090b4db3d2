"""Predictions as text, CSV, JSON lines or an array, written as they come."""

import csv
import io
from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat
from math import isfinite
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlpcli.data.readers.table import Table
from mlpcli.errors import DataError, join_names, json_line, printable
from mlpcli.prediction.layouts import Layout


class PredictedBatch(NamedTuple):
    """What a network makes of successive examples of one input."""

    source: str
    """The input's name."""
    row: int
    """The first example's number in it, from 0."""
    outputs: NDArray[np.floating]
    """(m, n_L)."""
    examples: Table | None = None
    """Which file each is, and what is kept of it, where that is known."""

    @property
    def kept_names(self) -> tuple[str, ...]:
        """What the columns that are kept are called."""
        return self.examples.kept_names if self.examples else ()

    def origins(self) -> Iterator[tuple[str, int, list[Any]]]:
        """Yield the input and the row of each example, and what is kept of it."""
        m, table = len(self.outputs), self.examples
        files = repeat(self.source) if table is None or table.files is None else table.files
        kept = repeat([]) if table is None or table.kept is None else table.kept.tolist()
        return zip(islice(files, m), range(self.row, self.row + m), islice(kept, m), strict=True)


Write = Callable[[BinaryIO, Iterator[PredictedBatch], Layout], None]


def write_text(stream: BinaryIO, batches: Iterator[PredictedBatch], layout: Layout) -> None:
    """Write a line per example, what is kept of it and its words, with tabs between.

    A tab or a line end in a name becomes an escape, as all does that is not to be printed.
    """
    for batch in batches:
        lines = []
        for (_, _, kept), words in zip(batch.origins(), layout.words(batch.outputs), strict=True):
            texts = ("" if value is None else str(value) for value in kept)
            lines.append("\t".join(map(printable, (*texts, *words))) + "\n")
        _flush(stream, "".join(lines))


def write_csv(stream: BinaryIO, batches: Iterator[PredictedBatch], layout: Layout) -> None:
    """Write a heading, then input, row, what is kept and cells of every example.

    Raises:
        DataError: if two inputs have other columns to keep.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    first = next(batches, None)
    kept_names = first.kept_names if first else ()
    writer.writerow(["input", "row", *_heads(kept_names, layout), *layout.heads])
    for batch in chain([first] if first else [], batches):
        if batch.kept_names != kept_names:
            problem = f"its columns to keep are not those before: {join_names(kept_names)}"
            remedy = "name columns that all inputs have, or write JSON lines"
            raise DataError(batch.source, problem, remedy)
        pairs = zip(batch.origins(), layout.cells(batch.outputs), strict=True)
        writer.writerows([source, row, *kept, *cells] for (source, row, kept), cells in pairs)
        _flush(stream, text.getvalue())
        text.seek(0)
        text.truncate()
    _flush(stream, text.getvalue())


def _heads(kept_names: tuple[str, ...], layout: Layout) -> list[str]:
    """Return the headings of columns that are kept: input[NAME] where there is a NAME already."""
    heads: list[str] = []
    for name in kept_names:
        head = name
        while head in ("input", "row", *layout.heads, *heads):
            head = f"input[{head}]"
        heads.append(head)
    return heads


def write_jsonl(stream: BinaryIO, batches: Iterator[PredictedBatch], layout: Layout) -> None:
    """Write a JSON object per example: input, row, `kept`, and what the layout has of it."""
    for batch in batches:
        lines, names = [], batch.kept_names
        pairs = zip(batch.origins(), layout.objects(batch.outputs), strict=True)
        for (source, row, values), found in pairs:
            line: dict[str, Any] = {"input": source, "row": row}
            if names:
                line["kept"] = dict(zip(names, map(_json, values), strict=True))
            lines.append(json_line({**line, **found}) + "\n")
        _flush(stream, "".join(lines))


def _json(value: Any) -> Any:
    """Return a value that JSON has: it knows no NaN and no infinity."""
    return None if isinstance(value, float) and not isfinite(value) else value


def write_npy(stream: BinaryIO, batches: Iterator[PredictedBatch], layout: Layout) -> None:
    """Write one array to a file.

    The number of examples is put into the header at the end, for which NumPy leaves room.
    """
    n, header = 0, b""
    for batch in batches:
        part = layout.array(batch.outputs)
        if not header:
            stream.write(header := _npy_header(part, 0))
        stream.write(part.tobytes())
        n += len(part)
    if not header:
        part = layout.array(np.empty((0, layout.width)))
    stream.seek(0)
    stream.write(_npy_header(part, n))


def _npy_header(array: NDArray[np.generic], n: int) -> bytes:
    header = io.BytesIO()
    described = {
        "descr": npy.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": (n, *array.shape[1:]),
    }
    npy.write_array_header_1_0(header, described)
    return header.getvalue()


FORMATS: dict[str, Write] = {
    "text": write_text,
    "csv": write_csv,
    "jsonl": write_jsonl,
    "npy": write_npy,
}


def _flush(stream: BinaryIO, text: str) -> None:
    stream.write(text.encode("utf-8", "backslashreplace"))
    stream.flush()
