"""`mlp report`."""

import os
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpcli.cli import console, options
from mlpcli.cli.outputs import check_outputs
from mlpcli.cli.threads import limit
from mlpcli.errors import ConfigError

if TYPE_CHECKING:
    from mlpcli.config.other_data import EvaluationData
    from mlpcli.data.dataset import Opened
    from mlpcli.report.findings import Findings


@click.command(epilog="Example: mlp report mnist.npy -o report.html")
@click.argument("weights", type=options.PATH, nargs=-1, required=True, metavar="W.npy...")
@click.option(
    "-o", "--output", type=options.PATH, required=True, metavar="FILE", help="HTML to write."
)
@options.examples
@options.as_json
def report(
    weights: tuple[Path, ...],
    output: Path,
    on: "EvaluationData",
    as_json: bool,
) -> None:
    """Write a report on the checkpoint W.npy, or a comparison of several, as one page.

    The page says in words how good the model is, shows its learning curves, metrics with 95 %
    intervals, mistakes and weights, and how it was made; and the network itself is in it, to be
    tried. It is one file that needs no network.
    """
    # Not Path.resolve, which fails where links lead in a circle.
    if len(set(map(os.path.realpath, weights))) < len(weights):
        raise ConfigError("mlp report", "a checkpoint is given twice", "give each once")
    # Of thousands of small products; threads that wait for one another take longer than one.
    limit(1)
    runs, size = write_report(weights, output, "-o", on)
    if as_json:
        shown = [_mapping(run) for run in runs]
        console.result_json({"report": str(output), "bytes": size, "runs": shown})
    else:
        console.result(f"report {output}, {size:,} bytes")


def write_report(
    weights: Sequence[Path],
    output: Path,
    option: str,
    on: "EvaluationData",
    opened: "Opened | None" = None,
) -> tuple[list["Findings"], int]:
    """Write a report on checkpoints; return what it shows of each, and its size in bytes.

    Args:
        weights: the checkpoints, one or more.
        output: the page to write.
        option: what named it on the command line.
        on: which examples to evaluate on.
        opened: these, if they are open already.

    Raises:
        ConfigError: if the page is one of the files that are read.
        MlpError: if one of these cannot be read, or the page cannot be written.
    """
    from mlpcli import atomic
    from mlpcli.checkpoint import store
    from mlpcli.data.load import data_paths
    from mlpcli.evaluation.compare import check_same_task
    from mlpcli.evaluation.evaluate import open_evaluated, subject
    from mlpcli.report.findings import find
    from mlpcli.report.page import page

    loaded = [store.load_with_meta(path) for path in weights]
    tasks = [model.encoding.task for model, _ in loaded]
    check_same_task(list(zip(weights, tasks, strict=True)))
    read = (path for model, _ in loaded for path in data_paths(model.experiment, on.data_dir))
    check_outputs({option: output}, [*weights, on.file, *read])
    check_page(output, option)
    runs = []
    for path, (model, meta) in zip(weights, loaded, strict=True):
        examples = opened or open_evaluated(model, on)
        about = subject(path, model, on)
        runs.append(find(_short_name(path, weights), model, meta, examples, about))
    content = page(runs).encode()
    atomic.write(output, content, option)
    return runs, len(content)


def check_page(output: Path, option: str) -> None:
    """Refuse a report whose name promises something else than HTML, or that cannot be written.

    Raises:
        ConfigError: if the suffix is another than `.html` or `.htm`.
        MlpError: if the file cannot be written.
    """
    from mlpcli import atomic

    if output.suffix.lower() not in ("", ".html", ".htm"):
        problem = f"a report is HTML, and is not called {output.suffix}"
        remedy = "write a name in .html, which a browser can print as PDF"
        raise ConfigError(output, problem, remedy)
    atomic.check_writable(output, 0, option)


def _mapping(run: "Findings") -> dict[str, Any]:
    """Return what was found of a run as JSON values: the report, its intervals, what matters."""
    return {
        **run.report,
        "intervals": run.intervals,
        "importance": [
            {"name": each.name, **{k: _finite(getattr(each, k)) for k in ("drop", "low", "high")}}
            for each in run.importance
        ],
    }


def _short_name(path: Path, among: Sequence[Path]) -> str:
    """Return what a checkpoint is called beside others: its stem, if no other has that."""
    return path.stem if [each.stem for each in among].count(path.stem) == 1 else str(path)


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
