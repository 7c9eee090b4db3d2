"""Tables of comma-, semicolon- or tab-separated cells, an example per line."""

import csv
import math
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.csv_bytes import parse_bytes
from mlpcli.data.readers.lines import Line, read_lines
from mlpcli.data.readers.table import ArrayBuilder, Labels, Selector, Table, column_name
from mlpcli.errors import DataError

DELIMITERS = (",", ";", "\t")
QUOTED = re.compile('"[^"]*"')
# What stands for a missing number. A missing text or class is an empty cell.
MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
# Text parsed at a time.
CHUNK_CHARACTERS = 1 << 20


def read_csv(
    path: Path,
    plan: Selector,
    header: bool | None = None,
    delimiter: str | None = None,
    header_names: Collection[str] = (),
    gaps: bool = False,
) -> Table:
    """Read a table, plain or gzip-compressed.

    Args:
        path: the file.
        plan: decides which columns are wanted.
        header: whether the first line has the columns' names; None to see for oneself.
        delimiter: what stands between cells; None to see for oneself.
        header_names: the columns' names in training: a first line with one of them is a header.
        gaps: whether values may be missing.

    Raises:
        DataError: naming line and column, if it is not such a table.
        OSError: if it cannot be read.
    """
    # glibc takes memory of such sizes from the system anew for each use, until it has seen one as
    # large freed. Three times as fast; elsewhere it does no harm.
    np.empty(1 << 24, np.uint8)
    return CsvReader(read_lines(path), path, plan, header, delimiter, header_names, gaps).table()


