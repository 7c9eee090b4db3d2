"""Predictions as text, CSV, JSON lines or an array, written as they come."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlpcli.errors import json_line, printable
from mlpcli.prediction.layouts import Layout


class PredictedBatch(NamedTuple):
    """What a network makes of successive examples of one input."""

    source: str
    """The input's name."""
    row: int
    """The first example's number in it, from 0."""
    outputs: NDArray[np.floating]
    """(m, n_L)."""


Write = Callable[[BinaryIO, Iterator[PredictedBatch], Layout], None]


def write_text(stream: BinaryIO, batches: Iterator[PredictedBatch], layout: Layout) -> None:
    """Write a line per example, its words with tabs between.

    A tab or a line end in a name becomes an escape, as all does that is not to be printed.
    """
    for batch in batches:
        lines = ("\t".join(map(printable, words)) + "\n" for words in layout.words(batch.outputs))
        _flush(stream, "".join(lines))


def write_csv(stream: BinaryIO, batches: Iterator[PredictedBatch], layout: Layout) -> None:
    """Write a heading, then input, row and cells of every example."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["input", "row", *layout.heads])
    for batch in batches:
        writer.writerows(
            [batch.source, row, *cells]
            for row, cells in enumerate(layout.cells(batch.outputs), batch.row)
        )
        _flush(stream, text.getvalue())
        text.seek(0)
        text.truncate()
    _flush(stream, text.getvalue())


def write_jsonl(stream: BinaryIO, batches: Iterator[PredictedBatch], layout: Layout) -> None:
    """Write a JSON object per example: input, row, and what the layout has of it."""
    for batch in batches:
        lines = []
        for row, found in enumerate(layout.objects(batch.outputs), batch.row):
            line = {"input": batch.source, "row": row, **found}
            lines.append(json_line(line) + "\n")
        _flush(stream, "".join(lines))


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
