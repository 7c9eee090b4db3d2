"""Every form of every model answers as `mlp predict` does."""

import exported
import numpy as np
import pytest
from builders import made

from mlpcli.checkpoint.store import load, load_with_meta
from mlpcli.data.readers.table import Table
from mlpcli.errors import MismatchError
from mlpcli.export import c, formats, onnx_model, python, run_c
from mlpcli.export.examples import answers, check, compare, make_examples
from mlpcli.export.of_model import steps_of
from mlpcli.export.quantize import quantize, with_weights
from mlpcli.export.steps import Classes

SANITIZED = (*run_c.STRICT, "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover")
# Together they use every line that C files are made of.
SANITIZED_KINDS = (
    *("hostile", "worded", "robust", "quantities", "labels", "members", "gelu", "mish"),
    *("periodic", "periodic_members", "binned", "dated", "dated_robust"),
)


def run_onnx(ort, steps, content):
    """Return what runs an ONNX file with onnxruntime."""
    session = ort.InferenceSession(content)
    name = onnx_model.output_names(steps)[-1]
    return lambda table: session.run([name], onnx_model.feeds(steps, table))[0].astype(np.float64)


def same_answers(run, model, tables, tolerance=1e-5):
    """Make sure that answers differ little, and classes only where the two largest do as little."""
    found = compare(run, model, tables)
    assert found.difference <= tolerance, found
    if isinstance(steps_of(model).answer, Classes):
        for table in tables:
            expected = answers(model, table)
            first, second = np.sort(expected, axis=1)[:, :-3:-1].T
            differ = run(table).argmax(axis=1) != expected.argmax(axis=1)
            assert not (differ & (first - second > tolerance)).any()


def same_in_all_forms(model, tables, cc, ort, folder):
    """Make sure that Python, C and ONNX answer as `mlp predict` does."""
    steps = steps_of(model)
    exact = 1e-9 if steps.dtype == "float64" else 1e-5
    same_answers(formats._run_python(steps, python.render(steps, "about")), model, tables, exact)
    rendered = c.render(steps, "model", "about", header=True)
    same_answers(run_c.runner(steps, rendered, cc, folder), model, tables)
    same_answers(run_onnx(ort, steps, onnx_model.render(steps, {})), model, tables)


@pytest.mark.parametrize("name", exported.KINDS)
def test_tables(name, tables, cc, ort, tmp_path):
    """1,000 rows of every kind of table, with every activation, scaling and task."""
    model = exported.table_model(tmp_path, name)
    same_in_all_forms(model, tables(model, name, 1000), cc, ort, tmp_path)


@pytest.mark.parametrize("values", [{}, {"dtype": "float64", "activation": "selu"}])
def test_parity(values, cc, ort, tmp_path):
    """All 1,024 examples of parity."""
    bits = np.array([[i >> b & 1 for b in range(10)] for i in range(1024)], np.uint8)
    same_in_all_forms(exported.parity_model(**values), [Table("bits", bits)], cc, ort, tmp_path)


@pytest.mark.parametrize("shape", [(), (6, 5), (4, 3, 3)])
@pytest.mark.parametrize("scale", ["unit", "standardize", "none"])
def test_arrays_and_images(shape, scale, cc, ort, tmp_path):
    """1,000 arrays, gray images and images in colour, bytes and their fractions."""
    features = int(np.prod(shape or 7))
    model = exported.array_model(tmp_path, features, shape, data={"scale": scale})
    high = 1 if scale == "none" else 255
    pixels = np.random.default_rng(3).integers(0, high + 1, (500, features), np.uint8)
    made = [Table("pixels", pixels), Table("fractions", pixels * np.float32(0.7))]
    same_in_all_forms(model, made, cc, ort, tmp_path)


