"""What is searched where nobody says: ranges around a configuration, and who judges a trial."""

from collections.abc import Iterator
from math import ceil, sqrt
from typing import Any

from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Fold
from mlpcli.errors import ConfigError
from mlpcli.model import count_parameters
from mlpcli.tuning.space import Dimension, Space, check_space
from mlpcli.tuning.template import Template

# So many examples judge a trial, in as many folds as it takes: fewer say more of themselves.
ENOUGH_TO_JUDGE = 500
# Each fold is a fifth of the examples, and from so many on a tenth.
MANY, FOLDS, FOLDS_OF_MANY = 5000, 5, 10
# Members, and wider layers, are for networks that do not take long as they are.
FEW_PARAMETERS = 50_000
MEMBERS, DROPOUT = (None, 4), (0.1, 0.2, 0.4)


def default_folds(experiment: Experiment, n: int) -> tuple[Fold, ...]:
    """Return what validates, each in turn; () for the experiment's `validation`.

    Args:
        experiment: what is tuned.
        n: its training examples, those for validation included.
    """
    validation = experiment.validation
    if isinstance(validation, str) or (validation and validation * n >= ENOUGH_TO_JUDGE):
        return ()
    parts = FOLDS if n < MANY else FOLDS_OF_MANY
    return all_folds(parts)[: ceil(ENOUGH_TO_JUDGE * parts / n)]


def all_folds(parts: int) -> tuple[Fold, ...]:
    """Return all of so many parts."""
    return tuple(Fold(part, parts) for part in range(parts))


def default_space(template: Template, experiment: Experiment) -> Space:
    """Return ranges around a configuration, all of which have what it has itself.

    Label smoothing, which makes errors larger, is left alone where no calibration undoes that.

    Args:
        template: the configuration.
        experiment: the same, with a structure.
    """
    where = template.origins[""]
    eta, decay, sizes = experiment.eta, experiment.weight_decay, experiment.structure[1:-1]
    is_small = count_parameters(experiment) <= FEW_PARAMETERS
    widest = max(sizes, default=1)
    proposed = [
        Dimension("eta", where, eta / 3, eta * 3, log=True),
        Dimension("weight_decay", where, decay / 10, decay * 10, log=True)
        if decay
        else Dimension("weight_decay", where, choices=(0, 1e-5, 1e-4, 1e-3, 1e-2)),
        Dimension("hidden", where, max(1, widest // 4), widest * (1 + is_small), log=True),
        Dimension("dropout", where, choices=_dropout(len(sizes))),
        Dimension("feature_scale", where, choices=(None, True)),
        *([Dimension("label_smoothing", where, 0.0, 0.2)] if experiment.calibrate else []),
        *([Dimension("members", where, choices=MEMBERS)] if is_small else []),
    ]
    given = given_point(experiment, tuple(proposed))
    return tuple(d for d in proposed if d.key in given and _makes_sense(template, d))


def _dropout(layers: int) -> tuple[Any, ...]:
    """Return rates of hidden neurons, and of these and the inputs, of so many hidden layers."""
    return (0.0, *DROPOUT, *([rate] * (1 + layers) for rate in DROPOUT))


def _makes_sense(template: Template, dimension: Dimension) -> bool:
    try:
        check_space(template, (dimension,))
    except ConfigError:
        return False
    return True


def given_point(experiment: Experiment, space: Space) -> dict[str, Any]:
    """Return what a configuration itself has chosen, as a study takes it and as far as it can.

    Args:
        experiment: the configuration, with a structure.
        space: what may be chosen.
    """
    hidden = list(experiment.structure[1:-1])
    mapping = experiment.to_mapping() | {"hidden": hidden}
    point: dict[str, Any] = {}
    for dimension in space:
        value = mapping.get(dimension.key)
        if dimension.key == "hidden" and not dimension.admits(value) and len(set(hidden)) == 1:
            # One size is meant for all hidden layers.
            value = hidden[0]
        if dimension.admits(value):
            point[dimension.key] = dimension.label(value)
    return point


def neighbours(given: dict[str, Any], space: Space) -> Iterator[dict[str, Any]]:
    """Yield what is given, changed in one key: by factors, halfway to each end of its range.

    Args:
        given: from `given_point`, of all keys.
        space: what may be chosen.
    """
    for dimension in space:
        key = dimension.key
        for end in (dimension.low, dimension.high) if dimension.log else ():
            value = sqrt(given[key] * end)
            point = given | {key: round(value) if dimension.is_whole else value}
            if point != given:
                yield point
