"""`mlp evaluate`."""

from pathlib import Path

import click

from mlpcli.commands import console, options
from mlpcli.errors import DataError


@click.command(epilog="Example: mlp evaluate --weights mnist.npy --json")
@options.weights
@options.data_dir
@click.option(
    "--split",
    type=click.Choice(["test", "train"]),
    default="test",
    show_default=True,
    help="Which examples to judge.",
)
@click.option("--data", type=options.PATH, metavar="FILE", help="Judge these examples instead.")
@click.option("--target", metavar="WHERE", help="Classes of --data: a column, or a file of labels.")
@options.as_json
def evaluate(
    weights: Path, data_dir: Path, split: str, data: Path | None, target: str | None, as_json: bool
) -> None:
    """Judge a checkpoint on its dataset: accuracy, mean error, and accuracy per class."""
    from mlpcli import model

    judged = model.load(weights)
    name = judged.experiment.data.name
    if data:
        name, split = str(data), "data"
        examples = model.open_file(judged, data, options.column(target))
    elif not (found := model.open_split(judged, data_dir, split)):
        raise DataError(name, "has no test split", "use --split train, or --data FILE")
    else:
        examples = found
    judgement = model.judge(judged, examples)
    per_class = judgement.per_class(judged.encoding.class_names)
    if as_json:
        console.result_json(
            {
                "weights": str(weights),
                "data": name,
                "split": split,
                **judgement.summary(),
                "error": judgement.error,
                "classes": per_class,
            }
        )
        return
    console.result(f"{name} {split}")
    console.result(f"accuracy {console.counted(**judgement.summary())}")
    console.result(f"mean error {judgement.error:.5g}")
    width = max(map(len, per_class))
    for name, counts in per_class.items():
        console.result(f"class {name:{width}} accuracy {console.counted(**counts)}")
