"""The built wheel, installed elsewhere, works the same."""

import os
import subprocess
import sys
import zipfile

import pytest
from conftest import CONFIGS, ROOT

from mlpcli import __version__


def python(*args, **options):
    """Run this Python with the given arguments; return what it printed."""
    command = [sys.executable, *map(str, args)]
    run = subprocess.run(
        command, check=False, capture_output=True, encoding="utf-8", timeout=120, **options
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel with the tools of the development environment."""
    folder = tmp_path_factory.mktemp("dist")
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel, alone, into a folder; return the environment that imports it there."""
    folder = tmp_path_factory.mktemp("installed")
    python("-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", folder, wheel)
    return os.environ | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}


def test_wheel_holds_the_package_alone(wheel):
    """Every module, what a report needs, and the type marker are in the wheel, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "mlpcli").rglob("*.py")}
    page = {f"mlpcli/report/{name}" for name in ("network.js", "live.js", "page.js", "style.css")}
    assert modules | page | {"mlpcli/py.typed"} <= held
    assert {name.partition("/")[0] for name in held} == {
        "mlpcli",
        f"mlpcli-{__version__}.dist-info",
    }
    assert any(name.endswith("/licenses/LICENSE") for name in held)


def test_it_is_the_wheel_that_is_imported(installed):
    """The folder that the wheel was installed into comes before this working tree."""
    where = python("-c", "import mlpcli; print(mlpcli.__file__)", env=installed)
    assert where.startswith(installed["PYTHONPATH"] + os.sep)


def test_the_wheel_trains(installed, run_mlp, tmp_path):
    """The wheel's `mlp` has its version, and trains to the same bytes as this working tree."""
    assert python("-m", "mlpcli", "--version", env=installed) == f"mlp, version {__version__}\n"
    config = tmp_path / "parity.yaml"
    text = (CONFIGS / "parity.yaml").read_text(encoding="utf-8")
    config.write_text(text.replace("1000", "2"), encoding="utf-8")
    shown = python("-m", "mlpcli", "train", config, "-o", tmp_path / "wheel.npy", env=installed)
    assert shown.splitlines()[2].startswith("test accuracy ")
    assert run_mlp("train", config, "-o", tmp_path / "tree.npy").returncode == 0
    assert (tmp_path / "wheel.npy").read_bytes() == (tmp_path / "tree.npy").read_bytes()


def test_the_program_is_declared(wheel):
    """The wheel installs the program `mlp`."""
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "mlp = mlpcli.__main__:main" in archive.read(entry).decode()
