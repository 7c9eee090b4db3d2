"""The benchmark runs; what it finds is for people to read."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from benchmarks import (
    downloading,
    exports,
    growth,
    mnist,
    mpi,
    neighbour,
    processes,
    report,
    tables,
    to_accuracy,
)
from conftest import ROOT


def run(module, *args):
    """Run a module of the benchmark on random images."""
    return subprocess.run(
        [sys.executable, "-m", module, *args, "--examples", "600", "--threads", "1"],
        cwd=ROOT / "tests",
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.mark.parametrize("workload", ["article", "parity"])
def test_speed_is_measured(workload, tmp_path):
    """Every contender has its turns, and mlp's accuracy stands beside its time."""
    path = tmp_path / "result.json"
    done = run(
        "benchmarks", "--section", "speed", "--workload", workload, "--contender", "floor", "mlp",
        "--rounds", "2", "--json", str(path),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(path.read_text(encoding="utf-8"))
    contenders = result["speed"][workload]["contenders"]
    turns = [len(contender["seconds"]) for contender in contenders.values()]
    assert turns in ([2, 2], [3, 3], [4, 4])
    assert contenders["floor"]["ratio"] > 0
    assert contenders["mlp"]["ratio"] == contenders["mlp"]["ratio_at_best"] == 1
    # After 1 + 2·40 epochs or more parity is all but learnt; on random images nothing can be.
    low, high = (0.9, 1) if workload == "parity" else (0, 0.5)
    assert low <= contenders["mlp"]["accuracy"] <= high
    assert f"{contenders['mlp']['accuracy']:.4f}" in done.stdout


def test_the_model_of_many_ranks_is_that_of_a_ring():
    """R ranks send 2 (R - 1) parts of the vector; where that takes no time, a step takes 1/R."""
    link = mpi.Link("8 bytes a second", 1.0, 8.0)
    # 2 (2 - 1) messages, of 1 s and 8/8 s each.
    assert mpi.ring_seconds(2, 16, link) == 2 * (1 + 1)
    # 2 (4 - 1) messages of a quarter.
    assert mpi.ring_seconds(4, 16, link) == 6 * (1 + 0.5)
    assert mpi.modelled_step(4, 8.0, 0, mpi.Link("", 0.0, 1.0)) == 2
    assert mpi.parameters([784, 32, 10]) == 785 * 32 + 33 * 10


@pytest.mark.usefixtures("cc", "ort")
def test_exports_are_measured(monkeypatch, tmp_path):
    """Every form answers one row, and many."""
    monkeypatch.setattr(exports, "ROWS", 100)
    monkeypatch.setattr(exports, "PROGRAM", exports.PROGRAM.replace("20000", "20"))
    with mnist.data(200) as (data_dir, _):
        results = exports.measure(tmp_path, data_dir, threads=1, rounds=1)
    assert set(results) == {"mlp predict", "mlpcli.load", "onnxruntime", "C"}
    assert all(min(figures.values()) > 0 for figures in results.values())
    assert "onnxruntime" in report.exports(results)


def test_neighbours_are_measured(monkeypatch):
    """Each contender's epochs are timed alone and beside a busy process, which then ends."""
    monkeypatch.setattr(neighbour, "NEIGHBOURS", (0, 0, 1))
    monkeypatch.setattr(neighbour, "CHOSEN", ("article",))
    with mnist.data(600) as (data_dir, _):
        results = neighbour.measure(["mlp", "missing"], data_dir, rounds=1)
    assert len(results["article"]["mlp"]["seconds"]) == 3
    assert min(results["article"]["mlp"]["seconds"]) > 0
    assert "No module named" in results["article"]["missing"]["error"]
    assert "article beside busy processes" in report.neighbour(results)


def test_time_to_an_accuracy_is_measured():
    """The clock stops at the first line that reaches a target, and silence is a failure."""
    lines = "import time; print('accuracy 0.97'); print('accuracy 0.9812', flush=True); "
    talks = [sys.executable, "-c", lines + "time.sleep(0.2); print('accuracy 0.9899')"]
    results = to_accuracy.measure(
        {"mlp": talks, "pytorch": [sys.executable, "-c", "print('no data')"]}, threads=1
    )
    at_98, at_99 = results["mlp"]["seconds"]
    assert at_98 > 0
    assert at_99 is None
    assert results["mlp"]["best"] == 0.9899
    assert results["pytorch"] == {"error": "no data"}
    assert "0.9899" in report.to_accuracy(results)


def test_growth_is_measured(monkeypatch):
    """Ten times the examples are ten times the data in memory."""
    monkeypatch.setattr(growth, "TIMES", (1, 10))
    monkeypatch.setattr(growth, "WIDTHS", (32,))
    small, large = growth.measure(["mlp"], threads=1, examples=600)
    assert large["data_bytes"] == 10 * small["data_bytes"] == 10 * 600 * 785
    assert small["data_bytes"] < small["peak_bytes"] < large["peak_bytes"]


def test_wide_tables_are_measured(monkeypatch, tmp_path):
    """Each command runs on each size of table."""
    monkeypatch.setattr(tables, "COLUMNS", (3, 30))
    monkeypatch.setattr(tables, "CLASSES", (3,))
    results = tables.measure(tmp_path, threads=1, rounds=1)
    assert [result["count"] for result in results] == [3, 3, 30, 30, 3, 3]
    assert all(result["seconds"] > 0 for result in results)


def test_downloading_is_measured(tmp_path):
    """`mlp download` has the file, and its time stands beside curl's."""
    with downloading.tasks(tmp_path, size=10_000) as tasks:
        (results,) = processes.measure(tasks, tmp_path, threads=1, rounds=1).values()
    assert all("error" not in result for result in results.values())
    assert results["mlp"]["ratio"] == 1
    assert (tmp_path / "data" / "mnist" / "random.gz").stat().st_size == 10_000


@pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is installed")
def test_a_contender_that_cannot_run_is_reported():
    """A missing library costs its own row, not the others', and the exit code says so."""
    done = run(
        "benchmarks", "--section", "speed", "--workload", "parity",
        "--contender", "pytorch", "mlp", "--rounds", "1",
    )  # fmt: skip
    assert done.returncode == 1
    assert "No module named 'torch'" in done.stdout
    assert "\nmlp  " in done.stdout


def test_profile_names_the_lines_of_the_engine():
    """`make profile` finds the matrix products of the engine and what they cost."""
    done = run("benchmarks.profiler", "article")
    assert done.returncode == 0, done.stderr
    assert ".dot(" in done.stdout
    assert "backprop.py backprop" in done.stdout
