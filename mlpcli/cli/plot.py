"""`mlp plot`."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpcli.cli import console, options
from mlpcli.cli.outputs import check_outputs
from mlpcli.cli.threads import limit
from mlpcli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlpcli.config.other_data import EvaluationData
    from mlpcli.data.dataset import Dataset

weights_argument = click.argument("weights", type=options.PATH, metavar="W.npy")


drawn = options.together(
    click.option(
        "-o",
        "--output",
        type=options.PATH,
        metavar="FILE",
        help="Picture to write, in .png, .svg or .pdf.  [default: a window]",
    ),
    click.option(
        "--style",
        type=click.Choice(["light", "dark"]),
        default="light",
        show_default=True,
        help="Colours of the page.",
    ),
)
evaluated = options.together(weights_argument, options.examples)


@click.group(epilog="Example: mlp plot history mnist.npy -o history.png")
def plot() -> None:
    """Draw a run, a network, data or mistakes: a picture in a file, or in a window.

    Needs matplotlib: pip install 'mlpcli[plot]'.
    """
    limit()


def _draw(
    output: Path | None,
    style: str,
    draw: Callable[["Figure"], None],
    inputs: Iterable[Path | None] = (),
) -> None:
    """Draw a picture, if it replaces none of the command's inputs."""
    from mlpcli.plots.canvas import picture

    check_outputs({"-o": output}, inputs)
    with picture(output, style) as figure:
        draw(figure)
    if output is not None:
        console.result(f"picture {output}")


def _check(output: Path | None) -> None:
    """Say before anything is read what a picture lacks."""
    from mlpcli.plots.canvas import check_output

    check_output(output)


def _draw_evaluated(
    name: str,
    *,
    weights: Path,
    on: "EvaluationData",
    output: Path | None,
    style: str,
    **settings: int,
) -> None:
    """Draw a picture of a model's predictions for examples."""
    _check(output)
    from mlpcli.checkpoint import store
    from mlpcli.data.load import data_paths
    from mlpcli.evaluation.evaluate import all_outputs, open_evaluated
    from mlpcli.plots.evaluated import PICTURES, Evaluated, check_task

    model = store.load(weights)
    check_task(name, model.encoding.task)
    opened = open_evaluated(model, on)
    found = Evaluated(model, opened, all_outputs(model, opened.examples))
    read = [weights, on.file, *data_paths(model.experiment, on.data_dir)]
    draw = PICTURES[name].draw
    _draw(output, style, lambda figure: draw(figure, found, **settings), read)


@plot.command(epilog="Example: mlp plot history mnist.npy -o history.png")
@click.argument("weights", type=options.PATH, nargs=-1, required=True, metavar="W.npy...")
@click.option("--log", is_flag=True, help="Make the axis of errors logarithmic.")
@drawn
def history(weights: tuple[Path, ...], log: bool, output: Path | None, style: str) -> None:
    """Draw error and accuracy per epoch of the checkpoints W.npy, with their best epochs."""
    _check(output)
    from mlpcli.checkpoint import store
    from mlpcli.plots.curves import draw_history

    runs = {str(path): store.load_with_meta(path)[1] for path in weights}
    for path, meta in runs.items():
        if not meta.history:
            raise ConfigError(path, "has no epoch to draw yet", "train it further")
    _draw(output, style, lambda figure: draw_history(figure, runs, log), weights)


@plot.command(name="weights", epilog="Example: mlp plot weights parity.npy -o weights.svg")
@weights_argument
@drawn
def draw_the_weights(weights: Path, output: Path | None, style: str) -> None:
    """Draw the weight matrices of W.npy; of images, the first layer's rows as images."""
    _check(output)
    from mlpcli.checkpoint import store
    from mlpcli.plots.pictures import draw_weights

    model = store.load(weights)
    network, shape = model.network, model.encoding.image_shape
    _draw(output, style, lambda figure: draw_weights(figure, network.weights, shape), [weights])


