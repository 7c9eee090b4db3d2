"""`mlp plot`: pictures written whole or not at all, of what the command names."""

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from conftest import CONFIGS
from matplotlib.figure import Figure

from mlpcli.checkpoint import store
from mlpcli.plots import canvas

SIGNATURES = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture
def drawn(monkeypatch):
    """Return a list of the figures that are drawn."""
    figures = []
    savefig = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (figures.append(self), savefig(self, *a, **k))[1]
    )
    return figures


@pytest.fixture
def images(run_mlp):
    """Train on a few images of two classes, and leave x.npy, y.npy and w.npy."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, size=(40, 3, 4), dtype=np.uint8)
    y = rng.integers(2, size=40)
    np.savez("d.npz", x=x, y=y)
    Path("c.yaml").write_text(
        "data: {train: d.npz, test: 0.5}\nstructure: [12, 3, 2]\neta: 0.1\nbt_size: 4\n"
        "epochs: 3\nvalidation: 0.2\noutput: softmax\nloss: cross_entropy\n"
    )
    run = run_mlp("train", "c.yaml", "-q", "-o", "w.npy")
    assert run.returncode == 0, run.stderr
    return x


@pytest.mark.parametrize("suffix", SIGNATURES)
def test_formats(run_mlp, parity_weights, suffix):
    """The suffix chooses the format, and the same picture has the same bytes."""
    for name in ("a", "b"):
        run = run_mlp("plot", "history", parity_weights, "-o", f"{name}{suffix}")
        assert (run.returncode, run.stdout) == (0, f"picture {name}{suffix}\n"), run.stderr
    content = Path(f"a{suffix}").read_bytes()
    assert content.startswith(SIGNATURES[suffix])
    assert content == Path(f"b{suffix}").read_bytes()


@pytest.mark.parametrize("style", canvas.STYLES)
def test_history_is_the_checkpoints(run_mlp, images, drawn, style):
    """Each curve has the history's values, and the best epoch is marked on them."""
    assert len(images) == 40
    shutil.copy("w.npy", "other.npy")
    run = run_mlp("plot", "history", "w.npy", "other.npy", "--style", style, "-o", "h.svg")
    assert run.returncode == 0, run.stderr
    (figure,) = drawn
    _, meta = store.load_with_meta(Path("w.npy"))
    errors, accuracies = figure.axes
    named = {line.get_label(): line.get_ydata() for line in errors.lines}
    for run_name in ("w.npy", "other.npy"):
        for key in ("error", "validation_error"):
            values = [row[key] for row in meta.history]
            np.testing.assert_array_equal(named[f"{run_name}: {key.replace('_', ' ')}"], values)
    best = meta.best_epoch
    assert named[f"best, epoch {best}"] == [meta.history[best]["validation_error"]]
    assert len(accuracies.lines) == 4
    assert (errors.get_xlabel(), errors.get_ylabel()) == ("epoch", "error")
    assert figure.get_facecolor() != (1, 1, 1, 1) or style == "light"


def test_history_without_validation(run_mlp, parity_weights, drawn):
    """A run without validation has one curve, and a logarithmic axis where that is asked for."""
    assert run_mlp("plot", "history", parity_weights, "--log", "-o", "h.png").returncode == 0
    (axes,) = drawn[0].axes
    assert axes.get_yscale() == "log"
    assert [len(line.get_xdata()) for line in axes.lines] == [10, 1]


@pytest.mark.parametrize("what", ["confusion", "mistakes", "calibration", "roc", "weights"])
def test_every_picture_of_a_classifier(run_mlp, images, drawn, what):
    """Each picture of a network of images is drawn."""
    run = run_mlp("plot", what, "w.npy", "-o", "p.png")
    assert (run.returncode, run.stderr) == (0, "")
    assert len(drawn) == 1
    if what == "mistakes":
        pixels = [axes.images[0].get_array().tolist() for axes in drawn[0].axes if axes.images]
        assert pixels
        assert all(image in images.tolist() for image in pixels)


