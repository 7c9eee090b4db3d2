"""Folders of images by class."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Preparation
from mlpcli.data.files import load_files
from mlpcli.data.readers import images
from mlpcli.errors import DataError

Image = pytest.importorskip("PIL.Image")
ImageOps = pytest.importorskip("PIL.ImageOps")

RNG = np.random.default_rng(0)
GRAY = RNG.integers(256, size=(3, 4, 5)).astype(np.uint8)
COLOUR = RNG.integers(256, size=(3, 4, 5, 3)).astype(np.uint8)


def save(name, pixels, mode=None, **options):
    """Write an image under `d`, making its folder."""
    path = Path("d") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def folder_of(pixels, suffix=".png"):
    """Write two images of class b and one of class a."""
    for name, array in zip(("b/0", "b/1", "a/x"), pixels, strict=True):
        save(name + suffix, array)


def opened(**keys):
    """Open the folder `d` as training data."""
    return load_files(Files("d", **keys), Preparation())


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".PNG", ".gif", ".tiff", ".ppm"])
@pytest.mark.parametrize("pixels", [GRAY, COLOUR])
def test_lossless_images_are_their_pixels(suffix, pixels):
    """Bytes come out as they were saved, a row per image, classes named like their folders."""
    folder_of(pixels, suffix)
    Path("d/notes.txt").touch()
    Path("d/.hidden").mkdir()
    Path("d/__MACOSX").mkdir()
    dataset = opened()
    np.testing.assert_array_equal(dataset.train.features, pixels[[2, 0, 1]].reshape(3, -1))
    np.testing.assert_array_equal(dataset.train.labels, [0, 1, 1])
    assert dataset.encoding.class_names == ("a", "b")
    assert dataset.encoding.image_shape == (4, 5)
    assert dataset.train.features.dtype == np.uint8


def test_jpeg_is_nearly_its_pixels():
    """A JPEG of one shade comes out as that shade, upright as its camera held it."""
    for name, level in (("a/0.jpg", 10), ("a/1.jpeg", 10), ("b/0.jpg", 200)):
        save(name, np.full((8, 8), level, np.uint8), quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6
    save("b/1.jpg", np.tile(np.array([[0], [255]], np.uint8).repeat(4, 0), (1, 8)), exif=exif)
    features = opened().train.features.astype(int)
    assert abs(features[:3] - np.array([[10], [10], [200]])).max() < 3
    # Turned by a quarter: the dark upper half stands on the right.
    turned = features[3].reshape(8, 8)
    assert turned[:, 7].max() < 40
    assert turned[:, 0].min() > 215


def test_other_modes():
    """One bit is black or white; what is transparent is black; colours become their luminance."""
    save("a/0.png", np.array([[0, 255]], np.uint8), "1")
    save("a/1.png", np.array([[[255, 255, 255, 255], [255, 255, 255, 0]]], np.uint8))
    save("b/0.png", np.array([[[255, 0, 0], [255, 255, 255]]], np.uint8))
    features = opened(grayscale=True).train.features
    # ITU-R 601: 0.299 of red.
    np.testing.assert_array_equal(features, [[0, 255], [255, 0], [76, 255]])
    assert opened(grayscale=False).train.features.shape == (3, 6)


def test_size():
    """Images of several sizes are resized where `size` says so; a shade stays that shade."""
    for name, side, level in (("a/0.png", 3, 9), ("a/1.png", 16, 9), ("b/0.png", 8, 200)):
        save(name, np.full((side, 2 * side), level, np.uint8))
    dataset = opened(size=(8, 4))
    assert dataset.encoding.image_shape == (8, 4)
    np.testing.assert_array_equal(dataset.train.features, np.array([[9], [9], [200]]).repeat(32, 1))


def test_palettes():
    """Colours of a palette are what they stand for, gray where all are; clear ones are black."""
    names = ("a/0.png", "a/1.png", "b/0.gif")
    for name in names:
        save(name, GRAY[0], "P")
    np.testing.assert_array_equal(opened().train.features, np.tile(GRAY[0].reshape(1, -1), (3, 1)))
    coloured = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    coloured.putpalette([255, 0, 0, 1, 2, 3, 0, 0, 200])
    for name in names:
        coloured.save(Path("d") / name, transparency=2)
    np.testing.assert_array_equal(opened().train.features, [[255, 0, 0, 1, 2, 3, 0, 0, 0]] * 3)


def test_webp_is_nearly_its_pixels():
    """A WebP of one shade comes out as that shade, in three colours, upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, level in (("a/0.webp", 10), ("a/1.webp", 10), ("b/0.webp", 200)):
        save(name, np.full((8, 4), level, np.uint8), exif=exif)
    dataset = opened()
    assert dataset.encoding.image_shape == (4, 8)
    assert abs(dataset.train.features.astype(int) - [[10], [10], [200]]).max() < 3


