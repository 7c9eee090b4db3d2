"""`mlp tune`."""

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpcli.cli import console, options, text_tables
from mlpcli.cli.other_tasks import format_summary
from mlpcli.cli.outputs import check_outputs
from mlpcli.cli.threads import choose
from mlpcli.errors import ConfigError, Interrupted, MlpError
from mlpcli.signals import defer_signals

if TYPE_CHECKING:
    from mlpcli.config.schema import Experiment
    from mlpcli.config.space import Dimension, Template
    from mlpcli.training.objective import Objective
    from mlpcli.training.search import Result, Search

# What --folds is where the configuration sets no examples aside.
FOLDS = 5
# Lines of the table at the end.
SHOWN = 10
WRITTEN = "# Written by mlp tune"


@click.command(epilog="Example: mlp tune iris.yaml --space eta=log:0.001..1 --trials 50")
@click.argument("config", type=options.PATH)
@click.option(
    "-o",
    "--output",
    type=options.PATH,
    help="Configuration to write, instead of ./CONFIG-best.yaml.",
)
@options.data_dir
@options.overrides
@click.option(
    "--space",
    multiple=True,
    metavar="KEY=VALUES",
    help="What KEY may be: LOW..HIGH, log:LOW..HIGH or choices, CHOICE,CHOICE... Repeatable.  "
    "[default: CONFIG's tune, else ranges around CONFIG]",
)
@click.option(
    "--trials", type=click.IntRange(1), default=40, show_default=True, help="Trials in all."
)
@click.option(
    "--metric",
    type=click.Choice(["error", "accuracy", "rmse"]),
    default="error",
    show_default=True,
    help="What of the validation is to be best.",
)
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Seeds of each trial."
)
@click.option(
    "--folds",
    type=click.IntRange(2),
    help="Cross-validate, in so many parts.  [default: CONFIG's validation, else 5]",
)
@click.option(
    "--sampler",
    type=click.Choice(["tpe", "random"]),
    default="tpe",
    show_default=True,
    help="How Optuna chooses.",
)
@click.option(
    "--storage",
    type=options.PATH,
    metavar="FILE",
    help="Journal of the study, which goes on where it stood.  [default: CONFIG.journal beside it]",
)
@click.option(
    "--threads", type=click.IntRange(1), help="Threads for matrix products, as for mlp train."
)
@options.engine
@options.as_json
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def tune(
    config: Path,
    output: Path | None,
    data_dir: Path,
    overrides: tuple[str, ...],
    space: tuple[str, ...],
    trials: int,
    metric: str,
    seeds: int,
    folds: int | None,
    sampler: str,
    storage: Path | None,
    threads: int | None,
    engine: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Search for values of keys that make CONFIG better on validation examples, with Optuna.

    Every trial is kept at once: the same command goes on after Ctrl-C or worse, and several at a
    time share the work. At the end it writes the best configuration and its checkpoint, which is
    tested once. Needs optuna: pip install 'mlpcli[tune]'.
    """
    from mlpcli.config.load import parse_experiment, read_content
    from mlpcli.config.space import Template, check_space, parse_space

    content = read_content(config)
    experiment = parse_experiment(content, config, overrides)
    choose(experiment, threads).use()
    from mlpcli.data.load import data_paths
    from mlpcli.training.objective import Objective
    from mlpcli.training.search import check_installed, open_search

    check_installed()
    template = Template(content, config, overrides)
    dimensions = parse_space(content, config, space)
    check_space(template, dimensions)
    output = output or Path(f"{config.stem}-best.yaml")
    weights, storage = output.with_suffix(".npy"), storage or config.with_suffix(".journal")
    check_outputs(
        {"-o": output, "the checkpoint of -o": weights, "--storage": storage},
        [config, *data_paths(experiment, data_dir)],
    )
    _check_ours(output, weights)
    _check_folds(experiment, folds)
    folds = folds or (None if experiment.validation else FOLDS)
    objective = Objective(metric, seeds, folds, data_dir, engine)
    dimensions, given, setup = _prepare(template, dimensions, objective)
    with open_search(storage, setup, dimensions, objective) as search:
        _search(search, template, given, trials, sampler, storage, quiet)
        best = search.best()
        if best is None:
            reasons = [result.reason for result in search.results() if result.reason]
            raise MlpError(storage, f"no trial succeeded: {reasons[0]}", "give other ranges")
        _write(output, template, best, metric)
        test = _train(output, weights, data_dir, engine)
        if as_json:
            results = [result.to_mapping(dimensions) for result in search.results()]
            console.result_json(
                {
                    "study": str(storage),
                    "metric": metric,
                    "trials": results,
                    "importance": search.importance(),
                    "best": best.to_mapping(dimensions),
                    "config": str(output),
                    "weights": str(weights),
                    "test": test,
                }
            )
        else:
            _show(search, output, weights, test)


def _check_ours(output: Path, weights: Path) -> None:
    """Refuse to replace files that no search wrote."""
    if output.is_file():
        with output.open(encoding="utf-8", errors="replace") as stream:
            if stream.read(len(WRITTEN)) == WRITTEN:
                return
    for path in (output, weights):
        if path.exists():
            raise ConfigError(path, "exists, not written by mlp tune", "choose another -o")


def _check_folds(experiment: "Experiment", folds: int | None) -> None:
    """Refuse folds that would tear apart what a split of the data keeps together."""
    files = experiment.data.files
    column = files and ("group" if files.group else "time" if files.time else "")
    if column and (folds or not experiment.validation):
        problem = f"divides examples that data.{column} keeps together"
        raise ConfigError("--folds", problem, "leave it out, and write validation: 0.2")


def _prepare(
    template: "Template", dimensions: "list[Dimension]", objective: "Objective"
) -> "tuple[list[Dimension], dict[str, Any], dict[str, Any]]":
    """Return what to choose from, what the first trial has, and what all have in common."""
    from mlpcli.config.space import default_space, given_point
    from mlpcli.data.load import fit_structure

    experiment = template.experiment({})
    dataset = next(objective.datasets(experiment))
    fitted = fit_structure(experiment, dataset.encoding)
    metrics = ("error", "rmse") if fitted.learns == "regression" else ("error", "accuracy")
    if objective.metric not in metrics:
        problem = f"{objective.metric} is no metric of a {fitted.learns}"
        raise ConfigError("--metric", problem, f"the metrics are {' and '.join(metrics)}")
    n = len(dataset.train.labels)
    dimensions = dimensions or default_space(template, fitted, n)
    setup = {
        "configuration": json.loads(json.dumps(experiment.to_mapping())),
        "space": {dimension.key: dimension.text for dimension in dimensions},
        "metric": objective.metric,
        "number of seeds": objective.seeds,
        "number of folds": objective.folds,
        "data": dataset.fingerprint(),
    }
    return dimensions, given_point(fitted, dimensions), setup


def _search(
    search: "Search",
    template: "Template",
    given: dict[str, Any],
    trials: int,
    sampler: str,
    storage: Path,
    quiet: bool,
) -> None:
    """Run the trials; a signal ends them, and what is not finished is begun again next time."""
    done = [result for result in search.results() if result.state != "running"]
    if done and not quiet:
        console.note(f"{storage}: goes on after {len(done)} trials")
    with defer_signals() as received:

        def check() -> None:
            if received:
                raise Interrupted(received[0])

        try:
            with console.trials(trials, len(done), quiet) as show:
                for result in search.trials(template, given, trials, sampler, check):
                    best = search.best()
                    show(_line(result, search.space), f"best {best.value:.5g}" if best else "")
                    check()
        except Interrupted:
            ended = sum(result.state != "running" for result in search.results())
            console.note(f"{storage}: {ended} trials are kept; the same command goes on from there")
            raise


def _line(result: "Result", space: "Sequence[Dimension]") -> str:
    cells = [f"{key} {_cell(value)}" for key, value in result.to_mapping(space)["chosen"].items()]
    came_to = result.reason or (result.state if result.value is None else f"{result.value:.5g}")
    return f"trial {result.number} {came_to}: {', '.join(cells)}"


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _write(output: Path, template: "Template", best: "Result", metric: str) -> None:
    from mlpcli import atomic

    head = f"{WRITTEN}: {metric} {best.value:.5g} on validation examples in trial {best.number}.\n"
    text = head + template.yaml(best.chosen, output.parent)
    atomic.write(output, text.encode())


def _train(config: Path, weights: Path, data_dir: Path, engine: str) -> "dict[str, Any] | None":
    """Train the best configuration as mlp train does; return what the test comes to, if any."""
    from mlpcli import atomic
    from mlpcli.checkpoint import store
    from mlpcli.checkpoint.limits import check_size
    from mlpcli.config.load import load_experiment
    from mlpcli.data.load import fit_structure, load_data
    from mlpcli.model import new_model
    from mlpcli.training import loop
    from mlpcli.training.engine import choose_engine
    from mlpcli.training.run import start_run

    experiment = load_experiment(config)
    wait: Callable[[], object] = lambda: console.note(f"{weights}: waits for another run")  # noqa: E731
    with atomic.locked(weights, waiting=wait):
        dataset = load_data(experiment, data_dir)
        experiment = fit_structure(experiment, dataset.encoding)
        check_size(experiment)
        model = new_model(experiment, dataset)
        run = start_run(experiment, model.network)
        run.engine = choose_engine(engine, experiment, console.note)
        for _ in loop.train(experiment, run, dataset):
            pass
        store.save(weights, model, run)
    return model.evaluate(dataset.test).summary() if dataset.test else None


def _show(search: "Search", output: Path, weights: Path, test: "dict[str, Any] | None") -> None:
    """Show the best trials, those that failed, which keys mattered, and the test."""
    ranked, keys = search.ranked(), [dimension.key for dimension in search.space]
    rows = []
    for result in ranked[:SHOWN]:
        chosen = result.to_mapping(search.space)["chosen"]
        cells = [text_tables.truncate(_cell(chosen[key]), 16) for key in keys]
        rows.append([str(result.number), f"{result.value:.5g}", *cells])
    for line in text_tables.table(["trial", search.objective.metric, *keys], rows, left=0):
        console.result(line)
    results = search.results()
    pruned = sum(result.state == "pruned" for result in results)
    failed = [result for result in results if result.state == "failed"]
    console.result(f"{len(results)} trials, {pruned} pruned, {len(failed)} failed")
    for result in failed:
        console.result(_line(result, search.space))
    if importance := search.importance():
        shares = [f"{key} {share:.0%}" for key, share in importance.items()]
        console.result(f"mattered most: {', '.join(shares)}")
    console.result(f"best {output}; again: mlp train {shlex.quote(str(output))} --overwrite")
    console.result(f"weights {weights}")
    console.result("no test split" if test is None else f"test {_summary(test)}")


def _summary(test: "dict[str, Any]") -> str:
    return format_summary("regression" if "rmse" in test else "classification", test)
