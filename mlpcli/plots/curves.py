"""Curves and points: histories, probabilities, quantities, and the article's descents."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlpcli.checkpoint.meta import Meta
from mlpcli.evaluation.curves import Curve, Reliability, history_curves, roc_curve
from mlpcli.nn.metrics import Weights
from mlpcli.nn.optimizers import sgd
from mlpcli.plots.canvas import only_integers, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Numbers = NDArray[np.float64]

MOST_RATIO = 30
# More cannot be told apart.
MOST_CURVES = 12
# The article's descents, figures 2 and 3.
START, ETA, STEPS = 10.0, 0.3, 7


def draw_history(figure: "Figure", runs: Mapping[str, Meta], log: bool = False) -> None:
    """Draw the errors per epoch of some runs, accuracies beside them, and mark the best epochs.

    Args:
        figure: an empty one.
        runs: what the checkpoints say, by the names to show.
        log: whether the axis of errors is logarithmic.
    """
    curves = {name: history_curves(meta.history) for name, meta in runs.items()}
    kinds = {curve.name for of_run in curves.values() for curve in of_run}
    panels = {
        label: names
        for label, names in {
            "error": ("error", "validation_error"),
            "accuracy": ("validation_accuracy",),
            "RMSE": ("validation_rmse",),
        }.items()
        if kinds.intersection(names)
    }
    figure.set_size_inches(max(6.0, 4.8 * len(panels)), 4)
    for label, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
        for run, of_run in curves.items():
            validated = any(curve.name.startswith("validation") for curve in of_run)
            for curve in of_run:
                if curve.name not in panels[label]:
                    continue
                title = curve.name.replace("_", " ")
                called = title if len(runs) == 1 else f"{shown(run)}: {title}"
                (line,) = axes.plot(curve.epochs, curve.values, label=called)
                if curve.name.startswith("validation") or not validated:
                    _mark_best(axes, curve, runs[run].best_epoch, line.get_color())
        axes.set(xlabel="epoch", ylabel=label)
        only_integers(axes.xaxis)
        if log and label != "accuracy":
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
            low, high = axes.get_ylim()
            # Between few powers of ten others have room.
            axes.yaxis.set_minor_formatter("{x:g}" if high < MOST_RATIO * low else "")
        axes.legend()


def _mark_best(axes: "Axes", curve: Curve, best: int, colour: str) -> None:
    if best in curve.epochs:
        value = curve.values[curve.epochs.index(best)]
        axes.plot(best, value, "o", color=colour, label=f"best, epoch {best}")


def draw_calibration(figure: "Figure", parts: Sequence[Reliability]) -> None:
    """Draw a reliability diagram, and below it how many predictions each point is of."""
    figure.set_size_inches(5, 5.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    above.plot([0, 1], [0, 1], ":", color="grey", label="as often right as it says")
    sure = [part.confidence for part in parts]
    above.plot(sure, [part.right for part in parts], "o-", label="this model")
    above.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.02))
    above.legend()
    below.bar(sure, [part.examples for part in parts], 0.03)
    below.set(xlabel="mean probability of the predicted class", ylabel="predictions")


def draw_roc(
    figure: "Figure",
    outputs: "Numbers",
    truth: NDArray[np.bool],
    areas: "Numbers",
    names: Sequence[str],
    weights: Weights = None,
) -> None:
    """Draw the ROC curve of each class against the rest, or of each label.

    Args:
        figure: an empty one.
        outputs: (n, n_L).
        truth: (n, n_L), what is so.
        areas: (n_L,) under the curves, NaN where there is none.
        names: of the n_L classes or labels.
        weights: (n,) what each example counts; None for 1.
    """
    figure.set_size_inches(6.5, 5)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], ":", color="grey", label="by chance")
    known = np.flatnonzero(np.isfinite(areas))
    drawn = np.sort(known[np.argsort(areas[known], kind="stable")[:MOST_CURVES]])
    for j in drawn.tolist():
        false, true = roc_curve(outputs[:, j], truth[:, j], weights)
        axes.plot(false, true, label=f"{shown(names[j])}, area {areas[j]:.4f}")
    if len(drawn) < len(known):
        axes.set_title(f"the {len(drawn)} smallest areas of {len(known)}")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(loc="lower right", fontsize="small")


def draw_residuals(
    figure: "Figure", truth: "Numbers", predicted: "Numbers", names: Sequence[str]
) -> None:
    """Draw predicted against true quantities, and what is left beside it; a row for each.

    Args:
        figure: an empty one.
        truth: (n, n_L), in the quantities' own units.
        predicted: (n, n_L).
        names: of the n_L quantities.
    """
    figure.set_size_inches(9, 4 * len(names))
    rows = figure.subplots(len(names), 2, squeeze=False)
    for j, (name, (left, right)) in enumerate(zip(names, rows, strict=True)):
        y, p = truth[:, j], predicted[:, j]
        ends = [min(y.min(), p.min()), max(y.max(), p.max())]
        left.plot(ends, ends, ":", color="grey")
        left.plot(y, p, "o", markersize=3, alpha=0.6)
        left.set(xlabel=f"true {shown(name)}", ylabel=f"predicted {shown(name)}")
        right.axhline(0, linestyle=":", color="grey")
        right.plot(p, p - y, "o", markersize=3, alpha=0.6)
        right.set(xlabel=f"predicted {shown(name)}", ylabel="predicted - true")


def draw_descent(figure: "Figure") -> None:
    """Draw the article's figures 2 and 3: descents on a parabola and on a paraboloid."""
    figure.set_size_inches(10, 4.4)
    left: Axes = figure.add_subplot(1, 2, 1)
    a = np.linspace(-11, 11, 200)
    points = descend(np.array([START]))[:, 0]
    left.plot(a, a**2, label="g(a) = a²")
    left.plot(points, points**2, "o-", label=f"{STEPS} steps, eta {ETA}")
    left.set(xlabel="a", ylabel="g(a)")
    left.legend()
    right = figure.add_subplot(1, 2, 2)
    path = descend(np.array([START, START]))
    grid_a, grid_b = np.meshgrid(a, a)
    filled = right.contourf(grid_a, grid_b, grid_a**2 + grid_b**2, levels=20)
    figure.colorbar(filled, ax=right, label="g(a, b) = a² + b²")
    right.plot(path[:, 0], path[:, 1], "o-", color="white", markeredgecolor="black")
    for x, y in path[:3]:
        text, beside = f"{x * x + y * y:.5g}", (-8, -4)
        right.annotate(text, (x, y), beside, textcoords="offset points", color="white", ha="right")
    right.set(xlabel="a", ylabel="b", aspect="equal")


def descend(start: "Numbers") -> "Numbers":
    """Return the points of a gradient descent on the sum of squares, the start first.

    The steps are those of the engine's own SGD.

    Args:
        start: (d,).

    Returns:
        (1 + STEPS, d).
    """
    theta, points, no_state = start.copy(), [start.copy()], np.zeros((0, len(start)))
    for t in range(1, STEPS + 1):
        sgd(theta, 2 * theta, no_state, ETA, t)
        points.append(theta.copy())
    return np.array(points)
