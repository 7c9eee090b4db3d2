"""The documentation says what the code does."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import MISSING
from pathlib import Path

import click
import numpy as np
import pytest
from conftest import CONFIGS, ROOT
from PIL import Image

from mlpcli.cli.main import COMMANDS, mlp
from mlpcli.config.data_parts import PARTS
from mlpcli.config.presets import RECIPES
from mlpcli.config.schema import KEYS
from mlpcli.config.values import AUGMENT_PARTS
from mlpcli.config.yaml_core import parse_value

README = (ROOT / "README.md").read_text(encoding="utf-8")
# The one default that other keys decide.
DEFAULTS = {"init": "by activation", "output": "by task"}
ENGINE = ROOT / "mlpcli" / "nn" / "README.md"


def shell_lines():
    """Return every line of the README's shell blocks that runs `mlp`."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("mlp ")]


def python_blocks():
    """Return the README's pieces of Python."""
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def table_rows(text):
    """Return the cells of every row of a document's tables, without headings."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [
        [cell.strip().replace('"\\|"', '"|"') for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in rows
    ]
    return [row for row in cells if not row[0].startswith("---")]


# `mlp` that knows MNIST by the files that a test has made, and writes few epochs.
PROGRAM = """#!{python}
import hashlib
from pathlib import Path
from mlpcli.cli.main import main
from mlpcli.data import recipe
from mlpcli.data.builtin.registry import DATASETS, RemoteFile
contents = {{path.name: path.read_bytes() for path in Path({folder!r}).iterdir()}}
files = [RemoteFile(file.name, len(contents[file.name]),
                    hashlib.sha256(contents[file.name]).hexdigest())
         for file in DATASETS["mnist"].files]
DATASETS["mnist"] = DATASETS["mnist"]._replace(files=tuple(files))
recipe.STEPS = recipe.FEW_STEPS = 200
if __name__ == "__main__":  # and not in the processes of --jobs
    main()
