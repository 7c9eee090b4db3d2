"""C that makes features of a row's cells: functions, arrays of what was learned, and calls."""

from collections.abc import Iterator

from mlpcli.export import c_parts
from mlpcli.export.c_literals import define_doubles, define_texts, double, text_literal
from mlpcli.export.steps import Category, Number, Steps

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
    if len(_numbers(steps)) < len(steps.columns):
        # Spellings of a number that stands for a missing value; "" is a text of white space.
        spelled = (f(n) for n in steps.missing.numbers for f in (double, "{:g}".format))
        words = dict.fromkeys(["", *steps.missing.text_words, *spelled])
        yield c_parts.CATEGORY.replace("WORDS", ", ".join(map(text_literal, words)))


def _number_functions(steps: Steps) -> Iterator[str]:
    """Yield what makes features of numbers, and of those with bins."""
    equals = (f" || value == {double(number)}" for number in steps.missing.numbers)
    function = c_parts.NUMBER.replace("MISSING", "value != value" + "".join(equals))
    limits = {column.limit for column in _numbers(steps) if not column.bins}
    for limit in limits:
        bend = "" if limit is None else c_parts.BEND.replace("LIMIT", double(limit))
        yield function.replace("BEND", bend)
    if _is_binned(steps):
        yield function.replace("BEND", "").replace("@number", "@plain") + "\n" + c_parts.BINNED


def read(steps: Steps, fields: list[str]) -> Iterator[str]:
    """Yield the lines that make features x of a row."""
    cells, start = [f"row->{field}" for field in fields], 0
    if not fields and _is_binned(steps):
        cells = [f"row[{j}]" for j in range(len(steps.columns))]
    for position, (column, cell) in enumerate(zip(steps.columns, cells, strict=False), 1):
        if isinstance(column, Number):
            fill = f"{column.fill is not None:d}, {double(column.fill or 0.0)}"
            how = f"{double(column.center)}, {double(column.spread)}"
            if column.bins:
                how = f"@ends{position}, {column.width}, {double(column.spread)}"
            called = "binned" if column.bins else "number"
            call = f"@{called}({cell}, {fill}, {how}, x + {start})"
        else:
            given = {"off": column.off, "fill": column.fill}
            others = ", ".join(f"@{name}{position}" if v else "0" for name, v in given.items())
            tables = f"@categories{position}, {len(column.categories)}, @on{position}, {others}"
            call = f"@category({cell}, {tables}, {column.ignore_unknown:d}, x + {start})"
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


def _numbers(steps: Steps) -> list[Number]:
    return [column for column in steps.columns if isinstance(column, Number)]


def _is_binned(steps: Steps) -> bool:
    """Return whether a number becomes several features."""
    return any(column.bins for column in _numbers(steps))


def _is_uniform(steps: Steps) -> bool:
    """Return whether all columns are read alike."""
    return len(set(steps.columns)) == 1
