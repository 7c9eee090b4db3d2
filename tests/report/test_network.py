"""The page's network in JavaScript, by itself: it answers as `mlp predict` does."""

import json
import shutil
import subprocess

import exported
import numpy as np
import pytest
from conftest import ROOT

from mlpcli.export.examples import answers, make_examples, written_rows
from mlpcli.export.of_model import steps_of
from mlpcli.export.steps import to_mapping

SCRIPT = """
const { steps, rows } = JSON.parse(require("fs").readFileSync(0));
const net = network(steps);
console.log(JSON.stringify(rows.map((row) => net.ofCells(row).outputs)));
"""


def check(model, tmp_path):
    """Make sure that node computes what NumPy does, for rows of texts."""
    node = shutil.which("node") or pytest.skip("there is no node")
    steps = steps_of(model)
    table = make_examples(steps, 0)
    cells = written_rows(steps, table)
    rows = [["" if cell != cell else str(cell) for cell in row] for row in cells]  # noqa: PLR0124 - NaN
    code = (ROOT / "mlpcli" / "report" / "network.js").read_text(encoding="utf-8")
    (tmp_path / "network.js").write_text(code + SCRIPT, encoding="utf-8")
    given = json.dumps({"steps": to_mapping(steps), "rows": rows}).encode()
    command = [node, tmp_path / "network.js"]
    done = subprocess.run(command, input=given, capture_output=True, check=True)
    np.testing.assert_allclose(json.loads(done.stdout), answers(model, table), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", exported.KINDS)
def test_every_kind_of_table(name, tmp_path):
    """With every activation, scaling and task, missing values, and several networks in one."""
    check(exported.table_model(tmp_path, name), tmp_path)


@pytest.mark.parametrize("cell", ["2023-02-29", "3/4/2024", "24:61", "soon", "2024-05", "T"])
def test_what_is_no_date_is_said_to_be_none(cell, tmp_path):
    """Whatever a browser would take it for."""
    node = shutil.which("node") or pytest.skip("there is no node")
    steps = steps_of(exported.table_model(tmp_path, "dated"))
    code = (ROOT / "mlpcli" / "report" / "network.js").read_text(encoding="utf-8")
    problems = "console.log(JSON.stringify(rows.map((row) => [...net.ofCells(row).problems])));"
    script = code + SCRIPT[: SCRIPT.index("console")] + problems
    (tmp_path / "network.js").write_text(script, encoding="utf-8")
    rows = [[cell, "2024-02-29", "", "1", "red"]]
    given = json.dumps({"steps": to_mapping(steps), "rows": rows}).encode()
    done = subprocess.run(
        [node, tmp_path / "network.js"], input=given, capture_output=True, check=True
    )
    assert json.loads(done.stdout) == [[[0, "is no date"]]]


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_members_that_are_calibrated(output, tmp_path):
    """The mean of the members' outputs is cooled, and not each."""
    model = exported.parity_model(output=output, members=3, validation=0.2, calibrate=True)
    model.network.cool(1.7)
    check(model, tmp_path)
