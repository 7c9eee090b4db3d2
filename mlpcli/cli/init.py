"""`mlp init`."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from mlpcli.cli import console, options
from mlpcli.errors import CheckpointError, ConfigError, did_you_mean, os_reason


@click.command(epilog="Example: mlp init iris.csv && mlp train iris.yaml")
@click.argument("data", default="parity")
@click.option(
    "-o",
    "--output",
    type=options.PATH,
    help="Configuration to write; - is standard output.  [default: ./DATA.yaml]",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="WHERE",
    help="What to learn: a column, or a file of labels. Repeatable, for columns.",
)
@click.option(
    "--task",
    type=click.Choice(["classification", "regression", "multilabel"]),
    help="What the target is.  [default: as it looks]",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="COL,...",
    help="Columns that are no features, by name or position. Repeatable.",
)
@click.option(
    "--categorical",
    multiple=True,
    metavar="COL,...",
    help="Columns of categories, whatever their cells look like. Repeatable.",
)
@click.option("--weight", metavar="COL", help="Column that says how much each example counts.")
@click.option(
    "--group", metavar="COL", help="Column whose equal values stay on one side of every split."
)
@click.option("--time", metavar="COL", help="Column by which to split: the newest are the test.")
@click.option(
    "--header/--no-header",
    default=None,
    help="Whether the first line names the columns.  [default: as it looks]",
)
def init(
    data: str,
    output: Path | None,
    targets: tuple[str, ...],
    task: str | None,
    ignore: tuple[str, ...],
    categorical: tuple[str, ...],
    header: bool | None,
    **roles: str | None,
) -> None:
    """Write a commented configuration for DATA, ready for mlp train.

    DATA is a table (.csv, .tsv, .jsonl, .parquet), an array (.npy, .npz, IDX), a folder with one
    folder of images per class, or the name of an experiment that comes with mlp. Without DATA it is
    parity, which needs no files. Nothing is ever overwritten.
    """
    from mlpcli.data import suggest
    from mlpcli.data.guess.record import Wishes

    experiments = suggest.shipped()
    path = Path(data)
    stem = data if data in experiments else path.name.split(".")[0]
    if path.suffix == ".npy":
        # The checkpoint of x.yaml is x.npy, and must not meet the data.
        stem += "-mlp"
    output = output or Path(f"{stem}.yaml")
    if str(output) != "-" and output.exists():
        raise ConfigError(output, "exists", "choose another name with -o, or remove it")
    if data in experiments:
        suggested = suggest.SuggestedConfig(experiments[data].read_text(encoding="utf-8"), ())
    elif not path.exists():
        remedy = did_you_mean(data, list(experiments)) or (
            f"the experiments are {', '.join(experiments)}"
        )
        raise ConfigError(data, "there is no such file or experiment", remedy)
    else:
        target = options.columns(targets)
        ignored, categories = map(options.column_list, (ignore, categorical))
        parts = {part: options.column(given) for part, given in roles.items() if given}
        wishes = Wishes(target, task, ignored, categories, header, parts)
        suggested = suggest.suggest(path, wishes, output.parent)
    if str(output) == "-":
        click.echo(suggested.text, nl=False)
        for finding in suggested.findings:
            console.note(str(finding))
        return
    _write_new(output, suggested.text)
    for finding in suggested.findings:
        console.result(str(finding))
    console.result(f"wrote {output}; next: mlp train {shlex.quote(str(output))}")


def _write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet, whole or not at all.

    Raises:
        CheckpointError: if it cannot be written.
    """
    try:
        # The name is claimed, so that no other file is replaced.
        with path.open("x", encoding="utf-8") as stream, _removed_on_failure(path):
            stream.write(text)
            stream.close()
    except OSError as error:
        problem = f"cannot be written: {os_reason(error)}"
        raise CheckpointError(path, problem, "choose another") from error


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink()
        raise
