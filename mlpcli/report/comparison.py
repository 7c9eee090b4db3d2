"""A report on several models: side by side, their curves overlaid, and what sets them apart."""

from collections.abc import Iterator, Sequence

import numpy as np

from mlpcli.config.differences import differing_keys, shown
from mlpcli.evaluation.importance import METRIC
from mlpcli.evaluation.intervals import difference
from mlpcli.report import words
from mlpcli.report.diagrams import learning_curves
from mlpcli.report.findings import Findings
from mlpcli.report.html import Html, table, tag
from mlpcli.report.sections import section, with_interval
from mlpcli.rng import KeyedStreams

SHOWN = {
    "classification": ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "log_loss"),
    "regression": ("rmse", "mae", "r2"),
    "multilabel": ("accuracy", "macro_f1", "micro_f1"),
}


def compare(runs: Sequence[Findings]) -> list[Html | None]:
    """Return the sections of a comparison of two runs or more, of one task."""
    return [
        tag(
            "header",
            tag("h1", f"{len(runs)} networks compared"),
            tag("div", *(tag("p", text) for text in _verdict(runs)), class_="summary"),
        ),
        _table(runs),
        learning_curves(list(runs)),
        _settings(runs),
        _each(runs),
    ]


def _verdict(runs: Sequence[Findings]) -> Iterator[str]:
    metric = METRIC[runs[0].task]
    called = words.METRICS[metric][0]
    ranked = sorted(
        (run for run in runs if run.report[metric] is not None), key=lambda run: -run.report[metric]
    )
    if not ranked:
        return
    best, *others = ranked
    yield f"{best.name} has the best {called}: {best.report[metric]:.4f}."
    if not all(same_examples(best, run) for run in others):
        yield "They were evaluated on different examples: differences may be due to these."
        return
    for run in others:
        rng = KeyedStreams(best.meta.experiment.seed).generator("difference")
        low, high = difference(best.statistic, run.statistic, metric, len(best.outputs), rng)
        sure = "" if low > 0 else ", which may be chance"
        gap = best.report[metric] - run.report[metric]
        yield (
            f"Against {run.name} it is {gap:.4f} ahead on the same examples "
            f"({low:.4f} to {high:.4f}){sure}."
        )


def same_examples(one: Findings, other: Findings) -> bool:
    """Return whether two models were evaluated on the same examples, in one order."""
    labels = one.opened.examples.labels, other.opened.examples.labels
    return one.report["data"] == other.report["data"] and np.array_equal(*labels)


def _table(runs: Sequence[Findings]) -> Html:
    metrics = SHOWN[runs[0].task]
    evaluated_on = [_evaluated_on(run) for run in runs]
    alike = len(set(evaluated_on)) == 1
    heads: list[object] = [
        "",
        *(words.METRICS[name][0] for name in metrics),
        "parameters",
        "epochs",
        *([] if alike else ["evaluated on"]),
    ]
    rows: list[list[object]] = [
        [
            run.name,
            *(with_interval(run, name, run.report[name]) for name in metrics),
            f"{len(run.model.network.theta):,}",
            f"{len(run.meta.history):,}",
            *([] if alike else [examples]),
        ]
        for run, examples in zip(runs, evaluated_on, strict=True)
    ]
    of = f" Of {evaluated_on[0]}." if alike else ""
    note = tag("p", f"Small: the 95 % interval.{of}", class_="note")
    return section("Side by side", table(heads, rows, class_="cells"), note, name="metrics")


def _evaluated_on(run: Findings) -> str:
    found = run.report
    return f"{found['examples']:,.10g} examples of {found['data']}, {found['split']}"


def _settings(runs: Sequence[Findings]) -> Html:
    """Return the keys of the configurations that are not the same in all."""
    apart = differing_keys([run.meta.experiment for run in runs])
    rows: list[list[object]] = [[key, *map(shown, values)] for key, values in apart.items()]
    rows += [
        [fact, *(tag("code", value) for value in values)]
        for fact, values in (
            ("training data", [run.meta.fingerprint[:16] for run in runs]),
            *(
                (name, [str(run.meta.versions.get(name, "–")) for run in runs])
                for name in dict.fromkeys(name for run in runs for name in run.meta.versions)
            ),
        )
        if len(set(values)) > 1
    ]
    heading = "What sets them apart"
    if not rows:
        return section(heading, tag("p", "Configurations, data and versions are the same."))
    heads: list[object] = ["", *(run.name for run in runs)]
    return section(heading, table(heads, rows, class_="cells"), name="settings")


def _each(runs: Sequence[Findings]) -> Html:
    parts = (
        tag(
            "details",
            tag("summary", run.name),
            tag("div", *(tag("p", text) for text in words.summary(run)), class_="summary"),
        )
        for run in runs
    )
    note = tag(
        "p", "mlp report W.npy makes a page of one network, with the network in it.", class_="note"
    )
    return section("Each by itself", *parts, note, name="each")
