"""Parquet tables; needs the extra `tables` (pyarrow)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli import signals
from mlpcli.data.readers.array_builder import ArrayBuilder
from mlpcli.data.readers.csv_dialect import CsvOptions
from mlpcli.data.readers.dates import DAY
from mlpcli.data.readers.notation import Notation
from mlpcli.data.readers.regular import open_regular
from mlpcli.data.readers.table import (
    ColumnSelection,
    Labels,
    Selector,
    Table,
    check_expansion,
    label_text,
)
from mlpcli.data.readers.text_numbers import read_written
from mlpcli.errors import DataError

PARQUET_MAGIC = b"PAR1"
CHUNK_ROWS = 1 << 14
# Per second.
TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def read_parquet(path: Path, select: Selector, options: CsvOptions) -> Table:
    """Read a Parquet table.

    Args:
        path: the file.
        select: decides which columns are read.
        options: how numbers are written in columns of text, if any are.

    Raises:
        DataError: naming the column, if it holds anything but numbers and text, or the file if it
            is damaged.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise DataError(
            path, "Parquet needs the package pyarrow", "run pip install 'mlpcli[tables]'"
        ) from None
    try:
        with open_regular(path):
            with parquet.ParquetFile(path) as file:
                texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
            # Texts stay codes of a dictionary: written out, one long text fills the memory.
            with parquet.ParquetFile(path, read_dictionary=texts) as file:
                return _read(path, file, select, options)
    # Names or texts may turn out to be no UTF-8.
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise DataError(path, f"is damaged: {error}", "fetch it again") from error


def date_columns(path: Path) -> tuple[str, ...]:
    """Return the columns of a Parquet table whose type is a date, a time or both."""
    try:
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            return tuple(field.name for field in file.schema_arrow if _is_date(field.type))
    except (ImportError, OSError, ValueError):
        # `read_parquet` says what is wrong.
        return ()


def _read(path: Path, file: Any, select: Selector, options: CsvOptions) -> Table:
    schema, rows = file.schema_arrow, file.metadata.num_rows
    names = tuple(schema.names)
    check_expansion(path, rows * len(names))
    if len(set(names)) < len(names):
        raise DataError(path, "two columns have the same name", "give each a name of its own")
    if rows == 0:
        raise DataError(path, "has no rows", "give a file with examples")
    notation = options.notation
    selection, written = _select_columns(path, schema, select, notation is not None)
    positions = [*selection.features, *selection.targets]
    # Arrow aborts the process where it is asked for a column's sizes and they contradict.
    groups = range(file.metadata.num_row_groups)
    unpacked = sum(file.metadata.row_group(i).total_byte_size for i in groups)
    check_expansion(path, max(unpacked, rows * len(positions) * np.dtype(np.float64).itemsize))
    table = _read_rows(path, file, selection, notation)
    if notation is None:
        return table
    in_question = (j for j, i in enumerate(selection.features) if i in written)
    return read_written(table, in_question, options, notation, selection.detect)


def _read_rows(
    path: Path, file: Any, selection: ColumnSelection, notation: Notation | None
) -> Table:
    """Return the columns that are read, those of text as codes.

    Raises:
        DataError: if there are not as many rows as the file announces.
    """
    schema, rows = file.schema_arrow, file.metadata.num_rows
    names, width = tuple(schema.names), len(selection.features)
    positions = [*selection.features, *selection.targets]
    values = ArrayBuilder(width)
    codes: dict[int, dict[str, int]] = {i: {} for i in positions if i in selection.text}
    of_targets: dict[str, int] = {}
    codes |= dict.fromkeys(selection.targets, of_targets)
    labels, kept = [], []
    chosen = [names[i] for i in dict.fromkeys((*positions, *selection.keep))]
    for batch in file.iter_batches(CHUNK_ROWS, columns=chosen):
        signals.check()
        columns = [
            _codes(column, codes[i]) if i in codes else _numbers(column)
            for i, column in ((i, _column(batch, names[i])) for i in positions)
        ]
        given = [_as_given(_column(batch, names[i])) for i in selection.keep]
        kept.append(np.array(given, object).T)
        if selection.targets:
            found_codes = np.nan_to_num(np.column_stack(columns[width:]), nan=-1).astype(np.intp)
            several = isinstance(selection.target, tuple)
            labels.append(found_codes if several else found_codes[:, 0])
        values.append(np.column_stack(columns[:width]))
    read = values.finish()
    if len(read) != rows:
        raise DataError(
            path, f"is damaged: it announces {rows} rows, and holds {len(read)}", "fetch it again"
        )
    found = None
    if selection.targets:
        are_texts = all(_is_text(schema.types[i]) for i in selection.targets)
        found = Labels(
            np.concatenate(labels),
            tuple(codes[selection.targets[0]]),
            notation if are_texts else None,
        )
    texts = {j: tuple(codes[i]) for j, i in enumerate(selection.features) if i in selection.text}
    beside = np.concatenate(kept) if selection.keep else None
    return Table(path, read, found, names, selection, texts, kept=beside)