@pytest.mark.parametrize("embeddings", ["piecewise_linear", "periodic"])
def test_embedded_arrays(embeddings, cc, ort, tmp_path):
    """Every feature of an array is embedded, but for a constant, which has no bins."""
    numbers = np.random.default_rng(5).normal(size=(60, 4))
    numbers[:, 2] = 7
    files = {"train": str(tmp_path / "x.npy"), "target": str(tmp_path / "y.npy")}
    for path, array in zip(files.values(), (numbers, np.arange(60) % 3), strict=True):
        np.save(path, array)
    data = {**files, "scale": "robust"}
    values = {"hidden": [6], "embeddings": embeddings, "data": data}
    model = exported.randomised(values, tmp_path, 0)
    same_in_all_forms(model, [make_examples(steps_of(model), 0)], cc, ort, tmp_path)


@pytest.mark.parametrize("values", [{"parametrization": "ntk"}, {"feature_scale": True}])
def test_parametrizations_are_exported_as_the_network_that_they_make(values, cc, ort, tmp_path):
    """Of a checkpoint trained in other parameters, the plain ones are exported."""
    model = exported.parity_model(**values)
    same_in_all_forms(model, [make_examples(steps_of(model), 0)], cc, ort, tmp_path)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_members_are_calibrated_together(output, cc, ort, tmp_path):
    """What networks that share layers put out is averaged, and then cooled."""
    made = exported.parity_model(
        output=output, members=3, validation=0.2, calibrate=True, activation="relu"
    )
    model = load(exported.save_model(tmp_path / "W.npy", made, temperature=1.7))
    assert steps_of(model).members.temperature == 1.7
    same_in_all_forms(model, [make_examples(steps_of(model), 0)], cc, ort, tmp_path)


def test_cosines_and_sines_are_exact_in_c(tables, cc, tmp_path):
    """C has no library's: its own turn through any number of periods."""
    model = exported.table_model(tmp_path, "periodic_members")
    model.network.frequencies *= np.geomspace(1, 1e5, model.network.frequencies.size).reshape(3, 8)
    rendered = c.render(steps_of(model), "model", "about", header=True)
    run = run_c.runner(steps_of(model), rendered, cc, tmp_path)
    same_answers(run, model, tables(model, "periodic_members", 200), 1e-9)


@pytest.mark.parametrize("name", SANITIZED_KINDS)
def test_c_passes_the_sanitizers(name, tables, cc, tmp_path):
    """No access out of bounds and nothing undefined, in 8 bits and in full, for any row."""
    model = exported.table_model(tmp_path, name)
    steps, some = steps_of(model), tables(model, name, 100)
    rendered = c.render(steps, "model", "about", header=False)
    same_answers(run_c.runner(steps, rendered, cc, tmp_path, SANITIZED), model, some)
    quantized = quantize(steps)
    reduced = with_weights(model, quantized)
    rendered = c.render(quantized, "model", "about", header=False)
    run = run_c.runner(steps, rendered, cc, tmp_path, SANITIZED)
    same_answers(run, reduced, some)
    # Whatever a row holds: texts that are no category, and numbers that are none.
    odd = [np.nan, np.inf, -np.inf, 1e308, -1e38, 0.0, 5e-324]
    values = np.array([[value] * len(steps.columns) for value in odd])
    texts = dict.fromkeys(some[0].texts, ("", "NA", " ", "?" * 5000))
    for j in texts:
        values[:, j] = np.arange(len(odd)) % 4
    assert run(Table("odd", values, texts=texts)).shape == (len(odd), len(steps.answer.names))


def test_rows_that_predict_refuses_are_refused(cc, ort, tmp_path):
    """C says which column it is, Python its name, and ONNX answers NaN and no class."""
    steps = steps_of(exported.table_model(tmp_path, "double"))
    module = {"__name__": "model"}
    exec(python.render(steps, "about"), module)
    run = run_c.runner(steps, c.render(steps, "model", "about", True), cc, tmp_path)
    session = ort.InferenceSession(onnx_model.render(steps, {}))
    good = [40.0, 0.0, 40.0, 1.0]
    for j, value, what in (
        (0, np.nan, "column age"),
        (1, 1, "column colour"),
        (3, np.inf, "member"),
    ):
        values = np.array([good, good])
        values[1, j] = value
        table = Table("some", values, texts={1: ("red", "unseen")})
        assert np.isnan(run(table)).all(axis=1).tolist() == [False, True]
        names, outputs = session.run(None, onnx_model.feeds(steps, table))
        assert np.isnan(outputs).all(axis=1).tolist() == [False, True]
        assert (names[0] in steps.answer.names, names[1]) == (True, "")
        cells = [*values[1]]
        cells[1] = "red" if j != 1 else "unseen"
        with pytest.raises(ValueError, match=what):
            module["predict"](cells)


