"""`mlp convert`."""

from pathlib import Path

import click

from mlpcli.cli import console, options
from mlpcli.cli.outputs import check_outputs
from mlpcli.config.schema import INIT_FOR
from mlpcli.errors import ConfigError


@click.command(epilog="Example: mlp convert article.npy parity.npy && mlp show parity.npy")
@click.argument("old", type=options.PATH, metavar="OLD.npy")
@click.argument("new", type=options.PATH, metavar="NEW.npy")
@click.option(
    "--activation",
    type=click.Choice(tuple(INIT_FOR)),
    default="sigmoid",
    show_default=True,
    help="Activation of the hidden layers; the output's is sigmoid.",
)
@click.option(
    "--data",
    metavar="NAME",
    help="Dataset that it was trained on.  [default: parity or mnist, if the sizes are theirs]",
)
@click.option(
    "--scale",
    type=click.Choice(["none", "unit"]),
    default="none",
    show_default=True,
    help="Whether inputs were used as they are, or divided by 255.",
)
@click.option("--overwrite", is_flag=True, help="Replace NEW.npy if it exists.")
def convert(
    old: Path, new: Path, activation: str, data: str | None, scale: str, overwrite: bool
) -> None:
    """Make a checkpoint of the weights that the article's code saved.

    OLD.npy is an object array of weights and biases, which np.save pickled. It is read without
    running anything in it. Nothing shows where such weights come from: NEW.npy says that its source
    is unverified.
    """
    from mlpcli import atomic
    from mlpcli.checkpoint.convert import converted
    from mlpcli.checkpoint.legacy import read_legacy

    check_outputs({"NEW.npy": new}, [old])
    if new.exists() and not overwrite:
        raise ConfigError(new, "exists", "add --overwrite to replace it, or choose another")
    content = converted(read_legacy(old), activation, data, scale, old)
    with atomic.locked(new):
        atomic.write(new, content, "NEW.npy")
    console.result(f"wrote {new}, from an unverified source; next: mlp show {new}")
