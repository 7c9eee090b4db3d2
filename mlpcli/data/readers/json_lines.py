"""JSON lines, or one array of JSON values, as the lines of a table: an object or array for each.

An object is a row of named cells, an array one by position. Neither the lines nor the array need
to fit into memory.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, cast

from mlpcli.data.readers.lines import LONGEST_LINE, Line, file_text
from mlpcli.errors import DataError

# What is put between the texts of an array.
BETWEEN = "|"
# A name of an object in an object may not have more characters.
LONGEST_NAME = 1000
GAP = re.compile(r"[ \t\r\n]*")
# What an array begins with whose elements are rows, not cells; the rest may be on later lines.
ARRAY = re.compile(r"\s*\[\s*([\[{\]]|$)")
DECODER = json.JSONDecoder()


class _Echo:
    """What is written to it is what `writerow` returns."""

    def write(self, text: str) -> str:
        return text


WRITER = csv.writer(_Echo(), lineterminator="\n")
Numbered = tuple[int, Any]
"""A line's number, from 1, and the value that begins there."""


def read_json_lines(
    path: Path, new_names: bool = False, point: str = "."
) -> tuple[bool, Iterator[Line]]:
    """Return the lines of a file, plain or gzip-compressed, as `json_lines` does.

    Raises:
        DataError: as `json_lines` does, or if the file is damaged.
        OSError: if it cannot be read.
    """
    return json_lines(file_text(path), path, new_names, point)


def json_lines(
    source: Iterable[str], where: object, new_names: bool = False, point: str = "."
) -> tuple[bool, Iterator[Line]]:
    """Turn JSON values into lines of a table, cells with commas between.

    Args:
        source: lines of text.
        where: what they are called in an error.
        new_names: whether later objects may have names that the first one has not: their cells are
            left out. A name that is left out is a cell without a value in any case.
        point: what stands before the decimals of numbers in the table.

    Returns:
        Whether values are objects, whose names are the first line, and the lines.

    Raises:
        DataError: naming the line, if one is no such value.
    """
    values = json_values(source, where)
    first = next(values, None)
    if first is None:
        return False, iter(())
    values = chain([first], values)
    if isinstance(first[1], dict):
        return True, _objects(values, where, new_names, point)
    return False, _arrays(values, where, point)


def _objects(
    values: Iterator[Numbered], where: object, new_names: bool, point: str
) -> Iterator[Line]:
    names: list[str] = []
    for number, value in values:
        if not isinstance(value, dict):
            raise _another_kind(where, number)
        named = flatten(value, where, number)
        if not names:
            names, known = list(named), named.keys()
            if not names:
                raise DataError(f"{where}:{number}", "has no names", "give each cell one")
            yield Line(number, _line(names))
        if not new_names and not named.keys() <= known:
            # A null may stand for an object.
            new = (name for name in named if name not in known and named[name] is not None)
            if (name := next(new, None)) is not None:
                problem = f"{name!r} was not in the first object"
                remedy = "give it there, too, as null if need be"
                raise DataError(f"{where}:{number}", problem, remedy)
        yield _row(tuple(map(named.get, names)), names, where, number, point)


def flatten(value: dict[str, Any], where: object, number: int) -> dict[str, Any]:
    """Return an object without objects in it: what is b in an object called a is a.b.

    Raises:
        DataError: if two would be called the same, or a name is too long.
    """
    if not any(issubclass(kind, dict) for kind in set(map(type, value.values()))):
        return value
    named: dict[str, Any] = {}
    pending = [("", iter(value.items()))]
    while pending:
        before, items = pending[-1]
        for name, inner in items:
            called = f"{before}{name}"
            if called in named or (before and len(called) > LONGEST_NAME):
                problem = f"{called[:60]!r} is what two cells are called, or too long a name"
                raise DataError(f"{where}:{number}", problem, "name them otherwise")
            if isinstance(inner, dict):
                pending.append((f"{called}.", iter(inner.items())))
                break
            named[called] = inner
        else:
            pending.pop()
    return named


def _arrays(values: Iterator[Numbered], where: object, point: str) -> Iterator[Line]:
    for number, value in values:
        if not isinstance(value, list):
            raise _another_kind(where, number)
        yield _row(tuple(value), range(1, len(value) + 1), where, number, point)


def _row(
    values: tuple[Any, ...], names: Iterable[object], where: object, number: int, point: str
) -> Line:
    if not {list, dict}.isdisjoint(map(type, values)):
        pairs = zip(values, names, strict=True)
        values = tuple(_joined(value, name, where, number) for value, name in pairs)
    cells: Iterable[Any] = values
    if point != ".":
        cells = [str(cell).replace(".", point) if type(cell) is float else cell for cell in cells]
    return Line(number, _line(cells), values)


def _another_kind(where: object, number: int) -> DataError:
    return DataError(f"{where}:{number}", "is another kind of value", "give objects, or arrays")


