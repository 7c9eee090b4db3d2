"""A model: its data fit it, and it predicts what the equations say."""

from pathlib import Path

import numpy as np
import pytest
from builders import VALUES, made
from conftest import CONFIGS

from mlpcli.config.load import from_mapping, load_experiment
from mlpcli.data.dataset import Examples
from mlpcli.data.encoding import Encoding
from mlpcli.data.load import load_data
from mlpcli.errors import ConfigError, DataError
from mlpcli.model import as_rows, new_model, new_network
from mlpcli.nn import inference


def by_hand(model, features):
    """Compute a^(L) one layer at a time, in float64, from weights and biases alone."""
    scale = {"unit": 1 / 255, "none": 1.0}[model.encoding.scale]
    a = features.astype(float) * scale
    for W, b in zip(model.network.weights, model.network.biases, strict=True):
        a = 1 / (1 + np.exp(-(a @ W.T.astype(float) + b)))
    return a


@pytest.mark.parametrize("n", [0, 1, 7, inference.CHUNK_ROWS, 2 * inference.CHUNK_ROWS + 1])
@pytest.mark.parametrize("scale", ["none", "unit"])
def test_outputs_are_the_equations(n, scale):
    """Any number of examples gives a^(L) of each, in order, though they are taken in chunks."""
    model = made(data={"name": "parity", "scale": scale}, dtype="float64")
    features = np.random.default_rng(1).integers(0, 9, (n, 10), np.uint8)
    chunks = [outputs.copy() for outputs in model.predict_batches(features)]
    assert len(chunks) == -(-n // inference.CHUNK_ROWS)
    outputs = np.concatenate([np.empty((0, 2)), *chunks])
    np.testing.assert_allclose(outputs, by_hand(model, features), rtol=1e-12)


def test_outputs_are_numbers_or_an_error():
    """Values beyond the arithmetic give their limit, or one error, and never NaN or a warning."""
    model = made()
    huge = np.zeros((1, 10))
    huge[0, 0] = 1e300
    (outputs,) = model.predict_batches(huge)
    assert np.isfinite(outputs).all()
    model.network.weights[0][0, :2] = 1, -1
    huge[0, 1] = 1e300
    with pytest.raises(DataError, match="too large for the network's float32 arithmetic"):
        next(model.predict_batches(huge))


@pytest.mark.parametrize("n", [1, 5, inference.CHUNK_ROWS + 1])
def test_evaluation_is_counted_by_hand(n):
    """Confusion, accuracy and mean error agree with a count over all examples at once."""
    model = made(dtype="float64")
    rng = np.random.default_rng(2)
    examples = Examples(rng.integers(0, 2, (n, 10), np.uint8), rng.integers(0, 2, n))
    a, labels = by_hand(model, examples.features), examples.labels
    evaluation = model.evaluate(examples)
    predicted = a.argmax(axis=1)
    assert evaluation.confusion.tolist() == [
        [int(np.sum((labels == i) & (predicted == j))) for j in range(2)] for i in range(2)
    ]
    assert evaluation.accuracy == np.mean(labels == predicted)
    assert evaluation.error == pytest.approx(np.mean(np.sum((np.eye(2)[labels] - a) ** 2, axis=1)))


def test_accuracy_is_correct_over_total():
    """The article's erratum 1: correct / total, not correct / incorrect."""
    evaluation = inference.Evaluation(np.array([[3, 1, 0], [2, 0, 0], [0, 0, 0]]), 0.25)
    assert evaluation.summary() == {"accuracy": 0.5, "correct": 3, "examples": 6}


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((4, 6), 4), ((4, 2, 3), 4), ((6,), 1), ((2, 3), 1), ((1, 6), 1), ((6, 1), 1), ((0, 6), 0)],
)
def test_as_rows(shape, rows):
    """Rows, images and a single example become (n, features), in reading order."""
    array = np.arange(np.prod(shape)).reshape(shape)
    viewed = as_rows(array, 6, "in.npy")
    assert viewed.shape == (rows, 6)
    assert viewed.ravel().tolist() == array.ravel().tolist()


