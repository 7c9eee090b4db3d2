"""Tables of comma-, semicolon- or tab-separated cells, an example per line."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli import signals
from mlpcli.data.readers.array_builder import ArrayBuilder
from mlpcli.data.readers.blocks import Block, block_of, blocks_of, read_blocks
from mlpcli.data.readers.csv_bad import without_bad
from mlpcli.data.readers.csv_bytes import parse_bytes
from mlpcli.data.readers.csv_cells import Columns, LateTextError, parse_cells, parse_ordinary
from mlpcli.data.readers.csv_detect import detect_columns
from mlpcli.data.readers.csv_dialect import CsvOptions, Dialect, split_line
from mlpcli.data.readers.csv_numbers import cells_that_are_not_plain, parse_numbers, parse_plain
from mlpcli.data.readers.csv_sniff import single_spaced, sniff
from mlpcli.data.readers.csv_start import SPACE
from mlpcli.data.readers.lines import Line
from mlpcli.data.readers.notation import parse_number
from mlpcli.data.readers.table import ColumnSelection, Labels, Selector, Table, Values
from mlpcli.errors import DataError

# They tell whether a column is of text.
FIRST_BLOCKS = 4
Parser = Callable[[Block, Dialect, Columns], Values | None]
# Fast ones first: each takes what those before it could not parse.
PARSERS: tuple[Parser, ...] = (
    parse_bytes,
    parse_plain,
    parse_ordinary,
    parse_numbers,
    parse_cells,
)
# From so many bytes on compiled code saves what it takes to load it: where numba is loaded in any
# case, and where it is not.
LARGE, HUGE = 1 << 23, 1 << 28


class ParsedLines(NamedTuple):
    """Some lines, parsed."""

    values: Values
    """(m, d) numbers and codes of texts."""
    codes: NDArray[np.intp]
    """(m,), or (m, k) of k targets, those of the classes; (0,) where they are not read."""
    numbers: NDArray[np.intp]
    """(m,) where the lines are."""
    columns: Columns
    """With the texts of these lines and all before them."""
    kept: NDArray[np.object_] | None = None
    """(m, k) the cells of columns to keep; None where they are not read."""


def read_csv(
    path: Path,
    select: Selector,
    options: CsvOptions,
    read: Callable[[Path], Iterator[Block]] = read_blocks,
) -> Table:
    """Read a table, plain or gzip-compressed.

    Args:
        path: the file.
        select: decides which columns are read.
        options: what is known of it.
        read: yields its lines; it is called more than once.

    Raises:
        DataError: naming line and column, if it is not such a table.
        OSError: if it cannot be read.
    """
    # glibc takes memory of such sizes from the system anew for each use, until it has seen one as
    # large freed. Three times as fast; elsewhere it does no harm.
    np.empty(1 << 24, np.uint8)
    dialect, _ = sniff(_lines_of(read(path)), path, options)
    selection = select(dialect.names, dialect.width, f"{path}:{dialect.first}")
    size = path.stat().st_size
    try:
        return _read(read(path), size, dialect, selection, options)
    except LateTextError:
        # All lines tell what the columns are of which the first ones tell nothing.
        blocks = _examples(read(path), dialect, options, [])
        first, rest = _lines_of(islice(blocks, FIRST_BLOCKS)), _lines_of(blocks)
        columns = detect_columns(first, dialect, selection, options, rest)
        return _read(read(path), size, dialect, selection, options, columns)


def _parsers_for(size: int) -> tuple[Parser, ...]:
    """Return what parses a file of so many bytes, compiled where that is faster and can be had."""
    if size < (LARGE if "mlpcli.jit" in sys.modules else HUGE):
        return PARSERS
    try:
        from mlpcli.data.readers.csv_compiled import parse_decimals
    except ImportError:
        return PARSERS
    return tuple(partial(p, parse=parse_decimals) if p is parse_plain else p for p in PARSERS)


def _lines_of(blocks: Iterable[Block]) -> Iterator[Line]:
    return chain.from_iterable(block.lines for block in blocks)


def _examples(
    blocks: Iterator[Block], dialect: Dialect, options: CsvOptions, skipped: list[int]
) -> Iterator[Block]:
    """Yield the lines that hold examples, and add to `skipped` which bad ones are left out."""
    above = len(dialect.above) + (dialect.names is not None)
    for block in blocks:
        rest = block.after(above)
        above -= len(block.numbers) - len(rest.numbers)
        if dialect.delimiter == SPACE:
            rest = block_of([*map(single_spaced, rest.lines)])
        if options.skip_bad:
            rest, bad = without_bad(rest, dialect)
            skipped += bad
        if rest.numbers:
            yield rest


def bad_lines(
    path: Path,
    options: CsvOptions,
    read: Callable[[Path], Iterator[Block]] = read_blocks,
) -> tuple[list[int], list[int]]:
    """Return which lines of a table have more or fewer cells than the first, and which have not.

    Args:
        path: the file.
        options: what is known of it.
        read: yields its lines.

    Raises:
        DataError: as `read_csv` does.
        OSError: if it cannot be read.
    """
    dialect, _ = sniff(_lines_of(read(path)), path, options)
    bad: list[int] = []
    examples = _examples(read(path), dialect, options._replace(skip_bad=True), bad)
    good = [number for block in examples for number in block.numbers]
    return bad, good


def _read(
    blocks: Iterator[Block],
    size: int,
    dialect: Dialect,
    selection: ColumnSelection,
    options: CsvOptions,
    columns: Columns | None = None,
) -> Table:
    """Read all lines of a table, from a file of so many bytes."""
    skipped: list[int] = []
    blocks = _examples(blocks, dialect, options, skipped)
    head = [*islice(blocks, FIRST_BLOCKS)]
    if not head:
        raise DataError(dialect.where, "has a header and no rows", "give a file with examples")
    columns = columns or detect_columns(_lines_of(head), dialect, selection, options)
    each = sum(len(block.data) for block in head) / sum(len(block.numbers) for block in head)
    values, codes, numbers = ArrayBuilder(len(selection.features), size / each), [], []
    parsers = _parsers_for(size)
    for part in _parse(chain(head, blocks), dialect, selection, options, parsers, columns):
        values.append(part.values)
        codes.append(part.codes)
        numbers.append(part.numbers)
    lines = ParsedLines(
        values.finish(), np.concatenate(codes), np.concatenate(numbers), part.columns
    )
    return _table(dialect, lines)._replace(skipped=tuple(skipped))


def columns_with_text(
    path: Path,
    select: Selector,
    options: CsvOptions,
    read: Callable[[Path], Iterator[Block]] = read_blocks,
) -> frozenset[int]:
    """Return which of the columns that are read have a cell anywhere that is no finite number.

    Args:
        path: the file.
        select: decides which columns are read.
        options: what is known of it, and what stands for a missing number.
        read: yields its lines.

    Raises:
        DataError: as `read_csv` does.
        OSError: if it cannot be read.
    """
    dialect, _ = sniff(_lines_of(read(path)), path, options)
    selection = select(dialect.names, dialect.width, f"{path}:{dialect.first}")
    text = set(selection.text)
    for block in _examples(read(path), dialect, options, []):
        signals.check()
        left = [column for column in selection.features if column not in text]
        for column, cells in cells_that_are_not_plain(block, dialect, left, options.notation):
            if any(_is_text(cell, options) for cell in cells):
                text.add(column)
    return frozenset(text)


def _is_text(cell: str, options: CsvOptions) -> bool:
    if cell.strip().lower() in options.words:
        return False
    value = parse_number(cell, options.notation)
    return value is None or not math.isfinite(value)


def csv_tables(
    lines: Iterator[Line],
    where: str,
    select: Selector,
    characters: int,
    options: CsvOptions,
    waits: bool = True,
) -> Iterator[Table]:
    """Yield tables of about so many characters of a table each, but of at least one line.

    Args:
        lines: where its lines come from.
        where: its name, for errors.
        select: decides which columns are read.
        characters: how many to parse at a time.
        options: what is known of the table.
        waits: whether the first lines may be waited for.

    Raises:
        DataError: as `read_csv` does, after the tables of the lines before.
    """
    dialect, lines = sniff(lines, where, options, waits)
    selection = select(dialect.names, dialect.width, f"{where}:{dialect.first}")
    for part in _parse(blocks_of(lines, characters), dialect, selection, options):
        yield _table(dialect, part)
        # There may be any number of texts in an endless table.
        for codes in part.columns.codes.values():
            codes.clear()


def _parse(
    blocks: Iterable[Block],
    dialect: Dialect,
    selection: ColumnSelection,
    options: CsvOptions,
    parsers: tuple[Parser, ...] = PARSERS,
    columns: Columns | None = None,
) -> Iterator[ParsedLines]:
    """Yield the numbers of successive lines."""
    for block in blocks:
        signals.check()
        columns = columns or detect_columns(block.lines, dialect, selection, options)
        part = _parse_block(block, dialect, columns, parsers)
        if part.values.dtype != np.uint8:
            # A line has shown that the table is not of bytes alone.
            parsers = tuple(parse for parse in parsers if parse is not parse_bytes)
        yield part


def _parse_block(
    block: Block, dialect: Dialect, columns: Columns, parsers: tuple[Parser, ...]
) -> ParsedLines:
    """Parse lines with the first parser that can."""
    found = (parse(block, dialect, columns) for parse in parsers)
    parsed = next(array for array in found if array is not None)
    features, target = columns.selection.features, columns.selection.target
    columns_read = list(target) if isinstance(target, tuple) else target
    codes = np.empty(0, np.intp) if target is None else parsed[:, columns_read].astype(np.intp)
    numbers = np.array(block.numbers, np.intp)
    kept = _cells_to_keep(block, dialect, columns.selection.keep)
    return ParsedLines(np.take(parsed, features, axis=1), codes, numbers, columns, kept)


def _cells_to_keep(
    block: Block, dialect: Dialect, keep: tuple[int, ...]
) -> NDArray[np.object_] | None:
    if not keep:
        return None
    rows = (line.values or split_line(line, dialect) for line in block.lines)
    return np.array([[row[i] for i in keep] for row in rows], object)


def _table(dialect: Dialect, part: ParsedLines) -> Table:
    selection, codes, options, *_ = part.columns
    labels = None
    if selection.target is not None:
        labels = Labels(part.codes, tuple(codes[selection.targets[0]]), options.notation)
    texts = {j: tuple(codes[i]) for j, i in enumerate(selection.features) if i in selection.text}
    names, kept = dialect.names, part.kept
    return Table(
        dialect.where, part.values, labels, names, selection, texts, part.numbers, kept=kept
    )
