"""The page in a real browser: it runs alone, tells the truth, and the network in it is the model.

Needs Chromium and Playwright. Where they are missing the tests are skipped, unless MLP_TEST_BROWSER
says that they must run.
"""

import json
import os
import shutil
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import exported
import numpy as np
import pytest
from conftest import ROOT

import mlpcli
from mlpcli.data.readers.idx import read_idx
from mlpcli.export.of_model import steps_of
from mlpcli.export.steps import to_mapping
from mlpcli.prediction.inputs import read_input

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
SIZE = {"width": 1000, "height": 800}
# What scrolls by itself may be wider than the page.
CUT_OFF = """() => [...document.querySelectorAll("body *")].filter((each) =>
  !each.closest(".wide *, pre, svg *") && each.getBoundingClientRect().right > innerWidth + 0.5
).map((each) => each.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser():
    """Start Chromium."""
    if not (BROWSER and find_spec("playwright")) and not os.environ.get("MLP_TEST_BROWSER"):
        pytest.skip("Chromium or Playwright is missing")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        # As root there is no sandbox; the pages are our own.
        started = running.chromium.launch(executable_path=BROWSER or None, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser):
    """Return a function that opens a page; at the end, nothing may have gone wrong in it."""
    wrong, contexts = [], []

    def go(path, **options):
        contexts.append(browser.new_context(**{"viewport": SIZE, **options}))
        page = contexts[-1].new_page()
        address = Path(path).resolve().as_uri()
        page.on("console", lambda said: wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on(
            "request",
            lambda asked: (
                asked.url in (address, "")
                or asked.url.startswith("data:")
                or wrong.append(asked.url)
            ),
        )
        page.goto(address)
        return page

    yield go
    for context in contexts:
        context.close()
    assert wrong == []


def predict(page, rows):
    """Return what the network in the page makes of rows: as text, which Playwright passes fast."""
    script = "(rows) => JSON.stringify(JSON.parse(rows).map((row) => mlp.predict(row)))"
    return json.loads(page.evaluate(script, json.dumps(rows)))


def digits(data_dir, part):
    """Return some of MNIST's test images, (n, 28, 28), and their classes."""
    folder = data_dir / "mnist"
    images, labels = (
        read_idx(folder / f"t10k-{name}-ubyte.gz") for name in ("images-idx3", "labels-idx1")
    )
    return images[part], labels[part]


@pytest.fixture(scope="module")
def drawn(data_dir, run_mlp, tmp_path_factory):
    """Train the article's network on MNIST for an epoch; return checkpoint and report."""
    folder = tmp_path_factory.mktemp("digits")
    config, weights, page = (folder / name for name in ("c.yaml", "digits.npy", "digits.html"))
    config.write_text(
        "data: mnist\nstructure: [784, 32, 10]\neta: 0.1\nbt_size: 32\nepochs: 2\n"
        "activation: relu\noutput: softmax\nloss: cross_entropy\n"
    )
    images, labels = digits(data_dir, slice(0, 300))
    np.savez(folder / "some.npz", x=images, y=labels)
    for words in (
        ["train", config, "-q", "-o", weights, "--data-dir", data_dir],
        ["report", weights, "-o", page, "--data", folder / "some.npz"],
    ):
        run = run_mlp(*words)
        assert run.returncode == 0, run.stderr
    assert page.stat().st_size < 2_000_000
    return weights, page


def test_pixels_give_what_mlp_predicts(visit, drawn, data_dir):
    """Of 200 images the page has the model's probabilities, and shows them."""
    weights, path = drawn
    images, _ = digits(data_dir, slice(300, 500))
    page = visit(path)
    found = predict(page, images.reshape(200, -1).tolist())
    np.testing.assert_allclose(found, mlpcli.load(weights).predict_proba(images), atol=1e-4)
    shown = page.locator("#answer data").evaluate_all("all => all.map((each) => +each.value)")
    assert shown == found[-1]
    assert page.locator("#answer .answer").inner_text() == str(np.argmax(found[-1]))


def thinned(ink):
    """Return the skeleton of an image of ink (Zhang and Suen, 1984)."""
    ink = np.pad(ink, 1)
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            gone = []
            for y, x in np.argwhere(ink):
                around = [ink[y + dy, x + dx] for dy, dx in AROUND]
                turns = sum(not a and b for a, b in pairwise([*around, around[0]]))
                n, e, s, w = around[0], around[2], around[4], around[6]
                free = (
                    not (n and e and s) and not (e and s and w)
                    if first
                    else (not (n and e and w) and not (n and s and w))
                )
                if 2 <= sum(around) <= 6 and turns == 1 and free:
                    gone.append((y, x))
            for place in gone:
                ink[place] = False
            changed |= bool(gone)
    return ink[1:-1, 1:-1]


