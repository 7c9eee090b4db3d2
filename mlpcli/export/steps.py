"""A whole model as a list of steps, from a row's raw cells to what is predicted.

Every exported form is generated from this list, which holds all that the forms must know.
"""

import base64
from collections.abc import Iterator
from math import prod, tau
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.schema import KEYS, Experiment
from mlpcli.data.encoding import ROBUST_LIMIT, SCALES, Column, Encoding
from mlpcli.errors import ConfigError
from mlpcli.model import Model, label_threshold
from mlpcli.nn.members import MemberNetwork
from mlpcli.nn.network import Network
from mlpcli.nn.periodic import PeriodicNetwork


class Number(NamedTuple):
    """A cell that holds a number, and becomes one feature, or one for each of its bins."""

    name: str
    """Of the column; empty where it has none."""
    fill: float | None = None
    """What stands for a missing value; None refuses it."""
    center: float = 0.0
    spread: float = 1.0
    """The feature is x = (value - center) / spread,"""
    limit: float | None = None
    """and, where this is a number, x / sqrt(1 + (x / limit)²)."""
    bins: tuple[float, ...] = ()
    """The ends of bins. For each there is the share of it that the value has passed, / spread."""

    @property
    def width(self) -> int:
        """Number of features that it becomes."""
        return max(1, len(self.bins) - 1)


class Category(NamedTuple):
    """A cell that holds one of several texts, and becomes a feature for each of them, or one."""

    name: str
    categories: tuple[str, ...]
    on: tuple[float, ...]
    """Of the category that it is, its feature;"""
    off: tuple[float, ...]
    """of all others, theirs. Empty where the column is one feature alone, that of `on`."""
    fill: tuple[float, ...] | None = None
    """The features of a missing value; None refuses it."""
    ignore_unknown: bool = False
    """Whether all features of a text that is none of the categories are 0, or it is refused."""

    @property
    def width(self) -> int:
        """Number of features that it becomes."""
        return len(self.off) or 1


class Table(NamedTuple):
    """The training table, by which other tables are read."""

    names: tuple[str, ...]
    """Of all its columns, targets included; empty where it had no header."""
    positions: tuple[int, ...]
    """Where among them a row's columns are."""
    header: bool | None
    """Whether tables have a header; None where it is to be detected."""


class Missing(NamedTuple):
    """What stands for a missing value, beside a cell of nothing but white space.

    A text that is one of its column's categories never does.
    """

    text_words: tuple[str, ...]
    """In lower case and without white space around them, of categories;"""
    number_words: tuple[str, ...]
    """of numbers."""
    numbers: tuple[float, ...]
    """Numbers that do, of both."""


class Affine(NamedTuple):
    """z = factor · x W + b, of a row x of features or of the layer below."""

    W: NDArray[np.floating]
    """(n_in, n_out)."""
    b: NDArray[np.floating]
    """(n_out,)."""
    factor: float = 1.0


class Activate(NamedTuple):
    """a = σ(z)."""

    name: str
    """A name in `ACTIVATIONS`; `softmax` is over all outputs."""


class Periodic(NamedTuple):
    """What stands for the features: those that are no numbers, then cos(v), then sin(v)."""

    is_number: tuple[bool, ...]
    """Of each feature."""
    frequencies: NDArray[np.floating]
    """(numbers, k): a feature x that is a number has v = x · frequencies."""
    factor: float
    """Of the features that are no numbers."""


class Members(NamedTuple):
    """The mean of what K networks put out that share their layers, but for the last."""

    scales: NDArray[np.floating]
    """(K, n): member k has x ⊙ scales[k] as its features, or what stands for them."""
    layers: tuple["Affine | Activate", ...]
    """The last is affine, to K n_L outputs: those of all members, one after the other."""
    output: str
    """The activation of each member's outputs."""
    temperature: float
    """The mean is σ(z), and what is put out σ(z / temperature)."""


class Classes(NamedTuple):
    """The outputs are those of classes: the first with the largest one is predicted."""

    names: tuple[str, ...]


