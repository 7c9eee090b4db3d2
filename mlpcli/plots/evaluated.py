"""Pictures of how a model does on examples, each from its outputs for these."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dataset import Opened
from mlpcli.data.readers.table import Table
from mlpcli.errors import ConfigError, DataError
from mlpcli.evaluation.curves import reliability_curve
from mlpcli.evaluation.mistakes import cell_text, image_of, in_words, worst_rows
from mlpcli.model import Model
from mlpcli.nn import metrics
from mlpcli.nn.probabilities import area_under_roc, as_probabilities, output_ranks
from mlpcli.plots.canvas import shown
from mlpcli.plots.curves import draw_calibration, draw_residuals, draw_roc
from mlpcli.plots.pictures import Mistake, draw_confusion, draw_mistakes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A table of more columns is too wide for a picture.
MOST_CELLS = 8


class Evaluated(NamedTuple):
    """A model, and what it makes of examples."""

    model: Model
    opened: Opened
    outputs: NDArray[np.floating]
    """a^(L), (n, n_L)."""


def confusion(figure: "Figure", found: Evaluated) -> None:
    """Draw the confusion matrix."""
    names = found.model.encoding.class_names
    predicted = found.outputs.argmax(axis=1)
    labels, weights = found.opened.examples.labels, found.opened.weights
    counts = metrics.confusion(labels, predicted, len(names), weights)
    draw_confusion(figure, counts, [shown(name) for name in names])


def calibration(figure: "Figure", found: Evaluated) -> None:
    """Draw the reliability diagram."""
    examples, weights = found.opened.examples, found.opened.weights
    draw_calibration(figure, reliability_curve(found.model, examples, found.outputs, weights))


def roc(figure: "Figure", found: Evaluated) -> None:
    """Draw a ROC curve for each class, against the rest, or for each label."""
    names, labels = found.model.encoding.class_names, found.opened.examples.labels
    if found.model.encoding.task == "multilabel":
        truth, scores = labels == 1, found.outputs.astype(np.float64)
    else:
        truth = labels[:, np.newaxis] == np.arange(len(names))
        scores = as_probabilities(found.outputs)
    weights, columns = found.opened.weights, zip(scores.T, truth.T, strict=True)
    areas = np.array([area_under_roc(output_ranks(s), t, weights) for s, t in columns])
    draw_roc(figure, scores, truth, areas, names, weights)


def residuals(figure: "Figure", found: Evaluated) -> None:
    """Draw predicted against true quantities, and what is left."""
    truth = found.model.quantities(found.opened.examples.labels)
    predicted = found.model.quantities(found.outputs)
    draw_residuals(figure, truth, predicted, found.model.encoding.class_names)


def mistakes(figure: "Figure", found: Evaluated, count: int = 12) -> None:
    """Draw the wrong predictions that the model is surest of, at most so many.

    Raises:
        DataError: if there are none.
    """
    rows = worst_rows(found.model, found.opened.examples, found.outputs, count).tolist()
    if not rows:
        where = str(found.opened.table.where)
        raise DataError(where, "the model makes no mistake there", "give other examples")
    draw_mistakes(figure, [_mistake(found, row) for row in rows])


class Picture(NamedTuple):
    """A picture of a model's predictions."""

    draw: Callable[..., None]
    tasks: tuple[str, ...]
    """Of which there is such a picture."""


PICTURES = {
    "confusion": Picture(confusion, ("classification",)),
    "mistakes": Picture(mistakes, ("classification", "multilabel", "regression")),
    "calibration": Picture(calibration, ("classification", "multilabel")),
    "roc": Picture(roc, ("classification", "multilabel")),
    "residuals": Picture(residuals, ("regression",)),
}


def check_task(name: str, task: str) -> None:
    """Refuse a picture that a task does not have.

    Raises:
        ConfigError: naming those that it has.
    """
    if task not in PICTURES[name].tasks:
        others = ", ".join(other for other, picture in PICTURES.items() if task in picture.tasks)
        problem = f"there is no such picture of a task {task}"
        raise ConfigError(f"mlp plot {name}", problem, f"its pictures are {others}")


def _mistake(found: Evaluated, row: int) -> Mistake:
    model, table = found.model, found.opened.table
    truth, predicted = _verdict(found, row)
    if shape := model.encoding.image_shape:
        return Mistake(row, truth, predicted, image_of(table.values[row], shape))
    columns = range(min(MOST_CELLS, table.values.shape[1]))
    cells = tuple((shown(_heading(table, j)), shown(cell_text(table, row, j))) for j in columns)
    return Mistake(row, truth, predicted, cells=cells)


def _heading(table: Table, j: int) -> str:
    """Return the name of a column; one without a header has a number."""
    return table.names[table.position(j)] if table.names else str(table.position(j))


def _verdict(found: Evaluated, row: int) -> tuple[str, str]:
    """Return what is so and what is predicted of an example."""
    model, one = found.model, slice(row, row + 1)
    labels, outputs = found.opened.examples.labels[one], found.outputs[one]
    if model.encoding.task == "regression":
        both = (model.quantities(labels)[0], model.quantities(outputs)[0])
        truth, predicted = (", ".join(f"{value:.5g}" for value in values) for values in both)
        return truth, predicted
    names = [shown(name) for name in model.encoding.class_names]
    truth, predicted = in_words(model, names, labels[0], outputs[0])
    if model.encoding.task == "multilabel":
        return truth, predicted
    return truth, f"{predicted} ({outputs.max():.3f})"
