"""The sections of a report that are drawn: learning curves, calibration, quantities."""

import numpy as np

from mlpcli.evaluation.curves import Curve, history_curves
from mlpcli.report.findings import Findings
from mlpcli.report.html import Html, figure, join, number, table, tag
from mlpcli.report.sections import section
from mlpcli.report.svg import Diagram, axis_of, legend

# Points of a scatter diagram.
MOST_POINTS = 1000
# Rows of a table that nobody reads to its end.
MOST_ROWS = 50


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
