"""The README's few lines that use an export work as they stand."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language, words):
    """Return the README's piece of a language that has these words."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = (text for text in blocks if words in text)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory, run_mlp):
    """Return a folder with a model of iris in all forms."""
    made = tmp_path_factory.mktemp("iris")
    rows = [f"{i % 7},{i / 8},{('setosa', 'virginica')[i > 30]}\n" for i in range(60)]
    (made / "iris.csv").write_text("length,width,species\n" + "".join(rows), encoding="utf-8")
    config = "data: {train: iris.csv}\nhidden: [4]\neta: 0.3\nbt_size: 8\nepochs: 3\n"
    (made / "iris.yaml").write_text(config, encoding="utf-8")
    assert run_mlp("train", made / "iris.yaml", "-q", "-o", made / "iris.npy").returncode == 0
    for suffix in ("py", "h", "onnx"):
        run = run_mlp("export", made / "iris.npy", "-o", made / f"iris.{suffix}")
        assert run.returncode == 0, run.stderr
    (made / "new.csv").write_text("width,length\n1.5,5.0\n", encoding="utf-8")
    return made


@pytest.fixture
def expected(folder, run_mlp):
    """Return the class that `mlp predict` gives the README's row."""
    run = run_mlp("predict", "--weights", folder / "iris.npy", folder / "new.csv")
    return run.stdout.strip()


def test_python(folder, expected):
    """The module is imported and asked by name and in order."""
    command = [sys.executable, "-c", block("python", "import iris")]
    found = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    first, second = found.stdout.decode().splitlines()
    assert first == expected
    assert second.endswith("['setosa', 'virginica']")


def test_c(folder, expected, cc):
    """The program compiles without a warning, and needs no library."""
    (folder / "main.c").write_text(block("c", "iris.h"), encoding="utf-8")
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run([cc, *strict, "main.c", "-o", "main"], cwd=folder, check=True)
    found = subprocess.run([folder / "main"], capture_output=True, check=True)
    assert found.stdout.decode().split()[0] == expected


@pytest.mark.usefixtures("ort")
def test_onnxruntime(folder, expected, monkeypatch, capsys):
    """A session takes the columns by name."""
    monkeypatch.chdir(folder)
    exec(block("python", "onnxruntime"), {})
    assert capsys.readouterr().out.split()[0] == expected


def test_javascript(folder):
    """The program is JavaScript; onnxruntime for it is not installed here."""
    node = shutil.which("node") or pytest.skip("there is no node")
    Path(folder / "main.js").write_text(block("js", "ort"), encoding="utf-8")
    subprocess.run([node, "--check", "main.js"], cwd=folder, check=True)