class CsvReader:
    """Parses lines into numbers, and texts into codes, chunk by chunk.

    Args:
        lines: what to parse.
        where: their name, for errors.
        plan: decides which columns are wanted.
        header: whether the first line has the columns' names; None to see for oneself.
        delimiter: what stands between cells; None to see for oneself.
        header_names: the columns' names in training: a first line with one of them is a header.
        gaps: whether values may be missing: they become NaN.

    Raises:
        DataError: if there is no line.
    """

    def __init__(
        self,
        lines: Iterator[Line],
        where: Path | str,
        plan: Selector,
        header: bool | None = None,
        delimiter: str | None = None,
        header_names: Collection[str] = (),
        gaps: bool = False,
    ) -> None:
        self.where = where
        self.gaps = gaps
        first = next(lines, None)
        if first is None:
            raise DataError(where, "is empty", "give a file with examples")
        self.first = first.number
        self.delimiter = delimiter or max(DELIMITERS, key=QUOTED.sub("", first.text).count)
        cells = self._split(first)
        self.width = len(cells)
        self.names: tuple[str, ...] | None = None
        self.lines = lines
        if header if header is not None else _is_header(cells, header_names):
            self.names = tuple(cell.strip() for cell in cells)
            _check_names(self.names, f"{where}:{first.number}")
        else:
            self.lines = _chain(first, lines)
        self.plan = plan(self.names, self.width, f"{where}:{first.number}")
        self.learning = self.plan.detect
        self.codes: dict[int, dict[str, int]] = {column: {} for column in self.plan.text}
        self.labels: dict[str, int] = {}
        # Until a line shows otherwise.
        self.digits = True

    def table(self) -> Table:
        """Parse all lines."""
        values, codes, numbers = ArrayBuilder(len(self.plan.features)), [], []
        for part in self.chunks(CHUNK_CHARACTERS):
            values.append(part.values)
            codes.append(part.codes)
            numbers.append(part.lines)
        if not numbers:
            raise DataError(self.where, "has a header and no rows", "give a file with examples")
        return self._table(values.finish(), np.concatenate(codes), np.concatenate(numbers))

    def tables(self, characters: int) -> Iterator[Table]:
        """Parse about so many characters at a time, but at least one line."""
        for part in self.chunks(characters):
            yield self._table(part.values, part.codes, part.lines)

    def chunks(self, characters: int) -> Iterator["ParsedLines"]:
        """Yield the numbers of successive lines."""
        pending: list[Line] = []
        size = 0
        for line in self.lines:
            pending.append(line)
            size += len(line.text)
            if size >= characters:
                yield self._parse(pending)
                pending, size = [], 0
        if pending:
            yield self._parse(pending)

    def _table(
        self, values: NDArray[np.generic], codes: NDArray[np.intp], numbers: NDArray[np.intp]
    ) -> Table:
        labels = Labels(codes, tuple(self.labels)) if self.plan.target is not None else None
        texts = {j: tuple(self.codes[column]) for j, column in enumerate(self.plan.features)
                 if column in self.codes}  # fmt: skip
        return Table(self.where, values, labels, self.names, self.plan, texts, numbers)

    def _parse(self, lines: list[Line]) -> "ParsedLines":
        parsed: NDArray[np.generic] | None
        if self.plan.detect:
            self._detect(lines)
        parsed = self._parse_digits(lines)
        if parsed is None:
            parsed = self._parse_fast(lines)
        if parsed is None:
            parsed = self._parse_cells(lines)
        codes = np.empty(0, np.intp)
        if self.plan.target is not None:
            codes = parsed[:, self.plan.target].astype(np.intp)
        values = np.take(parsed, self.plan.features, axis=1)
        return ParsedLines(values, codes, np.array([line.number for line in lines], np.intp))

    def _detect(self, lines: list[Line]) -> None:
        """Find the columns that hold text and no number in the first chunk."""
        numeric = set(self.plan.features) - self.plan.text
        found = dict.fromkeys(numeric, False)
        for line in lines:
            cells = self._split(line)
            for column in list(numeric):
                cell = cells[column]
                if cell.strip().lower() in MISSING:
                    continue
                if _number(cell) is None:
                    found[column] = True
                else:
                    numeric.discard(column)
            if not numeric:
                break
        text = self.plan.text | {column for column in numeric if found[column]}
        self.plan = self.plan._replace(text=text, detect=False)
        self.codes = {column: {} for column in text}

    def _parse_digits(self, lines: list[Line]) -> NDArray[np.generic] | None:
        """Parse lines of bytes; None if they hold anything else."""
        parsed: NDArray[np.generic] | None = None
        if self.digits and not self.codes:
            parsed = parse_bytes([line.text for line in lines], self.delimiter, self.width)
        self.digits = parsed is not None
        if parsed is not None and self.plan.target is not None:
            target = parsed[:, self.plan.target]
            codes = np.zeros(256)
            for value in np.unique(target).tolist():
                codes[value] = _coder(self.labels)(str(value))
            # Codes fit a byte, as there are no more of them than values.
            parsed[:, self.plan.target] = codes[target]
        return parsed

    def _parse_fast(self, lines: list[Line]) -> NDArray[np.float64] | None:
        """Parse ordinary lines with NumPy; None if there is anything out of the ordinary."""
        texts = [line.text for line in lines]
        # NumPy takes some spaces for white that `float` of ASCII does not.
        if not all(text.isascii() for text in texts):
            return None
        wanted = {*self.plan.features, self.plan.target}
        converters: dict[int, Callable[[str], float]] = {
            column: _zero for column in range(self.width) if column not in wanted
        }
        for column, codes in self._vocabularies():
            converters[column] = _coder(codes)
        try:
            parsed = np.loadtxt(
                texts,
                delimiter=self.delimiter,
                quotechar='"',
                comments=None,
                converters=cast(Any, converters) or None,
                ndmin=2,
            )
        except ValueError:
            return None
        if parsed.shape != (len(lines), self.width) or not np.isfinite(parsed).all():
            return None
        return parsed

    def _parse_cells(self, lines: list[Line]) -> NDArray[np.float64]:
        """Parse lines cell by cell: slowly, and to the point where something is wrong."""
        parsed = np.zeros((len(lines), self.width))
        vocabularies = self._vocabularies()
        texts = {column for column, _ in vocabularies}
        numeric = [column for column in self.plan.features if column not in texts]
        for i, line in enumerate(lines):
            cells = self._split(line)
            for column in numeric:
                value = _number(cells[column])
                if value is None or not math.isfinite(value):
                    value = self._missing(cells[column], line, column)
                parsed[i, column] = value
            for column, codes in vocabularies:
                parsed[i, column] = _coder(codes)(cells[column])
        # A class that is missing is no NaN: it becomes a whole number.
        if self.plan.target is not None:
            target = parsed[:, self.plan.target]
            target[np.isnan(target)] = -1
        return parsed

    def _vocabularies(self) -> list[tuple[int, dict[str, int]]]:
        target = self.plan.target
        return [*self.codes.items(), *([] if target is None else [(target, self.labels)])]

    def _missing(self, cell: str, line: Line, column: int) -> float:
        """Return NaN for a cell that stands for a missing number; refuse any other."""
        missing = cell.strip().lower() in MISSING
        if missing and self.gaps:
            return math.nan
        remedy = "correct it"
        if missing:
            remedy = "fill it in, or train with missing: mean (or drop)"
        elif self.learning and _number(cell) is None:
            remedy = "correct it, or list the column under categorical"
            if self.names is None and line.number == self.first:
                remedy = "correct it, or write header: true if this line names the columns"
        raise DataError(
            f"{self.where}:{line.number}",
            f"{column_name(self.names, column)}: {cell[:40]!r} is not a finite number",
            remedy,
        )

    def _split(self, line: Line) -> list[str]:
        """Return a line's cells."""
        text = line.text
        if '"' not in text:
            cells = text.rstrip("\r\n").split(self.delimiter)
        else:
            try:
                (cells,) = csv.reader([text], delimiter=self.delimiter)
            except (csv.Error, ValueError) as error:
                raise DataError(
                    f"{self.where}:{line.number}",
                    f"is not a line of quoted cells ({error})",
                    'write a quote within a cell as ""',
                ) from None
        if hasattr(self, "width") and len(cells) != self.width:
            raise DataError(
                f"{self.where}:{line.number}",
                f"has {len(cells)} values",
                f"the first line has {self.width}",
            )
        return cells


class ParsedLines(NamedTuple):
    """Some lines, parsed."""

    values: NDArray[np.generic]
    codes: NDArray[np.intp]
    lines: NDArray[np.intp]


def _number(cell: str) -> float | None:
    """Return what `float` makes of plain ASCII; None for anything else."""
    try:
        return float(cell) if cell.isascii() else None
    except ValueError:
        return None


def _is_header(cells: list[str], header_names: Collection[str]) -> bool:
    """Return whether a first line has names: one that is known, or no number among them.

    Names that are numbers are known by all of them, each once: examples, too, hold numbers.
    """
    names = [cell.strip() for cell in cells]
    words = [name for name in names if _number(name) is None]
    return (
        len(words) == len(names)
        or any(word in header_names for word in words)
        or (len(set(names)) == len(names) and set(names) <= set(header_names))
    )


def _check_names(names: tuple[str, ...], where: str) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise DataError(
                where, f"two columns are called {name!r}", "give each a name of its own"
            )


def _coder(codes: dict[str, int]) -> Callable[[str], float]:
    def code(cell: str) -> float:
        if not cell.strip():
            return math.nan
        return codes.setdefault(cell, len(codes))

    return code


def _zero(_: str) -> float:
    return 0.0


def _chain(first: Line, rest: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from rest
