"""`mlp export`: what it writes, checks, measures and refuses."""

import json
import sys

import exported
import numpy as np
import pytest
from conftest import CONFIGS

from mlpcli.export import c, formats


@pytest.fixture
def parity(tmp_path):
    """Return the checkpoint of a parity network that is nearly random."""
    return exported.save_model(tmp_path / "W.npy", exported.parity_model())


@pytest.fixture
def no_compiler(monkeypatch):
    """Hide the C compiler."""
    monkeypatch.setenv("CC", "no-such-compiler")


def test_every_suffix_is_a_form(run_mlp, parity, tmp_path):
    """What is written is checked, said, and described as JSON."""
    for name in ("m.py", "m.c", "m.h", "m.onnx"):
        run = run_mlp("export", parity, "-o", name)
        assert (run.returncode, run.stderr) == (0, "")
        assert f"wrote {name}" in run.stdout
        assert "64 rows differ from mlp predict by at most" in run.stdout
        again = run_mlp("export", parity, "-o", name, "--overwrite", "--json")
        found = json.loads(again.stdout)
        assert found["bytes"] == (tmp_path / "cwd" / name).stat().st_size
        assert found["examples"]["difference"] < 1e-6
        assert found["format"] == formats.FORMS[f".{name.split('.')[1]}"]


def test_the_same_bytes_come_out_again(run_mlp, parity, tmp_path):
    """An export has no time or place in it."""
    for name in ("m.py", "m.c", "m.onnx"):
        contents = []
        for _ in range(2):
            assert run_mlp("export", parity, "-o", name, "--overwrite").returncode == 0
            contents.append((tmp_path / "cwd" / name).read_bytes())
        assert contents[0] == contents[1]


@pytest.mark.parametrize("name", ["m.c", "m.onnx", "m.py"])
def test_data_are_compared(name, run_mlp, parity, tmp_path):
    """--check says how far the export is from mlp predict on a file."""
    bits = np.random.default_rng(0).integers(0, 2, (300, 10))
    np.save(tmp_path / "bits.npy", bits)
    run = run_mlp("export", parity, "-o", name, "--check", tmp_path / "bits.npy", "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)["check"]
    assert (found["rows"], found["changed"]) == (300, 0)
    assert 0 < found["difference"] < 1e-6


def test_an_export_that_differs_is_not_written(run_mlp, parity, monkeypatch, tmp_path):
    """A form that answers otherwise is found out before the file appears."""
    original = formats.python.render
    broken = lambda *given: original(*given).replace("exp(-abs(z))", "exp(-abs(z) / 2)")  # noqa: E731
    monkeypatch.setattr(formats.python, "render", broken)
    run = run_mlp("export", parity, "-o", "m.py")
    assert (run.returncode, run.stdout) == (1, "")
    assert "mlp: error: m.py: differs from mlp predict by" in run.stderr
    assert not (tmp_path / "cwd" / "m.py").exists()


@pytest.mark.usefixtures("cc")
def test_c_that_does_not_compile_is_not_written(run_mlp, parity, monkeypatch, tmp_path):
    """The compiler's words are in the error."""
    monkeypatch.setattr(c.c_parts, "AFFINE", "int @affine(void) { return nothing; }")
    run = run_mlp("export", parity, "-o", "m.c")
    assert run.returncode == 1
    assert "does not compile it" in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "cwd" / "m.c").exists()


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_c_is_read_back(run_mlp, parity, monkeypatch):
    """Its numbers are compared with the checkpoint's, and one that differs is an error."""
    run = run_mlp("export", parity, "-o", "m.c")
    assert run.returncode == 0, run.stderr
    assert "read back, for want of a C compiler" in run.stdout
    original = formats.c.render

    def broken(*given):
        made = original(*given)
        return made._replace(text=made.text.replace("1", "2"))

    monkeypatch.setattr(formats.c, "render", broken)
    run = run_mlp("export", parity, "-o", "other.c")
    assert run.returncode == 1
    assert "reads back otherwise than it is" in run.stderr


