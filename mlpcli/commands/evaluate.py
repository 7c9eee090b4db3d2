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
@options.as_json
def evaluate(weights: Path, data_dir: Path, split: str, as_json: bool) -> None:
    """Judge a checkpoint on its dataset: accuracy, mean error, and accuracy per class."""
    from mlpcli import model

    judged = model.load(weights)
    dataset = model.open_data(judged.experiment, data_dir)
    examples = dataset.test if split == "test" else dataset.train
    if examples is None:
        raise DataError(dataset.name, "has no test split", "use --split train")
    judgement = model.judge(judged, examples)
    per_class = judgement.per_class(judged.encoding.class_names)
    if as_json:
        console.result_json(
            {
                "weights": str(weights),
                "data": dataset.name,
                "split": split,
                **judgement.summary(),
                "error": judgement.error,
                "classes": per_class,
            }
        )
        return
    console.result(f"{dataset.name} {split}")
    console.result(f"accuracy {console.counted(**judgement.summary())}")
    console.result(f"mean error {judgement.error:.5g}")
    width = max(map(len, per_class))
    for name, counts in per_class.items():
        console.result(f"class {name:{width}} accuracy {console.counted(**counts)}")