AROUND = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]


def strokes(image):
    """Return the strokes of a digit: lists of points, in pixels, that go through its skeleton."""
    left = {(int(y), int(x)) for y, x in np.argwhere(thinned(image > 100))}
    lines = []
    while left:
        ends = [p for p in left if sum((p[0] + a, p[1] + b) in left for a, b in AROUND) == 1]
        place = min(ends or left)
        line = []
        while place:
            left.discard(place)
            line.append(place)
            near = [(place[0] + a, place[1] + b) for a, b in AROUND[::2] + AROUND[1::2]]
            place = next((p for p in near if p in left), None)
        lines.append([(x + 0.5, y + 0.5) for y, x in line])
    return lines


def draw(page, lines, scale, left, top):
    """Draw lines on the pad with the mouse, scaled and moved."""
    box = page.locator("#pad").bounding_box()
    zoom = box["width"] / 28
    for line in lines:
        places = [
            (box["x"] + zoom * (left + scale * x), box["y"] + zoom * (top + scale * y))
            for x, y in line
        ]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1::2] + places[-1:]:
            page.mouse.move(*place)
        page.mouse.up()


def test_digits_drawn_with_the_mouse(visit, drawn, data_dir):
    """Small and out of the middle, 20 digits are told as the images are that they are drawn after.

    The probabilities are the model's of the pixels that the page shows.
    """
    weights, path = drawn
    model = mlpcli.load(weights)
    images, _ = digits(data_dir, slice(300, 320))
    page, pixels, found = visit(path), [], []
    for image in images:
        page.click("#clear")
        draw(page, strokes(image), 0.7, 0.5, 7)
        pixels.append(json.loads(page.evaluate("JSON.stringify(mlp.pixels())")))
        found.append(
            page.evaluate("[...document.querySelectorAll('#answer data')].map((e) => +e.value)")
        )
    np.testing.assert_allclose(found, model.predict_proba(np.array(pixels)), atol=1e-4)
    same = np.argmax(found, axis=1) == model.predict_proba(images).argmax(axis=1)
    assert same.sum() >= 18, np.flatnonzero(~same)


def test_the_keyboard_draws(visit, drawn):
    """The space bar puts the pen down, arrows move it, and the network answers."""
    page = visit(drawn[1])
    page.click("#clear")
    page.focus("#pad")
    for key in [" ", *["ArrowDown"] * 6, " "]:
        page.keyboard.press(key)
    column = np.array(json.loads(page.evaluate("JSON.stringify(mlp.pixels())"))).reshape(28, 28)
    assert column[4:24, 13:15].min() > 200  # upright, in the middle, as high as the examples
    assert column.max(axis=0)[[8, 19]].tolist() == [0, 0]
    assert page.locator("#answer li").count() == 10


def test_the_page_says_what_evaluate_says(visit, drawn, run_mlp):
    """Every metric, and every cell of the confusion matrix, as a reader sees them."""
    weights, path = drawn
    some = path.with_name("some.npz")
    said = json.loads(run_mlp("evaluate", "--weights", weights, "--data", some, "--json").stdout)
    page = visit(path)
    rows = page.locator("#metrics tbody tr").evaluate_all(
        "all => all.map((row) => [row.cells[0].innerText, row.cells[1].innerText])"
    )
    assert dict(rows)["accuracy"] == f"{said['accuracy']:.4f}"
    assert dict(rows)["log loss"] == f"{said['log_loss']:.4f}"
    cells = page.locator(".confusion tbody tr").evaluate_all(
        "all => all.map((row) => [...row.cells].slice(1).map((cell) => +cell.innerText || 0))"
    )
    assert cells == said["confusion"]
    cell = page.locator(".confusion td").nth(0)
    cell.hover()
    assert page.locator(".readout").inner_text() == cell.get_attribute("title")


