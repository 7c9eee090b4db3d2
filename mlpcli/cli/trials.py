"""What is shown of a search: its trials, and which keys mattered."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlpcli.cli import console, text_tables

if TYPE_CHECKING:
    from mlpcli.tuning.finalists import Finalist
    from mlpcli.tuning.results import Result
    from mlpcli.tuning.study import SharedStudy

# Lines of the table, and columns of a value in it.
SHOWN, CELL_WIDTH = 10, 16


def format_trial(result: "Result") -> str:
    """Return what a trial came to, and what it had chosen, as a line."""
    cells = [f"{key} {_cell(value)}" for key, value in result.chosen.items()]
    came_to = result.state if result.value is None else f"{result.value:.5g}"
    reason = f": {result.reason}" if result.reason else ""
    return f"trial {result.number} {came_to}{reason}; {', '.join(cells)}"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)


def format_finalist(finalist: "Finalist") -> str:
    """Return what a trial came to when it was measured again."""
    shown = f"trial {finalist.result.number} {finalist.value:.5g}"
    # Of --metric accuracy, these are the values themselves.
    if finalist.accuracies in ((), finalist.values):
        return shown
    return f"{shown} (accuracy {finalist.accuracy:.4f})"


def report(study: "SharedStudy", finalists: Sequence["Finalist"], best: "Result") -> dict[str, Any]:
    """Return a search as JSON values.

    Args:
        study: the search.
        finalists: what was measured again.
        best: the trial that is used.
    """
    return {
        "study": study.search.name,
        "storage": study.where,
        "metric": study.search.objective.metric,
        "trials": [result.to_mapping() for result in study.results()],
        "importance": study.importance(),
        "finalists": [finalist.to_mapping() for finalist in finalists],
        "best": best.to_mapping(),
    }


def show(study: "SharedStudy", finalists: Sequence["Finalist"], best: "Result") -> None:
    """Print the best trials, those that failed, which keys mattered, and which trial is used.

    Args:
        study: the search.
        finalists: what was measured again.
        best: the trial that is used.
    """
    keys = [dimension.key for dimension in study.search.space]
    rows, ranked = [], study.ranked()
    for result in ranked[:SHOWN]:
        cells = [text_tables.truncate(_cell(result.chosen[key]), CELL_WIDTH) for key in keys]
        rows.append([str(result.number), f"{result.value:.5g}", *cells])
    for line in text_tables.table(["trial", study.search.objective.metric, *keys], rows, left=0):
        console.result(line)
    results = study.results()
    pruned = sum(result.state == "pruned" for result in results)
    failed = [result for result in results if result.state == "failed"]
    console.result(f"{len(results)} trials, {pruned} pruned, {len(failed)} failed")
    for result in failed:
        console.result(format_trial(result))
    if importance := study.importance():
        shares = [f"{key} {share:.0%}" for key, share in importance.items()]
        console.result(f"mattered most: {', '.join(shares)}")
    if measured := [format_finalist(finalist) for finalist in finalists if finalist.values]:
        console.result(f"measured again: {', '.join(measured)}")
        if best.chosen == study.search.given_values:
            kept = f"trial {best.number}, the configuration as it was given, is kept"
            console.result(f"{kept}: no other is better")
