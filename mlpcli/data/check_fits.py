"""Whether an experiment fits the data that it names."""

import math
from typing import Any

from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset
from mlpcli.data.encoding import TARGETS_CALLED
from mlpcli.data.splits import too_few
from mlpcli.errors import ConfigError, join_names


def check_fits(experiment: Experiment, dataset: Dataset) -> None:
    """Make sure that an experiment fits its dataset.

    Raises:
        ConfigError: naming the line to change.
    """
    n, bt_size = len(dataset.train.labels), experiment.bt_size
    _check_structure(experiment, dataset)
    if isinstance(experiment.class_weight, dict):
        _check_class_weight(experiment, dataset.encoding.class_names)
    if experiment.augment:
        _check_augment(experiment, experiment.augment, dataset)
    if few := too_few_to_set_aside(experiment, dataset):
        raise ConfigError(
            experiment.where("validation"),
            f"{n} are {few}",
            "give a larger fraction, or validation: none",
        )
    if experiment.compat and n < 2 * bt_size:
        raise ConfigError(
            experiment.where("bt_size"),
            f"{bt_size} is more than half of {n} examples, where the article's mini-batches "
            "lose some (compat: article)",
            f"write bt_size: {n // 2} or less",
        )


def too_few_to_set_aside(experiment: Experiment, dataset: Dataset) -> str:
    """Return why no example is set aside for validation, where a fraction is to be; "" if some are.

    Args:
        experiment: how to train.
        dataset: what to train on, as it has been set aside.
    """
    fraction, rows, files = experiment.validation, dataset.train_rows, experiment.data.files
    if not isinstance(fraction, float) or rows is None or len(rows) < len(dataset.train.labels):
        return ""
    return too_few(dataset.encoding.task, fraction, files)


def _check_augment(experiment: Experiment, settings: dict[str, Any], dataset: Dataset) -> None:
    """Refuse to distort what are no images, or so far that nothing is left to see."""
    shape = dataset.encoding.image_shape
    if shape is None:
        problem = f"{dataset.name} has no images to distort"
        raise ConfigError(experiment.where("augment"), problem, experiment.removal("augment"))
    side, images = min(shape), f"images of {shape[0]}×{shape[1]} pixels"
    if settings.get("shift", 0) >= side:
        where, problem = experiment.where("augment.shift"), f"moves {images} out of sight"
        raise ConfigError(where, problem, f"write shift: {max(1, side // 10)}")
    if "elastic" not in settings:
        return
    sigma, alpha = settings["elastic"]["sigma"], settings["elastic"]["alpha"]
    if sigma > side / 2:
        where, problem = experiment.where("augment.elastic.sigma"), f"is too smooth for {images}"
        raise ConfigError(where, problem, f"write sigma: {max(0.5, side / 7):.2g}")
    # Pixels per unit of alpha: of noise between -1 and 1, smoothed in two directions.
    deviation = 1 / (2 * math.sqrt(3 * math.pi) * sigma)
    if alpha * deviation > side / 4:
        where = experiment.where("augment.elastic.alpha")
        problem = f"moves pixels by {alpha * deviation:.3g}, too far for {images}"
        raise ConfigError(where, problem, f"write alpha: {side / 20 / deviation:.2g}")


def _check_structure(experiment: Experiment, dataset: Dataset) -> None:
    features, classes = dataset.encoding.features, len(dataset.encoding.class_names)
    called = TARGETS_CALLED[dataset.encoding.task]
    # Of `hidden` it is yet to be made.
    first, *hidden, last = experiment.structure or (features, classes)
    fits = f"write structure: {[features, *hidden, classes]}"
    if first != features:
        problem = f"starts with {first} inputs, and {dataset.name} has {features} features"
        raise ConfigError(experiment.where("structure"), problem, fits)
    if last != classes:
        problem = f"ends with {last} outputs, and {dataset.name} has {classes} {called}"
        raise ConfigError(experiment.where("structure"), problem, fits)


def _check_class_weight(experiment: Experiment, class_names: tuple[str, ...]) -> None:
    known = set(class_names)
    for name in experiment.class_weight or ():
        if name not in known:
            raise ConfigError(
                experiment.where(f"class_weight.{name}"),
                f"there is no class {name}",
                f"the classes are {join_names(class_names)}",
            )