def _joined(value: Any, name: object, where: object, number: int) -> Any:
    """Return what a cell of a table has of a value: of texts in an array, all with | between.

    Raises:
        DataError: if it is an object, or an array of anything else.
    """
    if isinstance(value, list) and all(isinstance(v, str) and BETWEEN not in v for v in value):
        return BETWEEN.join(value)
    if isinstance(value, dict | list):
        kind = (
            "an object" if isinstance(value, dict) else f"an array, not of texts without {BETWEEN}"
        )
        remedy = "give a number, a text, true, false or null"
        if isinstance(name, str) and name.replace(".", "_").isidentifier():
            remedy += f", or leave it out with jq -c 'del(.{name})'"
            if isinstance(value, list) and all(isinstance(v, dict) for v in value):
                remedy += f"; jq -c '.{name}[]' makes rows of its elements"
        raise DataError(f"{where}:{number}", f"column {name} holds {kind}", remedy)
    return value


def _line(cells: Iterable[Any]) -> str:
    """Return a line of cells, of which None is an empty one."""
    return cast(str, WRITER.writerow(cells))


def json_values(source: Iterable[str], where: object) -> Iterator[Numbered]:
    """Yield the values of JSON lines, or the elements of one array that holds objects or arrays.

    Raises:
        DataError: naming the line, if something is no JSON, or too long.
    """
    numbered = enumerate(source, 1)
    first = next((line for line in numbered if not line[1].isspace()), None)
    if first is None:
        return
    lines = chain([first], numbered)
    if ARRAY.match(first[1]):
        yield from _elements(lines, where)
        return
    for number, text in lines:
        if text.isspace():
            continue
        if len(text) >= LONGEST_LINE:
            raise _too_long(where, number)
        try:
            yield number, json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _no_json(where, number, str(error)) from None


def _elements(lines: Iterator[tuple[int, str]], where: object) -> Iterator[Numbered]:
    """Yield the elements of an array as soon as they are whole."""
    rest, line, least, before = "", 0, 0, "["
    for number, text in lines:
        line, rest = (number, text) if not rest or rest.isspace() else (line, rest + text)
        # Tried again only when twice as long: otherwise many short lines take quadratic time.
        if len(rest) < least:
            continue
        found, end, before = _decode(rest, before)
        at = 0
        for start, value in found:
            line += rest.count("\n", at, start)
            at = start
            yield line, value
        line += rest.count("\n", at, end)
        rest = rest[end:]
        if len(rest) >= LONGEST_LINE:
            raise _too_long(where, line)
        least = 2 * len(rest)
    # What was not tried again.
    found, end, before = _decode(rest, before)
    for start, value in found:
        yield line + rest.count("\n", 0, start), value
    line, rest = line + rest.count("\n", 0, end), rest[end:].rstrip()
    if before != "]" or rest:
        position, reason = _fault(rest, before)
        raise _no_json(where, (line or 1) + rest.count("\n", 0, position), reason)


def _decode(text: str, before: str) -> tuple[list[tuple[int, Any]], int, str]:
    """Decode the whole elements that a part of an array begins with.

    Args:
        text: the part.
        before: the mark before its first element, [ or a comma; ] if the array is over.

    Returns:
        The elements, each with its position; where what is left begins; and the mark before that.
    """
    found: list[tuple[int, Any]] = []
    end = 0
    while before != "]":
        at = _skip(text, end)
        mark, start = text[at : at + 1], _skip(text, at + 1)
        if before == "," and mark == "]":
            return found, at + 1, "]"
        if mark != before:
            break
        if before == "[" and text[start : start + 1] == "]":
            return found, start + 1, "]"
        try:
            value, end = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            break
        found.append((start, value))
        before = ","
    return found, end, before


def _skip(text: str, position: int) -> int:
    gap = GAP.match(text, position)
    return gap.end() if gap else position


def _fault(rest: str, before: str) -> tuple[int, str]:
    """Return where in what is left of an array something is wrong, and what."""
    at = _skip(rest, 0)
    if before == "]":
        return at, "something stands behind the array"
    if at < len(rest) and rest[at] != before:
        return at, f"{before} is missing"
    try:
        DECODER.raw_decode(rest, _skip(rest, at + 1))
    except json.JSONDecodeError as error:
        return error.pos, error.msg
    except (ValueError, RecursionError) as error:
        return at, str(error)
    return at, "] is missing"


def _no_json(where: object, number: int, reason: str) -> DataError:
    remedy = "write one value per line, or an array of objects"
    return DataError(f"{where}:{number}", f"is not JSON ({reason})", remedy)


def _too_long(where: object, number: int) -> DataError:
    problem = f"goes on for {LONGEST_LINE} characters"
    return DataError(f"{where}:{number}", problem, "write one value per line")