def _select_columns(
    path: Path, schema: Any, select: Selector, with_notation: bool
) -> tuple[ColumnSelection, set[int]]:
    """Return which columns are read, and which of those of text may hold numbers.

    Raises:
        DataError: if one of them holds neither numbers nor text.
    """
    names = tuple(schema.names)
    selection = select(names, len(names), str(path))
    written = {i for i in selection.features if _is_text(schema.types[i])} - selection.text
    by_time = {i for part, i in selection.roles if part != "weight"}
    dates = {i for i in selection.text | by_time if _is_date(schema.types[i])}
    detected = written if selection.detect or with_notation else set()
    selection = selection._replace(text=(selection.text | detected) - dates)
    for i in (*selection.features, *selection.targets):
        as_text = i in selection.text or i in selection.targets
        if not (_is_text(schema.types[i]) or _is_number(schema.types[i]) or i in dates) or (
            _is_text(schema.types[i]) and not as_text
        ):
            keys = "dates or ignore" if _is_date(schema.types[i]) else "ignore"
            raise DataError(
                path,
                f"column {names[i]} holds {schema.types[i]}",
                f"list it under {keys}, or write it as numbers or text",
                column=names[i] or i,
            )
    for i in selection.keep:
        if _has_no_text(schema.types[i]):
            problem = f"column {names[i]} holds {schema.types[i]}, which cannot be kept"
            raise DataError(path, problem, "keep other columns")
    return selection, written


def _column(batch: Any, name: str) -> Any:
    return batch.column(batch.schema.get_field_index(name))


def _as_given(column: Any) -> list[Any]:
    """Return the values of a column to keep: numbers as such, all else as texts."""
    from pyarrow import types

    plain = _is_number(column.type) and not types.is_decimal(column.type)
    values: list[Any] = (column if plain else column.cast("string")).to_pylist()
    return values


def _has_no_text(kind: Any) -> bool:
    """Return whether values are lists and the like, or bytes."""
    return kind.num_fields > 0 or "binary" in str(kind)


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
    )


def _is_date(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_timestamp(kind) or types.is_date(kind) or types.is_time(kind))


def _numbers(column: Any) -> NDArray[np.float64]:
    """Return the numbers of a column; dates as seconds from 1970 on, by the clock on the wall."""
    from pyarrow import compute, types

    if types.is_date32(column.type):
        return _numbers(column.cast("int32")) * DAY
    if not _is_date(column.type):
        return np.asarray(column.cast("float64").to_numpy(zero_copy_only=False), np.float64)
    if types.is_timestamp(column.type) and column.type.tz:
        column = compute.local_timestamp(column)
    unit = "ms" if types.is_date(column.type) else column.type.unit
    ticks = column.cast("int32" if types.is_time32(column.type) else "int64")
    # What float64 loses of these is far below a second.
    given = ticks.cast("float64", safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(given / TICKS[unit], np.float64)


def _codes(column: Any, codes: dict[str, int]) -> NDArray[np.float64]:
    """Return the code of every text, NaN for none; numbers are texts, too."""
    from pyarrow import ArrowInvalid, types

    encoded = column if types.is_dictionary(column.type) else column.dictionary_encode()
    positions = encoded.indices.to_numpy(zero_copy_only=False)
    given = np.isfinite(positions) if positions.dtype.kind == "f" else np.ones(len(positions), bool)
    # Of a dictionary of the whole file, what these rows have.
    used, inverse = np.unique(positions[given].astype(np.intp), return_inverse=True)
    # Arrow does not look whether a damaged file has texts for all its codes.
    if len(used) and not 0 <= used[0] <= used[-1] < len(encoded.dictionary):
        raise ArrowInvalid("a text is beyond those that are there")
    texts = [encoded.dictionary[i].as_py() for i in used.tolist()]
    of_texts = [
        codes.setdefault(label_text(text), len(codes))
        if text is not None and label_text(text).strip() else np.nan
        for text in texts
    ]  # fmt: skip
    found = np.full(len(positions), np.nan)
    found[given] = np.array(of_texts, np.float64)[inverse]
    return found
