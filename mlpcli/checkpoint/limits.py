"""What a checkpoint cannot hold, found out before any time is spent on training."""

import numpy as np

from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint.store import array_shapes
from mlpcli.config.schema import Experiment
from mlpcli.errors import CheckpointError, ConfigError
from mlpcli.model import layout_of
from mlpcli.training.step import optimizer_of


def check_size(experiment: Experiment) -> None:
    """Refuse, before any time is spent, a run whose checkpoint NumPy could not read."""
    if experiment.epochs > checkpoint.MAX_EPOCHS:
        raise ConfigError(
            experiment.where("epochs"),
            f"{experiment.epochs:,} is more than the {checkpoint.MAX_EPOCHS:,} whose errors a "
            "checkpoint holds",
            "write fewer",
        )
    layout = layout_of(experiment)
    p = layout.parameters
    copies = 1 + bool(experiment.validation) + optimizer_of(experiment).slots
    copies += experiment.is_parametrized + 2 * bool(experiment.ema)
    size = copies * p * np.dtype(experiment.dtype).itemsize
    if size > checkpoint.MAX_BYTES:
        raise ConfigError(
            experiment.where("structure"),
            f"has {p:,} parameters, whose checkpoint of {size:,} bytes is more than the "
            f"{checkpoint.MAX_BYTES:,} that the format holds",
            "write smaller layers",
        )
    dtype = np.dtype(experiment.dtype)
    shapes = array_shapes(layout) | {
        "theta": (p,),
        "phi": (p,),
        "ema": (p,),
        "state": (2, p),
    }
    try:
        checkpoint.header({name: (dtype, shape) for name, shape in shapes.items()})
    except CheckpointError as error:
        raise ConfigError(experiment.where("structure"), error.problem, error.remedy) from None