@plot.command(epilog="Example: mlp plot network configs/parity.yaml -o network.svg")
@click.argument("source", type=options.PATH, metavar="CONFIG|W.npy")
@options.data_dir
@drawn
def network(source: Path, data_dir: Path, output: Path | None, style: str) -> None:
    """Draw the layers of a configuration or a checkpoint as a graph.

    Where a configuration gives `hidden`, inputs and outputs are counted from its data. Of a layer
    with more than 12 units the first and the last are drawn. Lines are as thick as a checkpoint's
    weights are large, and dashed where these are negative.
    """
    _check(output)
    from mlpcli.checkpoint import store
    from mlpcli.config.load import load_experiment
    from mlpcli.data.load import data_paths, fit_structure, load_data
    from mlpcli.plots.pictures import draw_network

    read = [source]
    if source.suffix == ".npy":
        trained = store.load(source).network
        structure, weights = trained.structure, trained.weights
    else:
        experiment = load_experiment(source)
        if not experiment.structure:
            encoding = load_data(experiment, data_dir).encoding
            read += data_paths(experiment, data_dir)
            experiment = fit_structure(experiment, encoding)
        structure, weights = experiment.structure, None
    _draw(output, style, lambda figure: draw_network(figure, structure, weights), read)


@plot.command(epilog="Example: mlp plot digit mnist 999 -o digit.png")
@click.argument("data")
@click.argument("indices", type=click.IntRange(min=0), nargs=-1, required=True, metavar="INDEX...")
@options.data_dir
@options.split
@drawn
def digit(
    data: str,
    indices: tuple[int, ...],
    data_dir: Path,
    split: str | None,
    output: Path | None,
    style: str,
) -> None:
    """Draw images of DATA: the name of a dataset, or a file or folder of images.

    Indices count from 0; several make a grid. A file or folder of your own has one split, train.
    """
    _check(output)
    from mlpcli.evaluation.mistakes import image_of
    from mlpcli.plots.canvas import shown
    from mlpcli.plots.pictures import draw_images

    dataset = _images(data, data_dir)
    own = Path(data).exists()
    examples = dataset.train if own or split == "train" else dataset.test
    shape = dataset.encoding.image_shape
    if shape is None or examples is None:
        raise DataError(data, "holds no images", "give a dataset, a file or a folder of images")
    n = len(examples.labels)
    for index in indices:
        if index >= n:
            raise ConfigError("INDEX", f"{index} is beyond the {n} images", f"write 0 to {n - 1}")
    names = dataset.encoding.class_names
    images = [image_of(examples.features[i], shape) for i in indices]
    titles = [f"{i}: {shown(names[examples.labels[i]])}" for i in indices]
    read = [Path(data) if own else data_dir / data]
    _draw(output, style, lambda figure: draw_images(figure, images, titles), read)


def _images(data: str, data_dir: Path) -> "Dataset":
    from mlpcli.config.data_files import Files
    from mlpcli.data.builtin.datasets import load_builtin
    from mlpcli.data.dataset import Preparation
    from mlpcli.data.files import load_files

    if Path(data).exists():
        return load_files(Files(data), Preparation("none"))
    return load_builtin(data, Preparation("none"), data_dir, "DATA")


@plot.command(epilog="Example: mlp plot confusion mnist.npy -o confusion.png")
@evaluated
@drawn
def confusion(**given: Any) -> None:
    """Draw which classes W.npy takes for which."""
    _draw_evaluated("confusion", **given)


@plot.command(epilog="Example: mlp plot mistakes mnist.npy -o mistakes.png")
@evaluated
@click.option(
    "--count",
    type=click.IntRange(1, 100),
    default=12,
    show_default=True,
    help="How many at most.",
)
@drawn
def mistakes(**given: Any) -> None:
    """Draw the wrong predictions that W.npy is surest of: images, or rows of a table."""
    _draw_evaluated("mistakes", **given)


@plot.command(epilog="Example: mlp plot calibration mnist.npy -o calibration.png")
@evaluated
@drawn
def calibration(**given: Any) -> None:
    """Draw how often predictions of each probability are right: a reliability diagram."""
    _draw_evaluated("calibration", **given)


@plot.command(epilog="Example: mlp plot roc mnist.npy -o roc.png")
@evaluated
@drawn
def roc(**given: Any) -> None:
    """Draw the ROC curve of every class against the rest, or of every label."""
    _draw_evaluated("roc", **given)


@plot.command(epilog="Example: mlp plot residuals houses.npy -o residuals.png")
@evaluated
@drawn
def residuals(**given: Any) -> None:
    """Draw predicted against true quantities, and what is left."""
    _draw_evaluated("residuals", **given)


@plot.command(epilog="Example: mlp plot descent -o descent.svg")
@drawn
def descent(output: Path | None, style: str) -> None:
    """Draw the article's gradient descents, on the parabola and on the paraboloid."""
    _check(output)
    from mlpcli.plots.curves import draw_descent

    _draw(output, style, draw_descent)
