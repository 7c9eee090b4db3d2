"""`mlp train`."""

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpcli.cli import console, options
from mlpcli.cli.mpi import (
    describe_ranks,
    engine_of,
    join_ranks,
    lead,
    open_part,
    rank_threads,
    watch_ranks,
)
from mlpcli.cli.outputs import check_outputs
from mlpcli.cli.report import write_report
from mlpcli.cli.threads import Threads, choose, watch_pace
from mlpcli.cli.train_end import compare_runs, position, report_interrupt, show_result
from mlpcli.errors import (
    CheckpointError,
    ConfigError,
    Interrupted,
    Killed,
    MissingDatasetError,
    MlpError,
)
from mlpcli.signals import defer_signals

if TYPE_CHECKING:
    from mlpcli.config.schema import Experiment
    from mlpcli.data.dataset import Dataset
    from mlpcli.model import Model
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
    "--overwrite", is_flag=True, help="Replace the checkpoint and the --history file if they exist."
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
    ranks = click.get_current_context().with_resource(join_ranks(threads)) if mpi else None
    if ranks and ranks.rank:
        _follow(ranks)
        return
    _check_options(overwrite, resume, bool(verify), bool(output), written)
    from mlpcli.config.load import load_experiment

    experiment = load_experiment(config, overrides)
    # Before anything imports NumPy.
    chosen = _use_threads(experiment, threads, ranks, quiet, verbose)
    from mlpcli import atomic
    from mlpcli.checkpoint import store
    from mlpcli.checkpoint.limits import check_size
    from mlpcli.data.load import data_paths, fit_structure
    from mlpcli.training.history import check_history, history_columns

    output = output or Path(config.with_suffix(".npy").name)
    inputs = [config, start, *data_paths(experiment, data_dir)]
    _check_files({"-o": None if verify else output, **written}, inputs, verify, start)
    with nullcontext() if verify else atomic.locked(output):
        if not (overwrite or resume or verify):
            _check_absent(output)
        dataset = (ranks and open_part(ranks, experiment)[1]) or _load(experiment, data_dir)
        experiment = fit_structure(experiment, dataset.encoding)
        if history and not overwrite:
            check_history(history, history_columns(experiment.learns))
        check_size(experiment)
        for line in () if quiet else dataset.notes:
            console.note(f"{dataset.name}: {line}")
        with _memory_error_with_estimate(experiment, dataset):
            resumed = output if resume and output.is_file() else None
            model, run = _start(experiment, dataset, start, resumed)
            _set_engine(engine_of(ranks, engine), model, run, resumed, verify, quiet)
            if ranks:
                lead(ranks, experiment, dataset, run)
            if resumed and not quiet:
                console.note(f"{output}: {position(run)}")
            if not verify and not run.finished:
                atomic.check_writable(output, store.final_size(model, run))
            begun = time.perf_counter()
            save = None if verify else partial(store.save, output, model, run)
            progress = _progress(experiment, run, history, quiet, verbose)
            watch = None if quiet else _watch(experiment, chosen, ranks)
            _train(experiment, run, dataset, save, progress, watch)
            seconds = time.perf_counter() - begun
            of_parts = ranks.evaluate_parts(model, dataset) if ranks and dataset.part else None
    if verify:
        compare_runs(verify, model, run)
    else:
        show_result(output, model, run, dataset, of_parts, seconds, as_json)
    if report:
        write_report([output], report, "--report", data_dir, "test" if dataset.test else "train")


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
    if ranks and not quiet:
        console.note(describe_ranks(ranks, chosen))
    elif verbose and not quiet:
        console.note(f"threads {chosen}")
    return chosen


def _check_files(
    outputs: Mapping[str, Path | None],
    inputs: Iterable[Path | None],
    verify: Path | None,
    start: Path | None,
) -> None:
    """Refuse outputs that cannot be written or would replace what is read, and another start."""
    from mlpcli import atomic
    from mlpcli.checkpoint.resume import check_same_start

    check_outputs(outputs, inputs)
    if report := outputs["--report"]:
        atomic.check_writable(report, 0, "--report")
    if verify:
        check_same_start(verify, start)


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


