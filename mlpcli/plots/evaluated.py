"""Pictures of how a model does on examples, each from its outputs for these."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dataset import Opened
from mlpcli.errors import ConfigError, DataError
from mlpcli.evaluation.curves import reliability_curve
from mlpcli.evaluation.mistakes import shown_cells, worst_rows
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
    counts = metrics.confusion(found.opened.examples.labels, predicted, len(names))
    draw_confusion(figure, counts, [shown(name) for name in names])


def calibration(figure: "Figure", found: Evaluated) -> None:
    """Draw the reliability diagram."""
    examples = found.opened.examples
    draw_calibration(figure, reliability_curve(found.model, examples, found.outputs))


def roc(figure: "Figure", found: Evaluated) -> None:
    """Draw a ROC curve for each class, against the rest, or for each label."""
    names, labels = found.model.encoding.class_names, found.opened.examples.labels
    if found.model.encoding.task == "multilabel":
        truth, scores = labels == 1, found.outputs.astype(np.float64)
    else:
        truth = labels[:, np.newaxis] == np.arange(len(names))
        scores = as_probabilities(found.outputs)
    columns = zip(scores.T, truth.T, strict=True)
    areas = np.array([area_under_roc(output_ranks(s), t) for s, t in columns])
    draw_roc(figure, scores, truth, areas, names)


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


def as_image(pixels: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Return an example's pixels as (rows, columns), in colour (rows, columns, 3)."""
    colour = pixels.size > shape[0] * shape[1]
    return pixels.reshape(*shape, 3) if colour else pixels.reshape(shape)


def _mistake(found: Evaluated, row: int) -> Mistake:
    model, (table, examples) = found.model, found.opened
    truth, predicted = _in_words(
        model, examples.labels[row : row + 1], found.outputs[row : row + 1]
    )
    if shape := model.encoding.image_shape:
        pixels = as_image(table.values[row].reshape(-1), shape)
        return Mistake(row, truth, predicted, pixels)
    cells = tuple((shown(n), shown(c)) for n, c in shown_cells(table, row)[:MOST_CELLS])
    return Mistake(row, truth, predicted, cells=cells)


def _in_words(model: Model, labels: NDArray[Any], outputs: NDArray[np.floating]) -> tuple[str, str]:
    """Return what is so and what is predicted of one example."""
    names = [shown(name) for name in model.encoding.class_names]
    if model.encoding.task == "classification":
        best = int(outputs[0].argmax())
        return names[labels[0]], f"{names[best]} ({outputs[0, best]:.3f})"
    if model.encoding.task == "regression":
        both = (model.quantities(labels)[0], model.quantities(outputs)[0])
        truth, predicted = (", ".join(f"{value:.5g}" for value in values) for values in both)
        return truth, predicted
    flags = (labels[0] == 1, model.labels(outputs)[0])
    truth, predicted = (
        ", ".join(name for name, is_so in zip(names, of_one, strict=True) if is_so) or "none"
        for of_one in flags
    )
    return truth, predicted
