"""Distorted images."""

import numpy as np
import pytest

from mlpcli.config.load import from_mapping
from mlpcli.rng import whole
from mlpcli.training.augment import (
    GROUP,
    affine_positions,
    displacements,
    distorter,
    draw_positions,
    epoch_augmenter,
    pixels_at,
    shifter,
)

SETTINGS = {
    "rotate": {"rotate": 30},
    "scale": {"scale": 0.3},
    "shear": {"shear": 0.3},
    "elastic": {"elastic": {"sigma": 1.5, "alpha": 9}},
}
ALL = {name: value for settings in SETTINGS.values() for name, value in settings.items()}


def shifted(batch, settings, image_shape, seed=0):
    """Return images moved, another array."""
    moved = batch.copy()
    move = shifter(image_shape, settings, (len(batch) + 3, batch.shape[1]), batch.dtype)
    move(moved, np.random.default_rng(seed), whole(len(batch)))
    return moved


def distorted(batch, settings, image_shape, seed=0):
    """Return images distorted, another array."""
    changed = batch.copy()
    distort = distorter(image_shape, settings, (len(batch) + 3, batch.shape[1]), batch.dtype)
    distort(changed, np.random.default_rng(seed), whole(len(batch)))
    return changed


def mapped(image, angle=0.0, factors=(1, 1), shear=0.0):
    """Return an image, (h, w), under one affine map; 0 where it shows nothing."""
    y, x = affine_positions(
        image.shape, np.array([angle]), np.array(factors)[:, np.newaxis], np.array([shear])
    )
    return np.append(image, 0)[pixels_at(y, x, edge=False)[0]].reshape(image.shape)


@pytest.mark.parametrize(("fill", "mode"), [("zero", "constant"), ("edge", "edge")])
def test_images_move_by_every_offset_and_no_further(fill, mode):
    """Each image appears moved by (dy, dx) in -2..2; `fill` is what comes in from outside."""
    image = np.arange(1, 31, dtype=np.uint8).reshape(5, 6)
    padded = np.pad(image, 2, mode)
    moved = {padded[y : y + 5, x : x + 6].tobytes(): (y, x) for y in range(5) for x in range(5)}
    batch = np.tile(image.ravel(), (300, 1))
    rows = shifted(batch, {"shift": 2, "fill": fill}, (5, 6))
    assert {moved[row.tobytes()] for row in rows} == set(moved.values())


def test_images_stay_apart():
    """Every image is moved and distorted as itself: no pixel of another one enters it."""
    batch = np.repeat(np.arange(1, 81, dtype=np.uint8), 12).reshape(80, 12)
    for rows in (shifted(batch, {"shift": 1}, (3, 4)), distorted(batch, ALL, (3, 4))):
        for value, row in enumerate(rows, 1):
            assert set(row) <= {0, value}


@pytest.mark.parametrize("change", [shifted, distorted])
def test_colours_stay_together(change):
    """A colour image moves as its red, green and blue would alone, by the same draws."""
    batch = np.random.default_rng(1).integers(0, 256, (70, 5, 6, 3), np.uint8)
    settings = ALL | {"shift": 2}
    colour = change(batch.reshape(70, 90), settings, (5, 6)).reshape(70, 5, 6, 3)
    for channel in range(3):
        gray = change(batch[..., channel].reshape(70, 30), settings, (5, 6))
        np.testing.assert_array_equal(colour[..., channel].reshape(70, 30), gray)
    assert (colour != batch).any()


@pytest.mark.parametrize("change", [shifted, distorted])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16"])
def test_any_numbers_are_moved_as_bytes_are(change, dtype):
    """Images of floats come out as the same images of bytes do."""
    batch = np.random.default_rng(1).integers(0, 256, (40, 35), np.uint8)
    settings = ALL | {"shift": 2}
    of_bytes = change(batch, settings, (5, 7))
    np.testing.assert_array_equal(change(batch.astype(dtype), settings, (5, 7)), of_bytes)


