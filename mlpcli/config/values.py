"""Values of keys that are more than a number or a word: data, layer sizes, a schedule."""

from typing import Any, NamedTuple

from mlpcli.config.data_files import Files
from mlpcli.config.data_parts import SCALE, TEXT, given_parts, parse_files
from mlpcli.config.validators import (
    Validator,
    choice,
    integer,
    list_of,
    mapping_of,
    number,
    parse_parts,
    variant_of,
)


class DataSource(NamedTuple):
    """Which data: a dataset's name or training file, and the scaling if not the default."""

    name: str
    scale: str | None = None
    files: Files | None = None

    def to_mapping(self) -> dict[str, Any]:
        """Return the value of the `data` key."""
        which = self.files.to_mapping() if self.files else {"name": self.name}
        return which | ({"scale": self.scale} if self.scale else {})


def _data(value: Any) -> DataSource:
    if type(value) is str and value:
        return DataSource(value)
    if type(value) is dict:
        value = given_parts(value)
    if type(value) is dict and "train" in value:
        files, scale = parse_files(value)
        return DataSource(files.train, scale, files)
    if type(value) is dict and "name" in value:
        return DataSource(**parse_parts({"name": TEXT, "scale": SCALE}, value))
    raise ValueError


DATA = Validator("a dataset's name, {name: NAME, scale: SCALE} or {train: FILE, ...}", _data)

LAYER_SIZES = list_of(integer(1))


def _layer_sizes(value: Any) -> tuple[int, ...]:
    if type(value) is list and len(value) < 2:
        raise ValueError
    return tuple(LAYER_SIZES.parse(value))


STRUCTURE = Validator("a list of two or more layer sizes, each a whole number from 1", _layer_sizes)
HIDDEN = Validator("a list of layer sizes, each a whole number from 1", LAYER_SIZES.parse)

AUGMENT_PARTS = {
    "shift": integer(1),
    "rotate": number(above=0, at_most=180),
    "scale": number(above=0, below=1),
    "shear": number(above=0, at_most=1),
    "elastic": mapping_of({"sigma": number(at_least=0.5), "alpha": number(above=0)}),
    "fill": choice("zero", "edge"),
}


def _augment(value: Any) -> dict[str, Any]:
    if type(value) is not dict or not value.keys() - {"fill"}:
        raise ValueError
    return parse_parts(AUGMENT_PARTS, value)


AUGMENT = Validator("a mapping of shift, rotate, scale, shear, elastic and fill", _augment)


def _validation(value: Any) -> float | str:
    if type(value) is str and value:
        return value
    return float(number(above=0, below=1).parse(value))


VALIDATION = Validator("a number above 0 and below 1, or a file where data are files", _validation)


def _class_weight(value: Any) -> str | dict[str, float]:
    if value == "balanced":
        return "balanced"
    if type(value) is not dict or not value:
        raise ValueError
    weights = {str(name): weight for name, weight in value.items()}
    return parse_parts(dict.fromkeys(weights, number(above=0)), weights)


CLASS_WEIGHT = Validator("balanced, or a mapping of class names to numbers above 0", _class_weight)

FACTOR = number(above=0, below=1)
SCHEDULE_SETTINGS: dict[str, dict[str, tuple[Validator, Any]]] = {
    "constant": {},
    "step": {"every": (integer(1), 10), "factor": (FACTOR, 0.5)},
    "exponential": {"factor": (FACTOR, 0.95)},
    "cosine": {},
    "cosine_log": {},
    "one_cycle": {},
    "plateau": {"factor": (FACTOR, 0.5), "patience": (integer(1), 5)},
}
SCHEDULE = variant_of(SCHEDULE_SETTINGS)
