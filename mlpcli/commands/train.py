"""`mlp train`."""

import time
from pathlib import Path

import click

from mlpcli.commands import console, options
from mlpcli.errors import CheckpointError, ConfigError


@click.command(epilog="Example: mlp train configs/mnist.yaml -o digits.npy")
@click.argument("config", type=options.PATH)
@click.option(
    "-o", "--output", type=options.PATH, help="Checkpoint to write.  [default: ./CONFIG.npy]"
)
@options.data_dir
@click.option("--overwrite", is_flag=True, help="Replace the checkpoint if it exists.")
@options.as_json
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option("-v", "--verbose", is_flag=True, help="Show a line per SGD step.")
def train(
    config: Path,
    output: Path | None,
    data_dir: Path,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Train the network that the YAML experiment CONFIG describes, and write its checkpoint.

    Progress goes to standard error, the result to standard output.
    """
    from mlpcli import checkpoint, model, training
    from mlpcli.experiment import load_experiment

    experiment = load_experiment(config)
    output = output or Path(config.with_suffix(".npy").name)
    if output.exists() and not overwrite:
        raise ConfigError(
            output,
            f"exists and holds {_held_by(output)}",
            "add --overwrite to replace it, or -o for another name",
        )
    dataset = model.open_data(experiment, data_dir)
    for line in () if quiet else dataset.notes:
        console.note(f"{dataset.name}: {line}")
    trained = model.new_model(experiment, dataset)
    checkpoint.check_writable(output, len(trained.serialise()))

    start = time.perf_counter()
    on_step = console.step_line if verbose and not quiet else None
    reports = training.train(experiment, trained.network, dataset.train, on_step)
    with console.epochs(experiment.epochs, quiet, plain=verbose) as show:
        for report in reports:
            trained.history.append({"epoch": report.epoch, "error": report.error})
            show(report)
    trained.save(output)
    seconds = time.perf_counter() - start

    test = model.judge(trained, dataset.test) if dataset.test else None
    if as_json:
        console.result_json(
            {
                "weights": str(output),
                "epochs": experiment.epochs,
                "error": report.error,
                "seconds": round(seconds, 3),
                "test": test and test.summary(),
            }
        )
        return
    console.result(f"weights {output}")
    console.result(
        f"test accuracy {console.counted(**test.summary())}" if test else "no test split"
    )


def _held_by(path: Path) -> str:
    from mlpcli import model

    try:
        held = model.load(path)
    except CheckpointError:
        return "no mlp checkpoint"
    last = held.history[-1]
    return (
        f"a run of {held.experiment.data.name} with structure {list(held.experiment.structure)}, "
        f"{len(held.history)} epochs, error {last['error']:.5g}"
    )