class Labels(NamedTuple):
    """The outputs are those of labels: an example has those with at least `threshold`."""

    names: tuple[str, ...]
    threshold: float


class Quantities(NamedTuple):
    """The outputs are quantities in standard deviations: output · std + mean is in their unit."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    stds: tuple[float, ...]
    ranges: tuple[tuple[float, float], ...] | None
    """The lowest and the highest of each that is predicted; None for no limits."""


class Steps(NamedTuple):
    """A model, in the order in which a row goes through it."""

    columns: tuple[Number | Category, ...]
    """What makes features of a row's cells: an array's numbers have no names."""
    missing: Missing
    layers: tuple[Affine | Activate | Members | Periodic, ...]
    """Features beyond `dtype`'s range are refused, and so are outputs that are no numbers."""
    answer: Classes | Labels | Quantities
    dtype: str
    """The precision of the arithmetic: float32 or float64."""
    image_shape: tuple[int, ...] | None
    """(rows, columns), or (rows, columns, 3) in colour, where a row is an image's pixels."""
    table: Table | None
    """None where it was trained on an array or on images."""

    @property
    def named(self) -> bool:
        """Whether a row is one of a table, whose columns have names or hold texts."""
        return any(column.name or isinstance(column, Category) for column in self.columns)

    @property
    def affine(self) -> list[Affine]:
        """The layers with weights and biases."""
        return [layer for layer in self.flat_layers if isinstance(layer, Affine)]

    @property
    def periodic(self) -> Periodic | None:
        """The layer in front that stands for an embedding, where there is one."""
        return next((layer for layer in self.layers if isinstance(layer, Periodic)), None)

    @property
    def factor(self) -> float:
        """What features are multiplied by before anything else."""
        return (self.periodic or self.affine[0]).factor

    @property
    def members(self) -> Members | None:
        """The layer that stands for several networks, where there is one."""
        return next((layer for layer in self.layers if isinstance(layer, Members)), None)

    @property
    def flat_layers(self) -> tuple[Affine | Activate, ...]:
        """All layers, those within others too."""
        within = self.members.layers if self.members else ()
        return (*within, *(x for x in self.layers if isinstance(x, Affine | Activate)))


# What these steps can say, and what makes no difference to predictions. Anything else that a model
# may have is refused until it is in one of these lists.
ROLES = ("number", "category", "target", "ignored")
HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu", "selu", "mish")
OUTPUTS = ("sigmoid", "softmax", "linear")
KNOWN_SCALES = ("unit", "standardize", "robust", "none")
TASKS = ("classification", "regression", "multilabel")
ENCODING_FIELDS = (
    *("features", "scale", "class_names", "image_shape", "columns", "means", "deviations"),
    *("task", "quantities", "commonest", "unknown"),
)
COLUMN_FIELDS = ("name", "role", "categories", "filling", "signed", "bins")
QUANTITY_FIELDS = ("mean", "std", "low", "high")
FILE_PARTS = (
    *("train", "test", "target", "test_target", "ignore", "categorical", "missing", "header"),
    *("delimiter", "size", "grayscale", "missing_values", "missing_target", "unknown"),
)
SOURCE_FIELDS, MISSING_FIELDS = ("name", "scale", "files"), ("given", "only")
# Those that say how a network learns are in its parameters.
EXPERIMENT_KEYS = (
    *("data", "structure", "hidden", "eta", "bt_size", "epochs", "task", "seed", "activation"),
    *("output", "loss", "huber_delta", "init", "optimizer", "momentum", "nesterov", "beta1"),
    *("beta2", "epsilon", "parametrization", "feature_scale", "members", "embeddings"),
    *("weight_decay", "clip_norm"),
    *("schedule", "ema", "warmup", "dropout", "label_smoothing", "augment", "validation"),
    *("monitor", "patience", "min_delta", "clamp", "threshold", "calibrate", "class_weight"),
    *("dtype", "checkpoint_every", "preset", "compat"),
)
MODEL_FIELDS = (
    *("network", "experiment", "encoding", "fingerprint", "history", "validation_fingerprint"),
)
NETWORK_FIELDS = (
    *("structure", "activation_names", "activations", "dtype", "input_scale", "theta", "layers"),
    *("weights", "biases"),
)
MEMBER_FIELDS = ("members", "scales", "extras", "heads", "shared", "temperature")
PERIODIC_FIELDS = (
    *("layout", "is_number", "numbers", "others", "frequencies", "above", "extras", "members"),
)
NETWORKS = {
    Network: NETWORK_FIELDS,
    MemberNetwork: (*NETWORK_FIELDS, *MEMBER_FIELDS),
    PeriodicNetwork: (*NETWORK_FIELDS, *PERIODIC_FIELDS),
}


