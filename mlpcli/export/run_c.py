"""An exported C file run on rows of cells, where there is a C compiler."""

import os
import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.table import Table
from mlpcli.errors import MismatchError
from mlpcli.export.c import Rendered, field_names
from mlpcli.export.examples import Cell, Run, rows_of
from mlpcli.export.steps import Category, Labels, Steps

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2")
# Reads rows of cells: a double each, or a text after its length. Answers with the result and the
# outputs as bytes.
PROGRAM = """\
#include <stdio.h>
#include <stdlib.h>
#include FILE

static int text(char **into, const char **pointer)
{
    int size;
    if (fread(&size, sizeof size, 1, stdin) != 1 || !(*into = realloc(*into, size + 1u)))
        return 0;
    (*into)[size] = 0;
    *pointer = *into;
    return !size || fread(*into, (size_t)size, 1, stdin) == 1;
}

int main(void)
{
    static char *texts[COLUMNS];
    double outputs[OUTPUTS];
    int result;
    ROW
    (void)texts, (void)text;
    while (READ) {
        result = PREDICT;
        fwrite(&result, sizeof result, 1, stdout);
        fwrite(outputs, sizeof outputs, 1, stdout);
    }
    for (result = 0; result < COLUMNS; result++)
        free(texts[result]);
    return fflush(stdout) != 0;
}
"""


def compiler() -> str | None:
    """Return the C compiler to use: that of CC, else cc; None if there is none."""
    return shutil.which(os.environ.get("CC") or "cc")


def runner(
    steps: Steps, rendered: Rendered, cc: str, folder: Path, flags: Sequence[str] = STRICT
) -> Run:
    """Compile a C file; return what runs it.

    Args:
        steps: what it was made of.
        rendered: the file.
        cc: the compiler.
        folder: where to put files; they are needed as long as it is run.
        flags: what the compiler is told.

    Raises:
        MismatchError: if it does not compile.
    """
    source, program = folder / "main.c", folder / "model"
    (folder / "model.h").write_text(rendered.text, encoding="ascii")
    source.write_text(_program(steps, rendered.prefix), encoding="ascii")
    command = [cc, *flags, str(source), "-o", str(program)]
    # A compiler that the user chose, and our own program.
    compiled = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    if compiled.returncode:
        said = compiled.stderr.decode(errors="replace")[:300]
        raise MismatchError(cc, f"does not compile it: {said}", "report it; nothing was written")

    def run(table: Table) -> NDArray[np.float64]:
        given = _packed(table)
        answered = subprocess.run([program], input=given, capture_output=True, check=True)  # noqa: S603
        return _outputs(steps, answered.stdout)

    return run


def _program(steps: Steps, prefix: str) -> str:
    """Return a program that predicts the rows of standard input."""
    fields, n, k = field_names(steps), len(steps.columns), len(steps.answer.names)
    labels = f"unsigned char labels[{k}];" if isinstance(steps.answer, Labels) else ""
    if fields:
        row, given = f"struct {prefix}_row row;", "&row"
        reads = (
            f"text(texts + {i}, &row.{field})"
            if isinstance(column, Category)
            else f"fread(&row.{field}, sizeof(double), 1, stdin) == 1"
            for i, (column, field) in enumerate(zip(steps.columns, fields, strict=True))
        )
        read = "\n        && ".join(reads)
    else:
        row, given = f"static double row[{n}];", "row"
        read = "fread(row, sizeof row, 1, stdin) == 1"
    call = f"{prefix}_predict({given}, outputs{', labels' if labels else ''})"
    values = {
        "FILE": '"model.h"',
        "COLUMNS": str(n),
        "OUTPUTS": str(k),
        "ROW": f"{row} {labels}",
        "READ": read,
        "PREDICT": call,
    }
    program = PROGRAM
    for name, value in values.items():
        program = program.replace(name, value)
    return program


def _packed(table: Table) -> bytes:
    """Return the rows of a table as the program reads them."""
    if not table.texts:
        return table.values.astype(np.float64).tobytes()
    return b"".join(_packed_cell(cell) for row in rows_of(table) for cell in row)


def _packed_cell(cell: Cell) -> bytes:
    if isinstance(cell, str):
        content = cell.encode()
        return struct.pack("=i", len(content)) + content
    return struct.pack("=d", cell)


def _outputs(steps: Steps, content: bytes) -> NDArray[np.float64]:
    """Return the outputs of all rows, NaN for those that have none."""
    record = np.dtype([("result", "=i4"), ("outputs", "=f8", (len(steps.answer.names),))])
    found = np.frombuffer(content, record)
    outputs: NDArray[np.float64] = found["outputs"].copy()
    outputs[found["result"] < 0] = np.nan
    return outputs
