"""The tables that `make bench` prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.workloads import Workload

FAILED = "failed"


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a title and aligned columns: words to the left, numbers to the right."""
    words = [any(map(_is_word, column)) for column in zip(*rows, strict=True)]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, words, strict=True)
        ).rstrip()
        for row in (heads, *rows)
    ]
    return "\n".join([title, *lines, ""])


def _is_word(cell: str) -> bool:
    return cell[:1].isalpha() and cell != FAILED


def shown(name: str) -> str:
    """Return a contender's name for people."""
    return name.replace("scikit_learn", "scikit-learn").replace("mlp_numba", "mlp-numba")


def speed(workload: Workload, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one workload's table."""
    numbers = ("ms/epoch", "from", "to", "µs/step", "× mlp", "at best", "others")
    rows = []
    title = workload.summary()
    for name, result in results.items():
        if "error" in result:
            rows.append([shown(name), FAILED, *[""] * 8])
            continue
        title = f"{workload.summary()}; {len(result['rounds'])} of {len(result['seconds'])} rounds"
        times = (result["median"], result["fastest"], result["slowest"])
        rows.append(
            [
                shown(name),
                *(f"{1000 * seconds:.1f}" for seconds in times),
                f"{1e6 * result['median'] / result['steps']:.1f}",
                _ratio(result),
                _or_dash(result.get("ratio_at_best"), ".2f"),
                f"{result['disturbed']:.1f}",
                _or_dash(result["training_error"], ".4g"),
                _or_dash(result["accuracy"], ".4f"),
            ]
        )
    return table(title, ("", *numbers, "training error", "test accuracy"), rows) + _failures(
        results
    )


def neighbour(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return the tables of what busy processes cost."""
    heads = ("", "ms/epoch", "beside one", "×", "beside two", "×")
    text = []
    for workload, result_of in results.items():
        rows = []
        for name, result in result_of.items():
            if "error" in result:
                rows.append([shown(name), FAILED, "", "", "", ""])
                continue
            quiet, *beside = result["seconds"]
            cells = [cell for s in beside for cell in (f"{1000 * s:.1f}", f"{s / quiet:.2f}")]
            rows.append([shown(name), f"{1000 * quiet:.1f}", *cells])
        title = f"{workload} beside busy processes, threads by default"
        text.append(table(title, heads, rows) + _failures(result_of))
    return "\n".join(text)


def to_accuracy(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of whole processes until an accuracy is reached."""
    rows = [
        [shown(name), FAILED, "", ""]
        if "error" in result
        else [
            shown(name),
            *(_or_dash(seconds, ".1f") for seconds in result["seconds"]),
            f"{result['best']:.4f}",
        ]
        for name, result in results.items()
    ]
    title = "seconds to a test accuracy on MNIST: whole processes, the recipe of mnist-best.yaml"
    return table(title, ("", "98 %", "99 %", "best"), rows) + _failures(results)


def processes(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return the tables of whole processes."""
    heads = ("", "seconds", "× mlp", "peak MB", "accuracy")
    text = []
    for title, result_of in results.items():
        rows = [
            [shown(name), FAILED, "", "", ""]
            if "error" in result
            else [
                shown(name),
                f"{result['median']:.3f}",
                _ratio(result),
                _megabytes(result["peak_bytes"]),
                _or_dash(result["accuracy"], ".4f"),
            ]
            for name, result in result_of.items()
        ]
        text.append(table(title, heads, rows) + _failures(result_of))
    return "\n".join(text)


def exports(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of what a row costs."""
    rows = [
        [name, f"{1e6 * figures['latency']:,.1f}", f"{figures['rate']:,.0f}"]
        for name, figures in results.items()
    ]
    return table("exports: [784, 32, 10]", ("", "µs for one row", "rows/s"), rows)


def growth(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of growth."""
    heads = (
        "",
        "examples",
        "width",
        "s/epoch",
        "µs/example",
        "others",
        "peak MB",
        "data MB",
        "beyond MB",
    )
    rows = []
    for result in results:
        row = [result["contender"], str(result["examples"]), str(result["width"])]
        if "error" in result:
            rows.append([*row, FAILED, *[""] * 5])
            continue
        peak, data = result["peak_bytes"], result["data_bytes"]
        row += [f"{result['seconds']:.3f}", f"{1e6 * result['seconds'] / result['examples']:.3f}"]
        row.append(f"{result['others']:.1f}")
        rows.append([*row, *map(_megabytes, (peak, data, peak - data))])
    return table("growth: random images, sigmoid/mse, bt_size 256", heads, rows) + _failures(
        {f"{r['contender']}, {r['examples']} examples, width {r['width']}": r for r in results}
    )


def tables(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of wide tables and many classes."""
    heads = ("", "count", "seconds", "ms each", "peak MB")
    rows = []
    for result in results:
        row = [result["command"], str(result["count"])]
        if "error" in result:
            rows.append([*row, FAILED, "", ""])
            continue
        each = 1000 * result["seconds"] / result["count"]
        rows.append([*row, f"{result['seconds']:.2f}", f"{each:.2f}"])
        rows[-1].append(_megabytes(result["peak_bytes"]))
    return table("growth of tables, whole commands", heads, rows) + _failures(
        {f"{r['command']}, {r['count']}": r for r in results}
    )


def reading(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return the table of readers."""
    lines = [
        [f"{name}: {reader}", FAILED, ""]
        if "error" in result
        else [f"{name}: {reader}", f"{result['seconds']:.2f}", f"{result['peak_mb']:.0f}"]
        for name, readers in results.items()
        for reader, result in readers.items()
    ]
    failures = "".join(map(_failures, results.values()))
    return table("reading a CSV", ("a line", "seconds", "peak MB"), lines) + failures


def _failures(results: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"{shown(name)}: {r['error']}\n" for name, r in results.items() if "error" in r]
    return "".join(lines)


def _ratio(result: Mapping[str, Any]) -> str:
    return _or_dash(result.get("ratio"), ".2f")


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.0f}"