"""


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Give a reader of the README an `mlp`, MNIST, short configurations, and files of their own."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(256, size=(10, 28, 28))
    folder = Path.home() / ".cache" / "mlp" / "mnist"
    folder.mkdir(parents=True)
    for split, n in (("train", 100), ("t10k", 50)):
        labels = np.arange(n, dtype=np.uint8) % 10
        images = (patterns[labels] * rng.uniform(0.5, 1, (n, 28, 28))).astype(np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (folder / f"{split}-{name}-ubyte.gz").write_bytes(head + array.tobytes())
    np.save("digits.npy", images[:5])
    Image.fromarray(255 - images[7]).save("photo-of-a-seven.png")
    rows = [f"{i % 7},{i / 8},{('setosa', 'virginica')[i % 2]}\n" for i in range(90)]
    for name, some in (("iris", rows[:60]), ("more", rows[60:])):
        Path(f"{name}.csv").write_text("length,width,species\n" + "".join(some))
    Path("new.csv").write_text("width,length\n1.5,3\n")
    houses = [
        f"{i % 9},{i % 5},{'ny'[i % 2]},{'ny'[i % 3 > 0]},{9 * (i % 9) + i % 5}\n"
        for i in range(300)
    ]
    Path("houses.csv").write_text("rooms,storeys,garden,garage,price\n" + "".join(houses))
    Path("unsold.csv").write_text("rooms,storeys,garden,garage\n5,1,y,n\n")
    weights = [rng.normal(size=(3, 10)), rng.normal(size=(2, 3))]
    np.save("article.npy", np.array([weights, [np.zeros(3), np.zeros(2)]], dtype=object))
    shutil.copytree(CONFIGS, "configs")
    for name, epochs in (("parity", "1000"), ("mnist", "300")):
        config = Path(f"configs/{name}.yaml")
        config.write_text(config.read_text(encoding="utf-8").replace(epochs, "10"))
    program = tmp_path / "bin" / "mlp"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
    program.chmod(0o755)
    # Of two threads on a busy machine, each waits for the other.
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


@pytest.mark.usefixtures("reader")
def test_the_readme_runs_in_order():
    """Every shell block of the README runs as written, one after the other, and says something.

    What a comment says that a line writes is there afterwards, and so is every file that it names.
    """
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL):
        run = subprocess.run(
            ["bash", "-e", "-c", block], check=False, capture_output=True, encoding="utf-8"
        )
        assert run.returncode == 0, f"{block}\n{run.stderr}"
        assert run.stdout
        for line in block.splitlines():
            for name in re.findall(r"(?:-o |--history |> |writes )(\S+\.\w+)", line):
                moved = name.startswith("candidate")  # to best.npy and best.json, in the end
                assert Path(name.replace("candidate", "best") if moved else name).exists(), line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name):
    """Each command has an example in the README."""
    assert any(line.startswith(f"mlp {name} ") for line in shell_lines())


def test_every_folder_is_in_the_readme():
    """The README says what each folder and file of the package is for."""
    section = README[README.index("## Reading the code") : README.index("## Speed")]
    for path in (ROOT / "mlpcli").iterdir():
        if path.is_dir() and path.name != "__pycache__":
            assert f"`{path.name}/`" in section
        elif path.suffix == ".py" and not path.name.startswith("__"):
            assert f"`{path.name}`" in section


def documented_json():
    """Return what the README says that `--json` prints, by command, and by task for `evaluate`."""
    section = README[README.index("## For programs") : README.index("## Reading the code")]
    return dict(row for row in table_rows(section) if len(row) == 2)


def test_every_json_is_in_the_readme():
    """Each command with --json has a row that says what that prints."""
    commands = {name: mlp.get_command(click.Context(mlp), name) for name in COMMANDS}
    printing = {
        name for name, command in commands.items() for p in command.params if p.name == "as_json"
    }
    assert printing == {name.strip("`") for name in documented_json() if name.startswith("`")}


@pytest.mark.parametrize(
    ("task", "target"),
    [("classification", "classes"), ("regression", "quantities"), ("multilabel", "labels")],
)
def test_json_of_evaluate_is_in_the_readme(run_mlp, task, target):
    """All that it prints of a task is named, and nothing more but what options and weights add."""
    rows = [f"{i % 7},{i % 5},{i % 2},{i % 3 // 2}\n" for i in range(60)]
    Path("t.csv").write_text("a,b,y,z\n" + "".join(rows))
    columns = "[y, z]" if task == "multilabel" else "y"
    Path("t.yaml").write_text(
        f"data: {{train: t.csv, test: 0.2, target: {columns}}}\ntask: {task}\n"
        "hidden: [2]\neta: 0.1\nbt_size: 8\nepochs: 1\n"
    )
    assert run_mlp("train", "t.yaml").returncode == 0
    printed = json.loads(run_mlp("evaluate", "--weights", "t.npy", "--json").stdout)
    documented = documented_json()
    both = documented["`evaluate`"] + documented[target]
    assert {f"`{name}`" for name in printed} <= {*re.findall("`[^`]+`", both)}
    added = {"weighted", "top_K_accuracy"}
    outer = re.sub(", each with [^;|]+|mapping from [^;|]+", "", both)
    named = {*re.findall("`([a-z_0-9K]+)`", outer)}
    assert named - added <= {*printed}, named - added - {*printed}


def test_configuration_reference_agrees_with_the_code():
    """configs/README.md lists every key, and part of data and augment, with its kind."""
    text = (CONFIGS / "README.md").read_text(encoding="utf-8")
    text, _, parts = text.partition("## Distorted images")
    distortions, _, parts = parts.partition("## Your own data")
    rows = [row for row in table_rows(distortions) if row[0].startswith("`")]
    assert [(row[0].strip("`"), row[1]) for row in rows] == [
        (name, expects) for name, (expects, _) in AUGMENT_PARTS.items()
    ]
    rows = [row for row in table_rows(parts) if row[0].startswith("`")]
    assert [(row[0].strip("`"), row[1]) for row in rows] == [
        (name, expects) for name, (expects, _) in PARTS.items()
    ]
    text, _, recipes = text.partition("## Presets")
    rows = [row for row in table_rows(text) if row[0].startswith("`")]
    documented = [(row[0].strip("`"), row[1], row[2]) for row in rows]

    def default(key):
        if key.default is MISSING:
            return ""
        return "none" if key.default is None else str(key.default).lower()

    assert documented == [
        (name, key.metadata["validator"].expects, DEFAULTS.get(name, default(key)))
        for name, key in KEYS.items()
    ]
    assert all(len(row[3]) > 20 for row in rows)
    described = dict(row for row in table_rows(recipes) if row[0].startswith("`"))
    assert list(described) == [f"`{name}`" for name in RECIPES]
    for name, recipe in RECIPES.items():
        lines = re.findall(r"`([^`]+: [^`]+)`", described[f"`{name}`"])
        said = [parse_value(f"{{{line}}}") for line in lines]
        for values in (recipe.common, *recipe.by_task.values()):
            for key, value in values.items():
                assert {key: value} in said, f"{name}: {key}: {value}"


def test_every_config_is_described():
    """configs/README.md says what each shipped file is."""
    text = (CONFIGS / "README.md").read_text(encoding="utf-8")
    for path in CONFIGS.glob("*.yaml"):
        assert f"`{path.name}`" in text


@pytest.mark.parametrize("row", table_rows(ENGINE.read_text(encoding="utf-8")), ids=lambda r: r[0])
def test_engine_map_leads_somewhere(row):
    """Every file and function that mlpcli/nn/README.md names for an equation exists."""
    if row[1] == "here":
        return
    for cell, folder in ((row[1], ENGINE.parent), (row[2], ROOT)):
        content = ""
        for name in re.findall(r"`([^`]+)`", cell):
            if name.endswith((".py", ".yaml")):
                content = (folder / name).read_text(encoding="utf-8")
            elif name.isidentifier() and name not in ("compat", "eta"):
                assert re.search(rf"^(def |class |){name}\b", content, re.MULTILINE), (
                    f"{name} is not in {cell}"
                )
        assert content, f"{cell} names no file"


def test_python_snippet_of_the_readme_runs(run_mlp, tmp_path, capsys):
    """The README's snippet reads the checkpoint that the README's command writes."""
    config = tmp_path / "parity.yaml"
    text = (CONFIGS / "parity.yaml").read_text(encoding="utf-8")
    config.write_text(text.replace("1000", "1"), encoding="utf-8")
    assert run_mlp("train", config).returncode == 0
    (snippet,) = (block for block in python_blocks() if "np.load" in block)
    exec(compile(snippet, "README.md", "exec"), {})
    assert capsys.readouterr().out == "(3, 10) (3,)\n['odd', 'even']\n"


def test_python_interface_of_the_readme_runs(capsys):
    """The README's training and predicting from Python do what the comments beside them say."""
    (snippet,) = (block for block in python_blocks() if "load_experiment" in block)
    shutil.copytree(CONFIGS, "configs")
    exec(compile(snippet, "README.md", "exec"), {})
    printed = re.findall(r"print\(.*  # (.*)", snippet)
    assert capsys.readouterr().out.splitlines() == printed


