"""The exported Python module: its functions, and what it prints as a filter."""

import subprocess
import sys
from pathlib import Path

import exported
import pytest

from mlpcli.export import python
from mlpcli.export.of_model import steps_of


@pytest.fixture
def write(tmp_path):
    """Return what writes the module of a kind of table, and gives the model and its path."""

    def written(name):
        model = exported.table_model(tmp_path, name)
        path = tmp_path / "m.py"
        path.write_text(python.render(steps_of(model), "about"), encoding="utf-8")
        return model, path

    return written


def module_of(path):
    """Return what an exported module defines."""
    names = {"__name__": "m"}
    exec(path.read_text(encoding="utf-8"), names)
    return names


def filtered(path, rows, *options):
    """Run a module as a filter, with no packages but Python's own."""
    command = [sys.executable, "-I", "-S", str(path), *options]
    return subprocess.run(command, input=rows.encode(), capture_output=True, check=False)


@pytest.mark.parametrize("name", ["worded", "hostile", "labels", "quantities", "dated"])
def test_it_prints_what_predict_prints(name, write, run_mlp, tmp_path):
    """The same lines: classes or labels with outputs, or quantities; names and numbers alike."""
    model, path = write(name)
    weights, rows = exported.save_model(tmp_path / "W.npy", model), tmp_path / "rows.csv"
    exported.write_csv(rows, exported.KINDS[name], 50, seed=5, labelled=name == "worded")
    options = [] if name == "quantities" else ["--proba"]
    expected = run_mlp("predict", "--weights", weights, *options, rows)
    assert expected.returncode == 0, expected.stderr
    found = filtered(path, rows.read_text(encoding="utf-8"), *options)
    assert found.stderr == b""
    lines = [line.split("\t") for line in found.stdout.decode().splitlines()]
    for words, line in zip(lines, expected.stdout.splitlines(), strict=True):
        for word, other in zip(words, line.split("\t"), strict=True):
            if word != other:
                assert float(word) == pytest.approx(float(other), abs=2e-6, rel=2e-6)


@pytest.mark.parametrize(
    "rows",
    [
        "a,b,c\n1,2,3\n",
        "c;b;answer;a\n3;2;;1\n",
        "\ufeffextra\tc\tb\ta\r\nx\t3\t2\t1\r\n",
        "1,2,3\n",
        '\n "1",2,3\n\n',
        "1,2,3,whatever\n",
    ],
)
def test_it_reads_tables_as_predict_does(rows, write):
    """With a header in any order and with other columns, or by position; quoted and separated."""
    _, path = write("numbers")
    rows = rows.replace(' "1"', '"1"')
    expected = module_of(path)["predict"]([1, 2, 3])
    found = filtered(path, rows)
    assert (found.stdout.decode(), found.stderr) == (f"{expected}\n", b"")


def test_true_and_false_may_be_in_any_case(run_mlp):
    """As a category they are what the training called so, and 1 and 0 in a column of numbers."""
    rows = "".join(f"{('true', 'false')[i % 2]},{i % 3},{'ab'[i % 2]}\n" for i in range(12))
    Path("t.csv").write_text("on,x,y\n" + rows)
    Path("t.yaml").write_text("{data: {train: t.csv}, hidden: [2], eta: 1, bt_size: 2, epochs: 1}")
    for words in (["train", "t.yaml", "-q"], ["export", "t.npy", "-o", "t.py"]):
        run = run_mlp(*words)
        assert run.returncode == 0, run.stderr
    predict_proba = module_of(Path("t.py"))["predict_proba"]
    assert predict_proba([True, "False"]) == predict_proba(["TRUE", False])
    assert predict_proba([True, "False"]) == predict_proba({"on": "true", "x": 0})
    assert predict_proba(["True", 1]) != predict_proba([False, "true"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,b,c\n1,2,3\n1,x,3\n", "row 2: column b: 'x' is not a finite number"),
        ("a,b,c\n1,,3\n", "row 1: column b: the value is missing"),
        ("a,b,c\n1,1e999,3\n", "row 1: column b: '1e999' is not a finite number"),
        ("a,b\n1,2\n", "column c is missing"),
        ("1,2\n", "2 values, not 3"),
        ("a,b,c\n1,2\n", "row 1: 2 values, and 3 in the first line"),
        ("a,b,c\n1,2,1e300\n", "row 1: a value is too large for the network's arithmetic"),
    ],
)
def test_what_it_refuses_is_said_in_one_line(rows, message, write):
    """Naming row and column, with exit code 1, after the rows before."""
    _, path = write("numbers")
    found = filtered(path, rows)
    assert found.returncode == 1
    assert found.stderr.decode() == f"{path}: error: {message}\n"
    assert len(found.stdout.splitlines()) == rows[: rows.find("x")].count("1,2,3")


def test_nothing_is_answered_to_nothing(write):
    """An empty table has no answer, and a word that is no option is not ignored."""
    _, path = write("numbers")
    for rows in ("", "\n"):
        found = filtered(path, rows)
        assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")
    assert b"usage" in filtered(path, "", "--prob").stderr


def test_rows_are_lists_mappings_or_images(write):
    """Cells are numbers or their texts, in order or by name."""
    _, path = write("filled")
    module = module_of(path)
    proba, columns = module["predict_proba"], module["columns"]()
    assert columns == ["age", "colour", "income", "member"]
    assert module["classes"]() == ["maybe", "no", "yes"]
    expected = proba([40, "red", None, 1])
    assert proba(["40", "red", " na ", "1.0"]) == expected
    assert proba({"member": 1, "income": float("nan"), "colour": "red", "age": 40}) == expected
    with pytest.raises(ValueError, match="column member is missing"):
        proba({"age": 40, "colour": "red", "income": None})
    with pytest.raises(ValueError, match="3 values, not 4"):
        proba([40, "red", 1])


def test_images_may_have_rows(tmp_path):
    """Pixels are taken row by row, whatever they lie in."""
    model = exported.array_model(tmp_path, 12, (2, 2, 3))
    names = {"__name__": "m"}
    exec(python.render(steps_of(model), "about"), names)
    image = [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]
    assert names["predict_proba"](image) == names["predict_proba"](range(1, 13))


def test_quantities_are_no_probabilities(write):
    """Of a regression predict alone is defined."""
    _, path = write("quantities")
    module = module_of(path)
    row = [40, "red", 40, 1]
    assert len(module["predict"](row)) == 2
    with pytest.raises(ValueError, match="use predict"):
        module["predict_proba"](row)
