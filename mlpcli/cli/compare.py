"""`mlp compare`."""

import os
from collections.abc import Sequence
from glob import glob
from math import floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpcli.cli import console, options, text_tables
from mlpcli.cli.threads import limit
from mlpcli.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from mlpcli.evaluation.compare import SavedRun, Setting
    from mlpcli.evaluation.intervals import Interval

# What a row says of a setting, and of its difference to the best.
FIGURES = ("seeds", "mean", "low", "high", "best")
GAPS = ("seeds", "mean", "low", "high", "within_noise")


@click.command(epilog="Example: mlp compare small-*.npy large-*.npy")
@click.argument("weights", type=options.PATH, nargs=-1, required=True, metavar="RUN.npy...")
@options.data_dir
@click.option(
    "--split",
    type=click.Choice(["validation", "test", "train"]),
    help="Examples to compare on.  [default: validation where all runs have the same, else test]",
)
@click.option(
    "--metric",
    metavar="NAME",
    help="What to compare, as mlp evaluate names it.  [default: accuracy, of quantities rmse]",
)
@options.as_json
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a row per setting.")
def compare(
    weights: tuple[Path, ...],
    data_dir: Path,
    split: str | None,
    metric: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Compare finished runs: the mean of each setting over its seeds, the best first.

    RUN.npy is a checkpoint, a folder of them or a pattern such as 'small-*.npy'. Runs that differ
    in nothing but the seed are of one setting. Each has the 95 % interval of its mean and, over the
    seeds that both have, of its difference to the best. Validation figures are those that the
    checkpoints keep, and need no data; for --split test and train the models are evaluated.
    """
    if as_json and as_csv:
        raise ConfigError("mlp compare", "--json and --csv exclude one another", "choose one")
    limit()
    from mlpcli.config.schema import VALIDATION_METRICS
    from mlpcli.evaluation import compare as comparison
    from mlpcli.evaluation.gates import parse_metric

    runs, left_out = _finished(weights, evaluated=split in ("test", "train"))
    if not runs:
        problem = ": ".join(["there is no finished run", *left_out[:1]])
        raise ConfigError("mlp compare", problem, "mlp train --resume finishes one")
    for line in left_out:
        console.note(f"left out: {line}")
    first = runs[0].meta.encoding.task
    split = split or comparison.common_split(runs)
    chosen = parse_metric(metric or VALIDATION_METRICS[first], "--metric")
    comparison.check_comparable(runs, split, chosen.name)
    for line in comparison.changed_data(runs):
        console.note(line)
    outcomes = [comparison.outcome(run, split, chosen, data_dir) for run in runs]
    for line in comparison.repeated(outcomes):
        console.note(line)
    settings = comparison.settings(outcomes, chosen)
    examples = comparison.examples_of(runs[0].experiment, split)
    rows = [_row(setting, settings[0]) for setting in settings]
    if as_json:
        about = {"examples": examples, "split": split, "metric": str(chosen)}
        console.result_json({**about, "settings": rows})
    elif as_csv:
        console.result(_csv(rows))
    else:
        console.result(f"{chosen} on {split} ({examples}): mean over seeds ± 95 % interval")
        _show(settings, str(chosen))
        if not any(setting.interval for setting in settings):
            console.result("one seed says nothing of noise: train with others, as --set seed=1")


def _finished(given: Sequence[Path], evaluated: bool) -> tuple[list["SavedRun"], list[str]]:
    """Return the finished runs that files, folders and patterns name; and why others are none.

    Args:
        given: files, folders and patterns.
        evaluated: whether their models will be needed.
    """
    from mlpcli.checkpoint import store
    from mlpcli.evaluation.compare import SavedRun

    runs, left_out = [], []
    once: dict[str, tuple[Path, bool]] = {}
    for found in (file for path in given for file in _files(path)):
        # Not Path.resolve, which fails where links lead in a circle.
        once.setdefault(os.path.realpath(found[0]), found)
    for path, in_folder in once.values():
        try:
            model, meta = store.load_with_meta(path)
        except CheckpointError as error:
            # A folder may have arrays of another kind.
            if not in_folder:
                raise
            left_out.append(f"{path} {error.problem}")
            continue
        if meta.complete:
            runs.append(SavedRun(path, meta, model if evaluated else None))
        else:
            done = f"{meta.epoch} of {meta.experiment.epochs} epochs"
            left_out.append(f"{path} is not finished, but stopped after {done}")
    return runs, left_out


def _files(path: Path) -> list[tuple[Path, bool]]:
    """Return the files that a path, folder or pattern stands for, and if they are of a folder."""
    if path.is_dir():
        return [(file, True) for file in sorted(path.glob("*.npy"))]
    # A shell may have passed the pattern on.
    names = [] if path.exists() else sorted(glob(str(path), recursive=True))  # noqa: PTH207
    return [(Path(name), False) for name in names] or [(path, False)]


def _row(setting: "Setting", best: "Setting") -> dict[str, Any]:
    """Return a setting as JSON values; `difference` is its mean less the best's, None of itself."""
    runs = [
        {
            "weights": str(run.path),
            "seed": run.experiment.seed,
            "epochs": run.meta.epoch,
            "best_epoch": run.meta.best_epoch,
            "value": value,
        }
        for run, value in setting.outcomes.values()
    ]
    gap = setting.minus(best)
    difference = {"seeds": gap.seeds, "mean": gap.mean, **_ends(gap.interval)}
    return {
        "setting": setting.name,
        "keys": setting.keys,
        "runs": runs,
        "seeds": len(runs),
        "mean": setting.mean,
        **_ends(setting.interval),
        "best": setting is best,
        "difference": None if setting is best else difference | {"within_noise": gap.within_noise},
    }


def _ends(interval: "Interval | None") -> dict[str, float | None]:
    return {"low": None, "high": None} if interval is None else interval._asdict()


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return the settings without their runs; keys and differences are columns."""
    columns = ("setting", *rows[0]["keys"], *FIGURES, *(f"difference_{name}" for name in GAPS))
    found = []
    for row in rows:
        gap = row["difference"] or {}
        cells = [row["setting"], *row["keys"].values(), *map(row.get, FIGURES), *map(gap.get, GAPS)]
        found.append(dict(zip(columns, cells, strict=True)))
    return text_tables.csv_text(columns, found)


def _show(settings: Sequence["Setting"], metric: str) -> None:
    """Print a table of settings, what sets them apart in it or, where that is wide, below."""
    from mlpcli.config.differences import shown

    best, width = settings[0], text_tables.WIDTH
    names = [text_tables.truncate(setting.name, 24) for setting in settings]
    keys = [[shown(value) for value in setting.keys.values()] for setting in settings]
    figures = [[f"{len(s.outcomes)}", _mean(s), _against(s, best)] for s in settings]
    called = ["seeds", metric, "against the best"]
    if len(settings) == 1:
        figures, called = [figures[0][:2]], called[:2]

    def lines(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
        heads = ["setting", *heads, *called]
        rows = [[a, *b, *c] for a, b, c in zip(names, cells, figures, strict=True)]
        return text_tables.table(heads, rows, left=len(heads))

    whole = lines([*best.keys], keys)
    if max(map(text_tables.display_width, whole)) <= width:
        console.result("\n".join(whole))
        return
    console.result("\n".join(lines([], [[] for _ in settings])))
    apart = (
        ", ".join(f"{key} {value}" for key, value in zip(best.keys, row, strict=True))
        for row in keys
    )
    facts = dict(zip(names, apart, strict=True))
    console.section("what sets them apart", *text_tables.definitions(facts))


def _mean(setting: "Setting") -> str:
    shown = _plus_or_minus(setting.mean, setting.interval)
    return shown if setting.interval else f"{shown} (one seed)"


def _against(setting: "Setting", best: "Setting") -> str:
    """Return how far a setting is from the best, and whether that may be noise."""
    if setting is best:
        return "best"
    gap = setting.minus(best)
    if gap.mean is None or gap.interval is None:
        return f"{'one seed' if gap.seeds else 'no seed'} in common"
    said = "within noise" if gap.within_noise else "worse"
    return f"{_plus_or_minus(gap.mean, gap.interval)}, {said}"


def _plus_or_minus(middle: float, interval: "Interval | None") -> str:
    """Return both with as many decimals as give the larger one four digits."""
    margin = interval.high - middle if interval else 0.0
    largest = max(abs(middle), margin)
    form = ".4f"
    if largest:
        form = f".{max(0, 3 - floor(log10(largest)))}f" if 1e-4 < largest < 1e6 else ".4g"
    return f"{middle:{form}} ± {margin:{form}}" if interval else f"{middle:{form}}"
