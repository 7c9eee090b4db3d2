"""C files: names and texts that cannot break them, and numbers that are exact."""

import exported
import numpy as np
import pytest

from mlpcli.errors import ConfigError
from mlpcli.export import c, c_literals
from mlpcli.export.of_model import steps_of


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Age", "age"),
        ("sepal length (cm)", "sepal_length_cm"),
        ("while", "while_"),
        ("2nd", "column_2_2nd"),
        ("größe 列", "gr_e"),
        ("列", "column_2"),
        ("*/", "column_2"),
        ("x" * 99, "x" * 40),
    ],
)
def test_names_become_identifiers(text, name):
    """Of letters, digits and underscores, and no keyword."""
    assert c_literals.identifier(text, "column_2") == name


def test_columns_have_fields_of_their_own(tmp_path):
    """Names that differ in what C has not do not become one."""
    fields = c.field_names(steps_of(exported.table_model(tmp_path, "hostile")))
    assert len(set(fields)) == len(exported.HOSTILE)


def test_texts_are_escaped():
    """Quotes, line ends, trigraphs and other scripts are octal, of three digits each."""
    assert c_literals.text_literal('a"\\\n?é1') == '"a\\042\\134\\012\\077\\303\\2511"'


@pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 5000])
def test_texts_that_c_cannot_say_are_refused(text):
    """A NUL ends a text of C, and compilers need not take long ones."""
    with pytest.raises(ConfigError, match="C cannot say"):
        c_literals.text_literal(text)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_are_written_exactly(dtype):
    """Decimals read back as the same bits, the smallest and the largest too."""
    model = exported.parity_model(dtype=dtype)
    limits = np.finfo(dtype)
    model.network.weights[0][0, :4] = limits.max, limits.tiny, limits.smallest_subnormal, -1
    steps = steps_of(model)
    rendered = c.render(steps, "model", "about", header=False)
    for number, layer in enumerate(steps.affine, 2):
        assert np.array_equal(c.read_numbers(rendered, f"W{number}", layer.W), layer.W)
        assert np.array_equal(c.read_numbers(rendered, f"b{number}", layer.b), layer.b)


def test_a_name_cannot_pass_for_numbers():
    """What looks like an array in a class's name is not read back as one."""
    model = exported.parity_model()
    fake = "\nstatic const float model_b2[3] = {\n1\n};"
    model.encoding = model.encoding._replace(class_names=("odd", fake))
    steps = steps_of(model)
    rendered = c.render(steps, "model", "about", header=False)
    assert np.array_equal(c.read_numbers(rendered, "b2", steps.affine[0].b), steps.affine[0].b)
