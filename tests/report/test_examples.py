"""Images in a report: mistakes, where the network looks, and what its units look for."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlpcli.report.examples import strongest


@pytest.mark.parametrize("colours", [(), (3,)])
def test_images_of_mistakes_are_those_of_the_file(run_mlp, colours):
    """Each is in the page to the pixel; there is a picture for each unit, and where it looks."""
    rng = np.random.default_rng(0)
    images, labels = (
        rng.integers(256, size=(60, 6, 5, *colours)).astype(np.uint8),
        rng.integers(2, size=60),
    )
    folder = Path("img")
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / "ab"[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / "ab"[label] / f"{i}.png")
    n = images[0].size
    Path("c.yaml").write_text(
        f"data: {{train: img, test: 0.5}}\nstructure: [{n}, 7, 2]\neta: 0.01\nbt_size: 8\n"
        "epochs: 1\n"
    )
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    assert run_mlp("report", "c.npy", "-o", "r.html").returncode == 0
    text = Path("r.html").read_text(encoding="utf-8")
    known = {image.tobytes(): "ab"[label] for image, label in zip(images, labels, strict=True)}
    shown = re.findall(r'base64,([^"]+)" alt="example \d+".*?true: (\w)</span>', text)
    assert shown
    for source, truth in shown:
        with Image.open(io.BytesIO(base64.b64decode(source))) as image:
            assert known[np.asarray(image).tobytes()] == truth
    assert len(re.findall(r'alt="weights of unit \d+"', text)) == 7
    assert 'alt="importance of each square"' in text


def test_a_large_matrix_keeps_its_strongest():
    """Of each block the number farthest from 0 remains; a small matrix is left alone."""
    W = np.zeros((10, 7))
    W[3, 2], W[9, 6] = -5, 4
    small = strongest(W, 5)
    assert small.shape == (5, 4)
    assert (small[1, 1], small[4, 3], np.abs(small).sum()) == (-5, 4, 9)
    np.testing.assert_array_equal(strongest(W, 10), W)
