"""Which columns of a table are read, and as what, by the configuration."""

from collections.abc import Iterable, Mapping

from mlpcli.config.data_files import ROLES, ColumnRef, Files
from mlpcli.data.dates import read_dates
from mlpcli.data.readers.table import ColumnSelection, Selector, Table, column_name
from mlpcli.errors import DataError, join_names

# A first line with one of these words is a header although columns may be called 0, 1, 2; "y" may
# be a class.
HEADER_WORDS = ("target", "label", "class")
# What a target cannot be, too, and what to do about it.
NO_TARGET = {
    "dates": ("is a date, but it is a target", "list it once"),
    "ignore": ("is to be ignored, but it is a target", "name another target"),
}


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
        called = given if isinstance(given, tuple) else (given,)
        # In the order of the table, whatever that of the configuration is.
        targets = tuple(sorted({find(name, "target") for name in called}))
        text = {find(name, "categorical") for name in files.categorical}
        dates = {find(name, "dates") for name in files.dates}
        found = {part: {position} for part, position in roles.items()}
        _check_once({"dates": dates, **found, "ignore": ignored}, targets, text, names, where)
        taken = {*targets, *ignored, *roles.values()}
        features = tuple(i for i in range(width) if i not in taken)
        if not features:
            raise DataError(where, "has no column but the target", "give at least one feature")
        features = (*features, *dict.fromkeys(roles.values()))
        return ColumnSelection(
            width,
            features,
            frozenset((text | dates).intersection(features)),
            detect=True,
            target=targets if isinstance(given, tuple) else targets[0],
            roles=tuple(roles.items()),
        )

    return select


def _check_once(
    parts: Mapping[str, set[int]],
    targets: tuple[int, ...],
    text: set[int],
    names: tuple[str, ...] | None,
    where: str,
) -> None:
    """Refuse a column that is listed as two things of which it can be but one.

    Raises:
        DataError: naming it.
    """
    for part, columns in parts.items():
        for column in columns.intersection(targets):
            problem, remedy = NO_TARGET.get(part, ("is a target", "name another column"))
            called = column_name(names, column)
            raise DataError(where, f"{called} {problem}", remedy, f"data.{part}")
    for column in parts["dates"] & text:
        problem = f"{column_name(names, column)} is a date, but it is listed under categorical"
        raise DataError(where, problem, "list it once", "data.dates")


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