def png_of(width, height):
    """Return a PNG whose header announces a size, and which has nothing else."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(
        ">I", zlib.crc32(chunk)) + struct.pack(">I", 0) + b"IDAT"  # fmt: skip


def animated(name):
    """Write an animated PNG."""
    frames = [Image.fromarray(array) for array in GRAY]
    frames[0].save(Path("d") / name, save_all=True, append_images=frames[1:])


def damaged(name):
    """Write a PNG that ends early."""
    content = save(name, RNG.integers(256, size=(4, 5)).astype(np.uint8)).read_bytes()
    (Path("d") / name).write_bytes(content[:50])


BAD = {
    "damaged": (damaged, "is damaged: "),
    "no image": (lambda n: (Path("d") / n).write_text("x"), "is no PNG, JPEG, GIF, "),
    "empty": (lambda n: (Path("d") / n).touch(), "is empty"),
    "another format": (lambda n: Image.fromarray(GRAY[0]).save(Path("d") / n, "ICO"),
                       "is no PNG, JPEG, GIF, "),
    "100 megapixels": (lambda n: (Path("d") / n).write_bytes(png_of(10_000, 10_000)),
                       "has 10000×10000 pixels, more than 50000000; make it smaller"),
    "a gigapixel": (lambda n: (Path("d") / n).write_bytes(png_of(40_000, 40_000)),
                    "has 40000×40000 pixels, more than 50000000; make it smaller"),
    "animated": (animated, "is animated"),
    "compressed TIFF": (lambda n: Image.fromarray(GRAY[0]).save(
                            Path("d") / n, "TIFF", compression="tiff_lzw"),
                        "is compressed as tiff_lzw; save it uncompressed, or as PNG"),
    "16 bits": (lambda n: save(n, GRAY[0].astype(np.uint16)), "has other than 8 bits per channel"),
    "mixed sizes": (lambda n: save(n, GRAY[0, :3]),
                    r"has 3 rows and 5 columns, and x.png has 4 and 5; write size: \[4, 5\]"),
    "mixed colours": (lambda n: save(n, COLOUR[0]),
                      "is in colour, and x.png is not; write grayscale: true or"),
}  # fmt: skip


@pytest.mark.parametrize(("write", "message"), BAD.values(), ids=BAD)
def test_bad_images(write, message):
    """An image that is not what it seems is named and refused, before it takes any memory."""
    folder_of(GRAY)
    write("b/2.png")
    with pytest.raises(DataError, match=rf"^d/b/2.png: {message}"):
        opened()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: Path("d/c").mkdir(), "^d/c: holds no images"),
        (lambda: Path("d/a/x.txt").touch(), "^d/a/x.txt: is no PNG, JPEG, GIF, "),
        (lambda: Path("d/a/more").mkdir(), "^d/a/more: is a folder in the folder of a class; move"),
    ],
)
def test_bad_folders(spoil, message):
    """A folder without images, or with something else in it, is named."""
    folder_of(GRAY)
    spoil()
    with pytest.raises(DataError, match=message):
        opened()


def test_no_classes():
    """A folder without sub-folders says what one looks like."""
    Path("d").mkdir()
    with pytest.raises(DataError, match=r"^d: has no sub-folders; make one folder of images per"):
        opened()


def test_unreadable_folder(monkeypatch):
    """A folder that cannot be read keeps the system's error, which names it."""
    folder_of(GRAY)
    iterdir = Path.iterdir

    def guarded(path):
        if path.name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", guarded)
    with pytest.raises(PermissionError, match="d/a"):
        opened()


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_unreadable_image(make):
    """An image that cannot be read, too, keeps the system's error: it is not damaged."""
    folder_of(GRAY)
    make(Path("d/a/z.png"))
    with pytest.raises(OSError, match=r"d/a/z.png"):
        opened()


