"""`mlp train`."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpcli.cli import console, options, progress_bars
from mlpcli.cli.mpi import (
    describe_ranks,
    engine_of,
    join_ranks,
    lead,
    open_part,
    rank_threads,
    started_as_several,
    watch_ranks,
)
from mlpcli.cli.report import write_report
from mlpcli.cli.threads import Threads, choose, watch_pace
from mlpcli.cli.train_end import compare_runs, position, report_interrupt, show_result
from mlpcli.cli.train_start import (
    check_absent,
    check_files,
    check_options,
    check_room,
    open_data,
    set_engine,
    start_or_resume,
)
from mlpcli.errors import Interrupted, Killed, MlpError
from mlpcli.signals import defer_signals

if TYPE_CHECKING:
    from mlpcli.config.schema import Experiment
    from mlpcli.data.dataset import Dataset
    from mlpcli.training.ranks import MpiRanks
    from mlpcli.training.run import EpochReport, Run, StepReport

    Listeners = tuple[Callable[[EpochReport], None], Callable[[StepReport], None] | None]


@click.command(epilog="Example: mlp train configs/mnist.yaml --set epochs=20 -o digits.npy")
@click.argument("config", type=options.PATH)
@click.option(
    "-o", "--output", type=options.PATH, help="Checkpoint to write, instead of ./CONFIG.npy."
)
@options.data_dir
@options.overrides
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
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Threads for matrix products.  [default: one; for large products all allowed]",
)
@options.engine
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace the checkpoint if it exists, and what is no history of mlp train at --history.",
)
@click.option(
    "--resume", is_flag=True, help="Go on where the checkpoint stopped; start if there is none."
)
@click.option(
    "--verify",
    type=options.PATH,
    metavar="W.npy",
    help="Train again, write nothing, and compare with W.npy to the byte.",
)
@click.option("--mpi", is_flag=True, help="Train on all ranks: mpiexec -n 4 mlp train CONFIG --mpi")
@options.report
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
    engine: str,
    overwrite: bool,
    resume: bool,
    verify: Path | None,
    mpi: bool,
    report: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Train the network that the YAML experiment CONFIG describes, and write its checkpoint.

    Progress goes to standard error, the result to standard output. Ctrl-C and SIGTERM finish the
    mini-batch, write the checkpoint and end; --resume goes on from there.
    """
    written = {"--history": history, "--report": report}
    # Click from 8.3 on tells it how the command ends.
    ranks = click.get_current_context().with_resource(join_ranks(threads)) if mpi else None
    if ranks and ranks.rank:
        _follow(ranks)
        return
    check_options(overwrite, resume, bool(verify), bool(output), written)
    from mlpcli.config.load import load_experiment

    experiment = load_experiment(config, overrides)
    # Before anything imports NumPy.
    chosen = _use_threads(experiment, threads, ranks, quiet, verbose)
    from mlpcli import atomic
    from mlpcli.checkpoint import store
    from mlpcli.checkpoint.limits import check_size
    from mlpcli.config.other_data import EvaluationData
    from mlpcli.data.load import data_paths, fit_structure
    from mlpcli.training.history import check_history, history_columns

    output = output or Path(config.with_suffix(".npy").name)
    inputs = [config, start, *data_paths(experiment, data_dir)]
    check_files({"-o": None if verify else output, **written}, inputs, verify, start)
    with nullcontext() if verify else atomic.locked(output):
        if not (overwrite or resume or verify):
            check_absent(output)
        part = open_part(ranks, experiment)[1] if ranks else None
        dataset = part or open_data(experiment, data_dir, engine_of(ranks, engine))
        experiment = fit_structure(experiment, dataset.encoding)
        if history and not overwrite:
            check_history(history, history_columns(experiment.learns))
        check_size(experiment)
        for line in () if quiet else dataset.notes:
            console.note(f"{dataset.name}: {line}")
        with _memory_error_with_estimate(experiment, dataset):
            resumed = output if resume and output.is_file() else None
            model, run = start_or_resume(experiment, dataset, start, resumed)
            set_engine(engine_of(ranks, engine), model, run, resumed, verify, quiet)
            if ranks:
                lead(ranks, experiment, dataset, run)
            if resumed and not quiet:
                console.note(f"{output}: {position(run)}")
            if not verify:
                check_room(output, model, run)
            save = None if verify else partial(store.save, output, model, run)
            progress = _progress(experiment, run, history, quiet, verbose)
            watch = None if quiet else _watch(experiment, chosen, ranks)
            seconds = _train(experiment, run, dataset, save, progress, watch)
            of_parts = ranks.evaluate_parts(model, dataset) if ranks and dataset.part else None
    if verify:
        compare_runs(verify, model, run)
    else:
        show_result(output, model, run, dataset, of_parts, seconds, as_json)
    if report:
        split = "test" if dataset.test else "train"
        write_report([output], report, "--report", EvaluationData(data_dir, split))


