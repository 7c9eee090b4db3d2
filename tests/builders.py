"""Small experiments, datasets and models that several tests are about."""

from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from mlpcli import model
from mlpcli.config.load import from_mapping
from mlpcli.config.schema import Experiment
from mlpcli.config.values import DataSource
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.encoding import Encoding
from mlpcli.data.load import load_data

VALUES = {"data": "parity", "structure": [10, 3, 2], "eta": 0.3, "bt_size": 8, "epochs": 2}
NAMES = ("a", "b", "c")
# Keys that name an optimiser.
RULES = st.one_of(
    st.fixed_dictionaries({"optimizer": st.sampled_from(["adam", "adamw", "rmsprop"])}),
    st.fixed_dictionaries({"momentum": st.floats(0.1, 0.99), "nesterov": st.booleans()}),
    st.just({}),
)


def experiment(**keys):
    """Return an experiment with four features and three classes."""
    base = {"data": DataSource("own"), "structure": (4, 5, 3), "eta": 0.3, "bt_size": 8}
    return Experiment(**{**base, "epochs": 1, **keys})


def examples(n, seed):
    """Return n different examples of three classes in turn."""
    rng = np.random.default_rng(seed)
    return Examples(rng.normal(size=(n, 4)), np.arange(n) % 3)


def dataset(train=None, test=None, name="own", scale="none", image_shape=None):
    """Return a dataset without a defect, but for what is given."""
    train, test = train or examples(60, 1), test or examples(30, 2)
    return Dataset(name, Encoding(4, scale, NAMES, image_shape), train, test)


def made(**values):
    """Make a model of parity with random parameters."""
    experiment = from_mapping(VALUES | values, {})
    new = model.new_model(experiment, load_data(experiment, Path("unused")))
    new.network.theta[:] = np.random.default_rng(0).normal(size=new.network.theta.size)
    return new