def test_values_too_large_for_the_arithmetic_are_refused(cc, ort, tmp_path):
    """What float32 cannot hold is no infinity that layers turn into an answer."""
    model = exported.parity_model(activation="relu")
    steps = steps_of(model)
    table = Table("large", np.array([[1e300] + [0.0] * 9]))
    run = run_c.runner(steps, c.render(steps, "model", "about", True), cc, tmp_path)
    assert np.isnan(run(table)).all()
    with np.errstate(over="ignore"):
        assert np.isnan(run_onnx(ort, steps, onnx_model.render(steps, {}))(table)).all()


def test_numbers_that_float32_cannot_tell_apart_are_float64_in_onnx(ort, tmp_path):
    """A column of times of large numbers and little spread keeps its digits."""
    model = exported.table_model(tmp_path, "numbers")
    means = (1.6e9, *model.encoding.means[1:])
    model.encoding = model.encoding._replace(means=means)
    steps = steps_of(model)
    assert onnx_model.input_types(steps) == [np.float64, np.float32, np.float32]
    values = np.array([[1.6e9 + i, 40.0, 40.0] for i in range(-20, 20)])
    same_answers(run_onnx(ort, steps, onnx_model.render(steps, {})), model, [Table("t", values)])


def test_onnx_is_described(ort, tmp_path):
    """Inputs and outputs are the table's, batch size is free, and metadata say where it is from."""
    model = exported.table_model(tmp_path, "filled")
    path = exported.save_model(tmp_path / "W.npy", model)
    model, meta = load_with_meta(path)
    made = formats.export(model, meta, steps_of(model), "onnx", "m", tmp_path)
    session = ort.InferenceSession(made.content)
    assert [(i.name, i.type, i.shape) for i in session.get_inputs()] == [
        ("age", "tensor(float)", ["N", 1]),
        ("colour", "tensor(string)", ["N", 1]),
        ("income", "tensor(float)", ["N", 1]),
        ("member", "tensor(float)", ["N", 1]),
    ]
    assert [(o.name, o.type, o.shape) for o in session.get_outputs()] == [
        ("class", "tensor(string)", ["N"]),
        ("proba", "tensor(float)", ["N", 3]),
    ]
    described = session.get_modelmeta().custom_metadata_map
    assert described["fingerprint"] == model.fingerprint
    assert '"numpy"' in described["trained_with"]
    import onnx

    loaded = onnx.load_from_string(made.content)
    assert [(o.domain, o.version) for o in loaded.opset_import] == [("", onnx_model.OPSET)]


def test_eight_bits_are_near():
    """Weights are integers times a scale of each output, off by half of that at most."""
    steps = steps_of(exported.parity_model())
    for layer, stored in zip(steps.affine, quantize(steps).affine, strict=True):
        assert np.abs(stored.q).max(axis=0).tolist() == [127] * layer.W.shape[1]
        assert (np.abs(stored.W - layer.W) <= 0.501 * stored.scale).all()


def test_a_row_of_zeros_stays_zeros_in_eight_bits():
    """Whatever its scale is."""
    model = exported.parity_model()
    model.network.theta[:] = 0
    assert all(not stored.W.any() for stored in quantize(steps_of(model)).affine)


def test_no_answer_is_a_difference():
    """An export that answers NaN where `mlp predict` does not differs from it, and is refused."""
    model = made()
    table = make_examples(steps_of(model), 0)

    def silent(table):
        return np.where(
            np.arange(len(table.values))[:, np.newaxis] == 1, np.nan, answers(model, table)
        )

    found = compare(silent, model, [table])
    assert np.isnan(found.difference)
    with pytest.raises(MismatchError):
        check(found, "out.onnx")
