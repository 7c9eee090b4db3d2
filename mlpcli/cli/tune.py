"""`mlp tune`."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpcli.cli import console, options, progress_bars
from mlpcli.cli.other_tasks import format_summary
from mlpcli.cli.outputs import check_outputs
from mlpcli.cli.threads import Threads, choose
from mlpcli.cli.trials import format_finalist, format_trial, report, show
from mlpcli.errors import Interrupted, MlpError
from mlpcli.signals import defer_signals

if TYPE_CHECKING:
    from mlpcli.data.dataset import Examples
    from mlpcli.model import Model
    from mlpcli.tuning.finalists import Finalist
    from mlpcli.tuning.results import Result
    from mlpcli.tuning.study import Check, SharedStudy


@click.command(epilog="Example: mlp tune iris.yaml --space eta=log:0.001..1 --trials 50 --jobs 2")
@click.argument("config", type=options.PATH)
@click.option(
    "-o",
    "--output",
    type=options.PATH,
    help="Configuration to write, and beside it its checkpoint.  [default: ./CONFIG-best.yaml]",
)
@options.data_dir
@options.overrides
@click.option(
    "--space",
    "ranges",
    multiple=True,
    metavar="KEY=VALUES",
    help="What KEY may be: LOW..HIGH, log:LOW..HIGH or CHOICE,CHOICE... Repeatable.  "
    "[default: CONFIG's tune, else ranges around CONFIG]",
)
@click.option(
    "--trials", type=click.IntRange(1), help="Trials in all.  [default: 40; of a grid, all]"
)
@click.option(
    "--metric",
    type=click.Choice(["error", "accuracy", "rmse"]),
    default="error",
    show_default=True,
    help="What of the validation is to be best.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Train every trial from so many seeds, and take the mean.",
)
@click.option(
    "--folds",
    type=click.IntRange(2),
    help="Cross-validate in so many parts.  [default: 5 where CONFIG's validation is small]",
)
@click.option(
    "--sampler",
    type=click.Choice(["tpe", "random", "grid"]),
    default="tpe",
    show_default=True,
    help="Which of Optuna's samplers chooses.",
)
@click.option(
    "--storage",
    metavar="WHERE",
    help="Journal file or postgresql://... of the study.  [default: CONFIG.journal beside it]",
)
@click.option("--study", "name", help="Name of the study in --storage.  [default: CONFIG's]")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Trials at a time, each in a process.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Threads for matrix products of all jobs.  [default: as for mlp train]",
)
@options.engine
@options.as_json
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def tune(
    config: Path,
    output: Path | None,
    data_dir: Path,
    overrides: tuple[str, ...],
    ranges: tuple[str, ...],
    trials: int | None,
    metric: str,
    seeds: int,
    folds: int | None,
    sampler: str,
    storage: str | None,
    name: str | None,
    jobs: int,
    threads: int | None,
    engine: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Search for values of keys that make CONFIG better on validation examples, with Optuna.

    Every trial is kept at once: the same command goes on after Ctrl-C or worse, and several at a
    time share the work. At the end the best configuration is written, trained, and tested once.
    Needs optuna: pip install 'mlpcli[tune]'.
    """
    from mlpcli.config.load import read_content
    from mlpcli.tuning.space import check_space, parse_space
    from mlpcli.tuning.template import read_template

    content = read_content(config)
    template = read_template(content, config, overrides)
    experiment = template.experiment({})
    chosen = choose(experiment, threads)
    Threads(max(1, chosen.number // jobs), chosen.why).use()
    from mlpcli.data.load import data_paths
    from mlpcli.tuning.final import train_config, write_config
    from mlpcli.tuning.finalists import choose_finalist
    from mlpcli.tuning.results import over
    from mlpcli.tuning.search import Wishes, plan_search
    from mlpcli.tuning.study import check_installed, open_study

    check_installed()
    space = parse_space(content, config, ranges)
    check_space(template, space)
    output = output or Path(f"{config.stem}-best.yaml")
    storage = storage or str(config.with_suffix(".journal"))
    weights = output.parent / f"{output.stem}.npy"
    _check_written(output, weights, storage, [config, *data_paths(experiment, data_dir)])
    wishes = Wishes(space, metric, seeds, folds, sampler, trials)
    search = plan_search(template, wishes, data_dir, engine, storage, name or config.stem)
    with open_study(search) as study, defer_signals() as received:

        def check() -> None:
            if received:
                raise Interrupted(received[0])

        try:
            _run_trials(study, jobs, check, quiet)
            finalists = _measure_finalists(study, check, quiet)
            best = choose_finalist(finalists, search.objective).result
            write_config(output, template, best, metric)
            model, dataset = train_config(output, weights, data_dir, engine, check)
        except Interrupted:
            kept = f"{len(over(study.results()))} trials are kept"
            console.note(f"{study.where}: {kept}; the same command goes on from there")
            raise
        _show_result(study, finalists, best, output, weights, model, dataset.test, as_json)


def _check_written(output: Path, weights: Path, storage: str, read: Sequence[Path]) -> None:
    """Refuse to write what cannot be, is read, or was not written by mlp tune."""
    from mlpcli import atomic
    from mlpcli.tuning.final import check_ours
    from mlpcli.tuning.storage import is_url

    atomic.check_writable(output, 0)
    journal = None if is_url(storage) else Path(storage)
    check_outputs({"-o": output, "the checkpoint of -o": weights, "--storage": journal}, read)
    check_ours(output, weights)


def _run_trials(study: "SharedStudy", jobs: int, check: "Check", quiet: bool) -> None:
    """Run the trials that are left, and show each."""
    from mlpcli.tuning.results import over
    from mlpcli.tuning.workers import run_trials

    shown = {result.number for result in over(study.results())}
    if shown and not quiet:
        console.note(f"{study.where}: goes on after {len(shown)} trials")
    with progress_bars.trials(study.search.trials, quiet) as show_trials:
        for results in run_trials(study, jobs, check):
            ended, best = over(results), study.ranked()[:1]
            lines = [format_trial(result) for result in ended if result.number not in shown]
            shown |= {result.number for result in ended}
            show_trials(len(ended), f"best {best[0].value:.5g}" if best else "", lines)


def _measure_finalists(study: "SharedStudy", check: "Check", quiet: bool) -> list["Finalist"]:
    """Measure again the trials that may be used, and show each.

    Raises:
        MlpError: if none succeeded.
    """
    from mlpcli.tuning.finalists import measure_finalists

    finalists = []
    for finalist in measure_finalists(study, check):
        finalists.append(finalist)
        if finalist.values and not quiet:
            console.note(f"measured again: {format_finalist(finalist)}")
    if finalists:
        return finalists
    reason = next((r.reason for r in study.results() if r.reason), "all were pruned")
    raise MlpError(study.where, f"no trial succeeded: {reason}", "give other ranges")


def _show_result(
    study: "SharedStudy",
    finalists: list["Finalist"],
    best: "Result",
    config: Path,
    weights: Path,
    model: "Model",
    test: "Examples | None",
    as_json: bool,
) -> None:
    """Show the trials, what was written, and what the test says of it."""
    summary = model.evaluate(test).summary() if test else None
    if as_json:
        written = {"config": str(config), "weights": str(weights), "test": summary}
        console.result_json(report(study, finalists, best) | written)
        return
    show(study, finalists, best)
    again = shlex.join(["mlp", "train", str(config), "--overwrite"])
    console.result(f"best {config}; again: {again}")
    console.result(f"weights {weights}")
    task = model.encoding.task
    console.result(f"test {format_summary(task, summary)}" if summary else "no test split")
