"""`mlp export`."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from mlpcli.cli import console, options
from mlpcli.cli.outputs import check_outputs
from mlpcli.cli.threads import limit
from mlpcli.errors import ConfigError, DataError, GateError

if TYPE_CHECKING:
    from mlpcli.data.readers.table import Table
    from mlpcli.export.examples import Comparison
    from mlpcli.export.formats import Exported
    from mlpcli.model import Model

# What is measured of a model in 8 bits, by task.
MEASURED = {"classification": "accuracy", "multilabel": "accuracy", "regression": "r2"}


@click.command(epilog="Example: mlp export mnist.npy -o mnist.onnx --check digits.npy")
@click.argument("weights", type=options.PATH, metavar="W.npy")
@click.option(
    "-o", "--output", type=options.PATH, required=True, metavar="OUT", help="File to write."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["onnx", "c", "h", "python"]),
    help="What to write.  [default: by OUT's suffix: .onnx, .c, .h or .py]",
)
@click.option("--int8", is_flag=True, help="Of C: write weights in 8 bits, and say what is lost.")
@click.option(
    "--max-drop",
    metavar="AMOUNT",
    help="Of --int8: write nothing, and end with exit code 4, if it loses more accuracy (of "
    "quantities R²) than AMOUNT, or more of another metric than METRIC=AMOUNT.",
)
@click.option(
    "--check",
    type=options.PATH,
    metavar="DATA",
    help="Predict DATA, too, with the export and with mlp, and print the largest difference.",
)
@options.data_dir
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists.")
@options.as_json
def export(
    weights: Path,
    output: Path,
    form: str | None,
    int8: bool,
    max_drop: str | None,
    check: Path | None,
    data_dir: Path,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the whole model of W.npy as a file that needs no mlp: ONNX, C or Python.

    Scaling, categories, missing values and names of classes are in it. Before OUT appears, it is
    run on 64 made-up examples and must answer as mlp predict does, but for rounding; C is compiled
    for that where there is a compiler (CC, else cc), and is read back elsewhere. --int8 is measured
    on DATA, or on the test examples that mlp evaluate takes.
    """
    from mlpcli import atomic

    limit()
    from mlpcli.checkpoint import store
    from mlpcli.export import examples, formats, quantize
    from mlpcli.export.of_model import steps_of

    form = formats.form_of(output, form)
    if int8 and form not in ("c", "h"):
        raise ConfigError("--int8", "is of C", "leave it out, or write --format c")
    if max_drop and not int8:
        raise ConfigError("--max-drop", "is about what --int8 loses", "add --int8")
    check_outputs({"-o": output}, [weights, check])
    if output.exists() and not overwrite:
        raise ConfigError(output, "exists", "add --overwrite to replace it, or choose another")
    model, meta = store.load_with_meta(weights)
    steps = steps_of(model)
    if int8:
        steps = quantize.quantize(steps)
    written = quantize.with_weights(model, steps)
    made_up = [examples.make_examples(steps, model.experiment.seed)]
    found: dict[str, Any] = {"weights": str(weights), "output": str(output), "format": form}
    with TemporaryDirectory() as folder:
        made = formats.export(model, meta, steps, form, output.stem, Path(folder))
        found["bytes"] = len(made.content)
        found["examples"] = examples.check(examples.compare(made.run, written, made_up), output)
        if check:
            found["check"] = examples.compare(made.run, model, _tables(check, model))
    if int8:
        lost = _measure_loss(model, written, data_dir, check, max_drop)
        found["int8"] = {"bytes": quantize.size_of(steps), **lost}
    with atomic.locked(output):
        atomic.write(output, made.content)
    if as_json:
        compared = {name: found[name]._asdict() for name in ("examples", "check") if name in found}
        console.result_json(found | compared)
    else:
        _show(found, made)


def _tables(path: Path, model: "Model") -> Iterator["Table"]:
    """Yield the examples of a file, as `mlp predict` reads them."""
    from mlpcli.prediction.inputs import read_input

    files, dtype = model.experiment.data.files, model.experiment.dtype
    for batch in read_input(str(path), model.encoding, files, dtype=dtype):
        yield batch.table


def _measure_loss(
    model: "Model", reduced: "Model", data_dir: Path, data: Path | None, max_drop: str | None
) -> dict[str, Any]:
    """Measure how much worse a model is in 8 bits.

    Raises:
        DataError: if there are no labelled examples.
        GateError: if it is by more than --max-drop allows.
    """
    from mlpcli.config.other_data import EvaluationData
    from mlpcli.evaluation import gates
    from mlpcli.evaluation.evaluate import open_evaluated, report

    task = model.encoding.task
    given = max_drop or "0"
    if "=" not in given:
        given = f"{MEASURED[task]}={given}"
    metric, allowance = gates.parse_max_drop(given)
    gates.check_metric(metric, "--max-drop", model.encoding.class_names, None, task)
    try:
        labelled = open_evaluated(model, EvaluationData(data_dir, file=data)).examples
    except DataError as error:
        remedy = f"{error.remedy}, or measure what --int8 loses with --check DATA"
        raise DataError(error.where, error.problem, remedy) from None
    before, after = (report(each, labelled) for each in (model, reduced))
    results = gates.check([gates.max_drop_gate(metric, allowance, before, "float")], after)
    if max_drop and not results[0].passed:
        remedy = "leave out --int8, or allow more; nothing was written"
        raise GateError("--int8", f"misses the gate {results[0]}", remedy)
    values = (metric.of(each) for each in (before, after))
    shown = [None if value is None else float(value) for value in values]
    return {
        "metric": str(metric),
        "before": shown[0],
        "after": shown[1],
        "rows": before["examples"],
    }


def _show(found: dict[str, Any], made: "Exported") -> None:
    console.result(f"wrote {found['output']}, {found['bytes']:,} bytes of {found['format']}")
    console.result(f"made-up examples, {made.how}: {_difference(found['examples'])}")
    if "check" in found:
        console.result(f"--check: {_difference(found['check'])}")
    if lost := found.get("int8"):
        console.result(
            f"int8: {lost['bytes']:,} bytes of weights; {lost['metric']} {lost['after']:.4f}, "
            f"before {lost['before']:.4f}, on {lost['rows']} examples"
        )


def _difference(compared: "Comparison") -> str:
    changed = f", {compared.changed} of another class" if compared.changed else ""
    differ = f"differ from mlp predict by at most {compared.difference:.2g}"
    return f"{compared.rows} rows {differ}{changed}"
