"""`preset`: recipes by name, which fill in the keys that a configuration leaves open.

Each key of a recipe works alone, too. `none` in the file closes a key: a recipe does not fill it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlpcli.config.schema import KEYS, Experiment

Values = dict[Any, Any]


class Recipe(NamedTuple):
    """Values as YAML has them."""

    common: Values
    by_task: Mapping[str, Values]
    """What depends on the task, by its name."""
    scale: str | None = None
    """Of the data."""

    def values(self, task: str) -> Values:
        """Return keys and values for a task."""
        return self.common | self.by_task.get(task, {})


CLASSES = {"output": "softmax", "loss": "cross_entropy"}
LABELS = {"output": "sigmoid", "loss": "cross_entropy"}
DISTORTIONS = {
    "rotate": 12,
    "scale": 0.12,
    "shear": 0.12,
    "shift": 1,
    "elastic": {"sigma": 4, "alpha": 20},
}
RECIPES = {
    # Holzmüller, Grinsztajn and Steinwart, Better by Default, 2024, RealMLP-TD-S, without its
    # beta2 of 0.95, which did not pay (tests/README.md). Probabilities that smoothing has pulled
    # together are set right by the temperature.
    "tabular": Recipe(
        {
            "hidden": [256, 256, 256],
            "optimizer": "adam",
            "eta": 0.04,
            "bt_size": 256,
            "epochs": 128,
            "schedule": "cosine_log",
            "parametrization": "ntk",
            "feature_scale": True,
            "validation": 0.1,
        },
        {
            "classification": CLASSES
            | {"activation": "selu", "label_smoothing": 0.1, "calibrate": True},
            "multilabel": LABELS | {"activation": "selu", "calibrate": True},
            "regression": {"activation": "mish", "eta": 0.07},
        },
        scale="robust",
    ),
    # The article's §7.2, with inputs scaled and weights drawn as the defaults have it.
    "article": Recipe(
        {
            "hidden": [32],
            "activation": "sigmoid",
            "loss": "mse",
            "optimizer": "sgd",
            "eta": 0.3,
            "bt_size": 256,
            "epochs": 300,
        },
        {"classification": {"output": "sigmoid"}},
    ),
    # configs/mnist-best.yaml.
    "images": Recipe(
        {
            "hidden": [1024, 512],
            "activation": "relu",
            "eta": 0.15,
            "bt_size": 256,
            "epochs": 30,
            "momentum": 0.9,
            "nesterov": True,
            "schedule": "cosine",
            "warmup": 3,
            "weight_decay": 1e-5,
        },
        {
            "classification": CLASSES | {"augment": DISTORTIONS},
            "multilabel": LABELS | {"augment": DISTORTIONS},
            # A quantity, such as an angle, may be what distortions would change.
            "regression": {"eta": 0.01},
        },
    ),
}


def fill(
    values: Mapping[Any, Any], origins: Mapping[str, str], task: str
) -> tuple[Values, dict[str, str]]:
    """Return values and origins with what the preset says of the keys that are left open.

    Args:
        values: keys and values as YAML gives them; `preset` is one of them.
        origins: where each was given.
        task: what is learned.
    """
    recipe = RECIPES[values["preset"]]
    proposed = recipe.values(task)
    if values.get("structure") not in (None, "none"):
        del proposed["hidden"]
    # A dataset's name is short for a mapping.
    data = {"name": values["data"]} if type(values.get("data")) is str else values.get("data")
    filled = {name: value for name, value in proposed.items() if name not in values}
    names = list(filled)
    if recipe.scale and type(data) is dict and "scale" not in data:
        filled["data"] = data | {"scale": recipe.scale}
        names.append("data.scale")
    where = f"{origins.get('preset', 'experiment')}: from preset {values['preset']}"
    return dict(values) | filled, dict(origins) | dict.fromkeys(names, where)


def given_values(experiment: Experiment) -> Values:
    """Return what an experiment was given, and not what its preset filled in."""
    mapping = experiment.to_mapping()
    given = {name: mapping.get(name) for name in KEYS if name in experiment.origins}
    filled = [name for name in given if experiment.is_filled(name)]
    if experiment.is_filled("data.scale"):
        given["data"] = {k: v for k, v in mapping["data"].items() if k != "scale"}
    return {name: value for name, value in given.items() if name not in filled}


def closed_keys(experiment: Experiment) -> list[str]:
    """Return the keys of an experiment's preset that have no value in it."""
    if not experiment.preset:
        return []
    recipe = RECIPES[experiment.preset]
    names = recipe.common | dict(recipe.by_task.get(experiment.learns, {}))
    # `structure` stands for `hidden`.
    return [name for name in names if name != "hidden" and getattr(experiment, name) is None]
