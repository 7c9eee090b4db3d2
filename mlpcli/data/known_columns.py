"""Which columns of another table than that of the training are read, and as what."""

from collections.abc import Collection

from mlpcli.config.data_files import ColumnRef
from mlpcli.data.columns import find_column, find_kept
from mlpcli.data.dates import read_dates
from mlpcli.data.encoding import INPUT_ROLES, TARGETS_CALLED, Column, Encoding
from mlpcli.data.readers.table import TARGET_NAMES, TRUTHS, ColumnSelection, Selector, Table
from mlpcli.errors import DataError, join_names


def header_names(encoding: Encoding) -> set[str]:
    """Return the names by which a header is recognised."""
    return {column.name for column in encoding.columns if column.name}


def select_known(
    encoding: Encoding,
    labelled: bool,
    target: ColumnRef | None = None,
    weight: ColumnRef | None = None,
    keep: tuple[ColumnRef, ...] = (),
) -> Selector:
    """Return what finds an encoding's columns in another table.

    By name if both tables have names, in whatever order; else by position: either the features
    alone, or all columns that the training table had.

    Args:
        encoding: that of the training table.
        labelled: whether the classes are read, too.
        target: the column that holds them, if it is not that of the training table.
        weight: the column of the training table with weights, which another may have, too.
        keep: columns to carry through, as `find_kept` takes them.
    """
    called = TARGETS_CALLED[encoding.task]
    several = sum(column.role == "target" for column in encoding.columns) > 1

    def select(names: tuple[str, ...] | None, width: int, where: str) -> ColumnSelection:
        chosen = None if target is None else (find_column(target, names, width, where),)
        extra: tuple[int, ...] = ()
        if names and any(column.name for column in encoding.columns):
            features, found, extra = _by_name(encoding.columns, names, chosen, where)
        else:
            features, found = _by_position(encoding, names, width, chosen, where, labelled)
        if labelled and not found:
            raise DataError(where, f"has no {called}", "say where they are with --target")
        if labelled and several and len(found) != len(encoding.class_names):
            problem = f"has {len(found)} of the targets {join_names(encoding.class_names)}"
            raise DataError(where, problem, "give a column for each, named as in training")
        text = {
            position
            for position, column in zip(features, encoding.input_columns, strict=False)
            if column.role in ("category", "date")
        }
        targets = found if several else found[0] if found else None
        weights = _find_weight(encoding, weight, names, width)
        kept = find_kept(keep, names, width, where)
        return ColumnSelection(
            width,
            (*features, *weights),
            frozenset(text),
            target=targets if labelled else None,
            extra=tuple(position for position in extra if position not in kept),
            keep=kept,
            roles=tuple(("weight", position) for position in weights),
        )

    return select


def _find_weight(
    encoding: Encoding, weight: ColumnRef | None, names: tuple[str, ...] | None, width: int
) -> tuple[int, ...]:
    """Return the column with the weights in another table, if there is one."""
    columns = encoding.columns
    if weight is None or not columns:
        return ()
    trained = [column.name for column in columns]
    position = trained.index(weight) if weight in trained else int(weight) % len(columns)
    if names and trained[position]:
        return (names.index(trained[position]),) if trained[position] in names else ()
    return (position,) if width == len(columns) else ()


def _by_name(
    columns: tuple[Column, ...], names: tuple[str, ...], chosen: tuple[int, ...] | None, where: str
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return where the features, the targets and all that is unknown are in a table with a header.

    Raises:
        DataError: if a feature is missing.
    """
    roles = {column.name: column.role for column in columns}
    input_columns = tuple(name for name, role in roles.items() if role in INPUT_ROLES)
    positions = {name: position for position, name in enumerate(names)}
    for name in input_columns:
        if name not in positions:
            alike = next((other for other in names if other.lower() == name.lower()), None)
            remedy = f"the columns are {join_names(input_columns)}"
            if alike is not None:
                remedy = f"rename column {alike}, since case counts"
            raise DataError(where, f"column {name} is missing", remedy)
    extra = (i for i, name in enumerate(names) if name not in roles and i not in (chosen or ()))
    if chosen is None:
        targets = (name for name, role in roles.items() if role == "target")
        chosen = tuple(positions[name] for name in targets if name in positions)
    return tuple(positions[name] for name in input_columns), chosen, tuple(extra)


def _by_position(
    encoding: Encoding,
    names: tuple[str, ...] | None,
    width: int,
    chosen: tuple[int, ...] | None,
    where: str,
    labelled: bool,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return where the features and the targets are in a table told by its width."""
    called = TARGETS_CALLED[encoding.task]
    spare = f"name the column of the {called} with --target"
    if not labelled:
        spare = f"leave out the {called}"
    roles = [column.role for column in encoding.columns]
    inputs = len(encoding.input_columns) or encoding.features
    if chosen is None and names and "target" not in roles:
        chosen = next(((i,) for i, name in enumerate(names) if name.lower() in TARGET_NAMES), None)
    rest = tuple(position for position in range(width) if position not in (chosen or ()))
    if len(rest) == inputs:
        return rest, chosen or ()
    if "target" in roles and width == len(roles):
        features = (i for i, role in enumerate(roles) if role in INPUT_ROLES)
        targets = tuple(i for i, role in enumerate(roles) if role == "target")
        return tuple(features), chosen or targets
    raise DataError(
        where,
        f"has {width} values",
        f"the network takes {inputs}"
        + (f", or the {len(roles)} columns of the training table" if "target" in roles else "")
        + (f": {spare}" if width == inputs + 1 else ""),
    )


def as_in_training(table: Table, encoding: Encoding) -> Table:
    """Make numbers of dates in a table that was read for an encoding, and spell truths as there.

    Raises:
        DataError: as `read_dates` does, or if the examples are no table.
    """
    columns = {
        j: column.day_first for j, column in enumerate(encoding.input_columns) if column.parts
    }
    if columns and table.selection is None:
        raise DataError(table.where, "is an array, and has no dates", "give a table")
    texts = {
        j: _respelled(texts, encoding.input_columns[j].categories)
        for j, texts in table.texts.items()
        # `encode` refuses a table of more columns.
        if j < len(encoding.input_columns)
    }
    table = table._replace(texts=table.texts | texts)
    return read_dates(table, columns) if columns else table


def _respelled(texts: tuple[str, ...], categories: Collection[str]) -> tuple[str, ...]:
    """Spell true and false as categories are: CSV, JSON and Parquet differ in their case."""
    truths = {text.lower(): text for text in categories if text.lower() in TRUTHS}
    if not truths:
        return texts
    return tuple(t if t in categories else truths.get(t.lower(), t) for t in texts)
