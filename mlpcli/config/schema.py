"""The keys of an experiment, and what each may be."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from mlpcli.config.validators import (
    BOOLEAN,
    Validator,
    Variant,
    choice,
    integer,
    number,
    one_or_list,
)
from mlpcli.config.values import (
    AUGMENT,
    CLASS_WEIGHT,
    DATA,
    HIDDEN,
    SCHEDULE,
    STRUCTURE,
    VALIDATION,
    DataSource,
)

TASKS = ("classification", "regression", "multilabel")
# What is measured of each task on validation examples, beside the error.
VALIDATION_METRICS = {"classification": "accuracy", "regression": "rmse", "multilabel": "accuracy"}
# Losses that only outputs which are quantities have.
LINEAR_LOSSES = ("mae", "huber")

EMBEDDINGS = ("piecewise_linear", "periodic")
# Recipes by name: see config/presets.py.
PRESETS = ("tabular", "article", "images")

# The initialiser that suits an activation: see nn/initializers.py.
INIT_FOR = {
    "sigmoid": "lecun",
    "tanh": "glorot",
    "relu": "he",
    "leaky_relu": "he",
    "gelu": "he",
    "selu": "lecun",
    "mish": "he",
}


def key(validator: Validator, example: str, default: Any = MISSING) -> Any:
    """Declare a key of the configuration: what it may be, an example of it, and its default."""
    return field(default=default, metadata={"validator": validator, "example": example})


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A validated experiment. Its fields are the keys of the YAML file, in configs/README.md.

    None stands for what was not given and has no default; `structure` is None where `hidden` is
    given, until `data.load.fit_structure` knows the data. `origins` says where each key was given,
    and each KEY.PART of one that is a mapping, as "FILE:LINE", and `search_paths` what its paths
    may be relative to; neither takes part in comparisons.
    """

    data: DataSource = key(DATA, "mnist")
    structure: tuple[int, ...] = key(STRUCTURE, "[784, 32, 10]", default=None)
    hidden: tuple[int, ...] | None = key(HIDDEN, "[32]", default=None)
    eta: float = key(number(above=0), "0.3")
    bt_size: int = key(integer(1), "32")
    epochs: int = key(integer(1), "20")
    task: str | None = key(choice(*TASKS), "regression", default=None)
    seed: int = key(integer(0, 2**32 - 1), "0", default=0)
    activation: str | tuple[str, ...] = key(
        one_or_list(choice(*INIT_FOR), "one per hidden layer"), "relu", default="sigmoid"
    )
    output: str = key(choice("sigmoid", "softmax", "linear"), "softmax", default=None)
    loss: str = key(choice("mse", "cross_entropy", "mae", "huber"), "cross_entropy", default="mse")
    huber_delta: float | None = key(number(above=0), "1.0", default=None)
    init: str = key(choice("normal", "glorot", "he", "lecun"), "he", default=None)
    optimizer: str = key(choice("sgd", "adam", "adamw", "rmsprop"), "adam", default="sgd")
    momentum: float | None = key(number(above=0, below=1), "0.9", default=None)
    nesterov: bool = key(BOOLEAN, "true", default=False)
    beta1: float | None = key(number(at_least=0, below=1), "0.9", default=None)
    beta2: float | None = key(number(at_least=0, below=1), "0.999", default=None)
    epsilon: float | None = key(number(above=0), "1e-8", default=None)
    parametrization: str | None = key(choice("standard", "ntk"), "ntk", default=None)
    feature_scale: bool | None = key(BOOLEAN, "true", default=None)
    members: int | None = key(integer(2), "8", default=None)
    embeddings: str | None = key(choice(*EMBEDDINGS), "piecewise_linear", default=None)
    weight_decay: float = key(number(at_least=0), "1e-4", default=0.0)
    clip_norm: float | None = key(number(above=0), "5.0", default=None)
    schedule: Variant = key(SCHEDULE, "cosine", default=Variant("constant", {}))
    ema: float | None = key(number(above=0, below=1), "0.999", default=None)
    warmup: float = key(number(at_least=0), "1", default=0.0)
    dropout: float | tuple[float, ...] = key(
        one_or_list(number(at_least=0, below=1), "for the inputs and each hidden layer"),
        "0.2",
        default=0.0,
    )
    label_smoothing: float = key(number(at_least=0, below=1), "0.1", default=0.0)
    augment: dict[str, Any] | None = key(AUGMENT, "{shift: 1}", default=None)
    validation: float | str | None = key(VALIDATION, "0.1", default=None)
    monitor: str | None = key(choice("error", "accuracy"), "error", default=None)
    patience: int | None = key(integer(1), "5", default=None)
    min_delta: float | None = key(number(at_least=0), "0.001", default=None)
    clamp: bool | None = key(BOOLEAN, "true", default=None)
    threshold: float | None = key(number(above=0, below=1), "0.5", default=None)
    calibrate: bool | None = key(BOOLEAN, "true", default=None)
    class_weight: str | dict[str, float] | None = key(CLASS_WEIGHT, "balanced", default=None)
    dtype: str = key(choice("float32", "float64"), "float32", default="float32")
    checkpoint_every: float | None = key(number(above=0), "1", default=None)
    preset: str | None = key(choice(*PRESETS), "tabular", default=None)
    compat: str | None = key(choice("article"), "article", default=None)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    search_paths: tuple[Path, ...] = field(default=(Path(),), compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.init is None:
            first = (*self.hidden_activations, "sigmoid")[0]
            init = "normal" if self.parametrization == "ntk" else INIT_FOR[first]
            object.__setattr__(self, "init", init)
        if self.output is None:
            implied = self.loss in LINEAR_LOSSES or (self.structure or (0,))[-1] == 1
            quantities = self.task == "regression" or (
                self.task is None and self.data.files is not None and implied
            )
            object.__setattr__(self, "output", "linear" if quantities else "sigmoid")

    def where(self, name: str) -> str:
        """Return where a key or KEY.PART was given, for the beginning of an error."""
        return origin_of(self.origins, name)

    def is_filled(self, name: str) -> bool:
        """Return whether a key or KEY.PART has its value from the preset."""
        return self.origins.get(name, "").endswith(f": from preset {self.preset}")

    def stated(self, name: str) -> str:
        """Return what a key is, for an error: "KEY is VALUE", and the preset if it says so."""
        origin = f" (from preset {self.preset})" if self.is_filled(name) else ""
        return f"{name} is {getattr(self, name)}{origin}"

    def removal(self, name: str) -> str:
        """Return how to do without a key, for an error."""
        return f"write {name}: none" if self.is_filled(name) else "remove it"

    @property
    def learns(self) -> str:
        """The task: a name in `TASKS`, given, or as the output and the target tell."""
        if self.task:
            return self.task
        if self.output == "linear":
            return "regression"
        files = self.data.files
        labels = files and (isinstance(files.target, tuple) or files.label_separator is not None)
        return "multilabel" if labels else "classification"

    @property
    def guesses_task(self) -> bool:
        """Whether a target that is a quantity makes it a regression: nothing given says otherwise.

        `structure` says how many outputs there are.
        """
        output = "output" in self.origins and not self.is_filled("output")
        loss = self.loss != "mse" and not self.is_filled("loss")
        given = self.task or output or loss
        return self.structure is None and not given and self.learns == "classification"

    @property
    def error_name(self) -> str:
        """What the error is of: errors of one name compare."""
        if self.loss == "huber":
            return f"huber {self.huber_delta or 1:g}"
        # Of sigmoids it is a sum over all outputs, each of which may be right or not.
        return f"{self.loss} of {self.output}" if self.loss == "cross_entropy" else self.loss

    @property
    def hidden_layers(self) -> int:
        """How many hidden layers there are."""
        return len(self.structure) - 2 if self.hidden is None else len(self.hidden)

    @property
    def hidden_activations(self) -> tuple[str, ...]:
        """The activation of every hidden layer."""
        if isinstance(self.activation, str):
            return (self.activation,) * self.hidden_layers
        return self.activation

    @property
    def dropout_rates(self) -> tuple[float, ...]:
        """The dropout rate of layers 1..L-1; one rate alone is meant for the hidden layers."""
        if isinstance(self.dropout, tuple):
            return self.dropout
        return (0.0, *[self.dropout] * self.hidden_layers)

    @property
    def is_parametrized(self) -> bool:
        """Whether anything else is trained than theta itself, from which that follows."""
        return self.parametrization == "ntk" or bool(self.feature_scale)

    def to_mapping(self) -> dict[str, Any]:
        """Return the experiment as plain YAML or JSON values; `from_mapping` is the way back."""
        mapping = {name: getattr(self, name) for name in KEYS if getattr(self, name) is not None}
        plain = {name: list(v) if type(v) is tuple else v for name, v in mapping.items()}
        return plain | {"data": self.data.to_mapping(), "schedule": self.schedule.to_mapping()}


KEYS: dict[str, Field[Any]] = {f.name: f for f in fields(Experiment) if f.metadata}


def origin_of(origins: Mapping[str, str], name: object) -> str:
    """Return where a key or KEY.PART was given, for the beginning of an error: "FILE:LINE: KEY"."""
    key = str(name).partition(".")[0]
    given = next((origins[n] for n in (str(name), key, "") if n in origins), "experiment")
    return f"{given}: {name}"
