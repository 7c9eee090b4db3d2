"""What features and classes mean: a record fitted to training data and applied to any other."""

from collections.abc import Mapping
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.validators import (
    BOOLEAN,
    Validator,
    choice,
    integer,
    list_of,
    mapping_of,
    number,
)
from mlpcli.data.dates import PARTS

# What `scale` multiplies features by in the network's arithmetic: `unit` takes bytes to [0, 1].
# `standardize` and `robust` are applied to the features themselves.
SCALES = {"unit": 1 / 255, "standardize": 1.0, "robust": 1.0, "none": 1.0}
# What black and white are in bytes.
BYTE_RANGE = (0.0, 255.0)
# The roles of columns that become features.
INPUT_ROLES = ("number", "category", "date")
# What the targets of each task are called.
TARGETS_CALLED = {
    "classification": "classes",
    "regression": "quantities",
    "multilabel": "labels",
}
FITTED_SCALES = ("standardize", "robust")
# Under `robust`, features are bent towards these limits on both sides of 0.
ROBUST_LIMIT = 3.0


class Column(NamedTuple):
    """A column of the training table."""

    name: str
    """Empty where the table has no header."""
    role: str
    """number, category, date, target or ignored."""
    categories: tuple[str, ...] = ()
    """Of a category: one feature each, but for `signed`."""
    filling: tuple[float, ...] = ()
    """What stands for a missing value: the mean, or the share of every category."""
    parts: tuple[str, ...] = ()
    """Of a date: what is made of it, names of `PARTS`."""
    day_first: bool | None = None
    """Whether its day is before its month, where that makes a difference."""
    bins: tuple[float, ...] = ()
    """Of a number that is embedded: the ends of its bins, increasing; one feature each."""
    signed: bool = False
    """Whether two categories are one feature, -1 and 1."""

    @property
    def width(self) -> int:
        """Number of features that the column becomes."""
        if self.role == "date":
            return sum(PARTS[part] for part in self.parts)
        numbers = len(self.bins) - 1 if self.bins else 1
        categories = 1 if self.signed else len(self.categories)
        return {"number": numbers, "category": categories}.get(self.role, 0)

    @property
    def is_number(self) -> bool:
        """Whether it becomes a number, or the parts of a date, and neither categories nor bins."""
        return not (self.categories or self.bins)


class Quantity(NamedTuple):
    """What is known of a target that is a number, from the examples that are trained on."""

    mean: float
    std: float
    low: float
    """The smallest seen."""
    high: float
    """The largest seen."""


class Encoding(NamedTuple):
    """What a network must know of its data to judge other examples."""

    features: int
    """n_1."""
    scale: str
    """A name in `SCALES`."""
    class_names: tuple[str, ...]
    """n_L names: of the classes, of the quantities, or of the labels."""
    image_shape: tuple[int, int] | None = None
    """Rows and columns, where features are the pixels of an image; each is three in colour."""
    columns: tuple[Column, ...] = ()
    """Those of the training table, in its order; none for arrays and images."""
    means: tuple[float, ...] = ()
    """n_1 numbers subtracted from the features under `standardize`."""
    deviations: tuple[float, ...] = ()
    """n_1 numbers that the rest is divided by."""
    task: str = "classification"
    """What the outputs are: a name in `TARGETS_CALLED`."""
    quantities: tuple[Quantity, ...] = ()
    """n_L, of a regression: a network learns (target - mean) / std."""
    commonest: tuple[int, ...] = ()
    """What most training examples are: a class, or n_L labels, 0 or 1; () where it is not known."""
    unknown: str = "error"
    """What categories not seen in training are: an error, or ignored, their features all 0."""
    pixel_range: tuple[float, float] = BYTE_RANGE
    """What black and white are in images."""

    @property
    def target_means(self) -> NDArray[np.float64]:
        """The mean of each quantity, (n_L,)."""
        return np.array([quantity.mean for quantity in self.quantities])

    @property
    def target_stds(self) -> NDArray[np.float64]:
        """What each quantity is divided by, (n_L,)."""
        return np.array([quantity.std for quantity in self.quantities])

    @property
    def input_columns(self) -> list[Column]:
        """The columns that become features."""
        return [column for column in self.columns if column.role in INPUT_ROLES]

    def column_of(self, feature: int) -> int:
        """Return which of the input columns a feature is of; itself where there are no columns."""
        widths = [column.width for column in self.input_columns]
        return int(np.repeat(range(len(widths)), widths)[feature]) if widths else feature

    @property
    def is_number(self) -> NDArray[np.bool]:
        """Which features are such numbers, (n_1,)."""
        flags = [column.is_number for column in self.input_columns]
        widths = [column.width for column in self.input_columns]
        return np.repeat(flags, widths) if flags else np.ones(self.features, bool)

    def to_mapping(self) -> dict[str, Any]:
        """Return everything but the class names as JSON values; `from_mapping` is the way back."""
        defaults = self._field_defaults
        mapping = {
            name: value
            for name, value in self._asdict().items()
            if name not in defaults or value != defaults[name]
        }
        del mapping["class_names"]
        if self.columns:
            mapping["columns"] = [
                {
                    name: value
                    for name, value in column._asdict().items()
                    if name not in Column._field_defaults or value != Column._field_defaults[name]
                }
                for column in self.columns
            ]
        if self.quantities:
            mapping["quantities"] = [quantity._asdict() for quantity in self.quantities]
        return mapping

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], class_names: tuple[str, ...]) -> "Encoding":
        """Return the encoding that `to_mapping` wrote.

        Raises:
            ValueError: if it is none, or contradicts itself; PartError, of these, names the part.
        """
        given = ENCODING.parse(mapping)
        columns = tuple(Column(**column) for column in given.pop("columns", ()))
        quantities = tuple(Quantity(**quantity) for quantity in given.pop("quantities", ()))
        encoding = cls(**given, columns=columns, quantities=quantities, class_names=class_names)
        shape = encoding.image_shape
        statistics = encoding.features if encoding.scale in FITTED_SCALES else 0
        if (
            (encoding.columns and sum(c.width for c in encoding.columns) != encoding.features)
            or not all(map(_is_consistent, encoding.columns))
            or (shape and encoding.features not in (prod(shape), 3 * prod(shape)))
            or len(encoding.means) != statistics
            or len(encoding.deviations) != statistics
            or len(encoding.quantities) != (len(class_names) if encoding.quantities else 0)
            or bool(encoding.quantities) != (encoding.task == "regression")
            or not _is_possible(encoding)
        ):
            raise ValueError("the encoding contradicts itself")
        return encoding


