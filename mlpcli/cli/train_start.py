"""The start of `mlp train`: what is refused before anything is done, and where a run begins."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mlpcli.cli import console
from mlpcli.cli.outputs import check_outputs
from mlpcli.cli.report import check_page
from mlpcli.errors import CheckpointError, ConfigError, MissingDatasetError

if TYPE_CHECKING:
    from mlpcli.config.schema import Experiment
    from mlpcli.data.dataset import Dataset
    from mlpcli.model import Model
    from mlpcli.training.run import Run


def check_options(
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


def check_files(
    outputs: Mapping[str, Path | None],
    inputs: Iterable[Path | None],
    verify: Path | None,
    start: Path | None,
) -> None:
    """Refuse outputs that cannot be written or would replace what is read, and another start."""
    from mlpcli.checkpoint.resume import check_same_start

    check_outputs(outputs, inputs)
    if report := outputs["--report"]:
        check_page(report, "--report")
    if verify:
        check_same_start(verify, start)


def check_absent(output: Path) -> None:
    """Refuse a checkpoint that exists, and say what it holds."""
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


def open_data(experiment: "Experiment", data_dir: Path, engine: str) -> "Dataset":
    """Open the data; where somebody sits at the terminal, offer to download what is missing.

    What computes afterwards is loaded before, since it parses tables, too.
    """
    from mlpcli.data.load import load_data
    from mlpcli.training.engine import load_engine

    load_engine(engine, experiment)
    try:
        return load_data(experiment, data_dir)
    except MissingDatasetError as error:
        if not console.is_attended():
            raise
        if not console.ask(f"{error.name} is not in {data_dir}: download it?"):
            raise
        from mlpcli.cli.fetch import fetch_dataset
        from mlpcli.data.builtin.registry import DATASETS

        for step in fetch_dataset(error.name, DATASETS[error.name], data_dir):
            console.note(step.line)
    return load_data(experiment, data_dir)


def start_or_resume(
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


def check_room(output: Path, model: "Model", run: "Run") -> None:
    """Make sure that the checkpoints of a run that goes on can be written.

    Raises:
        OutputError: if there is not enough room.
    """
    from mlpcli import atomic
    from mlpcli.checkpoint import store

    if not run.finished:
        # A checkpoint is written beside the one before it.
        copies = 1 if output.exists() else 2
        atomic.check_writable(output, store.final_size(model, run), copies=copies)


def set_engine(
    name: str, model: "Model", run: "Run", resumed: Path | None, verify: Path | None, quiet: bool
) -> None:
    """Choose what computes a run; say so where it goes on with another engine than it had."""
    from mlpcli.checkpoint.resume import recorded_numba
    from mlpcli.training.engine import choose_engine

    file = resumed or verify
    recorded = recorded_numba(file) if file else None
    tell: Callable[[str], None] = (lambda _: None) if quiet else console.note
    if name == "auto" and file:
        # Where numba is not to be had NumPy goes on.
        with suppress(ConfigError):
            run.engine = choose_engine("numba" if recorded else "numpy", model.experiment, tell)
    else:
        run.engine = choose_engine(name, model.experiment, tell)
    here = run.engine.versions.get("numba")
    if resumed and not quiet and here != recorded:
        console.note(
            f"{resumed}: numba is {here or 'not given'} here and {recorded or 'not given'} there; "
            "results differ in rounding from here on"
        )