@pytest.mark.parametrize("shape", [(), (5,), (12,), (6, 4), (4, 5), (4, 2, 2), (0,), (6, 2, 3, 2)])
def test_as_rows_refuses_other_shapes(shape):
    """An array that is not examples of the network's width is refused, showing both."""
    with pytest.raises(DataError) as raised:
        as_rows(np.zeros(shape), 6, "in.npy")
    assert str(raised.value) == (
        f"in.npy: has shape {shape}, and the network takes 6 features; "
        "give an array of shape (n, 6)"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value):
    """NaN and infinity are refused, naming the first place."""
    array = np.zeros((3, 10))
    array[1, 4] = array[2, 0] = value
    with pytest.raises(DataError, match=f"features: holds {value} in row 1, feature 4; replace it"):
        made().predict(array)


@pytest.mark.parametrize("structure", [[10, 2**62, 2], [10, 2**31, 2**31, 2]])
def test_a_network_beyond_all_memory_is_a_memory_error(structure):
    """A size that no machine has is a lack of memory, not an internal error."""
    with pytest.raises(MemoryError):
        new_network(from_mapping(VALUES | {"structure": structure}, {}), PARITY)


PARITY = Encoding(10, "none", ("odd", "even"), commonest=(0,))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"structure": [9, 3, 2]}, "structure: starts with 9 inputs, and parity has 10 features; "
                                   "write structure: [10, 3, 2]"),
        ({"structure": [10, 3]}, "structure: ends with 3 outputs, and parity has 2 classes; "
                                 "write structure: [10, 2]"),
        ({"compat": "article", "bt_size": 351}, "bt_size: 351 is more than half of 700 examples, "
         "where the article's mini-batches lose some (compat: article); "
         "write bt_size: 350 or less"),
    ],
    ids=["inputs", "outputs", "article"],
)  # fmt: skip
def test_load_data_makes_sure_that_the_network_fits(values, message):
    """A structure or mini-batch that does not fit the data is refused with the line to write."""
    with pytest.raises(ConfigError) as raised:
        load_data(from_mapping(VALUES | values, {"": "c.yaml"}), Path("unused"))
    assert str(raised.value) == f"c.yaml: {message}"


@pytest.mark.parametrize("values", [{"compat": "article", "bt_size": 350}, {"bt_size": 9999}])
def test_load_data_allows_what_fits(values):
    """Half of the examples per mini-batch is allowed under compat, and any number without."""
    dataset = load_data(from_mapping(VALUES | values, {}), Path("unused"))
    assert (len(dataset.train.labels), dataset.encoding) == (700, PARITY)


def test_a_new_model_knows_its_data():
    """An untrained model has zero parameters and the fingerprint of its training data."""
    experiment = load_experiment(CONFIGS / "parity.yaml")
    dataset = load_data(experiment, Path("unused"))
    model = new_model(experiment, dataset)
    assert not model.network.theta.any()
    assert (model.fingerprint, model.history) == (dataset.fingerprint(), [])


def test_a_model_is_shown_in_a_line():
    """`repr` names structure, data, classes and epochs in one line, however many there are."""
    model = made(structure=[10, 7, 2])
    assert repr(model) == "Model(parity [10, 7, 2], classes odd, even, 0 epochs)"
    model.history = [{"epoch": i} for i in range(3)]
    names = ("a\nb", *map(str, range(99)))
    model.encoding = model.encoding._replace(class_names=names)
    shown = repr(model)
    assert shown.startswith("Model(parity [10, 7, 2], classes a b, 0, 1, ")
    assert shown.endswith(", ..., 3 epochs)")
    assert len(shown.splitlines()) == 1
    assert len(shown) < 200
