"""Finding an encoding's columns in a table that was not trained on."""

from mlpcli.config.data_files import ColumnRef
from mlpcli.data.encoding import Column, Encoding
from mlpcli.data.readers.table import ColumnSelection, Selector, find_column
from mlpcli.errors import DataError, join_names

# What a column of classes is called beside pixels, which have no names to go by.
TARGET_NAMES = ("label", "labels", "class", "target", "y")


def header_names(encoding: Encoding) -> set[str]:
    """Return the names by which a header is recognised."""
    return {column.name for column in encoding.columns if column.name}


def select_known(encoding: Encoding, labelled: bool, target: ColumnRef | None = None) -> Selector:
    """Return the plan that finds an encoding's columns in another table.

    By name if both tables have names, in whatever order; else by position: either the features
    alone, or all columns that the training table had.

    Args:
        encoding: what was learned from the training table.
        labelled: whether the classes are wanted.
        target: the column that holds them, if it is not that of the training table.
    """

    def plan(names: tuple[str, ...] | None, width: int, where: str) -> ColumnSelection:
        chosen = None if target is None else find_column(target, names, width, where)
        if names and any(column.name for column in encoding.columns):
            features, found = _by_name(encoding.columns, names, chosen, where)
        else:
            features, found = _by_position(encoding, names, width, chosen, where, labelled)
        if labelled and found is None:
            raise DataError(where, "has no classes", "say where they are with --target")
        text = {
            position
            for position, column in zip(features, encoding.input_columns, strict=False)
            if column.categories
        }
        return ColumnSelection(width, features, frozenset(text), target=found if labelled else None)

    return plan


def _by_name(
    columns: tuple[Column, ...], names: tuple[str, ...], chosen: int | None, where: str
) -> tuple[tuple[int, ...], int | None]:
    """Return where the features and the target are in a table with a header."""
    roles = {column.name: column.role for column in columns}
    wanted = tuple(name for name, role in roles.items() if role in ("number", "category"))
    for name in wanted:
        if name not in names:
            raise DataError(
                where, f"column {name} is missing", f"the columns are {join_names(wanted)}"
            )
    for position, name in enumerate(names):
        if name not in roles and position != chosen:
            raise DataError(
                where, f"column {name} was not there in training", "remove it from the file"
            )
        if chosen is None and roles.get(name) == "target":
            chosen = position
    return tuple(map(names.index, wanted)), chosen


def _by_position(
    encoding: Encoding,
    names: tuple[str, ...] | None,
    width: int,
    chosen: int | None,
    where: str,
    labelled: bool,
) -> tuple[tuple[int, ...], int | None]:
    """Return where the features and the target are in a table told by its width."""
    spare = "name the column of the classes with --target" if labelled else "leave out the classes"
    roles = [column.role for column in encoding.columns]
    wanted = len(encoding.input_columns) or encoding.features
    if chosen is None and names and "target" not in roles:
        chosen = next((i for i, name in enumerate(names) if name.lower() in TARGET_NAMES), None)
    rest = tuple(position for position in range(width) if position != chosen)
    if len(rest) == wanted:
        return rest, chosen
    if "target" in roles and width == len(roles):
        features = (i for i, role in enumerate(roles) if role in ("number", "category"))
        return tuple(features), roles.index("target") if chosen is None else chosen
    raise DataError(
        where,
        f"has {width} values",
        f"the network takes {wanted}"
        + (f", or the {len(roles)} columns of the training table" if "target" in roles else "")
        + (f": {spare}" if width == wanted + 1 else ""),
    )
