"""`mlp predict`."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from mlpcli.cli import console, options
from mlpcli.cli.outputs import check_outputs
from mlpcli.cli.threads import limit
from mlpcli.errors import ConfigError

if TYPE_CHECKING:
    from mlpcli.data.readers.table import Table
    from mlpcli.model import Model
    from mlpcli.prediction.layouts import Layout
    from mlpcli.prediction.outputs import PredictedBatch

BY_SUFFIX = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".npy": "npy"}
# What promises something else than text.
NOT_WRITTEN = (".json", ".npz", ".parquet", ".xlsx")


@click.command(
    epilog="Example: mlp predict --weights mnist.npy --top-k 3 --proba -o digits.csv digits.npy"
)
@options.weights
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--proba", is_flag=True, help="Add the network's output for every class.")
@click.option(
    "--top-k",
    type=click.IntRange(min=1),
    metavar="K",
    help="Give the K classes with the largest outputs; with --proba these outputs alone.",
)
@click.option(
    "-o",
    "--output",
    type=options.PATH,
    metavar="FILE",
    help="Write to FILE, whole or not at all.  [default: -, standard output]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "jsonl", "npy"]),
    help="How to write.  [default: by FILE's suffix, else text]",
)
@click.option(
    "--keep",
    multiple=True,
    metavar="COL,...",
    help="Write these columns of the input, too, by name or position; all for all. Repeatable.",
)
@options.decimal
@options.delimiter
@options.unknown
@click.option("--invert", is_flag=True, help="Turn black to white in images: dark ink on paper.")
@options.as_json
def predict(
    weights: Path,
    inputs: tuple[str, ...],
    proba: bool,
    top_k: int | None,
    output: Path | None,
    form: str | None,
    keep: tuple[str, ...],
    decimal: str | None,
    delimiter: str | None,
    unknown: str | None,
    invert: bool,
    as_json: bool,
) -> None:
    """Print the class of every example, one per line, in the order of the input.

    Of a regression these are quantities, in the target's own units, and of several labels those
    that an example has.

    INPUT is a table (.csv, .tsv, .jsonl, .parquet), an array (.npy, .npz, IDX), an image, a folder
    of images, or - for CSV, JSON lines or an array of JSON objects on standard input, in the units
    of the training data. Classes in it are ignored. Images are resized to the network's size.
    --json is --format jsonl.
    """
    from mlpcli import atomic

    limit()
    from mlpcli.data.unseen import count_unknown, unknown_note
    from mlpcli.prediction import outputs as predictions
    from mlpcli.prediction.inputs import read_input

    to_file = output is not None and str(output) != "-"
    form = _format(output, form, as_json)
    if form == "npy":
        _check_array(to_file, proba, top_k, keep)
    read = (Path("/dev/stdin" if name == "-" else name) for name in inputs)
    check_outputs({"-o": output if to_file else None}, [weights, *read])
    model = options.load_model(weights, unknown)
    files = options.written(decimal, delimiter).like(model.experiment.data.files)
    layout, columns = _layout(model, top_k, proba), options.column_list(keep)
    dtype, unseen = model.experiment.dtype, Counter[str]()

    def chunks() -> Iterator["PredictedBatch"]:
        for name in inputs:
            row = 0
            batches = read_input(name, model.encoding, files, invert, dtype, columns)
            for table, features in batches:
                if row == 0:
                    _point_out(model, name, table, invert)
                unseen.update(count_unknown(model.encoding, table))
                start = row
                for outputs in model.predict_batches(features):
                    part = slice(row - start, row - start + len(outputs))
                    yield predictions.PredictedBatch(name, row, outputs, table.take(part))
                    row += len(outputs)

    if not to_file and sys.stdout is None:
        raise ConfigError("standard output", "is closed", "add -o FILE")
    with atomic.open(output) if output and to_file else _standard_output() as stream:
        predictions.FORMATS[form](stream, chunks(), layout)
    if unseen:
        console.note(unknown_note(unseen))


def _check_array(to_file: bool, proba: bool, top_k: int | None, keep: tuple[str, ...]) -> None:
    """Refuse an array on standard output, and of what no array can hold."""
    if not to_file:
        raise ConfigError("--format npy", "needs a file to go to", "add -o FILE")
    if proba and top_k:
        problem = "an array holds either outputs or class names"
        raise ConfigError("--format npy", problem, "leave out --proba or --top-k")
    if keep:
        problem = "an array holds predictions alone, and no columns of the input"
        raise ConfigError("--format npy", problem, "leave out --keep, or write CSV or JSON lines")


def _point_out(model: "Model", name: str, table: "Table", inverted: bool) -> None:
    """Say which columns are ignored, and that images are not as those of the training."""
    from mlpcli.data.pixels import ground_note, units_note
    from mlpcli.data.unseen import extra_columns, extra_note

    extra = extra_columns(table)
    notes = [extra_note(name, extra) if extra else "", units_note(model.encoding, table)]
    if model.experiment.data.files is None:
        # Of the datasets known by name, all have a dark ground.
        notes.append(ground_note(model.encoding, table, inverted))
    for note in filter(None, notes):
        console.note(note)


def _layout(model: "Model", top_k: int | None, proba: bool) -> "Layout":
    """Return what to write of every example."""
    from mlpcli.prediction.layouts import ClassLayout, LabelLayout, QuantityLayout

    names, task = model.encoding.class_names, model.encoding.task
    options.check_top_k(top_k, len(names), task)
    if task == "regression":
        if proba:
            problem = "the network predicts quantities, not probabilities"
            raise ConfigError("--proba", problem, "leave it out")
        return QuantityLayout(names, model.quantities)
    if task == "multilabel":
        files, columns = model.experiment.data.files, model.encoding.columns
        target = next((column.name for column in columns if column.role == "target"), "")
        separator = files and files.label_separator
        return LabelLayout(names, model.labels, proba, target or "labels", separator)
    return ClassLayout(names, top_k, proba)


def _standard_output() -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer)


def _format(output: Path | None, form: str | None, as_json: bool) -> str:
    if as_json and form not in (None, "jsonl"):
        raise ConfigError("--json", f"contradicts --format {form}", "leave out one of the two")
    if as_json or form:
        return form or "jsonl"
    suffix = output.suffix.lower() if output else ""
    if suffix in NOT_WRITTEN:
        problem = f"{suffix} is no format that is written"
        raise ConfigError(f"-o {output}", problem, "write .csv, .jsonl or .npy, or add --format")
    return BY_SUFFIX.get(suffix, "text")
