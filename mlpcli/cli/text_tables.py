"""Tables that stay aligned and within 80 columns, whatever the classes are called."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Everywhere the same, so that a log shows what a terminal shows.
WIDTH = 80
GAP = "  "
# Lines for a confusion matrix that is too wide to be shown.
LARGEST = 20


def display_width(text: str) -> int:
    """Return how many columns a text takes: wide characters two, combining ones none."""
    return sum(_character_width(c) for c in text)


def _character_width(c: str) -> int:
    if unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def truncate(text: str, width: int) -> str:
    """Shorten a text to so many columns, and replace what would move the cursor."""
    text = "".join(c if c.isprintable() else "?" for c in text)
    if display_width(text) <= width:
        return text
    kept, used = "", len("..")
    for c in text:
        used += _character_width(c)
        if used > width:
            break
        kept += c
    return kept + ".."


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Return the lines of a table, headings first.

    Args:
        heads: one heading per column.
        rows: cells as text.
        left: so many columns are aligned to the left, the others to the right.
    """
    widths = [max(map(display_width, column)) for column in zip(heads, *rows, strict=True)]
    lines = []
    for row in (heads, *rows):
        cells = []
        for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - display_width(cell))
            cells.append(cell + space if i < left else space + cell)
        lines.append(GAP.join(cells).rstrip())
    return lines


def as_count(n: float) -> str:
    """Return a number of examples, which may be weighted."""
    return f"{n:.7g}" if isinstance(n, float) else str(n)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the lines of a CSV table, headings first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def definitions(facts: Mapping[str, str]) -> list[str]:
    """Return names and what they mean, side by side; what is too long goes on below itself."""
    name_width = max(map(len, facts))
    room = WIDTH - name_width - len(GAP)
    lines = []
    for name, fact in facts.items():
        head, line = name, ""
        for word in (truncate(word, room) for word in fact.split()):
            if line and display_width(line) + 1 + display_width(word) > room:
                lines.append(f"{head:{name_width}}{GAP}{line}")
                head, line = "", word
            else:
                line = f"{line} {word}".lstrip()
        lines.append(f"{head:{name_width}}{GAP}{line}")
    return lines


def per_class(classes: dict[str, dict[str, Any]], called: str = "class") -> list[str]:
    """Return a table of precision, recall, F1 and support; `-` where there is no value."""
    rows = [
        [
            truncate(name, 40),
            *("-" if row[m] is None else f"{row[m]:.4f}" for m in ("precision", "recall", "f1")),
            as_count(row["support"]),
        ]
        for name, row in classes.items()
    ]
    return table([called, "precision", "recall", "f1", "support"], rows)


def confusion(names: Sequence[str], counts: Sequence[Sequence[float]]) -> list[str]:
    """Return a confusion matrix that fits: whole, with numbered classes, or its largest entries.

    Args:
        names: of the classes.
        counts: entry [i][j] are examples of class i predicted as j.
    """
    printable = [truncate(name, WIDTH) for name in names]
    # A digit and a gap for each class, at the least.
    if len(names) * (1 + len(GAP)) > WIDTH:
        return _largest(printable, counts)
    cells = [
        [as_count(count) if count or i == j else "." for j, count in enumerate(row)]
        for i, row in enumerate(counts)
    ]
    numbers = [str(i) for i in range(len(names))]
    labels = [f"{i:>{len(numbers[-1])}} {truncate(name, 16)}" for i, name in enumerate(names)]
    for heads, sides in ((printable, printable), (numbers, labels)):
        rows = [[side, *row] for side, row in zip(sides, cells, strict=True)]
        lines = table(["", *heads], rows)
        if max(map(display_width, lines)) <= WIDTH:
            return ["confusion (a row per class, a column per prediction)", *lines]
    return _largest(printable, counts)


def _largest(names: Sequence[str], counts: Sequence[Sequence[float]]) -> list[str]:
    wrong = [
        (count, i, j)
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if count and i != j
    ]
    if not wrong:
        return ["no class was taken for another"]
    wrong.sort(key=lambda entry: (-entry[0], *entry[1:]))
    rows = [
        [truncate(names[i], 26), truncate(names[j], 26), as_count(n), f"{n / sum(counts[i]):.4f}"]
        for n, i, j in wrong[:LARGEST]
    ]
    lines = table(["class", "predicted as", "examples", "share"], rows, left=2)
    rest = wrong[LARGEST:]
    more = [f"and {sum(entry[0] for entry in rest)} examples in {len(rest)} other pairs"]
    return ["largest confusions (--json has all)", *lines, *(more if rest else [])]
