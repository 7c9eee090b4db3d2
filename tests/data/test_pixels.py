"""Images as arrays: what is black and white in them, and where their channels are."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Preparation
from mlpcli.data.encoding import Encoding
from mlpcli.data.files import load_files
from mlpcli.data.labelled import open_labelled
from mlpcli.data.pixels import fit_pixel_range
from mlpcli.data.readers.table import Table
from mlpcli.prediction.inputs import read_input

Image = pytest.importorskip("PIL.Image")

# Four images of 2×4 pixels, in colour.
PIXELS = np.random.default_rng(0).integers(256, size=(4, 2, 4, 3)).astype(np.uint8)
PIXELS[0, 0, 0], PIXELS[0, 0, 1] = 0, 255
Y = np.arange(4) % 2


def trained(array):
    """Return the encoding of a training file that holds an array."""
    np.savez("d.npz", x=array, y=Y)
    return load_files(Files(train="d.npz"), Preparation()).encoding


def save_images():
    """Write the images as files, by class."""
    for i, pixels in enumerate(PIXELS):
        path = Path(f"d/{Y[i]}/{i}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return [path for name in ("0", "1") for path in sorted(Path("d", name).iterdir())]


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (lambda x: x, (0, 255)),
        (lambda x: x / 255, (0, 1)),
        (lambda x: x / 127.5 - 1, (-1, 1)),
        (lambda x: x.astype(np.uint16) * 257, (0, 65535)),
        (lambda x: (x / 255 - 0.25) / 0.2, (-1.25, 3.75)),
    ],
    ids=["bytes", "to 1", "from -1", "16 bits", "standardised"],
)
def test_files_of_images_are_read_in_the_units_of_an_array(units, expected):
    """What was trained on an array takes PNG files as it takes the array, whatever its units."""
    encoding = trained(units(PIXELS))
    assert encoding.pixel_range == pytest.approx(expected)
    mapping = json.loads(json.dumps(encoding.to_mapping()))
    assert Encoding.from_mapping(mapping, encoding.class_names) == encoding
    order = [0, 2, 1, 3]
    np.save("x.npy", units(PIXELS)[order])
    save_images()
    array, files = (next(read_input(name, encoding)).features for name in ("x.npy", "d"))
    np.testing.assert_allclose(files, array, atol=1e-5)
    labelled = open_labelled(Path("d"), encoding)
    np.testing.assert_allclose(labelled.examples.features, array, atol=1e-5)


def test_folders_of_dark_images_are_bytes():
    """Pixels of files are bytes, even where all of them are nearly black."""
    for path in save_images():
        Image.fromarray(PIXELS[0] // 255).save(path)
    encoding = load_files(Files(train="d"), Preparation()).encoding
    assert "pixel_range" not in encoding.to_mapping()


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_may_be_first(channels):
    """Arrays as PyTorch has them are images, and mean what they mean with channels last."""
    last = PIXELS[..., :channels]
    first = np.moveaxis(last, -1, 1)
    encodings = [trained(array) for array in (last, first)]
    assert encodings[0] == encodings[1]
    assert encodings[0].image_shape == (2, 4)
    for name, array in (("last", last), ("first", first)):
        np.save(f"{name}.npy", array)
        features = next(read_input(f"{name}.npy", encodings[0])).features
        np.testing.assert_array_equal(features, last.reshape(4, -1))
    np.savez("first.npz", x=first, y=Y)
    labelled = open_labelled(Path("first.npz"), encodings[0])
    np.testing.assert_array_equal(labelled.examples.features, last.reshape(4, -1))


def test_channels_of_what_was_no_image_stay():
    """A network that was not trained on images takes an array's values in their order."""
    first = np.moveaxis(PIXELS, -1, 1)
    np.save("first.npy", first)
    features = next(read_input("first.npy", Encoding(24, "none", ("a", "b")))).features
    np.testing.assert_array_equal(features, first.reshape(4, -1))


@pytest.mark.parametrize(
    ("trained_on", "given", "said"),
    [
        (PIXELS, PIXELS / 255, "x.npy: its largest value is 1, and white was 255 in training; "),
        (PIXELS / 255, PIXELS, "x.npy: its largest value is 255, and white was 1 in training; "),
        (PIXELS, PIXELS // 2, ""),
        (PIXELS, PIXELS * 0, ""),
        (PIXELS / 255, PIXELS / 400, ""),
    ],
)
def test_images_in_other_units_are_pointed_out(run_mlp, trained_on, given, said):
    """Whoever gives pixels from 0 to 1 for those from 0 to 255, or the reverse, is told."""
    np.savez("d.npz", x=trained_on, y=Y)
    Path("c.yaml").write_text(
        "data: {train: d.npz}\nhidden: [2]\neta: 0.1\nbt_size: 4\nepochs: 1\n"
    )
    run_mlp("train", "c.yaml", "-q")
    np.save("x.npy", given)
    np.savez("more.npz", x=given, y=Y)
    predicted = run_mlp("predict", "--weights", "c.npy", "x.npy")
    assert len(predicted.stdout.splitlines()) == 4
    evaluated = run_mlp("evaluate", "--weights", "c.npy", "--data", "more.npz")
    assert said in predicted.stderr
    assert said.replace("x.npy", "more.npz") in evaluated.stderr
    assert bool(said) == ("units" in predicted.stderr)


def test_ink_on_paper_is_pointed_out(run_mlp, data_dir):
    """Of digits as they are written, `--invert` is named; with it, and of MNIST's own, nothing."""
    Path("c.yaml").write_text(
        "data: mnist\nstructure: [784, 10]\neta: 0.1\nbt_size: 1000\nepochs: 1\n"
    )
    run_mlp("train", "c.yaml", "-q", "--data-dir", data_dir)
    digit = np.zeros((28, 28), np.uint8)
    digit[5:23, 13:16] = 255
    Image.fromarray(digit).save("dark.png")
    Image.fromarray(255 - digit).save("light.png")
    for name, args, said in (
        ("light.png", [], "light.png: the ground is light, and was dark in training; --invert"),
        ("light.png", ["--invert"], ""),
        ("dark.png", [], ""),
        ("dark.png", ["--invert"], "leave out --invert"),
    ):
        run = run_mlp("predict", "--weights", "c.npy", *args, name)
        assert len(run.stdout.splitlines()) == 1
        assert said in run.stderr
        assert bool(said) == bool(run.stderr)


def test_black_and_white_of_all_parts():
    """Where the examples are in parts, what is white in the others counts, too."""
    table = Table("x.npy", PIXELS.reshape(4, -1) / 255, image_shape=(2, 4))
    encoding = Encoding(24, "none", ("a", "b"), (2, 4))
    assert fit_pixel_range(encoding, table).pixel_range == (0, 1)
    of_all = fit_pixel_range(encoding, table, lambda own: [own, (-3.0, 9.0)])
    assert of_all.pixel_range == (-3, 9)
