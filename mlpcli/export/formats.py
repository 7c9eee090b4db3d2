"""The forms in which a model is exported, each with a way to run what was made."""

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli import __version__
from mlpcli.checkpoint.meta import Meta
from mlpcli.data.readers.csv_dialect import notation_of
from mlpcli.data.readers.table import Table
from mlpcli.errors import ConfigError, MismatchError, json_line
from mlpcli.export import c, onnx_model, python, run_c
from mlpcli.export.examples import Cell, Run, written_rows
from mlpcli.export.quantize import with_weights
from mlpcli.export.steps import Quantities, Steps
from mlpcli.model import Model

FORMS = {".onnx": "onnx", ".c": "c", ".h": "h", ".py": "python"}


class Exported(NamedTuple):
    """A file to be written, and what runs it."""

    content: bytes
    run: Run | Model
    """Of C where there is no compiler: a model of the numbers that are written in it."""
    how: str
    """How it is run."""


def form_of(output: PurePath, given: str | None) -> str:
    """Return the form of an output: given, or told by its suffix.

    Raises:
        ConfigError: if nothing tells.
    """
    form = given or FORMS.get(output.suffix.lower())
    if form is None:
        known = ", ".join(FORMS)
        raise ConfigError(output, f"has none of the suffixes {known}", "add --format")
    return form


def export(
    model: Model,
    meta: Meta,
    steps: Steps,
    form: str,
    stem: str,
    folder: Path,
) -> Exported:
    """Return a model in a form.

    Args:
        model: as it is to predict.
        meta: what its checkpoint says.
        steps: the model's; of C, its weights may be in 8 bits.
        form: a value of `FORMS`.
        stem: the output's name without its suffix.
        folder: where to compile it; it is needed as long as what is returned is run.

    Raises:
        ConfigError: if the form cannot say what the model does, or needs what is not installed.
        MismatchError: if numbers read back otherwise than they are.
    """
    structure = list(model.network.structure)
    about = f"Exported by mlp {__version__}: structure {structure}, {steps.dtype}; "
    about += f"fingerprint of the data {model.fingerprint or 'unknown'}."
    if form == "onnx":
        content = onnx_model.render(steps, _metadata(model, meta))
        return Exported(content, onnx_model.runner(steps, content), "run by onnx")
    if form == "python":
        _check_numbers_are_plain(model)
        text = python.render(steps, about)
        return Exported(text.encode(), _run_python(steps, text), "run by Python")
    rendered = c.render(steps, stem, about, form == "h")
    _check_written(steps, rendered)
    if compiler := run_c.compiler():
        run, how = run_c.runner(steps, rendered, compiler, folder), f"compiled by {compiler}"
        return Exported(rendered.text.encode(), run, how)
    return Exported(
        rendered.text.encode(), with_weights(model, steps), "read back, for want of a C compiler"
    )


def _check_numbers_are_plain(model: Model) -> None:
    """Make sure that numbers are written as Python writes them, which a module reads alone.

    Raises:
        ConfigError: if they are not; 1.234 may be another number there.
    """
    files = model.experiment.data.files
    if files and notation_of(files):
        raise ConfigError(
            "model",
            "its table writes numbers as a spreadsheet does, which .py cannot read",
            "export it as .onnx, .c or .h, which take numbers, or use mlp predict",
        )


def _metadata(model: Model, meta: Meta) -> dict[str, str]:
    """Return what an ONNX file says of its model."""
    return {
        "fingerprint": model.fingerprint,
        "experiment": json_line(model.experiment.to_mapping()),
        "names": json_line(list(model.encoding.class_names)),
        "task": model.encoding.task,
        "trained_with": json_line(dict(meta.versions)),
        "mlpcli": __version__,
    }


def _run_python(steps: Steps, text: str) -> Run:
    """Return what runs the text of a Python module: NaN for a row that it refuses."""
    module: dict[str, Any] = {"__name__": "model"}
    exec(compile(text, "model.py", "exec"), module)  # noqa: S102 - our own code
    answer: Callable[[tuple[Cell, ...]], Any] = module["predict_proba"]
    if isinstance(steps.answer, Quantities):
        answer = module["predict"]
    k = len(steps.answer.names)

    def answer_or_nan(row: tuple[Cell, ...]) -> Any:
        try:
            return answer(row)
        except ValueError:
            # As C and ONNX have it.
            return [np.nan] * k if k > 1 else np.nan

    def run(table: Table) -> NDArray[np.float64]:
        return np.array([answer_or_nan(row) for row in written_rows(steps, table)]).reshape(-1, k)

    return run


def _check_written(steps: Steps, rendered: c.Rendered) -> None:
    """Make sure that a C file has the parameters that it is to have, bit for bit.

    Raises:
        MismatchError: if it has not.
    """
    for number, layer in enumerate(steps.affine, 2):
        for name, array in layer._asdict().items():
            if isinstance(array, np.ndarray) and not np.array_equal(
                array, c.read_numbers(rendered, f"{name}{number}", array)
            ):
                problem = f"{name}{number} reads back otherwise than it is"
                raise MismatchError("export", problem, "report it; nothing was written")
