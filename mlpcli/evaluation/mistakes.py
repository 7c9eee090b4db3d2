"""Which examples a model is most wrong about."""

import math

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dataset import Examples
from mlpcli.data.readers.table import Table
from mlpcli.model import Model
from mlpcli.nn.probabilities import as_probabilities


def worst_rows(
    model: Model, examples: Examples, outputs: NDArray[np.floating], most: int
) -> NDArray[np.intp]:
    """Return the rows of the most confident mistakes, the worst first, at most so many.

    Of classes these are wrong predictions with the largest probability; of several labels those
    with a wrong label whose output is farthest on the wrong side; of quantities the examples with
    the largest differences, each quantity's divided by its standard deviation in training.

    Args:
        model: a trained model.
        examples: labelled.
        outputs: a^(L) of these, (n, n_L).
        most: how many at most.
    """
    labels = examples.labels
    if model.encoding.task == "regression":
        differences = model.quantities(outputs) - model.quantities(labels)
        size = np.abs(differences / model.encoding.target_stds).max(axis=1)
        wrong = size > 0
    elif model.encoding.task == "multilabel":
        missed = model.labels(outputs) != labels.astype(bool)
        wrong = missed.any(axis=1)
        size = np.where(missed, np.abs(outputs - labels), 0).max(axis=1)
    else:
        size = as_probabilities(outputs).max(axis=1)
        wrong = outputs.argmax(axis=1) != labels
    order = np.flatnonzero(wrong)
    order = order[np.argsort(-size[order], kind="stable")]
    return order[:most]


def shown_cells(table: Table, row: int) -> list[tuple[str, str]]:
    """Return the names and values of an example's columns; columns without names have numbers."""
    places = table.selection.features if table.selection else range(table.values.shape[1])
    cells = []
    for j, (place, value) in enumerate(zip(places, table.values[row].tolist(), strict=True)):
        name = table.names[place] if table.names else str(place)
        if math.isnan(value):
            cells.append((name, ""))
        else:
            cells.append((name, table.texts[j][int(value)] if j in table.texts else f"{value:.6g}"))
    return cells