def _is_consistent(column: Column) -> bool:
    """Return whether a column has the categories, parts or bins of its role, and their filling."""
    categories, parts, bins = column.categories, column.parts, column.bins
    fillings = 1 if column.role == "number" else len(categories) or column.width
    return (
        len(set(categories)) == len(categories)
        and bool(categories) == (column.role == "category")
        and len(set(parts)) == len(parts)
        and bool(parts) == (column.role == "date")
        and (column.day_first is None or column.role == "date")
        and (not bins or (len(bins) > 1 and column.role == "number"))
        and all(low < high for low, high in pairwise(bins))
        and (not column.signed or len(categories) == 2)
        and len(column.filling) in (0, fillings)
    )


def _is_possible(encoding: Encoding) -> bool:
    """Return whether an example may be what is commonest."""
    k, given = len(encoding.class_names), encoding.commonest
    length, limit = {"classification": (1, k), "multilabel": (k, 2)}.get(encoding.task, (0, 0))
    return not given or (len(given) == length and max(given) < limit)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError
    return value


def _image_shape(value: Any) -> tuple[int, int]:
    rows, columns = list_of(integer(1)).parse(value)
    return rows, columns


def _pixel_range(value: Any) -> tuple[float, float]:
    low, high = list_of(number()).parse(value)
    if not low < high:
        raise ValueError
    return low, high


_TEXT = Validator("text", _text)
_COLUMN = mapping_of(
    {
        "name": _TEXT,
        "role": choice(*INPUT_ROLES, "target", "ignored"),
        "categories": list_of(_TEXT),
        "filling": list_of(number()),
        "parts": list_of(choice(*PARTS)),
        "day_first": BOOLEAN,
        "bins": list_of(number()),
        "signed": BOOLEAN,
    },
    optional=("categories", "filling", "parts", "day_first", "bins", "signed"),
)
_QUANTITY = mapping_of(
    {"mean": number(), "std": number(above=0), "low": number(), "high": number()}
)
# What `Encoding.to_mapping` writes.
ENCODING = mapping_of(
    {
        "features": integer(1),
        "scale": choice(*SCALES),
        "image_shape": Validator("[rows, columns]", _image_shape),
        "columns": list_of(_COLUMN),
        "means": list_of(number()),
        "deviations": list_of(number(above=0)),
        "task": choice(*TARGETS_CALLED),
        "quantities": list_of(_QUANTITY),
        "commonest": list_of(integer(0)),
        "unknown": choice("error", "ignore"),
        "pixel_range": Validator("[low, high]", _pixel_range),
    },
    optional=(
        "image_shape",
        "columns",
        "means",
        "deviations",
        "task",
        "quantities",
        "commonest",
        "unknown",
        "pixel_range",
    ),
)
