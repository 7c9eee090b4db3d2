"""What the steps of a model can say: anything else that a model has is refused by name."""

from collections.abc import Iterator
from typing import Any

from mlpcli.config.schema import KEYS
from mlpcli.model import Model
from mlpcli.nn.members import MemberNetwork
from mlpcli.nn.network import Network
from mlpcli.nn.periodic import PeriodicNetwork

# What these steps can say, and what makes no difference to predictions. Anything else that a model
# may have is refused until it is in one of these lists.
ROLES = ("number", "category", "date", "target", "ignored")
HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu", "selu", "mish")
OUTPUTS = ("sigmoid", "softmax", "linear")
KNOWN_SCALES = ("unit", "standardize", "robust", "none")
TASKS = ("classification", "regression", "multilabel")
ENCODING_FIELDS = (
    *("features", "scale", "class_names", "image_shape", "columns", "means", "deviations"),
    *("task", "quantities", "commonest", "unknown", "pixel_range"),
)
COLUMN_FIELDS = (
    *("name", "role", "categories", "filling", "signed", "bins", "parts", "day_first"),
)
QUANTITY_FIELDS = ("mean", "std", "low", "high")
FILE_PARTS = (
    *("train", "test", "target", "label_separator", "test_target", "ignore", "categorical"),
    *("missing", "header", "delimiter", "encoding", "bad_lines", "size", "grayscale"),
    *("missing_values", "missing_target", "unknown"),
    *("decimal", "thousands", "units", "dates", "day_first", "weight", "group", "time"),
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


def unsupported(model: Model) -> Iterator[str]:
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
        ("its data", experiment.data, SOURCE_FIELDS),
        ("its data", files, FILE_PARTS),
        ("its data", files and files.missing_values, MISSING_FIELDS),
        *((f"column {column.name}", column, COLUMN_FIELDS) for column in encoding.columns),
        *(("its target", quantity, QUANTITY_FIELDS) for quantity in encoding.quantities),
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
