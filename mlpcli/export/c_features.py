"""C that makes features of a row's cells: functions, arrays of what was learned, and calls."""

from collections.abc import Iterator
from math import pi
from textwrap import indent

from mlpcli.data.dates import PARTS, PERIODS
from mlpcli.export import c_cells, c_parts
from mlpcli.export.c_literals import define, define_doubles, define_texts, double, text_literal
from mlpcli.export.steps import Category, Column, Date, Number, Steps

LARGEST = {"float32": "3.4028234663852886e38", "float64": "1.7976931348623157e308"}


def arrays(steps: Steps) -> Iterator[str]:
    """Yield the arrays of what was learned of columns."""
    for position, column in enumerate(steps.columns, 1):
        if isinstance(column, Category):
            yield define_texts(f"categories{position}", column.categories)
            yield define_doubles(f"on{position}", column.on)
            if column.off:
                yield define_doubles(f"off{position}", column.off)
            if column.fill:
                yield define_doubles(f"fill{position}", column.fill)
        elif isinstance(column, Date):
            which = map(str, map([*PARTS].index, column.parts))
            yield define(f"unsigned char @parts{position}[{len(column.parts)}]", which)
            yield define_doubles(f"centers{position}", column.centers)
            yield define_doubles(f"spreads{position}", column.spreads)
            if column.fill:
                yield define_doubles(f"fill{position}", column.fill)
        elif column.bins:
            yield define_doubles(f"ends{position}", column.bins)
    if not (steps.named or _is_binned(steps) or _is_uniform(steps)):
        yield define_doubles("fill", [column.fill or 0.0 for column in _numbers(steps)])
        yield define_doubles("center", [column.center for column in _numbers(steps)])
        yield define_doubles("spread", [column.spread for column in _numbers(steps)])


def functions(steps: Steps) -> Iterator[str]:
    """Yield the functions that are needed."""
    for made in _number_functions(steps):
        yield made.replace("LARGEST", LARGEST[steps.dtype])
    dates = [column for column in steps.columns if isinstance(column, Date)]
    if dates:
        turns = ", ".join(double(2 * pi / period) for period in PERIODS.values())
        bend = indent(_bend(dates[0].limit), "    ")
        yield c_parts.TURN
        yield c_cells.DATE.replace("TURNS", f"0.0, {turns}").replace("BEND", bend)
    if any(isinstance(column, Category) for column in steps.columns):
        # Spellings of a number that stands for a missing value; "" is a text of white space.
        spelled = (f(n) for n in steps.missing.numbers for f in (double, "{:g}".format))
        words = dict.fromkeys(["", *steps.missing.text_words, *spelled])
        yield c_cells.CATEGORY.replace("WORDS", ", ".join(map(text_literal, words)))


def _number_functions(steps: Steps) -> Iterator[str]:
    """Yield what makes features of numbers, and of those with bins."""
    equals = (f" || value == {double(number)}" for number in steps.missing.numbers)
    function = c_cells.NUMBER.replace("MISSING", "value != value" + "".join(equals))
    limits = {column.limit for column in _numbers(steps) if not column.bins}
    for limit in limits:
        yield function.replace("BEND", _bend(limit))
    if _is_binned(steps):
        yield function.replace("BEND", "").replace("@number", "@plain") + "\n" + c_cells.BINNED


def _bend(limit: float | None) -> str:
    return "" if limit is None else c_cells.BEND.replace("LIMIT", double(limit))


def read(steps: Steps, fields: list[str]) -> Iterator[str]:
    """Yield the lines that make features x of a row."""
    cells, start = [f"row->{field}" for field in fields], 0
    if not fields and _is_binned(steps):
        cells = [f"row[{j}]" for j in range(len(steps.columns))]
    for position, (column, cell) in enumerate(zip(steps.columns, cells, strict=False), 1):
        call = _call(column, position, cell, f"x + {start}")
        start += column.width
        yield f"if (!{call})"
        yield f"    return {-position};"
    if cells:
        return
    first = _numbers(steps)[0]
    values = "@fill[i], @center[i], @spread[i]"
    if _is_uniform(steps):
        values = ", ".join(map(double, (first.fill or 0.0, first.center, first.spread)))
    yield f"for (i = 0; i < {len(steps.columns)}; i++)"
    yield f"    if (!@number(row[i], {first.fill is not None:d}, {values}, x + i))"
    yield "        return -1 - i;"


def _call(column: Column, position: int, cell: str, x: str) -> str:
    """Return the call that makes features x of a cell."""
    if isinstance(column, Number):
        fill = f"{column.fill is not None:d}, {double(column.fill or 0.0)}"
        how = f"{double(column.center)}, {double(column.spread)}"
        if column.bins:
            how = f"@ends{position}, {column.width}, {double(column.spread)}"
        return f"@{'binned' if column.bins else 'number'}({cell}, {fill}, {how}, {x})"
    fill = f"@fill{position}" if column.fill else "0"
    if isinstance(column, Date):
        how = f"@parts{position}, {len(column.parts)}, @centers{position}, @spreads{position}"
        return f"@date({cell}, {fill}, {how}, {x})"
    off = f"@off{position}" if column.off else "0"
    tables = f"@categories{position}, {len(column.categories)}, @on{position}, {off}, {fill}"
    return f"@category({cell}, {tables}, {column.ignore_unknown:d}, {x})"


def _numbers(steps: Steps) -> list[Number]:
    return [column for column in steps.columns if isinstance(column, Number)]


def _is_binned(steps: Steps) -> bool:
    """Return whether a number becomes several features."""
    return any(column.bins for column in _numbers(steps))


def _is_uniform(steps: Steps) -> bool:
    """Return whether all columns are read alike."""
    return len(set(steps.columns)) == 1
