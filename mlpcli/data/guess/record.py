"""What is wished of a file, and what was found out of it, or chosen and said."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlpcli.config.data_files import ColumnRef, Files, Target


class Wishes(NamedTuple):
    """What the user has said of the data."""

    target: Target | None = None
    task: str | None = None
    ignore: tuple[ColumnRef, ...] = ()
    categorical: tuple[ColumnRef, ...] = ()
    header: bool | None = None
    roles: Mapping[str, Any] = {}
    """By part of `data`, one of `ROLES`: the column that has it."""


class Guess(NamedTuple):
    """How a file is read, and what was found out or chosen."""

    files: Files
    findings: tuple[str, ...] = ()
    validation: str | None = None
    """A folder of images to choose the weights by."""
    spares: bool = True
    """Whether a fraction of the examples can be set aside for that."""

    def because(self, finding: str, **parts: Any) -> "Guess":
        """Return the guess with some parts of `data` otherwise, for a reason."""
        return self._replace(files=self.files._replace(**parts), findings=(*self.findings, finding))


def shown_reference(column: ColumnRef) -> str:
    """Return what a user calls a column that a configuration refers to."""
    return column if isinstance(column, str) else f"column {column} (from 0)"


def decide_missing(gaps: bool, guess: Guess) -> Guess:
    """Let the mean stand for missing values, if there are any."""
    if gaps:
        return guess.because("missing values: the mean stands for them; drop leaves rows out")
    return guess._replace(files=guess.files._replace(missing="error"))
