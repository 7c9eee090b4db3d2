"""Lines with more or fewer cells than the first: refused, or left out, which is said."""

from pathlib import Path

import numpy as np
import pytest

from mlpcli.checkpoint import store
from mlpcli.config.load import load_experiment

KEYS = "structure: [2, 4, 2]\neta: 0.1\nbt_size: 8\nepochs: 2\n"
GOOD = [f'{i % 7},"w {i % 3}",{"ab"[i % 2]}' for i in range(400)]
PLAIN = [f"{i % 7},{i % 5},{'ab'[i % 2]}" for i in range(400)]


def write(lines, bad, name="t.csv"):
    """Write a table; some lines, by their place in it, are followed by a bad one."""
    table = "x,z,y\n" + "".join(f"{line}\n{bad.get(i, '')}" for i, line in enumerate(lines))
    Path(name).write_text(table)


def train(run_mlp, name="t", data=", bad_lines: skip"):
    """Train on a table."""
    Path(f"{name}.yaml").write_text(f"data: {{train: {name}.csv, test: 0.2{data}}}\n{KEYS}")
    return run_mlp("train", f"{name}.yaml", "--overwrite")


@pytest.mark.parametrize("lines", [PLAIN, PLAIN * 100, [line.replace('"w ', '"') for line in GOOD]])
def test_bad_lines_are_left_out(run_mlp, lines):
    """The weights are those of the table without them; how many is said, and the first one."""
    bad = {1: "1,2,a,4\n", 200: "1\n", 399: "# 2,3\n"}
    write(lines, bad)
    write(lines, {}, "good.csv")
    run = train(run_mlp)
    assert run.returncode == 0, run.stderr
    assert "t.csv:4: and 2 more lines were left out: more or fewer cells than the" in run.stderr
    other = train(run_mlp, "good", "")
    assert "left out" not in other.stderr
    models = [store.load(Path(f"{name}.npy")) for name in ("t", "good")]
    np.testing.assert_array_equal(*(model.network.theta for model in models))
    judged = run_mlp("evaluate", "--weights", "t.npy", "--data", "t.csv")
    assert "t.csv:4: and 2 more lines were left out" in judged.stderr
    refused = run_mlp("predict", "--weights", "t.npy", "t.csv")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "t.csv:4: has 4 values; the first line has 3" in refused.stderr


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (
            "1,2,a,4",
            "t.csv:202: has 4 values; the first line has 3: quote a cell with ',' in it, or",
        ),
        (
            "1,a",
            "t.csv:202: has 2 values; the first line has 3: fill it up, or leave such lines out",
        ),
    ],
)
def test_bad_lines_are_refused(run_mlp, bad, said):
    """Unless that is wanted, the first is an error that says what to do."""
    write(PLAIN, {199: f"{bad}\n"})
    run = train(run_mlp, data="")
    assert run.returncode == 1
    assert said in run.stderr
    assert "bad_lines: skip, under data" in run.stderr


@pytest.mark.parametrize("where", [2, 399])
def test_init_leaves_few_lines_out(run_mlp, where):
    """Where they are few it writes so, says so, and trains; of many the first is an error."""
    write(GOOD, {where: '1,"w 1",a,b\n'})
    made = run_mlp("init", "t.csv")
    assert made.returncode == 0, made.stderr
    said = f"t.csv:{where + 3}: line was left out: more or fewer cells than the first line has"
    assert said in made.stdout
    assert load_experiment(Path("t.yaml")).data.files.bad_lines == "skip"
    assert "z is text: 3 categories" in made.stdout
    assert run_mlp("train", "t.yaml", "-q", "--set", "epochs=1").returncode == 0
    write(GOOD[:10], {4: "1\n"})
    assert run_mlp("init", "t.csv", "-o", "small.yaml").returncode == 0
    assert load_experiment(Path("small.yaml")).data.files.bad_lines == "skip"
    write(GOOD[:9], {4: "1\n"})
    assert run_mlp("init", "t.csv", "-o", "smaller.yaml").returncode == 1
    write(GOOD, dict.fromkeys(range(0, 400, 80), "1\n"))
    run = run_mlp("init", "t.csv", "-o", "other.yaml")
    assert run.returncode == 1
    assert "t.csv:3: has 1 values; the first line has 3: fill it up" in run.stderr