def steps_of(model: Model) -> Steps:
    """Return the steps of a model.

    Raises:
        ConfigError: if it has anything that they cannot say.
    """
    for unknown in _unknown(model):
        raise ConfigError(
            "model", f"{unknown}, which cannot be exported", "use mlp predict, or train without it"
        )
    experiment, encoding = model.experiment, model.encoding
    shape: tuple[int, ...] | None = encoding.image_shape
    if shape and encoding.features != prod(shape):
        shape = (*shape, 3)
    return Steps(
        tuple(_columns(experiment, encoding)),
        _missing(experiment),
        _all_layers(model.network),
        _answer(experiment, encoding),
        experiment.dtype,
        shape,
        _table(experiment, encoding),
    )


def _unknown(model: Model) -> Iterator[str]:
    """Yield what a model has that these steps do not know."""
    encoding, experiment, network = model.encoding, model.experiment, model.network
    files = experiment.data.files
    for name in KEYS.keys() - {*EXPERIMENT_KEYS}:
        if getattr(experiment, name) != KEYS[name].default:
            yield f"it was trained with {name}"
    if type(model) is not Model or type(network) not in NETWORKS:
        yield f"it is a {type(model).__name__} of a {type(network).__name__}"
    for name in {*vars(model)} - {*MODEL_FIELDS}:
        if vars(model)[name]:
            yield f"it has {name}"
    above = [network.above] if isinstance(network, PeriodicNetwork) else []
    for part in (network, *above):
        unknown_fields = {*vars(part)} - {*NETWORKS.get(type(part), ())}
        yield from (f"its network has {name}" for name in unknown_fields)
    for what, record, known in (
        ("its encoding", encoding, ENCODING_FIELDS),
        *((f"column {column.name}", column, COLUMN_FIELDS) for column in encoding.columns),
        *(("its target", quantity, QUANTITY_FIELDS) for quantity in encoding.quantities),
        ("its data", experiment.data, SOURCE_FIELDS),
        ("its data", files, FILE_PARTS),
        ("its data", files and files.missing_values, MISSING_FIELDS),
    ):
        yield from (f"{what} has {name}" for name in _unknown_fields(record, known))
    for what, value, known in (
        ("task", encoding.task, TASKS),
        ("scale", encoding.scale, KNOWN_SCALES),
        ("unknown", encoding.unknown, ("error", "ignore")),
        *(("activation", name, HIDDEN) for name in network.activation_names[:-1]),
        ("output", network.activation_names[-1], OUTPUTS),
        *((f"column {column.name}", column.role, ROLES) for column in encoding.columns),
    ):
        if value not in known:
            yield f"{what} is {value}"


def _unknown_fields(record: Any, known: tuple[str, ...]) -> Iterator[str]:
    """Yield a record's fields that are not known, and are not as they are by default."""
    for name, value in record._asdict().items() if record else ():
        if name not in known and value != record._field_defaults.get(name):
            yield name


def _columns(experiment: Experiment, encoding: Encoding) -> Iterator[Number | Category]:
    files = experiment.data.files
    fills = bool(files and files.missing == "mean")
    means = encoding.means or (0.0,) * encoding.features
    stds = encoding.deviations or (1.0,) * encoding.features
    columns = encoding.input_columns or [Column("", "number")] * encoding.features
    start = 0
    for column in columns:
        fill = column.filling if fills and column.filling else None
        if column.role == "category":
            part = slice(start, start + column.width)
            yield _category(encoding, column, means[part], stds[part], fill)
        else:
            fill_value, bins = fill[0] if fill else None, column.bins
            limit = ROBUST_LIMIT if encoding.scale == "robust" and not bins else None
            spread = SCALES[encoding.scale] if bins else stds[start]
            yield Number(column.name, fill_value, means[start], spread, limit, bins)
        start += column.width