def _use_threads(
    experiment: "Experiment",
    given: int | None,
    ranks: "MpiRanks | None",
    quiet: bool,
    verbose: bool,
) -> Threads:
    """Choose the threads of this process, and tell the matrix library of them, and the user."""
    chosen = rank_threads(given) if ranks else choose(experiment, given)
    chosen.use()
    if not (ranks or quiet) and (line := started_as_several()):
        console.note(line)
    if ranks and not quiet:
        console.note(describe_ranks(ranks, chosen))
    elif verbose and not quiet:
        console.note(f"threads {chosen}")
    return chosen


def _follow(ranks: "MpiRanks") -> None:
    """Train with the first rank, which shows, judges and saves."""
    from mlpcli.data.load import fit_structure
    from mlpcli.model import Model, new_network
    from mlpcli.training.run import new_run

    experiment, dataset = open_part(ranks)
    if dataset:
        experiment = fit_structure(experiment, dataset.encoding)
    else:
        experiment, dataset = ranks.send_data()
    model = Model(new_network(experiment, dataset.encoding), experiment, dataset.encoding, "")
    run = new_run(experiment, model.network)
    run.ranks = ranks
    ranks.send_run(run)
    _train(experiment, run, dataset, None, nullcontext((lambda _: None, None)), None)
    if dataset.part:
        ranks.evaluate_parts(model, dataset)


def _watch(
    experiment: "Experiment", threads: Threads, ranks: "MpiRanks | None"
) -> Callable[[], None] | None:
    """Return what finds out, called after each step, that fewer threads or ranks are faster."""
    if ranks:
        return watch_ranks(ranks) if ranks.number > 1 else None
    return watch_pace(experiment) if threads.number > 1 else None


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


@contextmanager
def _progress(
    experiment: "Experiment", run: "Run", history: Path | None, quiet: bool, verbose: bool
) -> Iterator["Listeners"]:
    """Write the history and show the progress; yield what to tell of every epoch and step."""
    from mlpcli.training.history import history_columns, history_file

    with (
        history_file(history, run.history, history_columns(experiment.learns)) as write_row,
        progress_bars.epochs(experiment.epochs, len(run.history), quiet, plain=verbose) as show,
    ):

        def on_epoch(report: "EpochReport") -> None:
            write_row(report)
            show(report)

        yield on_epoch, console.step_line if verbose and not quiet else None


def _train(
    experiment: "Experiment",
    run: "Run",
    dataset: "Dataset",
    save: Callable[[], None] | None,
    progress: AbstractContextManager["Listeners"],
    watch: Callable[[], None] | None,
) -> float:
    """Train to the end, or until a signal comes: then finish the mini-batch, save, and say so.

    Returns:
        How many seconds that took.
    """
    from mlpcli.checkpoint import autosave

    begun = time.perf_counter()
    with defer_signals() as noted:
        received = run.ranks.agree(noted)
        try:
            with progress as (show_epoch, show_step):

                def on_epoch(report: "EpochReport") -> None:
                    show_epoch(report)
                    if received:
                        raise Interrupted(received[0])

                def on_step(report: "StepReport") -> None:
                    if show_step:
                        show_step(report)
                    if watch:
                        watch()
                    if received:
                        raise Interrupted(received[0])

                autosave.train(experiment, run, dataset, save or (lambda: None), on_epoch, on_step)
        except Killed:
            raise
        except Interrupted as stopped:
            # Here the progress bar has ended its line.
            if not run.ranks.rank:
                report_interrupt(stopped, run, save is not None)
            raise
        except BrokenPipeError:
            raise Interrupted(signal.SIGPIPE) from None
    return time.perf_counter() - begun
