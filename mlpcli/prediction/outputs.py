"""Predictions as text, CSV, JSON lines or an array, written as they come."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlpcli.errors import json_line, printable


class PredictedBatch(NamedTuple):
    """What a network makes of successive examples of one input."""

    source: str
    """The input's name."""
    row: int
    """The first example's number in it, from 0."""
    outputs: NDArray[np.floating]
    """(m, n_L)."""


class OutputOptions(NamedTuple):
    """What to write of every example."""

    class_names: tuple[str, ...]
    top_k: int | None
    """So many classes, largest output first; None for the one predicted."""
    proba: bool
    """Outputs, too: of these classes if `top_k` is given, of all otherwise."""


Write = Callable[[BinaryIO, Iterator[PredictedBatch], OutputOptions], None]


def best(outputs: NDArray[np.floating], k: int) -> NDArray[np.intp]:
    """Return the k classes with the largest outputs, (m, k), largest first.

    Of equal outputs the earlier class comes first, as in `argmax`.
    """
    if k == 1:
        return np.expand_dims(outputs.argmax(axis=1), axis=1)
    order: NDArray[np.intp] = np.argsort(-outputs, axis=1, kind="stable")
    return order[:, :k]


def _columns(
    batch: PredictedBatch, options: OutputOptions
) -> tuple[NDArray[np.object_], NDArray[np.floating]]:
    """Return the names, (m, k), and the outputs, (m, 0), (m, k) or (m, n_L), to be written."""
    chosen = best(batch.outputs, options.top_k or 1)
    # Objects: of fixed width, each would be as long as the longest.
    names = np.array(options.class_names, object)
    values = batch.outputs[:, :0]
    if options.proba:
        values = batch.outputs
        if options.top_k:
            values = np.take_along_axis(values, chosen, axis=1)
    return names[chosen], values


def write_text(stream: BinaryIO, batches: Iterator[PredictedBatch], options: OutputOptions) -> None:
    """Write a line per example: names, then outputs, with tabs between.

    A tab or a line end in a name becomes an escape, as all does that is not to be printed.
    """
    shown = options._replace(class_names=tuple(map(printable, options.class_names)))
    for batch in batches:
        names, values = _columns(batch, shown)
        rows = zip(names.tolist(), values.tolist(), strict=True)
        lines = ("\t".join([*row, *(f"{a:.6g}" for a in outputs)]) + "\n" for row, outputs in rows)
        _flush(stream, "".join(lines))


def write_csv(stream: BinaryIO, batches: Iterator[PredictedBatch], options: OutputOptions) -> None:
    """Write a heading, then input, row, names and outputs of every example."""
    counted = ["", *(f"_{i}" for i in range(2, (options.top_k or 1) + 1))]
    heads = ["input", "row", *(f"class{i}" for i in counted)]
    if options.proba and options.top_k:
        heads += [f"proba{i}" for i in counted]
    elif options.proba:
        heads += [f"proba[{name}]" for name in options.class_names]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    for batch in batches:
        names, values = _columns(batch, options)
        rows = zip(names.tolist(), values.tolist(), strict=True)
        writer.writerows(
            [batch.source, row, *cells, *outputs]
            for row, (cells, outputs) in enumerate(rows, batch.row)
        )
        _flush(stream, text.getvalue())
        text.seek(0)
        text.truncate()
    _flush(stream, text.getvalue())


def write_jsonl(
    stream: BinaryIO, batches: Iterator[PredictedBatch], options: OutputOptions
) -> None:
    """Write a JSON object per example: input, row, class, and, if asked for, top and proba."""
    for batch in batches:
        names, values = _columns(batch, options)
        lines = []
        for row, (cells, outputs) in enumerate(zip(names.tolist(), values.tolist(), strict=True)):
            line = {"input": batch.source, "row": batch.row + row, "class": cells[0]}
            if options.top_k:
                line["top"] = cells
            if options.proba:
                keys = cells if options.top_k else options.class_names
                line["proba"] = dict(zip(keys, outputs, strict=True))
            lines.append(json_line(line) + "\n")
        _flush(stream, "".join(lines))


def write_npy(stream: BinaryIO, batches: Iterator[PredictedBatch], options: OutputOptions) -> None:
    """Write one array to a file: names, (n,) or (n, k), or, with `proba`, outputs, (n, n_L).

    The number of examples is put into the header at the end, for which NumPy leaves room.
    """
    n, header = 0, b""
    longest = max(map(len, options.class_names))

    def array(batch: PredictedBatch) -> NDArray[np.generic]:
        names, values = _columns(batch, options)
        if options.proba:
            return values
        return (names if options.top_k else names[:, 0]).astype(f"U{longest}")

    for batch in batches:
        part = array(batch)
        if not header:
            stream.write(header := _npy_header(part, 0))
        stream.write(part.tobytes())
        n += len(part)
    if not header:
        part = array(PredictedBatch("", 0, np.empty((0, len(options.class_names)))))
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