def _check_options(
    overwrite: bool, resume: bool, verify: bool, output: bool, written: Mapping[str, Path | None]
) -> None:
    """Refuse options that contradict one another; `written` are files beside the checkpoint."""
    if overwrite + resume + verify + (output and verify) > 1:
        raise ConfigError(
            "mlp train", "--overwrite, --resume and --verify exclude one another", "give one"
        )
    for option, path in written.items():
        if verify and path:
            raise ConfigError("mlp train", "--verify writes nothing", f"leave out {option}")


def _load(experiment: "Experiment", data_dir: Path) -> "Dataset":
    """Open the data; where somebody sits at the terminal, offer to download what is missing."""
    from mlpcli.data.load import load_data

    try:
        return load_data(experiment, data_dir)
    except MissingDatasetError as error:
        if not console.is_attended():
            raise
        if not console.ask(f"{error.name} is not in {data_dir}: download it?"):
            raise
        from mlpcli.cli.download import fetch_dataset
        from mlpcli.data.builtin.registry import DATASETS

        for step in fetch_dataset(error.name, DATASETS[error.name], data_dir):
            console.note(step.line)
    return load_data(experiment, data_dir)


def _check_absent(output: Path) -> None:
    if output.is_file():
        raise ConfigError(
            output,
            f"exists and holds {_describe(output)}",
            "add --overwrite to replace it, --resume to go on with it, or -o for another name",
        )


def _describe(path: Path) -> str:
    from mlpcli.checkpoint import store

    try:
        _, meta = store.load_with_meta(path)
    except CheckpointError:
        return "no mlp checkpoint"
    error = f", error {meta.best['error']:.5g}" if meta.best else ""
    return (
        f"a run of {meta.experiment.data.name} with structure "
        f"{list(meta.experiment.structure)}, {meta.epoch} epochs{error}"
    )


def _start(
    experiment: "Experiment", dataset: "Dataset", start: Path | None, resumed: Path | None
) -> tuple["Model", "Run"]:
    """Return a model and its run: one to go on with, or a new one from given or random weights."""
    from mlpcli.checkpoint import store
    from mlpcli.checkpoint.format import checksum
    from mlpcli.checkpoint.resume import resume_run
    from mlpcli.model import new_model
    from mlpcli.training.run import start_run

    sha256 = checksum(start) if start else ""
    if resumed:
        return resume_run(resumed, experiment, dataset, sha256)
    model = new_model(experiment, dataset)
    run = start_run(experiment, model.network, store.load(start).network if start else None)
    run.start = sha256
    return model, run


def _set_engine(
    name: str, model: "Model", run: "Run", resumed: Path | None, verify: Path | None, quiet: bool
) -> None:
    """Choose what computes a run; say so where it goes on with another engine than it had."""
    from mlpcli.checkpoint.resume import recorded_numba
    from mlpcli.training.engine import choose_engine

    file = resumed or verify
    recorded = recorded_numba(file) if file else None
    if name == "auto" and file and recorded is None:
        name = "numpy"
    tell: Callable[[str], None] = (lambda _: None) if quiet else console.note
    run.engine = choose_engine(name, model.experiment, tell)
    here = run.engine.versions.get("numba")
    if resumed and not quiet and here != recorded:
        console.note(
            f"{resumed}: numba is {here or 'not given'} here and {recorded or 'not given'} there; "
            "results differ in rounding from here on"
        )


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
        console.epochs(experiment.epochs, len(run.history), quiet, plain=verbose) as show,
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
) -> None:
    """Train to the end, or until a signal comes: then finish the mini-batch, save, and say so."""
    from mlpcli.checkpoint import autosave

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
