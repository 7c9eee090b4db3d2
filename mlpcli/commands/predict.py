"""`mlp predict`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpcli.commands import console, options
from mlpcli.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@click.command(
    epilog="Example: mlp predict --weights mnist.npy digits.npy other-images-idx3-ubyte.gz"
)
@options.weights
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--proba", is_flag=True, help="Add the network's output for every class.")
@options.as_json
def predict(weights: Path, inputs: tuple[str, ...], proba: bool, as_json: bool) -> None:
    """Print the class of every example, one per line, in the order of the input.

    INPUT is a .npy array or an IDX file (raw or .gz) in the units of the training data, or - for
    comma-separated rows on standard input.
    """
    from mlpcli import model

    judge = model.load(weights)
    names = judge.encoding.class_names
    for name in inputs:
        row = 0
        for features in _examples(name, judge.encoding.features):
            for outputs in judge.outputs(features):
                for a in outputs:
                    predicted = names[a.argmax()]
                    if as_json:
                        line = {"input": name, "row": row, "class": predicted}
                        if proba:
                            line["proba"] = dict(zip(names, map(float, a), strict=True))
                        console.result_json(line)
                    else:
                        cells = [predicted, *(f"{p:.6g}" for p in a)] if proba else [predicted]
                        console.result("\t".join(cells))
                    row += 1


def _examples(name: str, features: int) -> Iterator["NDArray[np.generic]"]:
    from mlpcli.data.csv import read_rows
    from mlpcli.data.idx import looks_like_idx, read_idx
    from mlpcli.data.npy import NPY_MAGIC, read_npy
    from mlpcli.model import as_rows

    if name == "-":
        if sys.stdin is None:
            raise DataError("-", "standard input is closed", "pipe comma-separated rows into mlp")
        # Bytes that are no text are shown as a cell that is no number, with line and column.
        lines = (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
        yield from read_rows(lines, "-", features)
        return
    path = Path(name)
    with path.open("rb") as stream:
        head = stream.read(len(NPY_MAGIC))
    if head == NPY_MAGIC:
        yield as_rows(read_npy(path), features, path)
    elif looks_like_idx(head):
        yield as_rows(read_idx(path), features, path)
    else:
        raise DataError(
            path, "is neither .npy nor IDX", "give one of these, or - for rows on stdin"
        )
