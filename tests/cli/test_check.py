"""`mlp check`: silent on what ships, loud on mistakes."""

import json
from pathlib import Path

import pytest
from conftest import CONFIGS

SHIPPED = sorted(path.name for path in CONFIGS.glob("*.yaml"))


@pytest.fixture
def parity():
    """Write an experiment on parity whose rate is far too small."""
    text = (CONFIGS / "parity.yaml").read_text(encoding="utf-8").replace("0.3", "1e-9")
    Path("slow.yaml").write_text(text, encoding="utf-8")
    return "slow.yaml"


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configs_have_no_finding(run_mlp, data_dir, name):
    """Every config that ships passes --strict, on real data."""
    if "fashion" in name and not (data_dir / "fashion-mnist").exists():
        pytest.skip("Fashion-MNIST is not here")
    run = run_mlp("check", CONFIGS / name, "--data-dir", data_dir, "--strict")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("\nno findings\n")


def test_text(run_mlp):
    """The effective experiment, then facts, then findings; nothing is written."""
    run = run_mlp("check", CONFIGS / "parity.yaml")
    lines = run.stdout.splitlines()
    assert lines[0] == str(CONFIGS / "parity.yaml")
    assert {"data: {name: parity, scale: none}", "init: normal", "dtype: float64"} <= set(lines)
    facts = dict(line.split("  ", 1) for line in lines[lines.index("facts") + 1 : -2])
    assert facts["train"].strip() == "700 examples, 10 features, uint8 from 0 to 1"
    assert facts["majority"].strip() == "always saying odd has test accuracy 0.5000"
    assert "parameters" in facts
    assert list(Path().iterdir()) == []


def test_findings(run_mlp, parity):
    """A finding is one line; it changes the exit code under --strict alone."""
    run = run_mlp("check", parity)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[-2] == "1 finding"
    assert run.stdout.splitlines()[-1].startswith(
        "one-batch: could not overfit one mini-batch in 2000 steps"
    )
    strict = run_mlp("check", parity, "--strict")
    assert strict.returncode == 1
    assert strict.stderr == (
        "mlp: error: slow.yaml: 1 finding; see above, correct it, or leave out --strict\n"
    )


def test_json(run_mlp, parity):
    """`--json` holds experiment, facts and findings as the README documents them."""
    run = run_mlp("check", parity, "--json", "--strict")
    found = json.loads(run.stdout)
    assert run.returncode == 1
    assert list(found) == ["config", "experiment", "facts", "findings"]
    assert found["experiment"]["eta"] == 1e-9
    assert list(found["facts"]) == [
        "train", "test", "scale", "classes", "majority", "parameters", "gradient", "one_batch",
        "memory", "seconds_per_epoch", "threads",
    ]  # fmt: skip
    (finding,) = found["findings"]
    assert (list(finding), finding["name"]) == (["name", "problem", "remedy"], "one-batch")


@pytest.mark.parametrize(
    ("header", "text", "value"),
    [
        ("", "2, named by the header: red, yes", ["red", "yes"]),
        (", header: false", "2, without a header", 2),
    ],
    ids=["detected", "declared"],
)
def test_the_header_is_seen(run_mlp, header, text, value):
    """That a first line of words alone was taken for a header is seen, and can be declared not."""
    Path("w.csv").write_text("red,yes\nblue,no\n" * 20 + "red,no\n", encoding="utf-8")
    keys = "structure: [2, 2], eta: 0.1, bt_size: 8, epochs: 1"
    Path("c.yaml").write_text(f"{{data: {{train: w.csv{header}}}, {keys}}}", encoding="utf-8")
    assert f"\ncolumns            {text}\n" in run_mlp("check", "c.yaml").stdout
    found = json.loads(run_mlp("check", "c.yaml", "--json").stdout)
    assert found["facts"]["columns"] == value


def test_mistakes_of_the_file_are_errors(run_mlp):
    """What cannot be trained at all is the error that training would give."""
    Path("bad.yaml").write_text("{data: parity, structure: [9, 2], eta: 1, bt_size: 1, epochs: 1}")
    run = run_mlp("check", "bad.yaml")
    assert (run.returncode, run.stdout) == (2, "")
    assert "write structure: [10, 2]" in run.stderr