def test_predicting_from_python_of_the_readme_runs(run_mlp, capsys):
    """The README's few lines predict rows by position and by name, with the same result."""
    rows = [f"{i % 7},{i / 8},{('setosa', 'virginica')[i > 30]}\n" for i in range(60)]
    Path("iris.csv").write_text("length,width,species\n" + "".join(rows), encoding="utf-8")
    config = "data: {train: iris.csv}\nhidden: [4]\neta: 0.3\nbt_size: 8\nepochs: 3\n"
    Path("iris.yaml").write_text(config, encoding="utf-8")
    assert run_mlp("train", "iris.yaml", "-q").returncode == 0
    capsys.readouterr()
    (snippet,) = (block for block in python_blocks() if "iris.predict_proba({" in block)
    exec(compile(snippet, "README.md", "exec"), {})
    by_position, by_name, outputs = capsys.readouterr().out.splitlines()
    assert by_position == by_name
    assert len(outputs.split()) == 2


def test_security_names_what_tests_it():
    """Every promise of SECURITY.md names tests, all of which exist."""
    text = (ROOT / ".github" / "SECURITY.md").read_text(encoding="utf-8")
    promises = table_rows(text)[1:]
    assert len(promises) >= 5
    for promise, tested in promises:
        names = re.findall(r"`(tests/[^`]+)`", tested)
        assert names, promise
        for name in names:
            assert (ROOT / name).is_file(), name
    for target in re.findall(r"`make ([a-z]+)`", text):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
