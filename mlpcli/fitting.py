"""Does the experiment fit its data? Asked before any time is spent on training."""

import numpy as np

from mlpcli import checkpoint
from mlpcli.data import own
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.files import locate
from mlpcli.data.splits import stratified
from mlpcli.draws import KeyedDraws
from mlpcli.errors import CheckpointError, ConfigError
from mlpcli.keys import Experiment
from mlpcli.nn.network import count_parameters
from mlpcli.training import optimizer_of


def fitted(experiment: Experiment, dataset: Dataset) -> Dataset:
    """Make sure that an experiment fits its dataset, and set validation examples aside.

    Returns:
        The dataset, with the validation examples that the experiment wants.

    Raises:
        ConfigError: naming the line to change.
        DataError: if a validation file is missing, or something in it is wrong.
    """
    features, classes = dataset.encoding.features, len(dataset.encoding.class_names)
    first, *hidden, last = experiment.structure
    fits = f"write structure: {[features, *hidden, classes]}"
    if first != features:
        problem = f"starts with {first} inputs, and {dataset.name} has {features} features"
        raise ConfigError(experiment.where("structure"), problem, fits)
    if last != classes:
        problem = f"ends with {last} outputs, and {dataset.name} has {classes} classes"
        raise ConfigError(experiment.where("structure"), problem, fits)
    check_size(experiment)
    if isinstance(experiment.class_weight, dict):
        _check_class_weight(experiment, dataset.encoding.class_names)
    shape = dataset.encoding.image_shape
    if experiment.augment and (shape is None or shape[0] * shape[1] != features):
        problem = f"{dataset.name} has no images to shift" + (" but in colour" if shape else "")
        raise ConfigError(experiment.where("augment"), problem, "remove it")
    if experiment.validation:
        dataset = with_validation(experiment, dataset)
    n, bt_size = len(dataset.train.labels), experiment.bt_size
    if experiment.compat and n < 2 * bt_size:
        raise ConfigError(
            experiment.where("bt_size"),
            f"{bt_size} is more than half of {n} examples, where the article's mini-batches "
            "lose some (compat: article)",
            f"write bt_size: {n // 2} or less",
        )
    return dataset


def check_size(experiment: Experiment) -> None:
    """Refuse, before any time is spent, a run whose checkpoint NumPy could not read."""
    if experiment.epochs > checkpoint.MAX_EPOCHS:
        raise ConfigError(
            experiment.where("epochs"),
            f"{experiment.epochs:,} is more than the {checkpoint.MAX_EPOCHS:,} whose errors a "
            "checkpoint holds",
            "write fewer",
        )
    p = count_parameters(experiment.structure)
    copies = 1 + bool(experiment.validation) + optimizer_of(experiment).slots
    size = copies * p * np.dtype(experiment.dtype).itemsize
    if size > checkpoint.MAX_BYTES:
        raise ConfigError(
            experiment.where("structure"),
            f"has {p:,} parameters, whose checkpoint of {size:,} bytes is more than the "
            f"{checkpoint.MAX_BYTES:,} that the format holds",
            "write smaller layers",
        )
    dtype = np.dtype(experiment.dtype)
    shapes = checkpoint.layer_shapes(experiment.structure) | {"theta": (p,), "state": (2, p)}
    try:
        checkpoint.header({name: (dtype, shape) for name, shape in shapes.items()})
    except CheckpointError as error:
        raise ConfigError(experiment.where("structure"), error.problem, error.remedy) from None


def _check_class_weight(experiment: Experiment, class_names: tuple[str, ...]) -> None:
    for name in experiment.class_weight or ():
        if name not in class_names:
            raise ConfigError(
                experiment.where(f"class_weight.{name}"),
                f"there is no class {name}",
                f"the classes are {', '.join(class_names)}",
            )


def with_validation(experiment: Experiment, dataset: Dataset) -> Dataset:
    """Open the validation file, or set part of the training data aside; never the test split."""
    if isinstance(experiment.validation, str):
        if not experiment.data.files:
            raise ConfigError(
                experiment.where("validation"),
                f"{experiment.validation} is a file, and {dataset.name} is known by name",
                "write a fraction such as validation: 0.1",
            )
        remedy = "correct it: paths are relative to the configuration"
        path = locate(experiment.validation, experiment.folders, remedy, "validation")
        files = experiment.data.files
        examples = own.open_labelled(path, dataset.encoding, files, None, experiment.folders)
        return dataset._replace(validation=examples)
    features, labels = dataset.train
    rng = KeyedDraws(experiment.seed).generator("validation")
    rows, held_out = stratified(labels, experiment.validation or 0, rng)
    if not len(held_out):
        raise ConfigError(
            experiment.where("validation"),
            f"{experiment.validation:g} of {len(labels)} examples is none of any class",
            "give a larger fraction",
        )
    validation = Examples(features[held_out], labels[held_out])
    return dataset._replace(train_rows=rows, validation=validation)
