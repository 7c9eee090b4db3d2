"""What is searched for: decided once, and the same for every process that takes part."""

import json
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from mlpcli.data.load import fit_structure, load_data
from mlpcli.errors import ConfigError
from mlpcli.tuning.defaults import all_folds, default_folds, default_space, given_point, neighbours
from mlpcli.tuning.objective import Objective, is_calibrated
from mlpcli.tuning.space import Space, choices_as_given, chosen_values
from mlpcli.tuning.template import Template

TRIALS = 40


class Wishes(NamedTuple):
    """What the user says of a search."""

    space: Space
    """() for ranges around the configuration."""
    metric: str
    seeds: int
    folds: int | None
    """None for what suits the number of examples."""
    sampler: str
    """`tpe`, `random` or `grid`."""
    trials: int | None
    """None for `TRIALS`, or for all of a grid."""


class Search(NamedTuple):
    """What is searched for."""

    template: Template
    space: Space
    objective: Objective
    sampler: str
    trials: int
    """How many the study shall have."""
    first: tuple[dict[str, Any], ...]
    """What the first trials have, as a study takes it: the first of all what was given."""
    setup: dict[str, Any]
    """What all trials of the study have in common, as JSON values."""
    storage: str
    """The path of a journal, or a database's URL."""
    name: str
    """Of the study."""

    @property
    def given_values(self) -> dict[str, Any]:
        """What the configuration itself has chosen."""
        return chosen_values(self.space, self.first[0])


def plan_search(
    template: Template, wishes: Wishes, data_dir: Path, engine: str, storage: str, name: str
) -> Search:
    """Decide what is searched, from a configuration, its data and what the user says.

    Raises:
        ConfigError: if something of that makes no sense.
        DataError: if the data cannot be used.
    """
    experiment = template.experiment({})
    dataset = load_data(experiment, data_dir)
    fitted = fit_structure(experiment, dataset.encoding)
    _check_metric(template, wishes, fitted.learns)
    n = len(dataset.train.labels)
    folds = all_folds(wishes.folds) if wishes.folds else default_folds(experiment, n)
    space = wishes.space or default_space(template, fitted)
    given = choices_as_given(template, wishes.space) | given_point(fitted, space)
    first = (given, *(() if wishes.space else neighbours(given, space)))
    trials = wishes.trials or TRIALS
    if wishes.sampler == "grid":
        whole = prod(len(dimension.grid()) for dimension in space)
        trials = min(whole, wishes.trials or whole)
    objective = Objective(wishes.metric, wishes.seeds, folds, data_dir, engine)
    for _ in objective.datasets(experiment):
        # What cannot be divided so is an error now, and not of every trial.
        pass
    setup = {
        "configuration": json.loads(json.dumps(experiment.to_mapping())),
        "space": {dimension.key: dimension.text for dimension in space},
        "metric": wishes.metric,
        "calibration of errors": wishes.metric == "error" and is_calibrated(experiment),
        "number of seeds": wishes.seeds,
        "parts that judge": [[fold.part, fold.parts] for fold in folds],
        "sampler": wishes.sampler,
        "set of training data": dataset.fingerprint(),
    }
    return Search(
        template,
        space,
        objective,
        wishes.sampler,
        trials,
        first,
        setup,
        storage,
        name,
    )


def _check_metric(template: Template, wishes: Wishes, task: str) -> None:
    metrics = ("error", "rmse") if task == "regression" else ("error", "accuracy")
    if wishes.metric not in metrics:
        problem = f"{wishes.metric} is no metric of a {task}"
        raise ConfigError("--metric", problem, f"the metrics are {' and '.join(metrics)}")
    if wishes.metric != "error":
        return
    for dimension in wishes.space:
        names = {template.experiment({dimension.key: end}).error_name for end in dimension.ends}
        if names != {template.experiment({}).error_name}:
            problem = "decides what the error is: results would not compare"
            raise ConfigError(dimension.where, problem, f"add --metric {metrics[1]}")
