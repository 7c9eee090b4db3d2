"""`mlp predict`."""

from pathlib import Path

import click

from mlpcli.commands import console, options


@click.command(epilog="Example: mlp predict --weights mnist.npy digit.png digits.npy")
@options.weights
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--proba", is_flag=True, help="Add the network's output for every class.")
@click.option("--invert", is_flag=True, help="Turn black to white in images: dark ink on paper.")
@options.as_json
def predict(
    weights: Path, inputs: tuple[str, ...], proba: bool, invert: bool, as_json: bool
) -> None:
    """Print the class of every example, one per line, in the order of the input.

    INPUT is a table (.csv, .tsv, .parquet), an array (.npy, .npz, IDX), an image, a folder of
    images, or - for CSV or JSON lines on standard input, in the units of the training data. Classes
    in it are ignored. Images are resized to the network's size.
    """
    from mlpcli import model
    from mlpcli.inputs import read_input

    judge = model.load(weights)
    files = judge.experiment.data.files
    names = judge.encoding.class_names
    for name in inputs:
        row = 0
        for features in read_input(name, judge.encoding, files, invert):
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
