"""A model as one C99 file: no library, no allocation, one function that predicts a row."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.export import c_features, c_parts
from mlpcli.export.c_literals import define, define_texts, double, identifier
from mlpcli.export.steps import (
    Activate,
    Category,
    Classes,
    Column,
    Date,
    Labels,
    Periodic,
    Quantities,
    Quantized,
    Steps,
)


class Rendered(NamedTuple):
    """A C file."""

    text: str
    prefix: str
    """What all its names begin with."""


def render(steps: Steps, stem: str, about: str, header: bool) -> Rendered:
    """Return the text of a C99 file that predicts what a model does.

    Args:
        steps: the model.
        stem: the file's name without its suffix, which names begin with.
        about: a line for its first comment, of printable ASCII.
        header: whether its functions are `static inline`, for a file to be included.

    Raises:
        ConfigError: if a name cannot be written in C.
    """
    prefix = identifier(stem, "model")
    fields = field_names(steps)
    linkage = "static inline " if header else ""
    parts = [
        _introduction(steps, fields, about),
        *_parameters(steps),
        *_functions(steps),
        define_texts("names", steps.answer.names),
        *c_features.arrays(steps),
        *_predict(steps, fields, linkage),
    ]
    guard = f"{prefix.upper()}_H"
    body = "\n".join(parts).replace("@", f"{prefix}_")
    return Rendered(f"#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n", prefix)


def field_names(steps: Steps) -> list[str]:
    """Return what a row's columns are called in C; nothing where it is an array."""
    names: list[str] = []
    for position, column in enumerate(steps.columns if steps.named else (), 1):
        name = identifier(column.name, f"column_{position}")
        names.append(name if name not in names else f"{name}_column_{position}")
    return names


