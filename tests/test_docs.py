"""The documentation says what the code does."""

import re
import shlex
import shutil
from dataclasses import MISSING

import pytest
from conftest import CONFIGS, ROOT

from mlpcli.cli.main import COMMANDS, mlp
from mlpcli.config.data_files import PARTS
from mlpcli.config.schema import KEYS

README = (ROOT / "README.md").read_text(encoding="utf-8")
# The one default that other keys decide.
INIT = "by activation"
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
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return [row for row in cells if not row[0].startswith("---")]


@pytest.mark.parametrize("line", shell_lines())
def test_readme_commands_parse(line):
    """Every `mlp` line of the README is a command with options that exist."""
    words = shlex.split(line.split(" > ")[0], comments=True)[1:]
    command = mlp.get_command(None, words[0])
    assert command, f"no command {words[0]}"
    command.make_context(words[0], words[1:])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name):
    """Each command has an example in the README."""
    assert any(line.startswith(f"mlp {name} ") for line in shell_lines())


def test_configuration_reference_agrees_with_the_code():
    """configs/README.md lists every key, and every part of data, in order, with its kind."""
    text = (CONFIGS / "README.md").read_text(encoding="utf-8")
    text, _, parts = text.partition("## Your own data")
    rows = [row for row in table_rows(parts) if row[0].startswith("`")]
    assert [(row[0].strip("`"), row[1]) for row in rows] == [
        (name, expects) for name, (expects, _) in PARTS.items()
    ]
    rows = [row for row in table_rows(text) if row[0].startswith("`")]
    documented = [(row[0].strip("`"), row[1], row[2]) for row in rows]

    def default(key):
        if key.default is MISSING:
            return ""
        return "none" if key.default is None else str(key.default).lower()

    assert documented == [
        (name, key.metadata["validator"].expects, INIT if name == "init" else default(key))
        for name, key in KEYS.items()
    ]
    assert all(len(row[3]) > 20 for row in rows)


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
    (snippet,) = (block for block in python_blocks() if "mlpcli.load" in block)
    shutil.copytree(CONFIGS, "configs")
    exec(compile(snippet, "README.md", "exec"), {})
    printed = re.findall(r"print\(.*  # (.*)", snippet)
    assert capsys.readouterr().out.splitlines() == printed
