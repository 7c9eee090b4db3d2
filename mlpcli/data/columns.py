"""Which columns of a table are read, and as what: by the configuration, or as in training."""

from collections.abc import Collection, Iterable

from mlpcli.config.data_files import ROLES, ColumnRef, Files
from mlpcli.data.dates import read_dates
from mlpcli.data.encoding import INPUT_ROLES, TARGETS_CALLED, Column, Encoding
from mlpcli.data.readers.table import (
    TARGET_NAMES,
    TRUTHS,
    ColumnSelection,
    Selector,
    Table,
    column_name,
)
from mlpcli.errors import DataError, join_names

# A first line with one of these words is a header although columns may be called 0, 1, 2; "y" may
# be a class.
HEADER_WORDS = ("target", "label", "class")


def find_column(
    name: ColumnRef, names: tuple[str, ...] | None, width: int, where: object, key: str = ""
) -> int:
    """Return the position of a column given by name or by position.

    Args:
        name: the name, or the position from 0.
        names: the table's, if it has any.
        width: its number of columns.
        where: what it is called in an error.
        key: the KEY.PART of a configuration that gives the name.

    Raises:
        DataError: if there is no such column.
    """
    if isinstance(name, str) and names and name in names:
        return names.index(name)
    if isinstance(name, int) and -width <= name < width:
        return name % width
    columns = join_names([*map(repr, names)]) if names else f"0 to {width - 1}"
    raise DataError(where, f"there is no column {name!r}", f"the columns are {columns}", key)


def find_columns(columns: Iterable[ColumnRef], table: Table) -> list[int]:
    """Return where a table has some columns, as `find_column` does."""
    width = table.selection.width if table.selection else table.values.shape[1]
    return [find_column(name, table.names, width, table.where) for name in columns]


def find_kept(
    keep: tuple[ColumnRef, ...], names: tuple[str, ...] | None, width: int, where: object
) -> tuple[int, ...]:
    """Return the positions of columns that a user wants to keep, `all` for every one.

    A number is a position unless a column is called so.

    Raises:
        DataError: if there is no such column.
    """
    if keep == ("all",):
        return tuple(range(width))
    called = ((str(name) if str(name) in (names or ()) else name) for name in keep)
    return tuple(dict.fromkeys(find_column(name, names, width, where) for name in called))


def select_for_training(files: Files) -> Selector:
    """Return what chooses the columns of a training file as its configuration says."""

    def select(names: tuple[str, ...] | None, width: int, where: str) -> ColumnSelection:
        positions = {name: position for position, name in enumerate(names or ())}

        def find(name: ColumnRef, part: str) -> int:
            if name in positions:
                return positions[str(name)]
            return find_column(name, names, width, where, f"data.{part}")

        ignored = {find(name, "ignore") for name in files.ignore}
        given_roles = {part: getattr(files, part) for part in ROLES}
        roles = {p: find(name, p) for p, name in given_roles.items() if name is not None}
        given = files.target
        if given is None:
            free = [i for i in range(width) if i not in {*ignored, *roles.values()}]
            given = free[-1] if free else -1
        several = isinstance(given, tuple)
        called = given if isinstance(given, tuple) else (given,)
        # In the order of the table, whatever that of the configuration is.
        targets = sorted({find(name, "target") for name in called})
        text = {find(name, "categorical") for name in files.categorical}
        dates = {find(name, "dates") for name in files.dates}
        for column in dates.intersection(text.union(targets)):
            other = "a target" if column in targets else "listed under categorical"
            raise DataError(
                where,
                f"{column_name(names, column)} is a date, but it is {other}",
                "list it once",
                "data.dates",
            )
        for part, position in roles.items():
            if position in targets:
                called_so = column_name(names, position)
                problem = f"{called_so} is a target"
                raise DataError(where, problem, "name another column", f"data.{part}")
        taken = {*targets, *ignored, *roles.values()}
        features = tuple(i for i in range(width) if i not in taken)
        for target in ignored.intersection(targets):
            raise DataError(
                where,
                f"{column_name(names, target)} is to be ignored, but it is a target",
                "name another target",
                "data.ignore",
            )
        if not features:
            raise DataError(where, "has no column but the target", "give at least one feature")
        features = (*features, *dict.fromkeys(roles.values()))
        text = (text | dates) & set(features)
        chosen = tuple(targets) if several else targets[0]
        selected = ColumnSelection(width, features, frozenset(text), True, chosen)
        return selected._replace(roles=tuple(roles.items()))

    return select


def with_dates(table: Table, files: Files) -> Table:
    """Make numbers of the dates of a training table, as its configuration says.

    Raises:
        DataError: as `read_dates` does, or if the examples are no table.
    """
    if not files.dates:
        return table
    if table.selection is None:
        raise DataError(table.where, "has no columns of dates", "remove dates", "data.dates")
    _, features, *_ = table.selection
    positions = [
        find_column(name, table.names, table.selection.width, table.where) for name in files.dates
    ]
    columns = {j: files.day_first for j, i in enumerate(features) if i in positions}
    return read_dates(table, columns, files.point == ",")


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
    return tuple(t if t in categories else truths.get(t.lower(), t) for t in texts)


def select_all(files: Files) -> Selector:
    """Return what chooses every column that has no other part, as if all of them were features.

    What a configuration says of the target must make sense all the same.
    """
    check = select_for_training(files)

    def select(names: tuple[str, ...] | None, width: int, where: str) -> ColumnSelection:
        chosen = check(names, width, where)
        texts = (*files.categorical, *files.dates)
        text = {find_column(name, names, width, where) for name in texts}
        others = {position for _, position in chosen.roles}
        columns = tuple(sorted({*chosen.features, *chosen.targets} - others))
        return ColumnSelection(width, columns, frozenset(text.intersection(columns)), detect=True)

    return select


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
