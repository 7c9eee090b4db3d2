"""The sections of a report on one model."""

from itertools import pairwise
from typing import Any

import numpy as np

from mlpcli.config.yaml_core import to_yaml
from mlpcli.data.encoding import TARGETS_CALLED
from mlpcli.evaluation.intervals import Interval
from mlpcli.report import words
from mlpcli.report.findings import Findings
from mlpcli.report.html import Html, join, number, table, tag

# A matrix of more classes is too wide for a page: its largest entries are listed.
MOST_CLASSES = 40
LARGEST = 20
CALLED = {"precision": "precision", "recall": "recall", "f1": "F1", "roc_auc": "ROC AUC"}


def section(heading: str, *content: object, name: str = "") -> Html:
    """Return a section under a heading."""
    return tag("section", tag("h2", heading), *content, id=name or None)


def interval_text(interval: Interval | None, form: str = ".4f") -> Html:
    """Return an interval to read."""
    if interval is None:
        return Html("–")
    return join(number(interval.low, form), " to ", number(interval.high, form))


def with_interval(found: Findings, name: str, value: float | None, form: str = ".4f") -> Html:
    """Return a metric, named as gates name it, with its interval after it, small."""
    interval = found.intervals.get(name)
    return join(number(value), tag("small", interval_text(interval, form)) if interval else None)


def overview(found: Findings) -> Html:
    """Return the summary in words."""
    return tag("div", *(tag("p", sentence) for sentence in words.summary(found)), class_="summary")


def metrics(found: Findings) -> Html:
    """Return the metrics of all examples with their intervals, and what they mean."""
    said = found.report
    if found.task == "regression":
        return _quantities(found)
    rows: list[list[object]] = [
        [called, number(said[name]), interval_text(found.intervals.get(name)), meaning]
        for name, (called, meaning) in words.METRICS.items()
        if name in said and not (name == "accuracy" and found.task == "multilabel")
    ]
    if found.task == "multilabel":
        interval = interval_text(found.intervals["accuracy"])
        meaning = "share of the examples all of whose labels are right"
        rows.insert(0, ["subset accuracy", number(said["accuracy"]), interval, meaning])
    return _metrics(found, ["metric", "value", "95 % interval", "what it is"], rows)


def _metrics(found: Findings, heads: list[object], rows: list[list[object]]) -> Html:
    weighted = "Examples count by their weights. " if "weighted" in found.report else ""
    note = tag(
        "p",
        weighted,
        f"Of {found.report['examples']:,.10g} examples of {found.report['data']}, "
        f"{found.report['split']}. Intervals by the bootstrap: where the metric would lie for "
        "95 of 100 samples of as many examples.",
        class_="note",
    )
    return section("How good it is", table(heads, rows, class_="metrics"), note, name="metrics")


def _quantities(found: Findings) -> Html:
    names = ("rmse", "mae", "median_absolute_error", "r2")
    rows: list[list[object]] = []
    for target, row in found.report["targets"].items():
        for name in names:
            interval = interval_text(found.intervals.get(f"{name}[{target}]"), ".5g")
            called, meaning = words.METRICS[name]
            always = number(row["baseline"][name], ".5g")
            cells = [number(row[name], ".5g"), interval, always, meaning]
            rows.append([join(target, ": ", called), *cells])
    heads: list[object] = ["metric", "value", "95 % interval", "always the mean", "what it is"]
    return _metrics(found, heads, rows)


def per_class(found: Findings) -> Html | None:
    """Return a table of the metrics of each class or label."""
    if found.task == "regression":
        return None
    called = "label" if found.task == "multilabel" else "class"
    rows: dict[str, dict[str, Any]] = found.report[TARGETS_CALLED[found.task]]
    names = [name for name in CALLED if name in next(iter(rows.values()))]

    cells: list[list[object]] = [
        [
            name,
            *(with_interval(found, f"{each}[{name}]", row[each], ".3f") for each in names),
            f"{row['support']:,.10g}",
        ]
        for name, row in rows.items()
    ]
    heads: list[object] = [called, *(CALLED[name] for name in names), "support"]
    return section(
        f"Each {called}",
        table(heads, cells, class_="numbers"),
        tag(
            "p",
            f"Precision: of what is called so, the share that is. Recall: of what is so, the share "
            f"that is found. Support: examples of the {called}. Small: the 95 % interval.",
            class_="note",
        ),
        name="classes",
    )


def confusion(found: Findings) -> Html | None:
    """Return which classes are taken for which."""
    if found.task != "classification":
        return None
    counts, names = np.array(found.report["confusion"]), found.model.encoding.class_names
    if len(names) > MOST_CLASSES:
        return section("What is taken for what", _largest(counts, names), name="confusion")
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(totals > 0, totals, 1)
    corner = tag("th", "true ↓ predicted →", class_="corner")
    body = []
    for i, name in enumerate(names):
        cells = (
            _cell(counts[i, j].item(), float(shares[i, j]), name, other, i == j)
            for j, other in enumerate(names)
        )
        body.append(tag("tr", tag("th", name, scope="row"), *cells))
    head = tag("tr", corner, *(tag("th", name, scope="col") for name in names))
    matrix = tag("table", tag("thead", head), tag("tbody", *body), class_="confusion")
    return section(
        "What is taken for what",
        tag("div", matrix, class_="wide", tabindex="0"),
        tag(
            "p",
            "A row is a true class, a column a predicted one. Point at a cell to read it.",
            class_="note readout",
            aria_live="polite",
        ),
        name="confusion",
    )


def _cell(count: float, share: float, name: str, other: str, right: bool) -> Html:
    said = f"{count:,.10g} examples of {name} were predicted as {other}, "
    said += f"{words.percent(share)} of {name}"
    return tag(
        "td",
        number(count, ",.10g") if count else "·",
        title=said,
        style=f"--share:{share:.3f}",
        class_="right" if right else "wrong",
    )


def _largest(counts: Any, names: tuple[str, ...]) -> Html:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:LARGEST]
    places = [divmod(int(place), len(names)) for place in order]
    rows: list[list[object]] = [
        [names[i], names[j], f"{wrong[i, j]:,.10g}", words.percent(wrong[i, j] / counts[i].sum())]
        for i, j in places
        if wrong[i, j]
    ]
    if not rows:
        return tag("p", "No class was taken for another.")
    return table(["class", "taken for", "examples", "share of the class"], rows, class_="numbers")


def how_made(found: Findings) -> Html:
    """Return what it takes to make the model again: configuration, data, versions."""
    meta, network = found.meta, found.model.network
    sizes = " → ".join(f"{n:,}" for n in network.structure)
    layers = [f"{n:,} × {m:,}" for m, n in pairwise(network.structure)]
    facts: dict[str, object] = {
        "network": f"{sizes} units; weights {', '.join(layers)}",
        "parameters": f"{len(network.theta):,}",
        "data": found.report["data"],
        "SHA-256 of the training data": tag("code", meta.fingerprint or "not known"),
        "scale": meta.encoding.scale,
        "epochs": f"{len(meta.history):,}, {'complete' if meta.complete else 'incomplete'}",
        **({"started from": tag("code", meta.start)} if meta.start else {}),
        **({"source": meta.source} if meta.source else {}),
        **{name: str(version) for name, version in meta.versions.items()},
    }
    pairs = (part for name, fact in facts.items() for part in (tag("dt", name), tag("dd", fact)))
    return section(
        "How it was made",
        tag("dl", *pairs),
        tag("h3", "Configuration"),
        tag("pre", to_yaml(meta.experiment.to_mapping()).rstrip(), tabindex="0"),
        name="making",
    )
