"""`mlp train`."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpcli.cli import console, options
from mlpcli.cli.signals import defer_signals
from mlpcli.errors import (
    CheckpointError,
    ConfigError,
    DivergedError,
    Interrupted,
    MismatchError,
    MlpError,
)
from mlpcli.training.history import history_file

if TYPE_CHECKING:
    from mlpcli.config.schema import Experiment
    from mlpcli.data.dataset import Dataset
    from mlpcli.model import Model
    from mlpcli.training.run import EpochReport, Run, StepReport

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
@click.option(
    "--resume", is_flag=True, help="Go on where the checkpoint stands; start if there is none."
)
@click.option(
    "--verify",
    type=options.PATH,
    metavar="W.npy",
    help="Train again, write nothing, and compare with W.npy to the byte.",
)
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
    resume: bool,
    verify: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Train the network that the YAML experiment CONFIG describes, and write its checkpoint.

    Progress goes to standard error, the result to standard output. Ctrl-C and SIGTERM finish the
    mini-batch, write the checkpoint and end; --resume goes on from there.
    """
    if overwrite + resume + bool(verify) + bool(output and verify) > 1:
        raise ConfigError(
            "mlp train", "--overwrite, --resume and --verify exclude one another", "give one"
        )
    if threads:
        # Read once, when NumPy is loaded: that is why commands import it as they run.
        os.environ.update(dict.fromkeys(THREADS, str(threads)))
    from mlpcli import atomic, model
    from mlpcli.checkpoint import format as checkpoint
    from mlpcli.checkpoint import store
    from mlpcli.checkpoint.limits import check_size
    from mlpcli.checkpoint.resume import resume_run
    from mlpcli.config.load import load_experiment
    from mlpcli.data.load import load_data
    from mlpcli.training.run import start_run

    experiment = load_experiment(config, overrides)
    output = output or Path(config.with_suffix(".npy").name)
    if verify:
        checkpoint.read(verify)
    with nullcontext() if verify else atomic.locked(output):
        if output.is_file() and not (overwrite or resume or verify):
            raise ConfigError(
                output,
                f"exists and holds {_describe(output)}",
                "add --overwrite to replace it, --resume to go on with it, or -o for another name",
            )
        dataset = load_data(experiment, data_dir)
        check_size(experiment)
        for line in () if quiet else dataset.notes:
            console.note(f"{dataset.name}: {line}")
        with _memory_error_with_estimate(experiment, dataset):
            if resume and output.is_file():
                trained, run = resume_run(output, experiment, dataset)
                if not quiet:
                    console.note(f"{output}: {_position(run)}")
            else:
                trained = model.new_model(experiment, dataset)
                from_network = store.load(start).network if start else None
                run = start_run(experiment, trained.network, from_network)
            if not verify and not run.finished:
                atomic.check_writable(output, store.final_size(trained, run))
            begun = time.perf_counter()
            with (
                history_file(history, run.history if resume else ()) as write_row,
                console.epochs(experiment.epochs, len(run.history), quiet, plain=verbose) as show,
            ):

                def on_epoch(report: "EpochReport") -> None:
                    write_row(report)
                    show(report)

                on_step = console.step_line if verbose and not quiet else None
                save = None if verify else partial(store.save, output, trained, run)
                _train(experiment, run, dataset, save, on_epoch, on_step)
            seconds = time.perf_counter() - begun
    if verify:
        _compare(verify, trained, run)
    else:
        _show_result(output, trained, run, dataset, seconds, as_json)


@contextmanager
def _memory_error_with_estimate(experiment: "Experiment", dataset: "Dataset") -> Iterator[None]:
    from mlpcli.training.cost import least_memory, size_text

    try:
        yield
    except MemoryError:
        least = size_text(least_memory(experiment, len(dataset.train.labels)))
        raise MlpError(
            experiment.where("structure"),
            f"there is not enough memory: training takes more than {least} beside the data",
            "write a smaller structure or bt_size",
        ) from None