def read_numbers(rendered: Rendered, name: str, like: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return an array exactly as it is written, in the shape and type of another."""
    start = f"\nstatic const .* {rendered.prefix}_{name}\\[[0-9 *]+\\] = {{\n"
    found = re.search(rf"{start}([^}}]*)\n}};", rendered.text)
    written = re.findall(r"[^\s,f]+", found[1]) if found else []
    return np.array(written, like.dtype).reshape(like.shape)


def _float(steps: Steps) -> str:
    return "float" if steps.dtype == "float32" else "double"


def _parameters(steps: Steps) -> Iterator[str]:
    kind, end = _float(steps), "f" if steps.dtype == "float32" else ""

    def floats(name: str, array: NDArray[np.floating], size: str) -> str:
        # The shortest decimals that are read back as the same number.
        return define(f"{kind} @{name}[{size}]", (f"{value!s}{end}" for value in array.ravel()))

    for i, layer in enumerate(steps.affine):
        n_in, n_out = layer.W.shape
        if isinstance(layer, Quantized):
            q = map(str, layer.q.ravel().tolist())
            yield define(f"signed char @q{i + 2}[{n_in} * {n_out}]", q)
            yield floats(f"scale{i + 2}", layer.scale, str(n_out))
        else:
            yield floats(f"W{i + 2}", layer.W, f"{n_in} * {n_out}")
        yield floats(f"b{i + 2}", layer.b, str(n_out))
    if members := steps.members:
        yield floats("scales", members.scales, " * ".join(map(str, members.scales.shape)))
    if periodic := steps.periodic:
        flags = [f"{flag:d}" for flag in periodic.is_number]
        yield define(f"unsigned char @is_number[{len(flags)}]", flags)
        frequencies = periodic.frequencies
        yield floats("frequencies", frequencies, " * ".join(map(str, frequencies.shape)))


def _functions(steps: Steps) -> list[str]:
    """Return the functions that are needed, each once."""
    needed = list(c_features.functions(steps))
    affine = c_parts.AFFINE_INT8 if steps.is_quantized else c_parts.AFFINE
    needed.append(affine.replace("FLOAT", _float(steps)))
    used = [layer.name for layer in steps.flat_layers if isinstance(layer, Activate)]
    if members := steps.members:
        used += [members.output] if members.output != "linear" else []
        needed += [c_parts.LOG] if members.temperature != 1 else []
    for name in used:
        needed += c_parts.ACTIVATIONS[name]
    if periodic := steps.periodic:
        needed += [c_parts.TURN, _embed_function(periodic)]
    return list(dict.fromkeys(needed))


def _embed_function(periodic: Periodic) -> str:
    numbers, each = periodic.frequencies.shape
    features = len(periodic.is_number)
    return (
        c_parts.EMBED.replace("FEATURES", str(features))
        .replace("OTHERS", str(features - numbers))
        .replace("COSINES", str(numbers * each))
        .replace("EACH", str(each))
        .replace("FACTOR", double(periodic.factor))
    )


def _introduction(steps: Steps, fields: list[str], about: str) -> str:
    """Return the first comment, and the declarations that a program needs."""
    k, n = len(steps.answer.names), len(steps.columns)
    lines = [about, "", *_usage(steps, bool(fields))]
    if steps.is_quantized:
        lines += ["", "Weights are in 8 bits: the one from input i to output j of a layer is"]
        lines += ["scale[j] * q[i * n_out + j], and biases are as they were."]
    comment = "/*\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */"
    size = f"enum {{ @columns = {n}, @outputs = {k}, @too_large = -1 - {n} }};"
    if not fields:
        return f"{comment}\n{size}\n"
    pairs = zip(steps.columns, fields, strict=True)
    members = "".join(f"    {_member(column, field)}\n" for column, field in pairs)
    return f"{comment}\n{size}\n\nstruct @row {{\n{members}}};\n"


def _member(column: Column, field: str) -> str:
    """Return a member of a row's structure, with what it does not say of its column."""
    kind = "const char *" if isinstance(column, Category) else "double "
    called = re.sub("[^ -)+-.0-~]", "?", column.name)
    notes = [called] if called not in ("", field) else []
    notes += ["a date"] if isinstance(column, Date) else []
    return f"{kind}{field};" + (f" /* {', '.join(notes)} */" if notes else "")


def _usage(steps: Steps, is_struct: bool) -> Iterator[str]:
    """Yield the lines that a program needs."""
    answer, k = steps.answer, len(steps.answer.names)
    labels = ", labels" if isinstance(answer, Labels) else ""
    yield "struct @row row = {0};" if is_struct else f"double row[{len(steps.columns)}];"
    yield f"double outputs[{k}];" + (f" unsigned char labels[{k}];" if labels else "")
    yield f"int result = @predict({'&row' if is_struct else 'row'}, outputs{labels});"
    yield ""
    yield {
        Classes: "result is the class, from 0, and @name(result) what it is called; outputs are of",
        Labels: "result is 0, and labels are 1 for @name(i) that the row has; outputs are of",
        Quantities: "result is 0, and outputs are the quantities @name(i) in their own units, of",
    }[type(answer)]
    yield "the network. A result below 0 is an error: @too_large, or -1 - i where column i, from 0,"
    yield "is missing (NAN; a null pointer, or a text that stands for it) or has no meaning."
    yield "Texts are UTF-8, and numbers in the units of the training data."
    if any(isinstance(column, Date) for column in steps.columns):
        yield "A date is in seconds since 1970-01-01 00:00 by the clock on the wall, as timegm()"
        yield "has it, a time alone since midnight; beyond the years 1 to 9999 it has no meaning."
    if shape := steps.image_shape:
        yield f"A row is an image's pixels: {' by '.join(map(str, shape))}, row by row."


def _predict(steps: Steps, fields: list[str], linkage: str) -> Iterator[str]:
    """Yield the functions that a program calls."""
    k = len(steps.answer.names)
    row = "const struct @row *row" if fields else f"const double row[{len(steps.columns)}]"
    labels = f", unsigned char labels[{k}]" if isinstance(steps.answer, Labels) else ""
    heads = (
        f"{linkage}int @predict({row}, double outputs[{k}]{labels})",
        f"{linkage}const char *@name(int i)",
    )
    yield "".join(f"{head};\n" for head in heads)
    sizes = [layer.W.shape[1] for layer in steps.affine]
    buffers = [f"a{i}[{size}]" for i, size in enumerate(sizes if steps.members else sizes[:-1], 2)]
    layers = _members if steps.members else _forward
    lines = [
        f"double {', '.join([*_inputs(steps), *buffers])};",
        "int i;",
        *c_features.read(steps, fields),
        *(["@embed(x, embedded);"] if steps.periodic else []),
        *layers(steps, "embedded" if steps.periodic else "x"),
        f"for (i = 0; i < {k}; i++)",
        "    if (outputs[i] - outputs[i] != 0.0)",
        "        return @too_large;",
        *_answer(steps.answer),
    ]
    body = "".join(f"    {line}\n" for line in lines)
    yield f"{heads[0]}\n{{\n{body}}}\n"
    yield f"{heads[1]}\n{{\n    return i >= 0 && i < {k} ? @names[i] : 0;\n}}\n"


def _inputs(steps: Steps) -> list[str]:
    """Return the arrays of features, and of what stands for them, as they are declared."""
    n = len(steps.affine[0].W)
    if steps.periodic:
        return [f"x[{len(steps.periodic.is_number)}]", f"embedded[{n}]"]
    return [f"x[{n}]"]


def _forward(steps: Steps, first: str) -> Iterator[str]:
    """Yield the lines that make outputs of an array that the layers begin with."""
    below, above, number = first, first, 1
    last = f"a{len(steps.affine) + 1}" if steps.members else "outputs"
    for layer in steps.flat_layers:
        if isinstance(layer, Activate):
            yield f"@apply_{layer.name}({above}, {steps.affine[number - 2].W.shape[1]});"
            continue
        n_in, n_out = layer.W.shape
        number += 1
        below, above = above, f"a{number}" if number <= len(steps.affine) else last
        weights = f"@q{number}, @scale{number}" if steps.is_quantized else f"@W{number}"
        factor = double(layer.factor)
        yield f"@affine({below}, {n_in}, {weights}, @b{number}, {factor}, {above}, {n_out});"


def _members(steps: Steps, first: str) -> Iterator[str]:
    """Yield the lines that make the mean of the members' outputs of an array."""
    if not (members := steps.members):
        return
    (count, n), k, last = members.scales.shape, len(steps.answer.names), len(steps.affine) + 1
    yield f"double own[{n}];"
    yield "int member;"
    yield f"for (i = 0; i < {k}; i++)"
    yield "    outputs[i] = 0.0;"
    yield f"for (member = 0; member < {count}; member++) {{"
    yield f"    for (i = 0; i < {n}; i++)"
    yield f"        own[i] = {first}[i] * @scales[member * {n} + i];"
    yield from (f"    {line}" for line in _forward(steps, "own"))
    if members.output != "linear":
        yield f"    @apply_{members.output}(a{last} + member * {k}, {k});"
    yield f"    for (i = 0; i < {k}; i++)"
    yield f"        outputs[i] += a{last}[member * {k} + i] / {count};"
    yield "}"
    if members.temperature != 1:
        cooled = c_parts.COOLED[members.output]
        yield f"for (i = 0; i < {k}; i++)"
        yield f"    outputs[i] = {cooled.replace('TEMPERATURE', double(members.temperature))};"
        yield f"@apply_{members.output}(outputs, {k});"


def _answer(answer: Classes | Labels | Quantities) -> Iterator[str]:
    """Yield the lines that return what outputs mean."""
    k = len(answer.names)
    if isinstance(answer, Classes):
        yield from ("{", "    int best = 0;", f"    for (i = 1; i < {k}; i++)")
        yield from ("        if (outputs[i] > outputs[best])", "            best = i;")
        yield from ("    return best;", "}")
        return
    if isinstance(answer, Labels):
        yield f"for (i = 0; i < {k}; i++)"
        yield f"    labels[i] = outputs[i] >= {double(answer.threshold)};"
    else:
        for i, (mean, std) in enumerate(zip(answer.means, answer.stds, strict=True)):
            yield f"outputs[{i}] = outputs[{i}] * {double(std)} + {double(mean)};"
        for i, (low, high) in enumerate(answer.ranges or ()):
            for limit, sign in ((low, "<"), (high, ">")):
                yield f"if (outputs[{i}] {sign} {double(limit)})"
                yield f"    outputs[{i}] = {double(limit)};"
    yield "return 0;"
