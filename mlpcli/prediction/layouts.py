"""What is written of every example: classes, quantities or labels, in each form."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Outputs = NDArray[np.floating]


class Layout(Protocol):
    """What to write of the outputs a^(L) of successive examples, (m, n_L)."""

    @property
    def width(self) -> int:
        """n_L."""

    @property
    def heads(self) -> list[str]:
        """The headings of what `cells` returns."""

    def words(self, outputs: Outputs) -> Iterator[list[str]]:
        """Return what a line of text has of each example."""

    def cells(self, outputs: Outputs) -> Iterator[list[Any]]:
        """Return what a row of CSV has of each example."""

    def objects(self, outputs: Outputs) -> Iterator[dict[str, Any]]:
        """Return what a JSON object has of each example."""

    def array(self, outputs: Outputs) -> NDArray[np.generic]:
        """Return what an array has of the examples, (m, ...)."""


def best(outputs: Outputs, k: int) -> NDArray[np.intp]:
    """Return the k classes with the largest outputs, (m, k), largest first.

    Of equal outputs the earlier class comes first, as in `argmax`.
    """
    if k == 1:
        return np.expand_dims(outputs.argmax(axis=1), axis=1)
    order: NDArray[np.intp] = np.argsort(-outputs, axis=1, kind="stable")
    return order[:, :k]


class ClassLayout(NamedTuple):
    """The class of every example, or its likeliest classes."""

    class_names: tuple[str, ...]
    top_k: int | None
    """So many classes, largest output first; None for the one predicted."""
    proba: bool
    """Outputs, too: of these classes if `top_k` is given, of all otherwise."""

    @property
    def width(self) -> int:
        """n_L."""
        return len(self.class_names)

    @property
    def heads(self) -> list[str]:
        """`class`, `class_2`..., then the outputs'."""
        counted = ["", *(f"_{i}" for i in range(2, (self.top_k or 1) + 1))]
        heads = [f"class{i}" for i in counted]
        if self.proba and self.top_k:
            return heads + [f"proba{i}" for i in counted]
        return heads + ([f"proba[{name}]" for name in self.class_names] if self.proba else [])

    def _columns(self, outputs: Outputs) -> tuple[NDArray[np.object_], Outputs]:
        """Return names, (m, k), and outputs, (m, 0), (m, k) or (m, n_L), to be written."""
        chosen = best(outputs, self.top_k or 1)
        # Objects: of fixed width, each would be as long as the longest.
        names = np.array(self.class_names, object)
        values = outputs[:, :0]
        if self.proba:
            values = outputs
            if self.top_k:
                values = np.take_along_axis(values, chosen, axis=1)
        return names[chosen], values

    def _rows(self, outputs: Outputs) -> Iterator[tuple[list[str], list[float]]]:
        names, values = self._columns(outputs)
        return zip(names.tolist(), values.tolist(), strict=True)

    def words(self, outputs: Outputs) -> Iterator[list[str]]:
        """Return names, then outputs to six digits."""
        for names, values in self._rows(outputs):
            yield [*names, *(f"{a:.6g}" for a in values)]

    def cells(self, outputs: Outputs) -> Iterator[list[Any]]:
        """Return names, then outputs."""
        for names, values in self._rows(outputs):
            yield [*names, *values]

    def objects(self, outputs: Outputs) -> Iterator[dict[str, Any]]:
        """Return `class`, and, if asked for, `top` and `proba`."""
        for names, values in self._rows(outputs):
            found: dict[str, Any] = {"class": names[0]}
            if self.top_k:
                found["top"] = names
            if self.proba:
                keys = names if self.top_k else self.class_names
                found["proba"] = dict(zip(keys, values, strict=True))
            yield found

    def array(self, outputs: Outputs) -> NDArray[np.generic]:
        """Return names, (m,) or (m, k), or, with `proba`, outputs, (m, n_L)."""
        names, values = self._columns(outputs)
        if self.proba:
            return values
        longest = max(map(len, self.class_names))
        return (names if self.top_k else names[:, 0]).astype(f"U{longest}")


class QuantityLayout(NamedTuple):
    """The quantities of every example."""

    names: tuple[str, ...]
    decode: Callable[[Outputs], NDArray[np.float64]]
    """Makes quantities in the targets' own units, (m, n_L), of outputs."""

    @property
    def width(self) -> int:
        """n_L."""
        return len(self.names)

    @property
    def heads(self) -> list[str]:
        """The targets' names."""
        return list(self.names)

    def words(self, outputs: Outputs) -> Iterator[list[str]]:
        """Return the quantities to six digits."""
        for row in self.cells(outputs):
            yield [f"{value:.6g}" for value in row]

    def cells(self, outputs: Outputs) -> Iterator[list[Any]]:
        """Return the quantities."""
        yield from self.decode(outputs).tolist()

    def objects(self, outputs: Outputs) -> Iterator[dict[str, Any]]:
        """Return `predicted`, a mapping from target to quantity."""
        for row in self.cells(outputs):
            yield {"predicted": dict(zip(self.names, row, strict=True))}

    def array(self, outputs: Outputs) -> NDArray[np.generic]:
        """Return the quantities, (m,) of one target, (m, n_L) of several."""
        numbers = self.decode(outputs)
        return numbers[:, 0] if self.width == 1 else numbers


class LabelLayout(NamedTuple):
    """The labels that every example has."""

    names: tuple[str, ...]
    decide: Callable[[Outputs], NDArray[np.bool]]
    """Says which labels outputs stand for, (m, n_L)."""
    proba: bool
    """The outputs of all labels, too."""
    column: str = "labels"
    """What the column is called that has all labels of an example in one cell."""
    separator: str | None = None
    """What is between them there; None where each label has a column."""

    @property
    def width(self) -> int:
        """n_L."""
        return len(self.names)

    @property
    def heads(self) -> list[str]:
        """The labels' names, or that of their column, then the outputs'."""
        labels = self.names if self.separator is None else (self.column,)
        return [*labels, *(f"proba[{name}]" for name in self.names if self.proba)]

    def _rows(self, outputs: Outputs) -> Iterator[tuple[list[bool], list[float]]]:
        values = outputs if self.proba else outputs[:, :0]
        return zip(self.decide(outputs).tolist(), values.tolist(), strict=True)

    def _had(self, given: list[bool]) -> list[str]:
        return [name for name, has in zip(self.names, given, strict=True) if has]

    def words(self, outputs: Outputs) -> Iterator[list[str]]:
        """Return the names of the labels that each has, which may be none; outputs before them."""
        for given, values in self._rows(outputs):
            had = self._had(given)
            labels = had if self.separator is None else [self.separator.join(had)]
            yield [*(f"{a:.6g}" for a in values), *labels]

    def cells(self, outputs: Outputs) -> Iterator[list[Any]]:
        """Return 1 or 0 for every label, or the cell with all that it has, then outputs."""
        for given, values in self._rows(outputs):
            labels: list[Any] = [*map(int, given)]
            if self.separator is not None:
                labels = [self.separator.join(self._had(given))]
            yield [*labels, *values]

    def objects(self, outputs: Outputs) -> Iterator[dict[str, Any]]:
        """Return `labels`, those that it has, and `proba` if asked for."""
        for given, values in self._rows(outputs):
            found: dict[str, Any] = {"labels": self._had(given)}
            if self.proba:
                found["proba"] = dict(zip(self.names, values, strict=True))
            yield found

    def array(self, outputs: Outputs) -> NDArray[np.generic]:
        """Return 1 or 0 for every label, or outputs, (m, n_L)."""
        return outputs if self.proba else self.decide(outputs).astype(np.uint8)
