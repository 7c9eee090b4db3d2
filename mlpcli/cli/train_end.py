"""The end of `mlp train`: how good the model is, or where a signal stopped it."""

import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from mlpcli.cli import console
from mlpcli.cli.other_tasks import format_baseline, format_summary
from mlpcli.errors import Interrupted, MismatchError

if TYPE_CHECKING:
    from mlpcli.data.dataset import Dataset
    from mlpcli.model import Evaluation, Model
    from mlpcli.training.run import Run


def report_interrupt(stopped: Interrupted, run: "Run", saved: bool) -> None:
    """Say where a signal stopped a run, and what goes on from there if it was saved."""
    line = f"{signal.Signals(stopped.number).name}: {position(run)}"
    if saved and not run.finished:
        line += f"; {resume_command(run.ranks.launcher)} goes on from there"
    # Ctrl-C ends the reader of a pipe, too.
    with suppress(OSError):
        # A terminal has echoed ^C where the cursor is.
        if sys.stderr and sys.stderr.isatty():
            click.echo("\r", err=True, nl=False)
        console.note(line)


def resume_command(launcher: Sequence[str] = ()) -> str:
    """Return the command that is running as one that goes on where its checkpoint stopped."""
    context = click.get_current_context()
    words = [*launcher, "mlp", "train"]
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        # The checkpoint knows what it started from.
        if not given or name in ("overwrite", "resume", "start"):
            continue
        value = context.params[name]
        option = parameter.opts[:1] if isinstance(parameter, click.Option) else []
        for part in value if parameter.multiple else [value]:
            words += option if part is True else [*option, str(part)]
    return shlex.join([*words, "--resume"])


def position(run: "Run") -> str:
    """Return where a run stands."""
    if run.finished:
        return f"finished after {len(run.history)} epochs"
    return f"stopped in epoch {len(run.history)} after {run.step} steps"


def compare_runs(path: Path, model: "Model", run: "Run") -> None:
    """Say that a run came out as its checkpoint.

    Raises:
        MismatchError: if it did not.
    """
    from mlpcli.checkpoint.resume import first_difference

    if difference := first_difference(path, model, run):
        raise MismatchError(path, f"was not reproduced: {difference}", "see versions and seed")
    console.result(f"{path} was reproduced to the byte")


def show_result(
    output: Path,
    model: "Model",
    run: "Run",
    dataset: "Dataset",
    of_parts: "Evaluation | None",
    seconds: float,
    as_json: bool,
) -> None:
    """Show how good the model is on what it was trained on and on the test, and a baseline."""
    from mlpcli.evaluation.baseline import baseline, no_better

    splits = {"train": (dataset.train, dataset.weights)}
    if dataset.test:
        splits["test"] = (dataset.test, dataset.test_weights)
    found = {
        name: (name == "train" and of_parts) or model.evaluate(split, weights=own)
        for name, (split, own) in splits.items()
    }
    last, judged = list(found.items())[-1]
    least = baseline(judged, model.encoding, *splits[last])
    summaries = {name: evaluation.summary() for name, evaluation in found.items()}
    if as_json:
        console.result_json(
            {
                "weights": str(output),
                "epochs": len(run.history),
                "best_epoch": run.best_epoch,
                "error": run.history[run.best_epoch]["error"],
                "seconds": round(seconds, 3),
                "test": None,
                **summaries,
                "baseline": least,
            }
        )
    else:
        chosen = f" of epoch {run.best_epoch}, the best" if dataset.validation else ""
        console.result(f"weights {output}{chosen}")
        for name, summary in summaries.items():
            console.result(f"{name} {format_summary(dataset.encoding.task, summary)}")
        if not dataset.test:
            console.result("no test split")
        said = "commonest" if "accuracy" in least else "mean"
        console.result(f"always the {said}: {last} {format_baseline(least)}")
    console.warn_no_better(output, last, no_better(summaries[last], least))
