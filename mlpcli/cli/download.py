"""`mlp download`."""

from pathlib import Path

import click

from mlpcli.cli import console, options
from mlpcli.errors import ConfigError


@click.command(epilog="Example: mlp download mnist --data-dir ~/datasets")
@click.argument("name")
@options.data_dir
def download(name: str, data_dir: Path) -> None:
    """Fetch the dataset NAME, verify it, and keep it in the data directory.

    Files that are there and valid are not fetched again.
    """
    from mlpcli.data.builtin.datasets import lookup
    from mlpcli.data.builtin.download import fetch, is_valid

    entry = lookup(name, "mlp download")
    if data_dir.parts[:1] == ("~",):
        problem = "there is no home directory to keep datasets in"
        raise ConfigError("mlp download", problem, "add --data-dir, or set MLP_DATA_DIR")
    folder = data_dir / name
    for file in entry.files:
        path = folder / file.name
        if is_valid(path, file):
            console.result(f"{path} is there and valid")
            continue
        with console.transfer(file.name, file.size) as advance:
            mirror = fetch(file, entry.mirrors, folder, advance)
        console.result(f"{path} fetched from {mirror}")
