"""Targets: the classes of a training file, and those of any other examples by their names."""

import re
from collections.abc import Collection
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encoding import Encoding
from mlpcli.data.readers.notation import Notation, parse_number
from mlpcli.data.readers.table import TRUTHS, Labels, Table, label_text
from mlpcli.errors import DataError, NotClassesError, join_names

# Classes that are numbers are taken for quantities if there are more than so many and each has few
# examples.
MANY_CLASSES = 20
EXAMPLES_PER_CLASS = 10
# Whole numbers are codes of classes, wherever they lie, if there are so few, with so many examples.
FEW_CODES, EXAMPLES_PER_CODE = 5, 10
# So many are where they follow one another, with a gap for each at most, and so many examples.
SOME_CODES, EXAMPLES_OF_SOME = 10, 5
# Any number of them is that is counted from 0 or 1: the rarest has a tenth of the mean of examples,
# which is at least so large of many.
RAREST, MANY_CODES, EXAMPLES_OF_MANY = 0.1, 20, 50
# Line ends among them, by which a name would be more than one line.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# A longer text is no name.
MAX_NAME = 1_000


def fit_classes(labels: Labels, where: object, given: bool = False) -> tuple[str, ...]:
    """Return the names of the classes that occur, in the order of their numbers or letters.

    Args:
        labels: of all examples of the training file.
        where: what they are called in an error.
        given: whether the user said that they are classes, whatever they look like.

    Raises:
        DataError: if there are no classes to tell apart.
        NotClassesError: if they look like quantities.
    """
    labels = _as_classes(labels, where)
    counts = np.bincount(labels.codes, minlength=len(labels.names))
    names = [name for name, count in zip(labels.names, counts, strict=True) if count]
    n = len(labels.codes)
    for name in names:
        if not is_class_name(name):
            raise DataError(
                where,
                f"class {name[:60]!r} has a control character, or more than {MAX_NAME:,} others",
                "name it otherwise, or name another target",
            )
    if len(names) < 2:
        raise DataError(
            where, f"all {n} examples are of class {names[0]}", "give examples of two or more"
        )
    found = (as_number(name, labels.notation) for name in names)
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(names):
        numbers = []
    each = n / len(names)
    if numbers and not given and _look_like_quantities(numbers, each):
        raise NotClassesError(
            where,
            f"the target is a number with {len(names)} different values in {n} examples",
            "write task: regression, and structure with one output, or task: classification",
        )
    if each == 1 and not given:
        raise DataError(
            where,
            f"each of the {n} examples has a class of its own",
            "name the column with the classes as target",
        )
    return in_order(names, labels.notation)


def in_order(names: Collection[str], notation: Notation | None = None) -> tuple[str, ...]:
    """Return names in the order of their numbers, if all are numbers, or of their letters."""
    numbers = {name: number for name in names if (number := as_number(name, notation)) is not None}
    if len(numbers) < len(names):
        return tuple(sorted(names))
    return tuple(sorted(names, key=lambda name: (numbers[name], name)))


def _as_classes(labels: Labels, where: object) -> Labels:
    """Return classes as one target, (n,): where they are one-hot, (n, k), as positions from 0.

    Raises:
        DataError: if there are several targets that are not one-hot.
    """
    if labels.codes.ndim == 1:
        return labels
    k = labels.codes.shape[1]
    numbers = [TRUTHS.get(name.lower(), as_number(name, labels.notation)) for name in labels.names]
    if {0, 1}.issuperset(numbers) and (labels.codes >= 0).all():
        hot = np.array(numbers)[labels.codes] == 1
        if (hot.sum(axis=1) == 1).all():
            return Labels(hot.argmax(axis=1), tuple(map(str, range(k))))
    problem = f"has {k} targets for each example, but classes are in one, or one-hot"
    raise DataError(where, problem, "write task: multilabel, or task: regression")


def _look_like_quantities(numbers: list[float], each: float) -> bool:
    """Return whether targets that are all numbers are no classes.

    Args:
        numbers: those that occur.
        each: how many examples each has, in the mean.
    """
    if each == 1:
        return True
    if not all(number.is_integer() for number in numbers):
        return len(numbers) > MANY_CLASSES // 2
    return each < EXAMPLES_PER_CLASS and len(numbers) > MANY_CLASSES


def look_like_codes(labels: Labels) -> bool:
    """Return whether targets that are all numbers are likely to stand for classes.

    Counts, ages, prices and grades are quantities, though there are few different ones.
    """
    counts = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels.names))
    numbers = np.array([as_number(name, labels.notation) for name in labels.names], float)
    numbers, counts = numbers[counts > 0], counts[counts > 0]
    k, each, low = len(numbers), counts.mean(), numbers.min()
    if k <= 2:
        return True
    if (numbers % 1).any() or low < -1:
        return False
    if k <= FEW_CODES and each >= EXAMPLES_PER_CODE:
        return True
    if numbers.max() - low >= 2 * k:
        return False
    if k <= SOME_CODES and each >= EXAMPLES_OF_SOME:
        return True
    is_even = counts.min() >= RAREST * each and (k <= MANY_CODES or each >= EXAMPLES_OF_MANY)
    return bool(low in (0, 1) and is_even)


def is_class_name(text: str) -> bool:
    """Return whether a text can name a class: it is shown in one line, and stored in every file."""
    return len(text) <= MAX_NAME and not CONTROL.search(text)


def encode_labels(encoding: Encoding, table: Table) -> NDArray[np.integer]:
    """Return the class of each example, (n,) in 0..n_L-1.

    Raises:
        DataError: naming the place, if there are no classes or one was not seen in training.
    """
    if table.labels is None:
        raise DataError(table.where, "has no classes", "say where they are with --target")
    given, names = _as_classes(table.labels, table.where), encoding.class_names
    # The name as it stands wins over the number that it may be: 1 and 1.0 can be two classes.
    positions = {_canonical(name): i for i, name in enumerate(names)}
    positions |= {name: i for i, name in enumerate(names)}
    codes = np.array(
        [positions.get(name, positions.get(_canonical(name), -1)) for name in given.names],
        np.intp,
    )
    labels = codes[given.codes]
    if (labels < 0).any():
        row = int((labels < 0).argmax())
        raise DataError(
            table.row(row),
            f"class {given.names[given.codes[row]]!r} was not seen in training",
            f"the classes are {join_names(names)}",
        )
    return labels.astype(np.uint8 if len(names) <= 256 else np.int64)


def as_number(text: str, notation: Notation | None = None) -> float | None:
    """Return the finite number that a text is, written in some notation, or None."""
    value = parse_number(text, notation)
    return value if value is not None and isfinite(value) else None


def _canonical(name: str) -> str:
    number = as_number(name)
    return name if number is None else label_text(number)
