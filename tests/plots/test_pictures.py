"""Pictures show what they are of: as many curves, points, cells and labels."""

from itertools import pairwise

import builders
import numpy as np
import pytest

pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from mlpcli.data.dataset import Examples, Opened
from mlpcli.data.readers.table import Table
from mlpcli.evaluation.curves import Reliability, roc_curve
from mlpcli.nn.probabilities import roc_auc
from mlpcli.plots import canvas, curves, evaluated, pictures
from mlpcli.plots.evaluated import Evaluated


def texts(axes):
    """Return the text of an axes' annotations."""
    return [text.get_text() for text in axes.texts]


def test_descents_are_the_articles():
    """Figures 2 and 3 go through the article's points, and show its errors."""
    figure = Figure()
    curves.draw_descent(figure)
    parabola, paraboloid = figure.axes[:2]
    points = [10, 4, 1.6, 0.64, 0.256, 0.1024, 0.04096, 0.016384]
    (_, descent) = parabola.lines
    np.testing.assert_allclose(descent.get_xydata(), [(a, a * a) for a in points], rtol=1e-12)
    np.testing.assert_allclose(paraboloid.lines[0].get_xydata(), [(a, a) for a in points])
    assert texts(paraboloid) == ["200", "32", "5.12"]
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == ["a", "a"]


def test_a_network_is_all_its_units_and_lines():
    """[3, 2, 1] has six units and eight lines; the largest weight is thickest, negative dashed."""
    weights = [np.array([[1.0, -2, 4], [0, 1, 2]]), np.array([[3.0, -1.5]])]
    figure = Figure()
    pictures.draw_network(figure, [3, 2, 1], weights)
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    edges = [line for line in lines if line.get_marker() == "None"]
    assert len(edges) == 8
    assert [line.get_linestyle() for line in edges].count("--") == 2
    widths = [line.get_linewidth() for line in edges]
    np.testing.assert_allclose(widths, [0.625, 0, 1.25, 0.625, 2.5, 1.25, 2.5, 1.25])
    units = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in units] == [3, 2, 1]
    assert texts(figure.axes[0]) == ["input\n3", "layer 2\n2", "output\n1"]


def test_a_wide_layer_is_shortened_and_says_so():
    """Of 784 units ten are drawn, and 774 are named."""
    figure = Figure()
    pictures.draw_network(figure, [784, 12, 2])
    assert "⋮\n774 more\n⋮" in texts(figure.axes[0])
    units = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in units] == [10, 12, 2]


def test_weights_of_a_table_are_matrices():
    """Each matrix is drawn with its own values, on a scale that is as long on both sides of 0."""
    weights = [np.arange(-3, 9).reshape(3, 4).astype(float), np.ones((2, 3))]
    figure = Figure()
    pictures.draw_weights(figure, weights)
    first, second = (axes.images[0] for axes in figure.axes if axes.images)
    np.testing.assert_array_equal(first.get_array(), weights[0])
    assert first.get_clim() == (-8, 8)
    np.testing.assert_array_equal(second.get_array(), weights[1])


@pytest.mark.parametrize(("rows", "colours"), [(5, 1), (130, 1), (3, 3)])
def test_weights_of_images_are_images(rows, colours):
    """Each row of the first matrix is an image, of at most a hundred units, and that is said."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(rows, 6 * colours))
    figure = Figure()
    pictures.draw_weights(figure, [W, rng.normal(size=(2, rows))], (2, 3))
    part = figure.subfigs[0]
    images = [axes.images[0].get_array() for axes in part.axes if axes.images and axes.get_title()]
    assert len(images) == min(rows, 100)
    if colours == 1:
        np.testing.assert_array_equal(images[1], W[1].reshape(2, 3))
    else:
        largest = np.abs(W).max()
        np.testing.assert_allclose(images[1], (W[1].reshape(2, 3, 3) / largest + 1) / 2)
    said = "the first 100 of 130" if rows > 100 else f"all {rows}"
    assert said in part.get_suptitle()


def test_a_confusion_shows_counts_and_names():
    """A cell's text is its count, its colour the share of the true class."""
    counts = np.array([[3, 1], [0, 4]])
    figure = Figure()
    pictures.draw_confusion(figure, counts, ["cat", "dog"])
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), [[0.75, 0.25], [0, 1]])
    assert texts(axes) == ["3", "1", "4"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", "dog"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")


def test_many_classes_have_no_counts():
    """A hundred classes are colours and every other name."""
    figure = Figure()
    pictures.draw_confusion(figure, np.eye(100, dtype=int), [str(i) for i in range(100)])
    axes = figure.axes[0]
    assert texts(axes) == []
    assert len(axes.get_xticklabels()) == 50


def test_a_roc_curve_has_its_area():
    """The area under the points of a curve is what the metric says, ties included."""
    rng = np.random.default_rng(0)
    labels, outputs = rng.integers(2, size=300), rng.integers(20, size=300) / 20
    false, true = roc_curve(outputs, labels == 1)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    area = np.trapezoid(true, false)
    np.testing.assert_allclose(
        area, roc_auc(labels, np.column_stack([1 - outputs, outputs]))[1], rtol=1e-12
    )


