"""The steps of a model: evaluated one by one, they are what `mlp predict` computes."""

import math
from datetime import datetime, time

import exported
import numpy as np
import pytest

from mlpcli.export.of_model import steps_of
from mlpcli.export.steps import (
    Affine,
    Category,
    Classes,
    Date,
    Labels,
    Quantities,
)
from mlpcli.prediction.inputs import read_input

SIGMOID = np.vectorize(lambda z: 1 / (1 + math.exp(-z)) if z > -700 else 0.0)
ACTIVATIONS = {
    "linear": lambda z: z,
    "sigmoid": SIGMOID,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "gelu": lambda z: 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))),
    # Klambauer et al., 2017.
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(),
}


def features_of(column, cell, missing):
    """Return the features of one cell of text, as the records of its column say."""
    words = missing.text_words if isinstance(column, Category | Date) else missing.number_words
    known = isinstance(column, Category) and cell in column.categories
    word = cell.strip().lower()
    gone = not known and (not word or word in words or as_number(cell) in missing.numbers)
    if isinstance(column, Category):
        if gone:
            return column.fill
        if not known:
            assert column.ignore_unknown
            return [0.0] * column.width
        i = column.categories.index(cell)
        return [*column.off[:i], column.on[i], *column.off[i + 1 :]]
    if isinstance(column, Date):
        values = column.fill if gone else date_features(column.parts, cell)
        x = (np.array(values) - column.centers) / column.spreads
        return x if column.limit is None else x / np.sqrt(1 + (x / column.limit) ** 2)
    value = column.fill if gone else float(cell)
    if column.bins:
        return shares_of(value, column.bins) / column.spread
    x = (value - column.center) / column.spread
    return [x if column.limit is None else x / math.sqrt(1 + (x / column.limit) ** 2)]


def date_features(parts, cell):
    """Return the features of a date by ISO 8601, as Python's own calendar has them."""
    when = datetime.fromisoformat(cell if "-" in cell else f"1970-01-01T{cell}")
    time_of_day = (when - datetime.combine(when, time())).total_seconds()
    turns = {
        "month": (when.month - 1) / 12,
        "weekday": when.weekday() / 7,
        "time": time_of_day / 86_400,
    }
    cycles = {
        name: [*map(float, np.sin([a, a + np.pi / 2]))]
        for name, a in ((name, 2 * np.pi * turn) for name, turn in turns.items())
    }
    return [x for name in parts for x in ([when.year] if name == "year" else cycles[name])]


def shares_of(value, bins):
    """Return the piecewise-linear embedding of a number, by the paper's formula."""
    low, high = np.array(bins[:-1]), np.array(bins[1:])
    shares = (value - low) / (high - low)
    shares[1:][value < low[1:]] = 0
    shares[:-1][value >= high[:-1]] = 1
    return shares


def as_number(cell):
    """Return the number that a cell holds, or None."""
    try:
        return float(cell)
    except ValueError:
        return None


def outputs_of(steps, cells):
    """Return the outputs for one row of cells of text, step by step in float64."""
    x = np.concatenate(
        [features_of(c, cell, steps.missing) for c, cell in zip(steps.columns, cells, strict=True)]
    )
    if steps.periodic:
        is_number, factor = np.array(steps.periodic.is_number), steps.periodic.factor
        v = (x[is_number, np.newaxis] * steps.periodic.frequencies.astype(float)).ravel()
        x = np.concatenate([factor * x[~is_number], np.cos(v), np.sin(v)])
    if not steps.members:
        return through(steps.flat_layers, x)
    scales, layers, output, temperature = steps.members
    wide = [
        through(layers, x * scale).reshape(len(scales), -1)[k] for k, scale in enumerate(scales)
    ]
    mean = np.mean([ACTIVATIONS[output](z) for z in wide], axis=0)
    if temperature == 1:
        return mean
    z = np.log(mean) - (np.log(1 - mean) if output == "sigmoid" else 0)
    return ACTIVATIONS[output](z / temperature)


def through(layers, x):
    """Return what layers make of features, in float64."""
    for layer in layers:
        if isinstance(layer, Affine):
            x = layer.factor * (x @ layer.W.astype(float)) + layer.b
        else:
            x = ACTIVATIONS[layer.name](x)
    return x


def predicted(model, path):
    """Return the outputs of a model for a file's rows, (n, n_L)."""
    files, dtype = model.experiment.data.files, model.experiment.dtype
    batches = read_input(str(path), model.encoding, files, dtype=dtype)
    return np.concatenate(
        [out.copy() for batch in batches for out in model.predict_batches(batch.features)]
    )


@pytest.mark.parametrize("name", exported.KINDS)
def test_steps_compute_what_the_model_computes(name, tmp_path):
    """Of every kind of table, network and answer: cells in, outputs out, to rounding."""
    model = exported.table_model(tmp_path, name)
    kind, path = exported.KINDS[name], tmp_path / "rows.csv"
    exported.write_csv(path, kind, 40, seed=7, labelled=False)
    steps = steps_of(model)
    found = [outputs_of(steps, row) for row in exported.rows_of(kind, 40, seed=7)]
    tolerance = 1e-12 if steps.dtype == "float64" else 3e-6
    np.testing.assert_allclose(found, predicted(model, path), atol=tolerance, rtol=0)


@pytest.mark.parametrize("shape", [(), (4, 3), (2, 2, 3)])
def test_steps_of_arrays_and_images(shape, tmp_path):
    """Pixels are multiplied by 1/255 where the network does so, and colours have a third axis."""
    model = exported.array_model(tmp_path, 12, shape, data={"scale": "unit"})
    steps = steps_of(model)
    assert steps.image_shape == (shape or None)
    assert not steps.named
    pixels = np.load(tmp_path / "x.npy").reshape(60, 12)
    found = [outputs_of(steps, map(str, row)) for row in pixels.tolist()]
    np.testing.assert_allclose(found, model.predict_proba(pixels), atol=3e-6, rtol=0)


def test_steps_hold_what_outputs_mean(tmp_path):
    """Classes, thresholds, and quantities with their units and limits are in the last step."""
    assert steps_of(exported.parity_model()).answer == Classes(("odd", "even"))
    labels = steps_of(exported.table_model(tmp_path, "labels"))
    assert labels.answer == Labels(("garden", "garage"), 0.4)
    model = exported.table_model(tmp_path, "quantities")
    answer = steps_of(model).answer
    assert isinstance(answer, Quantities)
    assert answer.means == tuple(model.encoding.target_means)
    assert answer.ranges == tuple((q.low, q.high) for q in model.encoding.quantities)


def test_a_temperature_is_part_of_the_last_layer(tmp_path):
    """A calibrated model is exported as it predicts."""
    from mlpcli.checkpoint.store import load

    made = exported.parity_model(output="softmax", validation=0.2, calibrate=True)
    path = exported.save_model(tmp_path / "W.npy", made, temperature=2.0)
    W = steps_of(load(path)).affine[-1].W
    np.testing.assert_allclose(W, made.network.weights[-1].T / 2, rtol=1e-6)