def test_quantities(run_mlp, drawn):
    """A regression has residuals and mistakes, and no confusion."""
    rows = "".join(f"{i % 7},{'ab'[i % 2]},{3 * (i % 7) + i % 2}.5\n" for i in range(60))
    Path("t.csv").write_text("x,$kind$,price\n" + rows)
    assert run_mlp("init", "t.csv", "-o", "t.yaml", "--task", "regression").returncode == 0
    assert run_mlp("train", "t.yaml", "-q", "--set", "epochs=2", "-o", "w.npy").returncode == 0
    assert run_mlp("plot", "residuals", "w.npy", "-o", "r.png").returncode == 0
    assert [axes.get_ylabel() for axes in drawn[0].axes] == ["predicted price", "predicted - true"]
    run = run_mlp("plot", "mistakes", "w.npy", "-o", "m.png", "--count", "3")
    assert (run.returncode, run.stderr) == (0, "")
    (table,) = drawn[1].axes[0].tables
    assert [table[0, j].get_text().get_text() for j in range(5)] == [
        "example", "true", "predicted", "x", "$kind$",
    ]  # fmt: skip
    assert table[1, 4].get_text().get_text() in ("a", "b")
    run = run_mlp("plot", "confusion", "w.npy", "-o", "c.png")
    assert (run.returncode, Path("c.png").exists()) == (2, False)
    assert "its pictures are mistakes, residuals" in run.stderr


@pytest.mark.usefixtures("images")
def test_digits_of_own_data(run_mlp, drawn, images):
    """Images are drawn by their index, with their class over them."""
    run = run_mlp("plot", "digit", "d.npz", "0", "39", "-o", "d.png")
    assert (run.returncode, run.stderr) == (0, "")
    first, last = (axes for axes in drawn[0].axes if axes.images)
    np.testing.assert_array_equal(first.images[0].get_array(), images[0])
    np.testing.assert_array_equal(last.images[0].get_array(), images[39])
    assert first.get_title().startswith("0: ")
    run = run_mlp("plot", "digit", "d.npz", "40", "-o", "e.png")
    assert (run.returncode, run.stderr) == (
        2, "mlp: error: INDEX: 40 is beyond the 40 images; write 0 to 39\n"
    )  # fmt: skip


def test_digits_of_mnist(run_mlp, data_dir, drawn):
    """The article's figure 6 is image 999 of MNIST."""
    words = ("plot", "digit", "mnist", "999", "--split", "train", "--data-dir", data_dir)
    run = run_mlp(*words, "-o", "digit.png")
    assert (run.returncode, run.stderr) == (0, "")
    assert drawn[0].axes[0].images[0].get_array().shape == (28, 28)


@pytest.mark.parametrize("source", [CONFIGS / "parity.yaml", None])
def test_network(run_mlp, parity_weights, source, drawn):
    """A configuration or a checkpoint is drawn as its layers."""
    run = run_mlp("plot", "network", source or parity_weights, "-o", "n.pdf")
    assert (run.returncode, run.stderr) == (0, "")
    assert [text.get_text() for text in drawn[0].axes[0].texts][-1] == "output\n2"


def test_network_of_hidden_layers(run_mlp, drawn):
    """Where the configuration gives hidden layers alone, its data tell inputs and outputs."""
    Path("t.csv").write_text("x,y,kind\n" + "".join(f"{i},{i % 5},{i % 3}\n" for i in range(60)))
    Path("c.yaml").write_text("data: {train: t.csv}\nhidden: [4]\neta: 1\nbt_size: 4\nepochs: 1\n")
    run = run_mlp("plot", "network", "c.yaml", "-o", "n.pdf")
    assert (run.returncode, run.stderr) == (0, "")
    named = [text.get_text() for text in drawn[0].axes[0].texts]
    assert [text for text in named if "\n" in text] == ["input\n2", "layer 2\n4", "output\n3"]
    Path("t.csv").unlink()
    run = run_mlp("plot", "network", "c.yaml", "-o", "m.pdf")
    assert (run.returncode, run.stderr.count("\n"), "t.csv" in run.stderr) == (1, 1, True)


def test_names_are_only_text(run_mlp, drawn):
    """A class whose name has dollars, or many letters of no font, is one label."""
    names = ["a", "$\\frac{", "お" * 50]
    rows = "".join(f'{i},"{names[i % 3]}"\n' for i in range(60))
    Path("t.csv").write_text("x,kind\n" + rows, encoding="utf-8")
    Path("c.yaml").write_text(
        "data: {train: t.csv, test: 0.5}\nhidden: [3]\neta: 0.1\nbt_size: 4\nepochs: 1\n"
    )
    assert run_mlp("train", "c.yaml", "-q", "-o", "w.npy").returncode == 0
    run = run_mlp("plot", "confusion", "w.npy", "-o", "c.png")
    assert (run.returncode, run.stderr) == (0, "")
    shown = {label.get_text() for label in drawn[0].axes[0].get_xticklabels()}
    assert shown == {"a", "$\\frac{", "お" * 29 + "…"}


