"""Parquet tables; needs the extra `tables` (pyarrow)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.readers.table import (
    ArrayBuilder,
    Labels,
    Selector,
    Table,
    check_expansion,
    label_text,
)
from mlpcli.errors import DataError

PARQUET_MAGIC = b"PAR1"
CHUNK_ROWS = 1 << 14


def read_parquet(path: Path, plan: Selector) -> Table:
    """Read a Parquet table.

    Args:
        path: the file.
        plan: decides which columns are wanted.

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
        with parquet.ParquetFile(path, memory_map=False) as file:
            return _read(path, file, plan)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise DataError(path, f"is damaged: {error}", "fetch it again") from error


def _read(path: Path, file: Any, planner: Selector) -> Table:
    schema, rows = file.schema_arrow, file.metadata.num_rows
    names = tuple(schema.names)
    check_expansion(path, rows * len(names))
    if len(set(names)) < len(names):
        raise DataError(path, "two columns have the same name", "give each a name of its own")
    if rows == 0:
        raise DataError(path, "has no rows", "give a file with examples")
    plan = planner(names, len(names), str(path))
    detected = {i for i in plan.features if plan.detect and _is_text(schema.types[i])}
    plan = plan._replace(text=plan.text | detected, detect=False)
    wanted = [*plan.features, *([] if plan.target is None else [plan.target])]
    for i in wanted:
        as_text = i in plan.text or i == plan.target
        if not (_is_text(schema.types[i]) or _is_number(schema.types[i])) or (
            _is_text(schema.types[i]) and not as_text
        ):
            raise DataError(
                path,
                f"column {names[i]} holds {schema.types[i]}",
                "list it under ignore, or write it as numbers or text",
            )
    values = ArrayBuilder(len(plan.features))
    codes: dict[int, dict[str, int]] = {i: {} for i in wanted if i in plan.text or i == plan.target}
    labels = []
    for batch in file.iter_batches(CHUNK_ROWS, columns=[names[i] for i in wanted]):
        columns = [
            _codes(column, codes[i]) if i in codes else _numbers(column)
            for i, column in zip(wanted, _in_order(batch, [names[i] for i in wanted]), strict=True)
        ]
        if plan.target is not None:
            labels.append(np.nan_to_num(columns.pop(), nan=-1).astype(np.intp))
        values.append(np.column_stack(columns))
    found = None
    if plan.target is not None:
        found = Labels(np.concatenate(labels), tuple(codes[plan.target]))
    texts = {j: tuple(codes[i]) for j, i in enumerate(plan.features) if i in plan.text}
    return Table(path, values.finish(), found, names, plan, texts)


def _in_order(batch: Any, names: list[str]) -> Iterator[Any]:
    return (batch.column(batch.schema.get_field_index(name)) for name in names)


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


def _numbers(column: Any) -> NDArray[np.float64]:
    return np.asarray(column.cast("float64").to_numpy(zero_copy_only=False), np.float64)


def _codes(column: Any, codes: dict[str, int]) -> NDArray[np.float64]:
    """Return the code of every text, NaN for none; numbers are texts, too."""
    texts = (None if value is None else label_text(value) for value in column.to_pylist())
    return np.array(
        [codes.setdefault(text, len(codes)) if text and text.strip() else np.nan for text in texts],
        np.float64,
    )
