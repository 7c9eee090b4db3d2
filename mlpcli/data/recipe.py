"""How to train on given data: the keys that `mlp init` writes, chosen by measurement.

What each part is worth is in tests/README.md.
"""

import math
from typing import Any

from mlpcli.config.presets import RECIPES
from mlpcli.data.dataset import Dataset
from mlpcli.data.encoding import FITTED_SCALES, TARGETS_CALLED

# From so many training examples on, some are set aside to choose the weights.
ENOUGH = 5000
# So many rows of a table, and so many features, are what `preset: tabular` suits: fewer are too few
# to spare some, and more take it too long. It takes about so many steps, within reason.
PRESET_ROWS, PRESET_FEATURES = range(600, 20_001), range(1, 501)
PRESET_STEPS, PRESET_EPOCHS = 2500, (32, 200)
# Training takes about so many steps, within reason; on fewer examples than that, so many.
STEPS = 20_000
FEW_STEPS = 2000
# The decay of weights is that of a fit of the best ones, on 50 tables, by n, features and classes.
DECAY = 300
MOST_DECAY = 5.0
# On fewer rows of a table than the preset is for, so many networks in one are better than one; of
# quantities then with half the decay.
MEMBERS = 4
# Images of so many pixels a side are distorted, which leaves less for the decay to do: smaller ones
# lose more than they gain where each pixel is the nearest one. They move by a share of their side,
# and gray ones, such as handwriting, bend as those of 28 pixels with these settings.
LEAST_SIDE, SIDE = 16, 28
SIGMA, ALPHA = 4, 20
DISTORTED_DECAY = 0.3
# So many classes need more hidden neurons.
MANY_CLASSES = 10

OUTPUTS: dict[str, list[tuple[str, Any, str]]] = {
    "classification": [
        ("output", "softmax", "one probability per class"),
        ("loss", "cross_entropy", "goes with softmax"),
    ],
    "regression": [
        ("task", "regression", "quantities are learned, not classes"),
        ("output", "linear", "any number"),
        ("loss", "mse", "squared differences; mae and huber mind far values less"),
    ],
    "multilabel": [
        ("task", "multilabel", "an example may have several labels, or none"),
        ("output", "sigmoid", "one probability per label"),
        ("loss", "cross_entropy", "goes with probabilities"),
    ],
}


def recipe_for(
    dataset: Dataset, validation: str | None = None, spares: bool = True
) -> list[tuple[str, Any, str]]:
    """Return keys, values and reasons.

    Args:
        dataset: what to train on.
        validation: a file with examples for it, if any.
        spares: whether a fraction of the training examples can be set aside for that.
    """
    features, classes = dataset.encoding.features, len(dataset.encoding.class_names)
    task, n = dataset.encoding.task, len(dataset.train.labels)
    if suits_preset(dataset):
        return _with_preset(dataset, validation, spares)
    hidden = [256] if classes >= MANY_CLASSES else [128]
    if task == "regression":
        hidden = [64, 64]
    called = TARGETS_CALLED[task]
    few = n < PRESET_ROWS.start and dataset.encoding.image_shape is None
    distortions = _distortions(dataset)
    if validation or (n >= ENOUGH and spares):
        training = _with_validation(n, validation)
    elif distortions:
        training = _with_decay(n, DISTORTED_DECAY, "keeps weights small")
    else:
        decay = min(MOST_DECAY, DECAY * math.sqrt(features / classes) / n)
        if few and task == "regression":
            decay /= 2
        training = _with_decay(n, decay, "the fewer examples, the smaller the weights")
    return [
        ("structure", [features, *hidden, classes], f"features, hidden neurons, {called}"),
        ("activation", "relu", "of the hidden neurons"),
        *OUTPUTS[task],
        *training,
        *([("members", MEMBERS, "networks in one, whose answers are averaged")] if few else []),
        *distortions,
        ("seed", 0, "decides everything random"),
    ]


def suits_preset(dataset: Dataset) -> bool:
    """Return whether a dataset is a table of the size that `preset: tabular` is for."""
    encoding, n = dataset.encoding, len(dataset.train.labels)
    is_table = encoding.scale in FITTED_SCALES and not encoding.image_shape
    return is_table and n in PRESET_ROWS and encoding.features in PRESET_FEATURES


def _with_preset(
    dataset: Dataset, validation: str | None, spares: bool
) -> list[tuple[str, Any, str]]:
    """Return what `preset: tabular` leaves to the data."""
    encoding, bt_size = dataset.encoding, RECIPES["tabular"].common["bt_size"]
    fewest, most = PRESET_EPOCHS
    epochs = min(most, max(fewest, PRESET_STEPS * bt_size // len(dataset.train.labels)))
    task = [part for part in OUTPUTS[encoding.task] if part[0] == "task"]
    chosen_by = []
    if validation:
        chosen_by = [("validation", validation, "examples that choose the weights")]
    elif not spares:
        filled = RECIPES["tabular"].values(encoding.task)
        keys = [key for key in ("validation", "calibrate") if key in filled]
        chosen_by = [(key, "none", "no examples are set aside for it") for key in keys]
    return [
        ("preset", "tabular", "fills in what is not given here: see mlp check"),
        *task,
        ("epochs", epochs, "passes over the examples"),
        *chosen_by,
        ("seed", 0, "decides everything random"),
    ]


def _with_validation(n: int, file: str | None) -> list[tuple[str, Any, str]]:
    """Return what trains on examples enough to spare some, which say when to stop."""
    bt_size = 128
    return [
        ("optimizer", "adam", "sgd is the article's"),
        ("eta", 0.001, "learning rate"),
        ("bt_size", bt_size, "examples per mini-batch"),
        ("epochs", min(200, max(10, STEPS * bt_size // n)), "passes over the examples"),
        ("validation", file, "examples that choose the weights")
        if file
        else ("validation", 0.1, "fraction of the training examples that chooses the weights"),
        ("patience", 10, "epochs without improvement before training stops"),
    ]


def _with_decay(n: int, decay: float, why: str) -> list[tuple[str, Any, str]]:
    """Return what trains on all of few examples: small weights, and steps that fade out."""
    bt_size = 32
    return [
        ("optimizer", "adamw", "sgd is the article's"),
        ("eta", 0.003, "learning rate at the start"),
        ("schedule", "cosine", "lets the learning rate fall to 0"),
        ("bt_size", bt_size, "examples per mini-batch"),
        ("epochs", min(800, max(60, FEW_STEPS * bt_size // n)), "passes over the examples"),
        ("weight_decay", float(f"{decay:.2g}"), why),
    ]


def _distortions(dataset: Dataset) -> list[tuple[str, Any, str]]:
    """Return what distorts images so little that no class becomes another."""
    shape = dataset.encoding.image_shape
    if shape is None or min(shape) < LEAST_SIDE or dataset.encoding.task != "classification":
        return []
    share = min(shape) / SIDE
    augment: dict[str, Any] = {
        **{"rotate": 12, "scale": 0.12, "shear": 0.12, "shift": max(1, round(share))},
        "fill": "edge",
    }
    if dataset.encoding.features == math.prod(shape):
        # Displacements grow with alpha / sigma.
        elastic = {"sigma": round(SIGMA * share, 1), "alpha": round(ALPHA * share**2, 1)}
        augment["elastic"] = elastic
    return [("augment", augment, "images distorted a little: each is seen as many")]