def test_eight_bits_are_measured_and_held_to_a_bar(run_mlp, parity, monkeypatch, tmp_path):
    """Accuracy before and after is said; beyond --max-drop nothing is written, exit code 4."""
    run = run_mlp("export", parity, "-o", "m.c", "--int8", "--max-drop", "1", "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)["int8"]
    assert (found["metric"], found["rows"]) == ("accuracy", 324)
    assert found["bytes"] == 10 * 3 + 3 * 2 + 2 * 4 * (3 + 2)
    # Two bits, in place of eight, lose more.
    monkeypatch.setattr("mlpcli.export.quantize.LARGEST", 1)
    run = run_mlp("export", parity, "-o", "n.c", "--int8", "--max-drop", "log_loss=0.0001")
    assert run.returncode == 4
    assert "misses the gate log_loss<=" in run.stderr
    assert not (tmp_path / "cwd" / "n.c").exists()
    lost = run_mlp("export", parity, "-o", "n.c", "--int8")
    assert "int8: 76 bytes of weights; accuracy" in lost.stdout


def test_eight_bits_of_quantities_are_measured_by_r2(run_mlp, tmp_path):
    """On the file that --check names, where the test examples are not."""
    weights = exported.save_model(tmp_path / "W.npy", exported.table_model(tmp_path, "quantities"))
    run = run_mlp("export", weights, "-o", "m.c", "--int8")
    assert run.returncode == 1
    assert "--check DATA" in run.stderr
    data = tmp_path / "quantities.csv"
    run = run_mlp("export", weights, "-o", "m.c", "--int8", "--check", data, "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)["int8"]
    assert (found["metric"], found["rows"]) == ("r2", 120)
    assert abs(found["before"] - found["after"]) < 0.1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "m.txt"], "m.txt: has none of the suffixes .onnx, .c, .h, .py; add --format"),
        (["-o", "m.py", "--int8"], "--int8: is of C; leave it out, or write --format c"),
        (["-o", "m.c", "--max-drop", "1"], "--max-drop: is about what --int8 loses; add --int8"),
        (["-o", "m.c", "--int8", "--max-drop", "x"], "is not METRIC=AMOUNT"),
        (["-o", "m.c", "--int8", "--max-drop", "r2=1"], "there is no metric r2"),
        (["-o", "there.c"], "there.c: exists; add --overwrite"),
    ],
)
def test_usage_that_makes_no_sense_is_refused(words, message, run_mlp, parity, tmp_path):
    """In one line, with exit code 2."""
    there = tmp_path / "cwd" / "there.c"
    there.write_text("mine", encoding="utf-8")
    run = run_mlp("export", parity, *words)
    assert (run.returncode, run.stdout) == (2, "")
    assert message in run.stderr
    assert there.read_text(encoding="utf-8") == "mine"
    run = run_mlp("export", parity, "-o", parity, "--format", "c", "--overwrite")
    assert "is both input and output" in run.stderr


def test_onnx_is_an_extra(run_mlp, parity, monkeypatch):
    """Without the library one line says how to install it."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    run = run_mlp("export", parity, "-o", "m.onnx")
    assert run.returncode == 2
    assert "needs the library onnx; pip install 'mlpcli[onnx]'" in run.stderr


def test_real_mnist_fits_in_27_kilobytes(run_mlp, data_dir):
    """[784, 32, 10] in 8 bits, at the accuracy that is printed."""
    data = ["--data-dir", data_dir]
    options = ["--set", "epochs=1", "-q", "-o", "W.npy"]
    run = run_mlp("train", CONFIGS / "mnist.yaml", *options, *data)
    assert run.returncode == 0, run.stderr
    run = run_mlp("export", "W.npy", "-o", "m.c", "--int8", "--json", *data)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)["int8"]
    # A byte per weight; 4 for each output's scale and bias.
    assert found["bytes"] == 784 * 32 + 32 * 10 + 8 * (32 + 10)
    assert found["bytes"] <= 27_000
    assert found["rows"] == 10_000
    assert abs(found["after"] - found["before"]) < 0.005