def test_examples_written_otherwise(run_mlp, drawn):
    """--decimal and --delimiter tell of --data, as for evaluate; dates of mistakes are dates."""
    rows = [(f"2024-01-{1 + i % 28:02}", f"{i % 10}.5", "ab"[i % 3 == 0]) for i in range(60)]
    for name, mark in (("t.csv", ","), ("u.csv", ";")):
        lines = [mark.join(("day", "x", "kind")), *(mark.join(row) for row in rows)]
        text = "\n".join(lines) + "\n"
        Path(name).write_text(text.replace(".5", ",5") if mark == ";" else text)
    keys = "hidden: [3]\neta: 0.1\nbt_size: 4\nepochs: 1\n"
    Path("c.yaml").write_text(f"data: {{train: t.csv, dates: [day]}}\n{keys}")
    assert run_mlp("train", "c.yaml", "-q", "-o", "w.npy").returncode == 0
    words = ["plot", "mistakes", "w.npy", "-o", "m.png", "--data"]
    run = run_mlp(*words, "u.csv", "--decimal", ",", "--delimiter", ";")
    assert (run.returncode, run.stderr) == (0, "")
    cells = drawn[-1].axes[0].tables[0].get_celld().values()
    assert any("2024-01-" in cell.get_text().get_text() for cell in cells)
    run = run_mlp(*words[:-1], "--decimal", ",")
    assert (run.returncode, "--decimal: is about the table of --data" in run.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["descent", "-o", "p.gif"], 2, "p.gif: its suffix names no format of pictures; "),
        (["history", "w.npy", "-o", "w.npy"], 2, "w.npy: its suffix names no format"),
        (["history", "none.npy", "-o", "p.png"], 1, "none.npy: cannot be read: no such file"),
        (["digit", "mnits", "1", "-o", "p.png"], 2, "mnist"),
        (["descent", "-o", "no/p.png"], 1, "no/p.png: "),
    ],
)
def test_refusals(run_mlp, parity_weights, words, code, said):
    """What cannot be drawn is one line, and nothing is left behind."""
    shutil.copy(parity_weights, "w.npy")
    run = run_mlp("plot", *words)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (code, "", 1), run.stderr
    assert said in run.stderr
    assert [path.name for path in Path().iterdir()] == ["w.npy"]


def test_an_input_is_never_replaced(run_mlp, images):
    """A picture does not replace the image that it is of."""
    assert len(images) == 40
    shutil.copy("d.npz", "d.png")
    run = run_mlp("plot", "digit", "d.npz", "1", "-o", "d.png")
    assert run.returncode == 0, run.stderr
    Path("linked.png").symlink_to("d.npz")
    before = Path("d.npz").read_bytes()
    run = run_mlp("plot", "digit", "d.npz", "1", "-o", "linked.png")
    assert (run.returncode, Path("d.npz").read_bytes()) == (2, before)
    assert "is both input and output" in run.stderr


def test_without_a_display(run_mlp, monkeypatch):
    """Without -o and a display an error says to give a file."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    run = run_mlp("plot", "descent")
    assert (run.returncode, run.stderr) == (
        2, "mlp: error: mlp plot: there is no display for a window; "
        "give a file with -o picture.png\n",
    )  # fmt: skip


def test_a_display_without_a_library(run_mlp, monkeypatch):
    """Where matplotlib has no library for windows, that is the error."""
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("matplotlib.pyplot.get_backend", lambda: "agg")
    run = run_mlp("plot", "descent")
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert "matplotlib has no library for windows here" in run.stderr


def test_a_window_is_shown(run_mlp, monkeypatch):
    """Without -o the picture is drawn in a window of matplotlib's, and shown."""
    shown = []
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr("matplotlib.pyplot.get_backend", lambda: "TkAgg")
    monkeypatch.setattr("matplotlib.pyplot.figure", lambda **_: Figure())
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: shown.append(True))
    run = run_mlp("plot", "descent")
    assert (run.returncode, run.stdout, shown) == (0, "", [True])


def test_without_matplotlib(run_mlp, monkeypatch):
    """Where the extra is missing one line says how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    run = run_mlp("plot", "descent", "-o", "d.png")
    assert (run.returncode, run.stderr) == (
        2, "mlp: error: mlp plot: needs the package matplotlib; run pip install 'mlpcli[plot]'\n"
    )  # fmt: skip