@pytest.mark.parametrize("shape", [(6, 6), (7, 7), (5, 8)])
def test_quarter_turns(shape):
    """A turn by 180 degrees is NumPy's, by 90 too where rows and columns are as many."""
    image = np.arange(1, 1 + shape[0] * shape[1]).reshape(shape)
    np.testing.assert_array_equal(mapped(image, np.pi), np.rot90(image, 2))
    np.testing.assert_array_equal(mapped(image), image)
    if shape[0] == shape[1]:
        np.testing.assert_array_equal(mapped(image, np.pi / 2), np.rot90(image))
        np.testing.assert_array_equal(mapped(image, -np.pi / 2), np.rot90(image, 3))


def test_a_turned_image_keeps_its_centre_and_loses_its_corners():
    """An image of 3 rows and 7 columns, turned by 90 degrees, shows the middle of its row."""
    image = np.zeros((3, 7), int)
    image[1] = range(1, 8)
    expected = np.zeros((3, 7), int)
    expected[:, 3] = [5, 4, 3]
    np.testing.assert_array_equal(mapped(image, np.pi / 2), expected)


def test_scale_and_shear():
    """Twice as high is every row twice, about the centre; a shear of 1 moves row y by y."""
    image = np.arange(1, 17).reshape(4, 4)
    np.testing.assert_array_equal(mapped(image, factors=(2, 1)), image[[1, 1, 2, 2]])
    np.testing.assert_array_equal(mapped(image, factors=(1, 2)), image[:, [1, 1, 2, 2]])
    np.testing.assert_array_equal(
        mapped(np.arange(1, 10).reshape(3, 3), shear=1.0), [[2, 3, 0], [4, 5, 6], [0, 7, 8]]
    )


def test_a_map_that_only_shifts_is_a_shift():
    """Positions moved by (dy, dx) give what `shift` gives, whatever comes in from outside."""
    image = np.arange(1, 31, dtype=np.uint8).reshape(5, 6)
    for edge, fill in ((False, "zero"), (True, "edge")):
        dy, dx = np.random.default_rng(5).integers(0, 5, (2, 1)) - 2
        moved = shifted(image.reshape(1, 30), {"shift": 2, "fill": fill}, (5, 6), seed=5)
        y, x = np.mgrid[:5, :6].astype(float)
        source = pixels_at((y + dy)[np.newaxis], (x + dx)[np.newaxis], edge)
        np.testing.assert_array_equal(np.append(image, 0)[source], moved)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_each_setting_alone(settings):
    """Each changes images, by its draws, and with `fill: edge` none of one value."""
    batch = np.random.default_rng(1).integers(1, 256, (GROUP + 8, 15 * 17), np.uint8)
    changed = distorted(batch, settings, (15, 17), seed=2)
    assert (changed != batch).any(axis=1).all()
    assert (changed != distorted(batch, settings, (15, 17), seed=1)).any()
    np.testing.assert_array_equal(changed, distorted(batch, settings, (15, 17), seed=2))
    flat = np.full((40, 15 * 17), 9, np.uint8)
    np.testing.assert_array_equal(distorted(flat, settings | {"fill": "edge"}, (15, 17)), flat)


def test_affine_draws_stay_within_their_settings():
    """Positions are turned, scaled and sheared by all amounts up to the settings, and no more."""
    shape, maps = (3, 3), 4000

    def draw(**settings):
        return draw_positions(shape, settings, whole(maps), np.random.default_rng(2))

    # From the centre, the pixel to the right comes from (sin angle, cos angle) or (0, 1 / factor),
    # and the one below from (1 / factor, 0) or (1, -shear).
    y, x = draw(rotate=90)
    angles = np.degrees(np.arctan2(y[:, 1, 2] - 1, x[:, 1, 2] - 1))
    y, x = draw(scale=0.5)
    widths, heights = 1 / (x[:, 1, 2] - 1), 1 / (y[:, 2, 1] - 1)
    shears = -(draw(shear=0.25)[1][:, 2, 1] - 1)
    for drawn, low, high in (
        (angles, -90, 90), (widths, 0.5, 1.5), (heights, 0.5, 1.5), (shears, -0.25, 0.25)
    ):  # fmt: skip
        assert low <= drawn.min() < low + 0.01 * (high - low)
        assert high >= drawn.max() > high - 0.01 * (high - low)
        # The mean of 4,000 draws: five of its standard errors, the width / sqrt(12 · 4000).
        assert abs(drawn.mean() - (low + high) / 2) < 5 * (high - low) / np.sqrt(12 * maps)


