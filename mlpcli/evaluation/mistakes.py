"""Which examples a model is most wrong about."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.dataset import Examples
from mlpcli.data.dates import date_text
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


def in_words(
    model: Model, names: Sequence[str], label: NDArray[Any], output: NDArray[np.floating]
) -> tuple[str, str]:
    """Return which class, or which labels, an example has, and which are predicted.

    Args:
        model: of a classification or of several labels.
        names: what the n_L classes or labels are to be called.
        label: the example's, an integer or (n_L,).
        output: a^(L) of it, (n_L,).
    """
    if model.encoding.task != "multilabel":
        return names[int(label)], names[int(output.argmax())]
    truth, predicted = (
        ", ".join(name for name, has in zip(names, flags, strict=True) if has) or "none"
        for flags in (label == 1, model.labels(output))
    )
    return truth, predicted


def cell_text(table: Table, i: int, j: int) -> str:
    """Return what example i has in column j of a table's values; "" for a missing value."""
    value = table.values[i, j]
    if np.isnan(value):
        return ""
    if j in table.dates:
        return date_text(value)
    return table.texts[j][int(value)] if j in table.texts else f"{value:.6g}"


def image_of(pixels: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Return an example's pixels as an image, (rows, columns), or (rows, columns, 3) in colour."""
    image = pixels.reshape(*shape, -1)
    return image[..., 0] if image.shape[2] == 1 else image
