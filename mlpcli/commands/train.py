"""`mlp train`."""

import os
import time
from pathlib import Path

import click

from mlpcli.commands import console, options
from mlpcli.errors import CheckpointError, ConfigError, DivergedError

# The least time between checkpoints: each waits for the disk, and an epoch may take a millisecond.
SAVE_SECONDS = 1.0
# What NumPy's various matrix libraries read when they are loaded.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@click.command(epilog="Example: mlp train configs/mnist.yaml --set epochs=20 -o digits.npy")
@click.argument("config", type=options.PATH)
@click.option(
    "-o", "--output", type=options.PATH, help="Checkpoint to write, instead of ./CONFIG.npy."
)
@options.data_dir
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of CONFIG; VALUE is YAML, KEY may be dotted. Repeatable.",
)
@click.option(
    "--from",
    "start",
    type=options.PATH,
    metavar="W.npy",
    help="Start from these weights, not from random ones.",
)
@click.option(
    "--history",
    type=options.PATH,
    metavar="FILE",
    help="Write a row per epoch to this .csv or .jsonl file.",
)
@click.option("--threads", type=click.IntRange(1), help="Threads for matrix products.")
@click.option("--overwrite", is_flag=True, help="Replace the checkpoint if it exists.")
@options.as_json
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option("-v", "--verbose", is_flag=True, help="Show a line per SGD step.")
def train(
    config: Path,
    output: Path | None,
    data_dir: Path,
    overrides: tuple[str, ...],
    start: Path | None,
    history: Path | None,
    threads: int | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Train the network that the YAML experiment CONFIG describes, and write its checkpoint.

    Progress goes to standard error, the result to standard output.
    """
    if threads:
        # Read once, when NumPy is loaded: that is why commands import it as they run.
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
    from mlpcli import checkpoint, model, training
    from mlpcli.experiment import load_experiment

    experiment = load_experiment(config, overrides)
    output = output or Path(config.with_suffix(".npy").name)
    if output.is_file() and not overwrite:
        raise ConfigError(
            output,
            f"exists and holds {_held_by(output)}",
            "add --overwrite to replace it, or -o for another name",
        )
    dataset = model.open_data(experiment, data_dir)
    for line in () if quiet else dataset.notes:
        console.note(f"{dataset.name}: {line}")
    trained = model.new_model(experiment, dataset)
    from_network = model.load(start).network if start else None
    run = training.begin(experiment, trained.network, from_network)
    checkpoint.check_writable(output, len(model.serialise(trained, run)))

    begun = time.perf_counter()
    on_step = console.step_line if verbose and not quiet else None
    with (
        console.history_file(history) as write_row,
        console.epochs(experiment.epochs, quiet, plain=verbose) as show,
    ):
        saved = begun
        try:
            for report in training.train(experiment, run, dataset, on_step):
                write_row(report)
                show(report)
                if run.finished or time.perf_counter() - saved > SAVE_SECONDS:
                    model.save(output, trained, run)
                    saved = time.perf_counter()
        except DivergedError:
            if run.history:
                model.save(output, trained, run)
            raise
    seconds = time.perf_counter() - begun

    test = model.judge(trained, dataset.test) if dataset.test else None
    best = run.history[run.best_epoch]
    if as_json:
        console.result_json(
            {
                "weights": str(output),
                "epochs": len(run.history),
                "best_epoch": run.best_epoch,
                "error": best["error"],
                "seconds": round(seconds, 3),
                "test": test and test.summary(),
            }
        )
        return
    chosen = f" of epoch {run.best_epoch}, the best" if dataset.validation else ""
    console.result(f"weights {output}{chosen}")
    accuracy = test and f"test accuracy {console.counted(**test.summary())}"
    console.result(accuracy or "no test split")


def _held_by(path: Path) -> str:
    from mlpcli import model

    try:
        held = model.load(path)
    except CheckpointError:
        return "no mlp checkpoint"
    history = held.meta["history"]
    error = f", error {history[held.meta['best_epoch']]['error']:.5g}" if history else ""
    return (
        f"a run of {held.experiment.data.name} with structure {list(held.experiment.structure)}, "
        f"{len(history)} epochs{error}"
    )
