"""What the network in the page begins with: typical rows, and how images are framed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from mlpcli.data.readers.table import Table
from mlpcli.report.live import framing_of, typical_cells


def test_a_typical_row():
    """The middle number, as the file has it, and the commonest text; gaps do not count."""
    values = np.array([[3, 0.5, 1], [1, np.nan, 0], [2, 0.1, 1], [9, np.nan, np.nan]])
    table = Table("t.csv", values, texts={2: ("b", "a & b")})
    assert list(typical_cells(table, 3)) == ["3", "0.5", "a & b"]
    empty = Table("t.csv", np.full((2, 1), np.nan))
    assert list(typical_cells(empty, 1)) == [""]


def test_dates_have_fields_of_their_own(run_mlp):
    """Of a day, a time or both, as their features tell apart, each with a typical value."""
    rows = [
        f"{1 + i % 28}.{1 + i % 12}.1968,{i % 24}:30,"
        f"2024-05-{1 + i % 30:02} {i % 24}:00:15,{'ab'[i % 2]}\n"
        for i in range(120)
    ]
    Path("t.csv").write_text("day,clock,moment,y\n" + "".join(rows))
    for command in (["init", "t.csv"], ["train", "t.yaml", "--set", "epochs=1", "--quiet"]):
        assert run_mlp(*command).returncode == 0
    assert run_mlp("report", "t.npy", "-o", "t.html").returncode == 0
    page = Path("t.html").read_text(encoding="utf-8")
    fields = re.findall('<input id="cell[^>]*type="([^"]*)"', page)
    assert fields == ["date", "time", "datetime-local"]
    day, clock, moment = json.loads(re.search(r'"typical": (\[.*?\])', page)[1])
    assert re.fullmatch(r"1968-\d\d-\d\d", day)
    assert re.fullmatch(r"\d\d:30:00", clock)
    assert re.fullmatch(r"2024-05-\d\dT\d\d:00:15", moment)


def centred(paper):
    """Return images with a box of ink, 10 × 6 pixels, in the middle of 20 × 20."""
    images = np.full((5, 20, 20), paper, np.uint8)
    images[:, 5:15, 7:13] = 255 - paper
    return images


@pytest.mark.parametrize("paper", [0, 255])
def test_framing(paper):
    """Dark on light or light on dark, what is in the middle has its size; what is not has none."""
    images = centred(paper)
    assert framing_of(images) == (paper, 0.5)
    assert framing_of(np.roll(images, 4, axis=2)) == (paper, None)
    assert framing_of(np.full((3, 8, 8), paper, np.uint8)) == (paper, None)
