"""Values and errors that are not finite, outside training: one line that says where."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlpcli.checkpoint import store
from mlpcli.data.dataset import Examples
from mlpcli.errors import DataError

TABLE = "u,v,y\n" + "".join(f"{i},{i % 5}.5,{'ab'[i % 2]}\n" for i in range(40))
SPOILT = TABLE.replace("7,2.5,b\n", "7,1e300,b\n", 1)
TOO_LARGE = (
    "mlp: error: bad.csv:9: column v: 1e+300 is too large for the network's float32 arithmetic; "
    "give it in the units of the training data\n"
)


@pytest.fixture(params=["standardize", "none"])
def keys(request):
    """Write the tables; return an experiment on them."""
    Path("good.csv").write_text(TABLE)
    Path("bad.csv").write_text(SPOILT)
    return {
        "data": {"train": "good.csv", "scale": request.param}, "structure": [2, 3, 2],
        "eta": 0.01, "bt_size": 8, "epochs": 2, "activation": "relu",
    }  # fmt: skip


def write(keys):
    """Write the configuration."""
    Path("c.yaml").write_text(json.dumps(keys))


@pytest.mark.parametrize("given", [{"validation": "bad.csv"}, {"test": "bad.csv"}])
def test_a_file_of_examples_to_measure_by(run_mlp, keys, given):
    """A value that the arithmetic cannot hold is named before anything is trained."""
    data = {**keys["data"], **({"test": given["test"]} if "test" in given else {})}
    write({**keys, "data": data, **{k: v for k, v in given.items() if k != "test"}})
    run = run_mlp("train", "c.yaml", "-q", "--history", "h.jsonl")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == TOO_LARGE
    assert not Path("c.npy").exists()


@pytest.mark.parametrize("options", [["--json"], [], ["--require", "error<=1"], ["--top-k", "2"]])
def test_evaluate(run_mlp, keys, options):
    """`evaluate` names the value, and prints no report with NaN in it."""
    write(keys)
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    run = run_mlp("evaluate", "--weights", "c.npy", "--data", "bad.csv", *options)
    assert (run.returncode, run.stdout, run.stderr) == (1, "", TOO_LARGE)
    run = run_mlp("predict", "--weights", "c.npy", "bad.csv")
    assert (run.returncode, run.stderr) == (1, TOO_LARGE)


def test_an_error_that_overflows(run_mlp, keys):
    """Finite inputs whose outputs are no numbers are refused in evaluation, too."""
    write({**keys, "data": {**keys["data"], "scale": "none"}, "dtype": "float64"})
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    model = store.load(Path("c.npy"))
    model.network.theta[:] = np.random.default_rng(0).normal(0, 9, model.network.theta.size)
    examples = Examples(np.array([[1e308, -1.7e308], [-1.7e308, 1.7e308]]), np.arange(2))
    with pytest.raises(DataError, match="large: holds values too large for the network's float64"):
        model.evaluate(examples, "large")


def test_validation_that_overflows(run_mlp, keys):
    """An epoch whose validation error is no number is a divergence, and the last good is kept."""
    keys |= {"data": {**keys["data"], "scale": "none"}, "dtype": "float64", "epochs": 50}
    Path("large.csv").write_text("u,v,y\n1.7e308,1.7e308,a\n-1.7e308,1.7e308,b\n1.7e308,-1e308,a\n")
    write({**keys, "validation": "large.csv", "output": "softmax", "loss": "cross_entropy"})
    run = run_mlp("train", "c.yaml", "-q", "--history", "h.jsonl")
    assert run.returncode == 3
    assert "the validation error is" in run.stderr
    assert "NaN" not in (Path("h.jsonl").read_text() if Path("h.jsonl").exists() else "")


def test_a_baseline_with_nan(run_mlp, keys):
    """A report with NaN, which is no JSON, is no baseline."""
    write(keys)
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    args = ["evaluate", "--weights", "c.npy", "--data", "good.csv"]
    report = json.loads(run_mlp(*args, "--json").stdout)
    Path("b.json").write_text(json.dumps(report | {"accuracy": float("nan")}))
    run = run_mlp(*args, "--baseline", "b.json", "--max-drop", "accuracy=0.1")
    assert run.returncode == 2
    assert run.stderr.startswith("mlp: error: b.json: is not JSON: NaN is no number in JSON")