def _category(
    encoding: Encoding,
    column: Column,
    means: tuple[float, ...],
    stds: tuple[float, ...],
    fill: tuple[float, ...] | None,
) -> Category:
    if column.signed:
        share = fill and (fill[1] - fill[0],)
        ignores = encoding.unknown == "ignore"
        return Category(column.name, column.categories, (-1.0, 1.0), (), share, ignores)
    # Under `unit` the network's arithmetic multiplies these, too, by the factor of pixels.
    hot = 1 / SCALES[encoding.scale]

    def features(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(
            (hot * value - mean) / std for value, mean, std in zip(values, means, stds, strict=True)
        )

    return Category(
        column.name,
        column.categories,
        features((1.0,) * column.width),
        features((0.0,) * column.width),
        fill and features(fill),
        encoding.unknown == "ignore",
    )


def _table(experiment: Experiment, encoding: Encoding) -> Table | None:
    names = tuple(column.name for column in encoding.columns)
    inputs = (i for i, column in enumerate(encoding.columns) if column.width)
    header = experiment.data.files.header if experiment.data.files else None
    return Table(names, tuple(inputs), header) if names else None


def _missing(experiment: Experiment) -> Missing:
    if not experiment.data.files:
        return Missing((), (), ())
    given = experiment.data.files.missing_values
    of_text, of_numbers = (sorted(given.words(text=text) - {""}) for text in (True, False))
    return Missing(tuple(of_text), tuple(of_numbers), tuple(map(float, given.numbers)))


def _all_layers(network: Network) -> tuple[Affine | Activate | Members | Periodic, ...]:
    if isinstance(network, PeriodicNetwork):
        factor = network.input_scale
        # As the network computes them, to the last digit.
        frequencies = tau * factor * network.frequencies
        periodic = Periodic(tuple(network.is_number.tolist()), frequencies, factor)
        return (periodic, *_all_layers(network.above))
    layers = tuple(_layers(network))
    if not isinstance(network, MemberNetwork):
        return layers
    output = network.activation_names[-1]
    shared = layers if output == "linear" else layers[:-1]
    return (Members(network.scales, shared, output, network.temperature),)


def _layers(network: Network) -> Iterator[Affine | Activate]:
    factor = network.input_scale
    for Wb, name in zip(network.layers, network.activation_names, strict=True):
        yield Affine(Wb[:-1], Wb[-1], factor)
        factor = 1.0
        if name != "linear":
            yield Activate(name)


def _answer(experiment: Experiment, encoding: Encoding) -> Classes | Labels | Quantities:
    names, quantities = encoding.class_names, encoding.quantities
    if encoding.task == "classification":
        return Classes(names)
    if encoding.task == "multilabel":
        return Labels(names, label_threshold(experiment))
    ranges = tuple((q.low, q.high) for q in quantities) if experiment.clamp else None
    means, stds = (tuple(getattr(q, name) for q in quantities) for name in ("mean", "std"))
    return Quantities(names, means, stds, ranges)


def to_mapping(steps: Steps) -> dict[str, Any]:
    """Return steps as JSON values: every record as a mapping, with its `step` where it may vary.

    Arrays are `{"shape": [...], "dtype": NAME, "base64": TEXT}`: their bytes, row by row and
    little-endian.
    """
    mapping: dict[str, Any] = _plain(steps)
    return mapping


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        content = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
        text = base64.b64encode(content).decode()
        return {"shape": list(value.shape), "dtype": value.dtype.name, "base64": text}
    if hasattr(value, "_asdict"):
        step = {"step": type(value).__name__}
        return step | {name: _plain(part) for name, part in value._asdict().items()}
    return [*map(_plain, value)] if isinstance(value, tuple) else value