def _train(
    experiment: "Experiment",
    run: "Run",
    dataset: "Dataset",
    save: Callable[[], None] | None,
    on_epoch: Callable[["EpochReport"], None],
    on_step: Callable[["StepReport"], None] | None,
) -> None:
    """Train to the end, saving on the way; stop between mini-batches when a signal says so."""
    from mlpcli.training import loop

    every = experiment.checkpoint_every
    saved = time.perf_counter()

    def after_step(report: "StepReport") -> None:
        if on_step:
            on_step(report)
        if received:
            raise Interrupted(received[0])
        done = report.epoch * report.steps + report.step + 1
        # An epoch's end is saved below, when validation has had its say.
        if save and every and report.step + 1 < report.steps and _is_due(done, every, report.steps):
            save()

    with defer_signals() as received:
        try:
            for report in loop.train(experiment, run, dataset, after_step):
                due = time.perf_counter() - saved > SAVE_SECONDS
                if every:
                    due = _is_due(report.row["epoch"] + 1, every, 1)
                if save and (run.finished or due):
                    save()
                    saved = time.perf_counter()
                on_epoch(report)
                if received:
                    raise Interrupted(received[0])
        except CheckpointError:
            raise
        except DivergedError:
            if save and run.history:
                save()
            raise
        except (MlpError, OSError, Interrupted) as reason:
            # A signal, or a history or progress that cannot be written any more.
            if save:
                save()
            if isinstance(reason, BrokenPipeError):
                raise Interrupted(signal.SIGPIPE) from None
            if isinstance(reason, Interrupted):
                _report_interrupt(reason, run, save is not None)
            raise


def _report_interrupt(stopped: Interrupted, run: "Run", saved: bool) -> None:
    line = f"{signal.Signals(stopped.number).name}: {_position(run)}"
    if saved and not run.finished:
        line += "; mlp train --resume goes on from there"
    # Ctrl-C ends the reader of a pipe, too.
    with suppress(OSError):
        console.note(line)


def _is_due(done: int, every: float, steps: int) -> bool:
    """Return whether a multiple of `every` epochs of so many steps was passed with this step."""
    period = max(1.0, every * steps)
    return int(done / period) > int((done - 1) / period)


def _position(run: "Run") -> str:
    if run.finished:
        return f"finished after {len(run.history)} epochs"
    return f"stands in epoch {len(run.history)}, after {run.step} steps"


def _compare(path: Path, trained: "Model", run: "Run") -> None:
    from mlpcli.checkpoint.resume import first_difference

    if difference := first_difference(path, trained, run):
        raise MismatchError(path, f"does not come out again: {difference}", "see versions and seed")
    console.result(f"{path} comes out again, to the byte")


def _show_result(
    output: Path, trained: "Model", run: "Run", dataset: "Dataset", seconds: float, as_json: bool
) -> None:

    test = trained.evaluate(dataset.test) if dataset.test else None
    if as_json:
        console.result_json(
            {
                "weights": str(output),
                "epochs": len(run.history),
                "best_epoch": run.best_epoch,
                "error": run.history[run.best_epoch]["error"],
                "seconds": round(seconds, 3),
                "test": test and test.summary(),
            }
        )
        return
    chosen = f" of epoch {run.best_epoch}, the best" if dataset.validation else ""
    console.result(f"weights {output}{chosen}")
    accuracy = test and f"test accuracy {console.format_accuracy(**test.summary())}"
    console.result(accuracy or "no test split")


def _describe(path: Path) -> str:
    from mlpcli.checkpoint import store

    try:
        held = store.load(path)
    except CheckpointError:
        return "no mlp checkpoint"
    history = held.meta["history"]
    error = f", error {history[held.meta['best_epoch']]['error']:.5g}" if history else ""
    return (
        f"a run of {held.experiment.data.name} with structure {list(held.experiment.structure)}, "
        f"{len(history)} epochs{error}"
    )
