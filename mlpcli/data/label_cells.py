"""Several labels in one cell, such as red|big: found, and made a column of yes or no for each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mlpcli.config.data_files import Files
from mlpcli.data.encoding import Encoding
from mlpcli.data.readers.cell_forms import common_form
from mlpcli.data.readers.notation import parse_number
from mlpcli.data.readers.table import Labels, Table
from mlpcli.data.targets import in_order
from mlpcli.data.text_columns import SHARE, TEXTS
from mlpcli.errors import DataError, join_names

# What stands between several texts in one cell.
BETWEEN = "|;,/+&"
# Labels have so many examples each, in the mean, and so large a share of examples has several.
EXAMPLES_PER_LABEL, SEVERAL = 5, 0.05
# What the cells of the columns are called.
NO, YES = "false", "true"


class Combination(NamedTuple):
    """A text that is several of few put together."""

    text: str
    separator: str


def split_labels(table: Table, files: Files, encoding: Encoding | None = None) -> Table:
    """Return a table with a column of yes or no for each label that its cells of labels have.

    An empty cell has none; a word that stands for a missing value is one in every column.

    Args:
        table: as it was read.
        files: how, and what is between labels, if there are several in a cell.
        encoding: what was learned in training: its labels are those that there are.

    Raises:
        DataError: if there are no labels, or one that was not seen in training.
    """
    labels, separator = table.labels, files.label_separator
    if labels is None or separator is None:
        return table
    if labels.codes.ndim > 1:
        problem = f"has {labels.codes.shape[1]} targets for each example, but labels are in one"
        raise DataError(table.where, problem, "remove it", "data.label_separator")
    known = encoding.class_names if encoding else ()
    words = files.missing_values.text_words - {*map(str.lower, known)}
    missing = [text for text in labels.names if text.strip().lower() in words]
    cells = [() if text in missing else parts_of(text, separator) for text in labels.names]
    names = known or in_order({label for cell in cells for label in cell}, labels.notation)
    if not names:
        raise DataError(table.where, "no example has a label", "name another target")
    positions = {name: j for j, name in enumerate(names)}
    # The last row is that of an empty cell, whose code is -1.
    columns = np.zeros((len(cells) + 1, len(names)), np.intp)
    for i, (text, cell) in enumerate(zip(labels.names, cells, strict=True)):
        if new := next((label for label in cell if label not in positions), None):
            row = int((labels.codes == i).argmax())
            problem = f"label {new[:40]!r} was not seen in training"
            raise DataError(table.row(row), problem, f"the labels are {join_names(names)}")
        columns[i, [positions[label] for label in cell]] = 1
        if text in missing:
            columns[i] = 2 + missing.index(text)
    split = Labels(columns[labels.codes], (NO, YES, *missing), columns=names)
    return table._replace(labels=split)


def parts_of(text: str, separator: str) -> tuple[str, ...]:
    """Return the labels of a cell, without the spaces around them."""
    return tuple(part for part in map(str.strip, text.split(separator)) if part)


def combination_in(texts: Sequence[str]) -> Combination | None:
    """Return a text that is several of few put together, such as red|big; None if none is.

    Then texts have different numbers of parts, and there are fewer parts than texts.
    """
    for separator in BETWEEN:
        parts = {text: _parts_of_class(text, separator) for text in texts[:TEXTS]}
        few = len({part for each in parts.values() for part in each}) < len(parts)
        if few and len({*map(len, parts.values())}) > 1:
            text = next(text for text, each in parts.items() if len(each) > 1)
            return Combination(text, separator)
    return None


def _parts_of_class(text: str, separator: str) -> list[str]:
    """Return the parts of a text; A+ is one."""
    parts = [part.strip() for part in text.split(separator)]
    return parts if all(parts) else [text]


def separator_in(counts: Mapping[str, int]) -> str | None:
    """Return what is between labels in a column's cells; None where these are plainly no labels.

    Args:
        counts: how often each text occurs.
    """
    found = combination_in([*counts])
    others = [text for text in [*counts][:TEXTS] if parse_number(text) is None]
    if found is None or common_form(others, SHARE):
        return None
    examples, together = Counter[str](), list[int]()
    for text, count in counts.items():
        parts = {*parts_of(text, found.separator)}
        examples.update(dict.fromkeys(parts, count))
        together += [count] * (len(parts) > 1)
    recur = examples.total() >= EXAMPLES_PER_LABEL * len(examples)
    are_several = len(together) > 1 and sum(together) >= SEVERAL * sum(counts.values())
    return found.separator if recur and are_several else None
