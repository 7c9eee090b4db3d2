"""The sections of a report on one model."""

from itertools import pairwise
from typing import Any

import numpy as np

from mlpcli.config.yaml_core import to_yaml
from mlpcli.data.encoding import TARGETS_CALLED
from mlpcli.evaluation.curves import Curve, history_curves
from mlpcli.evaluation.intervals import Interval
from mlpcli.report import words
from mlpcli.report.findings import Findings
from mlpcli.report.html import Html, figure, join, number, table, tag
from mlpcli.report.svg import Diagram, axis_of, legend

# A matrix of more classes is too wide for a page: its largest entries are listed.
MOST_CLASSES = 40
LARGEST = 20
CALLED = {"precision": "precision", "recall": "recall", "f1": "F1", "roc_auc": "ROC AUC"}
# Points of a scatter diagram.
MOST_POINTS = 1000
# Rows of a table that nobody reads to its end.
MOST_ROWS = 50


def section(heading: str, *content: object, name: str = "") -> Html:
    """Return a section under a heading."""
    return tag("section", tag("h2", heading), *content, id=name or None)


def interval_text(interval: Interval | None, form: str = ".4f") -> Html:
    """Return an interval to read."""
    if interval is None:
        return Html("–")
    return join(number(interval.low, form), " to ", number(interval.high, form))


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
    return section(
        "How good it is",
        table(["metric", "value", "95 % interval", "what it is"], rows, class_="metrics"),
        _interval_note(found),
        name="metrics",
    )


def _interval_note(found: Findings) -> Html:
    weighted = "Examples count by their weights. " if "weighted" in found.report else ""
    return tag(
        "p",
        weighted,
        f"Of {found.report['examples']:,.10g} examples of {found.report['data']}, "
        f"{found.report['split']}. Intervals by the bootstrap: where the metric would lie for "
        "95 of 100 samples of as many examples.",
        class_="note",
    )


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
    return section(
        "How good it is",
        table(heads, rows, class_="metrics"),
        _interval_note(found),
        name="metrics",
    )


def learning_curves(runs: list[Findings]) -> Html:
    """Return the history of one run or several: an error, and the rest beside it."""
    curves = {run.name: history_curves(run.meta.history) for run in runs}
    if not any(curves.values()):
        return section("Learning curves", tag("p", "There is no history yet."), name="curves")
    best = runs[0].meta.best_epoch if len(runs) == 1 else None
    drawn = [
        _curves("error per epoch", "error", curves, ("error", "validation_error"), best, log=True),
        _curves("accuracy", "accuracy", curves, ("validation_accuracy",), best),
        _curves("RMSE", "RMSE", curves, ("validation_rmse",), best, log=True),
        _curves("learning rate", "eta", curves, ("eta",)),
    ]
    chosen = [
        f"epoch {run.meta.best_epoch}" + (f" ({run.name})" if len(runs) > 1 else "")
        for run in runs
        if run.meta.best_epoch >= 0
    ]
    marked = "" if best is None else ", where the upright line is"
    note = tag("p", "The weights are of ", "; ".join(chosen), f"{marked}.", class_="note")
    history = _history(runs[0]) if len(runs) == 1 else None
    return section(
        "Learning curves", tag("div", *drawn, class_="figures"), note, history, name="curves"
    )


def _curves(
    caption: str,
    label: str,
    curves: dict[str, list[Curve]],
    names: tuple[str, ...],
    best: int | None = None,
    log: bool = False,
) -> Html | None:
    several = len(curves) > 1
    series: dict[str, Curve] = {
        (f"{run} {curve.name}" if several else curve.name).replace("_", " "): curve
        for run, of_run in curves.items()
        for curve in of_run
        if curve.name in names
    }
    if not series or (names == ("eta",) and all(len(set(c.values)) == 1 for c in series.values())):
        return None
    x = axis_of("epoch", [epoch for curve in series.values() for epoch in curve.epochs])
    y = axis_of(label, [value for curve in series.values() for value in curve.values], log)
    diagram = Diagram(x, y)
    marks = [] if best is None else [diagram.reference(best, y.low, best, y.high)]
    marks += (
        diagram.line(curve.epochs, curve.values, kind, f"{name}, last {curve.values[-1]:.5g}")
        for kind, (name, curve) in enumerate(series.items())
    )
    scale = ", logarithmic" if y.log else ""
    return figure(
        diagram.draw(f"{caption}: {', '.join(series)}", *marks),
        join(caption, scale, legend([*series])),
    )


