"""A whole model as a list of steps, from a row's raw cells to what is predicted.

Every exported form is generated from this list, which holds all that the forms must know.
"""

import base64
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


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


class Date(NamedTuple):
    """A cell that holds a date, a time or both, and becomes features of its parts."""

    name: str
    parts: tuple[str, ...]
    """Of year, month (0 to 11), weekday (0 is Monday) and time (seconds since midnight)."""
    periods: tuple[int, ...]
    """Of each part, how often it starts anew: its features are the sine and the cosine of
    2π / period · part. 0 where the part is a feature itself."""
    centers: tuple[float, ...]
    """Of each feature: what is scaled as a number is, with `spreads` and `limit`."""
    spreads: tuple[float, ...]
    limit: float | None = None
    fill: tuple[float, ...] | None = None
    """The features of a missing value, before they are scaled; None refuses it."""
    day_first: bool | None = None
    """Whether 3/4/2024 is the 3rd of April; None where that is refused."""

    @property
    def width(self) -> int:
        """Number of features that it becomes."""
        return len(self.centers)


Column = Number | Category | Date


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
    """In lower case and without white space around them, of categories and dates;"""
    number_words: tuple[str, ...]
    """of numbers."""
    numbers: tuple[float, ...]
    """Numbers that do, of all of them."""


class Affine(NamedTuple):
    """z = factor · x W + b, of a row x of features or of the layer below."""

    W: NDArray[np.floating]
    """(n_in, n_out)."""
    b: NDArray[np.floating]
    """(n_out,)."""
    factor: float = 1.0


class Quantized(NamedTuple):
    """The same with W in 8 bits: q · scale."""

    q: NDArray[np.int8]
    """(n_in, n_out), from -127 to 127."""
    scale: NDArray[np.floating]
    """(n_out,), symmetric: one for the weights to each output."""
    b: NDArray[np.floating]
    """(n_out,)."""
    factor: float = 1.0

    @property
    def W(self) -> NDArray[np.floating]:  # noqa: N802 - the article's name
        """What it computes with, (n_in, n_out)."""
        return self.q * self.scale


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
    layers: tuple[Affine | Quantized | Activate, ...]
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
    separator: str | None = None
    """What is between them where they are printed in one cell."""


class Quantities(NamedTuple):
    """The outputs are quantities in standard deviations: output · std + mean is in their unit."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    stds: tuple[float, ...]
    ranges: tuple[tuple[float, float], ...] | None
    """The lowest and the highest of each that is predicted; None for no limits."""


class Steps(NamedTuple):
    """A model, in the order in which a row goes through it."""

    columns: tuple[Column, ...]
    """What makes features of a row's cells: an array's numbers have no names."""
    missing: Missing
    layers: tuple[Affine | Quantized | Activate | Members | Periodic, ...]
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
        """Whether a row is one of a table, whose columns have names, or not numbers alone."""
        return any(column.name or not isinstance(column, Number) for column in self.columns)

    @property
    def affine(self) -> list[Affine | Quantized]:
        """The layers with weights and biases."""
        return [layer for layer in self.flat_layers if not isinstance(layer, Activate)]

    @property
    def is_quantized(self) -> bool:
        """Whether weights are in 8 bits."""
        return isinstance(self.affine[0], Quantized)

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
    def flat_layers(self) -> tuple[Affine | Quantized | Activate, ...]:
        """All layers, those within others too."""
        within = self.members.layers if self.members else ()
        return (*within, *(x for x in self.layers if not isinstance(x, Members | Periodic)))


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