def test_narrow_dark_and_printed(visit, drawn):
    """At 400 px nothing is cut off; in the dark the page is dark, and on paper it is not."""
    page = visit(drawn[1], viewport={"width": 400, "height": 800}, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.evaluate(CUT_OFF) == []
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    assert max(page.evaluate(ground)) < 60
    page.emulate_media(media="print", color_scheme="light")
    assert min(page.evaluate(ground)) == 255
    assert not page.locator("#live").is_visible()


def test_a_long_name_leaves_room_for_numbers(visit, run_mlp):
    """A class that is called by 120 letters is broken, and its metrics stand beside it."""
    rows = "".join(f"{i},{('x' * 120, 'b')[i % 2]}\n" for i in range(20))
    Path("t.csv").write_text("x,class\n" + rows)
    Path("t.yaml").write_text("{data: {train: t.csv}, hidden: [2], eta: 1, bt_size: 2, epochs: 1}")
    for words in (
        ["train", "t.yaml", "-q"],
        ["report", "t.npy", "-o", "t.html", "--data", "t.csv"],
    ):
        run = run_mlp(*words)
        assert run.returncode == 0, run.stderr
    beyond = "all => all.map((table) => table.offsetWidth - table.parentElement.clientWidth)"
    widths = visit("t.html").locator("table.numbers").evaluate_all(beyond)
    assert widths
    assert max(widths) <= 0


HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def typed(run_mlp, tmp_path_factory):
    """Train on a table with gaps and a class that is called like a script; return its folder."""
    folder = tmp_path_factory.mktemp("typed")
    rng = np.random.default_rng(0)
    lines = ["width,kind,<b>height</b>,class"]
    for _ in range(200):
        a, b = rng.normal(5, 2, 2)
        kind = ("round", "flat & wide", "", "n/a")[rng.integers(4)]
        shown = "" if rng.random() < 0.1 else f"{b:.3g}"
        lines.append(f"{a:.4f},{kind},{shown},{(HOSTILE, 'b')[int(a + (kind == 'round') > 5)]}")
    (folder / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "t.yaml").write_text(
        "data: {train: t.csv, test: 0.3, missing: mean, unknown: ignore}\nstructure: [4, 6, 2]\n"
        "eta: 0.1\nbt_size: 8\nepochs: 20\nactivation: tanh\n",
        encoding="utf-8",
    )
    for words in (
        ["train", folder / "t.yaml", "-q", "-o", folder / "t.npy"],
        ["report", folder / "t.npy", "-o", folder / "t.html"],
    ):
        run = run_mlp(*words)
        assert run.returncode == 0, run.stderr
    return folder


def test_a_form_gives_what_mlp_predicts(visit, typed, run_mlp):
    """Of 50 rows, with gaps and categories never seen; and what is typed is answered at once."""
    rng = np.random.default_rng(1)
    numbers, kinds = (
        ["4", "-3.25", "7e0", "", " ", "n/a", "NaN"],
        ["round", "flat & wide", "", "new"],
    )
    rows = [
        [numbers[rng.integers(7)], kinds[rng.integers(4)], numbers[rng.integers(7)]]
        for _ in range(50)
    ]
    lines = ["width,kind,<b>height</b>", *map(",".join, rows)]
    Path("in.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = run_mlp("predict", "--weights", typed / "t.npy", "--proba", "--json", "in.csv")
    said = [json.loads(line) for line in run.stdout.splitlines()]
    page = visit(typed / "t.html")
    found = predict(page, rows)
    np.testing.assert_allclose(found, [[*row["proba"].values()] for row in said], atol=1e-4)
    for column, cell in enumerate(rows[0]):
        page.fill(f"#cell{column}", cell)
    assert page.locator("#answer .answer").inner_text() == said[0]["class"]
    page.fill("#cell0", "wide")
    assert page.locator("#note0").inner_text() == "is no number"
    assert page.locator("#answer").inner_text() == "–"
    page.click("#typical")
    assert page.locator("#answer li").count() == 2


def test_every_kind_of_model(browser, tmp_path):
    """Each activation, scale, answer and policy for gaps: the page has the model's outputs."""
    page = browser.new_page()
    script = (ROOT / "mlpcli" / "report" / "network.js").read_text(encoding="utf-8")
    page.add_script_tag(content=f"{script}\nglobalThis.network = network;")
    run = """([steps, rows]) => {
        const net = network(JSON.parse(steps));
        return JSON.stringify(JSON.parse(rows).map((row) => net.ofCells(row).outputs));
    }"""
    for name, kind in exported.KINDS.items():
        model, rows = exported.table_model(tmp_path, name), exported.rows_of(kind, 20, seed=7)
        exported.write_csv(tmp_path / "in.csv", kind, 20, seed=7, labelled=False)
        files, dtype = model.experiment.data.files, model.experiment.dtype
        batches = read_input(str(tmp_path / "in.csv"), model.encoding, files, dtype=dtype)
        expected = np.concatenate(
            [a.copy() for batch in batches for a in model.predict_batches(batch.features)]
        )
        if model.encoding.task == "regression":
            expected = model.quantities(expected)
        given = [json.dumps(to_mapping(steps_of(model))), json.dumps(rows)]
        found = json.loads(page.evaluate(run, given))
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-5, err_msg=name)
    page.close()


def test_names_are_text(visit, typed):
    """A class, and a column, that are called like tags are read as they are called."""
    page = visit(typed / "t.html")
    assert HOSTILE in page.locator(".confusion").inner_text()
    assert page.locator("label[for=cell2]").inner_text() == "<b>height</b>"
    assert page.locator("b").count() == 0
    assert page.evaluate(CUT_OFF) == []