def test_too_many_bytes(monkeypatch):
    """More images than memory is meant for are refused by what their sizes announce."""
    monkeypatch.setattr(images, "MOST_BYTES", 50)
    folder_of(GRAY)
    with pytest.raises(DataError, match="its images take 60 bytes, more than 50; write a smaller"):
        opened()


def test_without_pillow(monkeypatch):
    """Without the extra, the error says what to install."""
    folder_of(GRAY)
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(DataError, match=r"pip install 'mlpcli\[images\]'"):
        opened()


@pytest.mark.parametrize("held", range(1, 9))
def test_upright_as_pillow_says(held):
    """For each way of holding a camera, in either byte order, pixels are those of Pillow."""
    folder_of(GRAY)
    for i, order in enumerate("<>"):
        exif = Image.Exif()
        exif.endian = order
        exif[0x010F], exif[0x0112] = "maker", held
        path = save(f"a/{i}.jpg", GRAY[0], exif=exif)
        with Image.open(path) as image:
            upright = np.asarray(ImageOps.exif_transpose(image))
        values, shape = images.read_images([path])
        assert shape == upright.shape
        np.testing.assert_array_equal(values[0], upright.reshape(-1))


@pytest.mark.parametrize(
    "exif",
    [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff",
     b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(40),
     b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x63\0\0\0"],
)  # fmt: skip
def test_damaged_exif(exif, capfd, recwarn):
    """What a camera wrote and nobody can read changes no pixel, and nothing is said about it."""
    path = save("a/0.jpg", GRAY[0])
    before, _ = images.read_images([path])
    content = path.read_bytes()
    size = (len(exif) + 2).to_bytes(2, "big")
    path.write_bytes(content[:2] + b"\xff\xe1" + size + exif + content[2:])
    after, _ = images.read_images([path])
    np.testing.assert_array_equal(before, after)
    assert not recwarn
    assert capfd.readouterr() == ("", "")


def test_no_other_plugin(monkeypatch):
    """A JPEG that says it holds several pictures is read as one, by the JPEG plugin alone."""
    content = save("a/0.jpg", GRAY[0]).read_bytes()
    block = b"MPF\0II*\0" + (8).to_bytes(4, "little") + bytes(30)
    Path("d/a/0.jpg").write_bytes(
        content[:2] + b"\xff\xe2" + (len(block) + 2).to_bytes(2, "big") + block + content[2:]
    )
    monkeypatch.setattr(Image, "open", None)
    values, shape = images.read_images([Path("d/a/0.jpg")])
    assert shape == GRAY[0].shape
    assert values.any()


def test_a_broken_animation(recwarn):
    """A PNG that announces an animation and has none is read or refused without a warning."""
    content = save("a/0.png", GRAY[0]).read_bytes()
    chunk = b"acTL" + bytes(8)
    control = (8).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    Path("d/a/0.png").write_bytes(content[:33] + control + content[33:])
    values, _ = images.read_images([Path("d/a/0.png")])
    np.testing.assert_array_equal(values[0], GRAY[0].reshape(-1))
    assert not recwarn