def test_roc_curves_are_named_with_their_areas():
    """A line per class that has an area, and one for chance; of many classes the worst twelve."""
    rng = np.random.default_rng(0)
    scores, truth = rng.random((60, 20)), rng.random((60, 20)) < 0.3
    areas = np.linspace(0.4, 0.9, 20)
    areas[3] = np.nan
    figure = Figure()
    curves.draw_roc(figure, scores, truth, areas, [f"k{j}" for j in range(20)])
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert labels[0] == "by chance"
    assert labels[1] == "k0, area 0.4000"
    assert len(labels) == 13
    assert figure.axes[0].get_title() == "the 12 smallest areas of 19"


def test_calibration_has_a_point_per_bin():
    """Points are mean probability and share that is right; bars are how many."""
    parts = [Reliability(5, 0.3, 0.2), Reliability(10, 0.9, 1.0)]
    figure = Figure()
    curves.draw_calibration(figure, parts)
    above, below = figure.axes
    np.testing.assert_array_equal(above.lines[1].get_xydata(), [[0.3, 0.2], [0.9, 1.0]])
    assert [bar.get_height() for bar in below.patches] == [5, 10]


def _drawn(draw, outputs, labels, weights=None):
    """Return all numbers and texts of a picture of a model's predictions for 2-class examples."""
    table = Table("t.csv", outputs, weights=weights)
    opened = Opened(table, Examples(outputs, labels))
    figure = Figure()
    draw(figure, Evaluated(builders.made(), opened, outputs))
    bars = [patch.get_height() for axes in figure.axes for patch in axes.patches]
    points = [line.get_xydata() for axes in figure.axes for line in axes.lines]
    pixels = [image.get_array() for axes in figure.axes for image in axes.images]
    labels = [line.get_label() for axes in figure.axes for line in axes.lines]
    return bars, points, pixels, [*labels, *texts(figure.axes[0])]


@pytest.mark.parametrize("draw", [evaluated.confusion, evaluated.calibration, evaluated.roc])
def test_weighted_pictures_are_those_of_repeated_rows(draw):
    """Each picture of examples with weights is that of examples repeated so often."""
    rng = np.random.default_rng(0)
    outputs, labels = rng.integers(20, size=(60, 2)) / 20, rng.integers(2, size=60)
    weights = rng.integers(1, 4, size=60)
    rows = np.repeat(np.arange(60), weights)
    found = _drawn(draw, outputs, labels, weights * 1.0)
    expected = _drawn(draw, outputs[rows], labels[rows])
    assert found[3] == expected[3]
    assert found[3] != _drawn(draw, outputs, labels)[3] or draw is evaluated.calibration
    for one, other in zip(found[:3], expected[:3], strict=True):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_residuals_are_predicted_less_true():
    """One row of diagrams for each quantity, in its own units."""
    truth, predicted = np.array([[1.0, 10], [2, 20]]), np.array([[1.5, 9], [2, 23]])
    figure = Figure()
    curves.draw_residuals(figure, truth, predicted, ["price", "rent"])
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == ["predicted price", "predicted rent"]
    np.testing.assert_array_equal(figure.axes[2].lines[1].get_xydata(), [[10, 9], [20, 23]])
    np.testing.assert_array_equal(figure.axes[3].lines[1].get_xydata(), [[9, -1], [23, 3]])


def luminance(colour):
    """Return how light a colour is (Rec. 709)."""
    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("style", canvas.STYLES)
def test_lines_differ_without_colour(style):
    """Each of six lines has a dash of its own, and stands out; of 36 no two look alike."""
    assert len({str(dash) for dash in canvas.DASHES}) == len(canvas.COLOURS[style]) == 6
    cycle = canvas._settings(style)["axes.prop_cycle"]
    assert len({str(sorted(look.items())) for look in cycle}) == 36
    page = luminance(canvas.STYLES[style][0])
    assert all(abs(luminance(colour) - page) > 0.15 for colour in canvas.COLOURS[style])


def test_ticks_of_wide_layers_do_not_overlap():
    """Of 256 units, as many are numbered as have room."""
    figure = Figure(layout="constrained")
    pictures.draw_weights(figure, [np.zeros((256, 9)), np.zeros((256, 256)), np.zeros((2, 256))])
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    for axes in figure.axes:
        places = [label.get_window_extent(renderer) for label in axes.get_xticklabels()]
        shown = sorted((box.x0, box.x1) for box in places if box.x0 >= 0)
        assert all(left[1] < right[0] for left, right in pairwise(shown))


def test_a_table_of_mistakes_can_be_read():
    """Every cell has room for its text, which is as large as in other pictures."""
    numbers = [(f"x{i}", "-0.123") for i in range(9)]
    long = (("how it was paid", "by standing order"), *numbers)
    wrong = [pictures.Mistake(row, "a", "class 21 (0.969)", cells=long) for row in (7, 1234)]
    figure = Figure(layout="constrained")
    pictures.draw_mistakes(figure, wrong)
    (table,) = figure.axes[0].tables
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    for cell in table.get_celld().values():
        text, box = cell.get_text().get_window_extent(renderer), cell.get_window_extent(renderer)
        assert box.x0 <= text.x0
        assert text.x1 <= box.x1
        assert cell.get_fontsize() == 9
