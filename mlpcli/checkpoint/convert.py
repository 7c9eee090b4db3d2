"""A checkpoint made of layers whose training nothing is known about."""

from pathlib import Path

from mlpcli.checkpoint import format as checkpoint
from mlpcli.checkpoint.legacy import Layers
from mlpcli.checkpoint.limits import check_size
from mlpcli.checkpoint.meta import UNVERIFIED, Meta
from mlpcli.checkpoint.store import versions
from mlpcli.config.load import from_mapping
from mlpcli.data.builtin.datasets import BUILTIN_ENCODINGS
from mlpcli.data.encoding import Encoding
from mlpcli.errors import ConfigError

# The article's settings, for the run that the weights came from.
ARTICLE = {"eta": 0.3, "bt_size": 8, "epochs": 1000}
ARTICLE_DATA = ("parity", "mnist")


def converted(layers: Layers, activation: str, data: str | None, scale: str, old: Path) -> bytes:
    """Return the bytes of a checkpoint of weights and biases, whose source stays unverified.

    Args:
        layers: W (n_l, n_{l-1}) and b (n_l,) of the layers 2 to L.
        activation: that of every hidden layer; the output's is sigmoid.
        data: the name of what the network was trained on; None for parity or MNIST, if the sizes
            are theirs.
        scale: a name in `SCALES`, by which inputs were multiplied.
        old: the file that they came from, for errors.

    Raises:
        ConfigError: if the network does not fit the data, or no dataset fits it.
        CheckpointError: if there are more layers than a checkpoint holds.
    """
    structure = [layers[0][0].shape[1], *(len(b) for _, b in layers)]
    name, encoding = _encoding(structure, data, old)
    experiment = from_mapping(
        {
            "data": {"name": name, "scale": scale},
            "structure": structure,
            **ARTICLE,
            "activation": activation,
            "dtype": layers[0][0].dtype.name,
        },
        {"": str(old)},
    )
    check_size(experiment)
    meta = Meta(
        complete=True,
        epoch=0,
        step=0,
        total=0.0,
        stream="",
        best_epoch=-1,
        temperature=None,
        experiment=experiment,
        encoding=encoding._replace(scale=scale),
        fingerprint="",
        validation_fingerprint="",
        start="",
        source=UNVERIFIED,
        history=[],
        versions=versions(),
    )
    names = checkpoint.layer_names(len(structure))
    arrays = {
        name: array
        for pair, layer in zip(names, layers, strict=True)
        for name, array in zip(pair, layer, strict=True)
    }
    return checkpoint.serialise(arrays, meta.to_mapping())


def _encoding(structure: list[int], data: str | None, old: Path) -> tuple[str, Encoding]:
    """Return the name of the data, and what their features and classes are."""
    sizes = structure[0], structure[-1]
    fitting = {
        name: known
        for name, known in BUILTIN_ENCODINGS.items()
        if (known.features, len(known.class_names)) == sizes
    }
    here = f"{sizes[0]} inputs and {sizes[1]} outputs"
    for name in (data,) if data else ARTICLE_DATA:
        if name in fitting:
            return name, fitting[name]
    if not data:
        problem = f"has {here}, and the article's networks have others"
        raise ConfigError(old, problem, "add --data and a name for what it was trained on")
    if data in BUILTIN_ENCODINGS:
        problem = f"has other numbers of features and classes than the network's {here}"
        raise ConfigError(f"--data {data}", problem, "name what it was trained on")
    return data, Encoding(sizes[0], "none", tuple(map(str, range(sizes[1]))))
