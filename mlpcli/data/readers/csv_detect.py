"""Telling from its first lines which columns of a table are of text."""

from collections.abc import Iterable

from mlpcli import signals
from mlpcli.data.readers.csv_cells import Columns
from mlpcli.data.readers.csv_dialect import CsvOptions, Dialect, split_line
from mlpcli.data.readers.lines import Line
from mlpcli.data.readers.notation import parse_number
from mlpcli.data.readers.table import ColumnSelection


def detect_columns(
    lines: Iterable[Line],
    dialect: Dialect,
    selection: ColumnSelection,
    options: CsvOptions,
    rest: Iterable[Line] = (),
) -> Columns:
    """Return what cells are parsed as: in training, text where the first lines have no number.

    Args:
        lines: the first lines.
        dialect: how they are written.
        selection: which columns are read, and whether more of them may turn out to be text.
        options: what is known of the table.
        rest: later lines, whose first value decides where the first lines have none.

    Raises:
        DataError: naming the line, if it has another number of cells.
    """
    text = selection.text
    number_lines: dict[int, int] = {}
    if selection.detect:
        undecided = set(selection.features) - text
        texts, number_lines = _first_values(lines, dialect, undecided, options)
        text |= texts - {*number_lines}
        empty = undecided - text - {*number_lines}
        late, numbers = _first_values(rest, dialect, empty, options, one=True)
        text |= late
        number_lines |= numbers
    codes: dict[int, dict[str, int]] = {column: {} for column in text}
    of_targets: dict[str, int] = {}
    codes |= dict.fromkeys(selection.targets, of_targets)
    return Columns(selection._replace(text=text), codes, options, number_lines, {})


def _first_values(
    lines: Iterable[Line],
    dialect: Dialect,
    columns: set[int],
    options: CsvOptions,
    one: bool = False,
) -> tuple[set[int], dict[int, int]]:
    """Return which columns hold a text, and where each has its first number.

    Args:
        lines: where to look.
        dialect: how they are written.
        columns: what to look for.
        options: what stands for a missing value.
        one: whether the first value of a column decides, or only a number does.
    """
    undecided, texts, number_lines = set(columns), set(), {}
    seen: dict[int, set[str]] = {column: set() for column in columns}
    for line in lines if undecided else ():
        signals.check()
        cells = split_line(line, dialect)
        for column in list(undecided):
            cell = cells[column]
            if cell in seen[column]:
                continue
            seen[column].add(cell)
            if cell.strip().lower() in options.words:
                continue
            value = parse_number(cell, options.notation)
            if value in options.numbers:
                continue
            if value is None:
                texts.add(column)
            else:
                number_lines[column] = line.number
            if one or column in number_lines:
                undecided.discard(column)
        if not undecided:
            break
    return texts, number_lines