def _history(run: Findings) -> Html:
    rows = run.meta.history
    step = -(-len(rows) // MOST_ROWS)
    shown = [*rows[:-1:step], rows[-1]]
    heads: list[object] = [name.replace("_", " ") for name in rows[0]]
    cells: list[list[object]] = [
        [row["epoch"], *(number(v, ".5g") for k, v in row.items() if k != "epoch")] for row in shown
    ]
    note = f"epochs as a table ({len(shown)} of {len(rows)})"
    return tag("details", tag("summary", note), table(heads, cells))


def per_class(found: Findings) -> Html | None:
    """Return a table of the metrics of each class or label."""
    if found.task == "regression":
        return None
    called = "label" if found.task == "multilabel" else "class"
    rows: dict[str, dict[str, Any]] = found.report[TARGETS_CALLED[found.task]]
    names = [name for name in CALLED if name in next(iter(rows.values()))]

    def cell(metric: str, name: str, row: dict[str, Any]) -> Html:
        interval = found.intervals.get(f"{metric}[{name}]")
        shown = tag("small", interval_text(interval, ".3f")) if interval else None
        return join(number(row[metric]), shown)

    cells: list[list[object]] = [
        [name, *(cell(metric, name, row) for metric in names), f"{row['support']:,.10g}"]
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


def calibration(found: Findings) -> Html | None:
    """Return the reliability diagram."""
    if not found.reliability:
        return None
    diagram = Diagram(
        axis_of("mean probability", [0, 1], room=0.02),
        axis_of("share that is so", [0, 1], room=0.02),
    )
    parts = found.reliability
    most = max(part.examples for part in parts)
    dots = (
        diagram.dot(
            part.confidence,
            part.right,
            0,
            f"{part.examples:,.10g} predictions with a probability of {part.confidence:.3f} in the "
            f"mean: {part.right:.3f} are so",
            r=2.5 + 6 * (part.examples / most) ** 0.5,
        )
        for part in parts
    )
    line = diagram.line([p.confidence for p in parts], [p.right for p in parts], 0, "this model")
    ideal = diagram.reference(0, 0, 1, 1)
    drawn = diagram.draw("How often predictions of each probability are right", ideal, line, *dots)
    caption = (
        "A point is the predictions of about one probability, its size how many. On the straight "
        "line they are as often right as they say; below it the model is too sure of itself."
    )
    return section(
        "Can its probabilities be believed?",
        figure(drawn, caption, class_="alone"),
        name="calibration",
    )


def quantities(found: Findings) -> Html | None:
    """Return predicted against true quantities, and the residuals."""
    if found.task != "regression":
        return None
    truth = found.model.quantities(found.opened.examples.labels)
    predicted = found.model.quantities(found.outputs)
    rows = np.unique(np.linspace(0, len(truth) - 1, MOST_POINTS).astype(int))
    figures = []
    for j, name in enumerate(found.model.encoding.class_names):
        y, p = truth[rows, j].tolist(), predicted[rows, j].tolist()
        figures += [_against(name, y, p), _residuals(name, y, p)]
    part = (
        "" if len(rows) == len(truth) else f" Shown are {len(rows):,} of {len(truth):,} examples."
    )
    return section(
        "Predicted and true",
        tag("div", *figures, class_="figures"),
        tag(
            "p",
            "On the line a prediction is right. Residuals that spread evenly around 0 are "
            "what is hoped for; a bend or a funnel says where the model is wrong." + part,
            class_="note",
        ),
        name="quantities",
    )


def _against(name: str, truth: list[float], predicted: list[float]) -> Html:
    both = axis_of("", truth + predicted)
    diagram = Diagram(both._replace(label=f"true {name}"), both._replace(label=f"predicted {name}"))
    dots = (
        diagram.dot(y, p, 0, f"true {y:.5g}, predicted {p:.5g}", 2.5)
        for y, p in zip(truth, predicted, strict=True)
    )
    line = diagram.reference(both.low, both.low, both.high, both.high)
    return figure(
        diagram.draw(f"Predicted {name} against true", line, *dots),
        f"{name}: predicted against true",
    )


def _residuals(name: str, truth: list[float], predicted: list[float]) -> Html:
    left = [p - y for y, p in zip(truth, predicted, strict=True)]
    x = axis_of(f"predicted {name}", predicted)
    diagram = Diagram(x, axis_of("predicted less true", [*left, 0]))
    dots = (
        diagram.dot(p, r, 1, f"predicted {p:.5g}, {r:+.5g} too much", 2.5)
        for p, r in zip(predicted, left, strict=True)
    )
    line = diagram.reference(x.low, 0, x.high, 0)
    return figure(diagram.draw(f"Residuals of {name}", line, *dots), f"{name}: residuals")


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