@pytest.mark.parametrize("shape", [(29, 29), (24, 40)])
def test_elastic_displacements_are_those_of_the_paper(shape):
    """Displacements are as large, and as alike nearby, as smoothed noise between -1 and 1.

    Such noise has a variance of 1/3, and a Gaussian of sigma pixels divides it by 4 pi sigma²;
    pixels d apart then correlate by exp(-d² / 4 sigma²).
    """
    sigma, alpha = 2.0, 12.0
    field = displacements(shape, sigma, alpha, whole(500), np.random.default_rng(3))
    deviation = alpha / (2 * np.sqrt(3 * np.pi) * sigma)
    for part in (field.real, field.imag):
        assert part.std() == pytest.approx(deviation, rel=0.03)
        assert abs(part.mean()) < 0.1 * deviation
        for d in (1, 3):
            alike = (part[:, d:] * part[:, :-d]).mean() / part.var()
            assert alike == pytest.approx(np.exp(-(d**2) / (4 * sigma**2)), abs=0.03)
    assert abs((field.real * field.imag).mean()) < 0.05 * deviation**2


def test_pixels_are_displaced_by_rows_and_columns():
    """Elastic positions are those of the pixels and two unlike displacements."""
    settings = {"elastic": {"sigma": 2.0, "alpha": 12.0}}
    y, x = draw_positions((20, 30), settings, whole(300), np.random.default_rng(3))
    down, right = y - np.arange(20)[:, np.newaxis], x - np.arange(30)
    assert down.std() == pytest.approx(right.std(), rel=0.05)
    assert abs(np.corrcoef(down.ravel(), right.ravel())[0, 1]) < 0.05


def test_draws_are_keyed_by_epoch_and_step():
    """Another epoch, step or seed distorts otherwise; the same does the same, in any order."""
    raw = np.random.default_rng(1).integers(1, 256, (50, 36), np.uint8)
    keys = {"data": "mnist", "structure": [36, 2], "eta": 0.1, "bt_size": 10, "epochs": 1}

    def moved(epoch, step, seed=0):
        experiment = from_mapping(keys | {"seed": seed, "augment": ALL | {"shift": 1}}, {})
        images = raw.copy()
        epoch_augmenter(experiment, (6, 6), raw)(epoch)(images, step)
        return images.tobytes()

    seen = [moved(*at) for at in ((0, 0), (0, 5), (1, 0), (0, 0, 1))]
    assert len(set(seen)) == len(seen)
    assert moved(0, 5) == seen[1]


def test_a_shift_draws_the_same_beside_distortions():
    """`shift` moves images by the same offsets whether they are distorted before or not."""
    raw = np.arange(1, 37, dtype=np.uint8).reshape(1, 36).repeat(20, axis=0)
    keys = {"data": "mnist", "structure": [36, 2], "eta": 0.1, "bt_size": 10, "epochs": 1}
    # A turn by so little moves no pixel.
    alone, beside = raw.copy(), raw.copy()
    for images, more in ((alone, {}), (beside, {"rotate": 1e-6})):
        experiment = from_mapping(keys | {"augment": {"shift": 2} | more}, {})
        epoch_augmenter(experiment, (6, 6), raw)(3)(images, 4)
    np.testing.assert_array_equal(alone, beside)
    assert (alone != raw).any()
