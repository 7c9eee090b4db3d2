"""Examples that an encoding allows, made up, and how a model's answers differ from an export's."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpcli.data.encode import encode
from mlpcli.data.readers.dates import DAY
from mlpcli.data.readers.table import Table
from mlpcli.errors import MismatchError
from mlpcli.export.steps import Category, Date, Number, Steps
from mlpcli.model import Model, new_network
from mlpcli.rng import KeyedStreams

EXAMPLES = 64
MISSING_SHARE = 0.1
# Of outputs from 0 to 1, or in standard deviations of a quantity.
TOLERANCE = 1e-5
# From the year 0 to 1970.
EPOCH_DAYS = 719_528
Cell = float | str
Run = Callable[[Table], NDArray[np.float64]]
"""Returns what an export answers to the rows of a table, (n, n_L): outputs, or quantities."""


class Comparison(NamedTuple):
    """How the answers of an export differ from those of `mlp predict`."""

    rows: int
    difference: float
    """The largest, of outputs, or of quantities in their standard deviations."""
    changed: int
    """How many rows it gives another class, or other labels."""
    rounding: float
    """The largest difference of `mlp predict` to the same network in float64."""


def make_examples(steps: Steps, seed: int) -> Table:
    """Return made-up examples that a model's encoding allows.

    Args:
        steps: the model.
        seed: of the draws.
    """
    rng = KeyedStreams(seed).generator("export examples")
    values, texts = np.empty((EXAMPLES, len(steps.columns))), {}
    for j, column in enumerate(steps.columns):
        if isinstance(column, Category):
            texts[j] = column.categories
            values[:, j] = rng.integers(len(column.categories), size=EXAMPLES)
        elif isinstance(column, Date):
            values[:, j] = _dates(column, rng)
        else:
            values[:, j] = _numbers(column, steps.factor, rng)
        if column.fill is not None:
            values[rng.random(EXAMPLES) < MISSING_SHARE, j] = np.nan
    return Table("made-up examples", values, texts=texts)


def _numbers(column: Number, factor: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return numbers like those that a column had in training, as far as that is known."""
    if column.bins:
        # Beyond both ends, too.
        low, *_, high = column.bins
        return low + (high - low) * rng.uniform(-0.2, 1.2, EXAMPLES)
    if (column.center, column.spread) == (0.0, 1.0):
        return rng.random(EXAMPLES) / factor
    return column.center + column.spread * rng.normal(size=EXAMPLES)


def _dates(column: Date, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return dates in seconds, of years like those in training, as far as these are known."""
    year, years = 2000.0, 10.0
    if column.parts[0] == "year" and (column.centers[0], column.spreads[0]) != (0.0, 1.0):
        year, years = column.centers[0], column.spreads[0]
    days = np.clip(year + years * rng.normal(size=EXAMPLES), 2, 9998) * 365.2425 - EPOCH_DAYS
    time = rng.random(EXAMPLES) if "time" in column.parts else 0
    seconds: NDArray[np.float64] = (np.floor(days) + time) * DAY
    return seconds


def column_of(table: Table, j: int) -> list[Cell]:
    """Return the cells of a column: numbers, NaN where missing, or texts, then ""."""
    values = table.values[:, j].astype(np.float64).tolist()
    texts = table.texts.get(j)
    return values if texts is None else ["" if isnan(c) else texts[int(c)] for c in values]


def rows_of(table: Table) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of every row."""
    columns = (column_of(table, j) for j in range(table.values.shape[1]))
    return zip(*columns, strict=True)


def written_rows(steps: Steps, table: Table) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of every row as a table writes them: dates are texts, "" where missing."""
    columns = (
        map(_date_text, table.values[:, j]) if isinstance(column, Date) else column_of(table, j)
        for j, column in enumerate(steps.columns)
    )
    return zip(*columns, strict=True)


def _date_text(seconds: float) -> str:
    if isnan(seconds):
        return ""
    part = np.timedelta64(round(seconds % 1 * 1e6), "us")
    return str(np.datetime64(int(seconds // 1), "s") + part)


def answers(model: Model, table: Table) -> NDArray[np.float64]:
    """Return a model's answers to the examples of a table, (n, n_L): outputs, or quantities."""
    features = encode(model.encoding, table, model.experiment.dtype)
    parts = [_in_units(model, outputs) for outputs in model.predict_batches(features)]
    return np.concatenate(parts)


def _in_units(model: Model, outputs: NDArray[np.floating]) -> NDArray[np.float64]:
    if model.encoding.task == "regression":
        return model.quantities(outputs)
    return outputs.astype(np.float64)


def compare(run: Run | Model, model: Model, tables: Iterable[Table]) -> Comparison:
    """Compare the answers of an export with those of `mlp predict`.

    Args:
        run: the export, or a model of the numbers in it.
        model: what was exported.
        tables: examples, not all of them without rows.
    """
    exact, encoding = _in_float64(model), model.encoding
    scale = encoding.target_stds if encoding.quantities else 1
    rows, changed, difference, rounding = 0, 0, 0.0, 0.0
    for table in tables:
        expected = answers(model, table)
        found = answers(run, table) if isinstance(run, Model) else run(table)
        rows += len(expected)
        changed += int(_differ(model, expected, found).sum())
        # NaN, where the export has no answer, is a difference.
        difference = np.maximum(difference, (np.abs(found - expected) / scale).max(initial=0))
        precise = answers(exact, table)
        rounding = max(rounding, float((np.abs(precise - expected) / scale).max(initial=0)))
    return Comparison(rows, float(difference), changed, rounding)


def _in_float64(model: Model) -> Model:
    """Return a model that computes what another does in float64."""
    experiment = replace(model.experiment, dtype="float64")
    network = new_network(experiment, model.encoding)
    network.theta[:] = model.network.theta
    network.cool(model.network.temperature)
    return Model(network, experiment, model.encoding, model.fingerprint)


def _differ(model: Model, one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool]:
    """Return for which rows two answers say another class, or other labels."""
    if model.encoding.task == "regression":
        return np.zeros(len(one), bool)
    if model.encoding.task == "multilabel":
        return np.asarray((model.labels(one) != model.labels(other)).any(axis=1))
    return np.asarray(one.argmax(axis=1) != other.argmax(axis=1))


def check(found: Comparison, where: object) -> Comparison:
    """Make sure that an export answers as `mlp predict` does, but for rounding.

    Raises:
        MismatchError: if it does not.
    """
    # Where the network magnifies rounding, no two programs agree.
    if not found.difference <= max(TOLERANCE, 4 * found.rounding):
        problem = f"differs from mlp predict by {found.difference:.3g}"
        raise MismatchError(where, problem, "report it with the checkpoint; nothing was written")
    return found
