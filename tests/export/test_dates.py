"""Dates in every form of export: the calendar, texts, what is missing and what is no date."""

import ast
import csv
import subprocess
import sys
from datetime import date, datetime, time
from pathlib import Path

import exported
import numpy as np
import pytest

from mlpcli.data.readers.table import Table
from mlpcli.export import c, formats, onnx_model, python, run_c
from mlpcli.export.examples import answers
from mlpcli.export.of_model import steps_of

# A linear network of what is not scaled: nothing hides a feature that is wrong.
LINEAR = {"hidden": [], "task": "regression", "dtype": "float64"}
DAYS = (
    *("0001-01-01", "0004-02-29", "1600-02-29", "1700-02-28", "1700-03-01", "1899-12-31"),
    *("1900-02-28", "1900-03-01", "1969-12-31", "1970-01-01", "1999-12-31", "2000-02-29"),
    *("2000-12-31", "2023-12-31", "2024-02-28", "2024-02-29", "2024-03-01", "2100-02-28"),
    *("2100-03-01", "9999-12-31"),
)
TIMES = ("00:00:00", "00:00:00.5", "12:00:00", "17:45:59", "23:59:59.75")
FORMS = ("31.12.2023", "3/4/2024", "5-Mar-2019", "20240229T103000Z", "1969-07", "31DEC23:10:30")


def model_of(folder, cells, **data):
    """Return a model of a table with the cells of one column of dates, and another of numbers."""
    with (folder / "t.csv").open("w", newline="") as stream:
        rows = [["when", "x", "y"], *([cell, i, i % 5] for i, cell in enumerate(cells))]
        csv.writer(stream).writerows(rows)
    data = {"train": str(folder / "t.csv"), "dates": ["when"], "target": "y", **data}
    return exported.randomised({**LINEAR, "data": data}, folder, 0)


def module_of(model):
    """Return what a model's exported module defines."""
    names = {"__name__": "m"}
    exec(python.render(steps_of(model), "about"), names)
    return names


def runs(model, cc, ort, folder):
    """Return what runs a model in C, ONNX and Python."""
    steps = steps_of(model)
    session = ort.InferenceSession(onnx_model.render(steps, {}))
    return (
        run_c.runner(steps, c.render(steps, "model", "about", header=True), cc, folder),
        lambda table: session.run(["predicted"], onnx_model.feeds(steps, table))[0],
        formats._run_python(steps, python.render(steps, "about")),
    )


@pytest.mark.parametrize("scale", ["none", "standardize", "robust"])
def test_the_calendar_is_exact(scale, cc, ort, tmp_path):
    """Leap days and ends of years, before and after 1970, with times and without."""
    texts = [f"{day}T{at}" for day in DAYS for at in TIMES]
    model = model_of(tmp_path, texts, scale=scale)
    assert steps_of(model).columns[0].parts == ("year", "month", "weekday", "time")
    quarters = np.random.default_rng(2).integers(-62_135_596_800 * 4, 253_402_300_800 * 4, 2000)
    random = quarters / 4
    given = np.array(texts, "datetime64[ms]").astype(np.int64) / 1000
    seconds = np.concatenate([given, random, np.floor(random / 86_400) * 86_400])
    table = Table("dates", np.column_stack([seconds, np.ones(len(seconds))]))
    for run in runs(model, cc, ort, tmp_path):
        np.testing.assert_allclose(run(table), answers(model, table), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("cells", "parts"),
    [
        (DAYS, ("year", "month", "weekday")),
        (TIMES, ("time",)),
        # The sine of noon, as computers have it, is not quite 0, and nothing to be scaled.
        (("2024-05-01T00:00", "2024-05-01T12:00"), ("time",)),
        (("2024-01-01", "2023-07-01"), ("year", "month")),
        (("2024-05-31",) * 3, ("year",)),
    ],
)
def test_only_what_varies_is_a_feature(cells, parts, cc, ort, tmp_path):
    """Of days and times alone, and of dates that are nearly or wholly the same."""
    model = model_of(tmp_path, cells * 2)
    steps = steps_of(model)
    assert steps.columns[0].parts == parts
    table = Table("dates", np.array([[1.6e9 + 7_919_333.25 * i, i] for i in range(50)]))
    for run in runs(model, cc, ort, tmp_path):
        np.testing.assert_allclose(run(table), answers(model, table), rtol=1e-7)


def test_missing_dates_are_filled_or_refused(cc, ort, tmp_path):
    """By the means of their features; C says which column it is, and others NaN."""
    cells = [*DAYS, *(f"2024-05-{i:02}" for i in range(1, 30))]
    table = Table("gaps", np.array([[np.nan, 1.0], [86_400.0, 2.0]]))
    filled = model_of(tmp_path, [*cells, "", "NA", " ? "], missing="mean")
    for run in runs(filled, cc, ort, tmp_path):
        np.testing.assert_allclose(run(table), answers(filled, table), rtol=1e-9)
    predict = module_of(filled)["predict"]
    assert predict([None, 1]) == predict(["", 1]) == predict([" na ", 1]) == predict([np.nan, 1])
    strict = model_of(tmp_path, cells)
    in_c, in_onnx, _ = runs(strict, cc, ort, tmp_path)
    for run in (in_c, in_onnx):
        assert np.isnan(run(table)).ravel().tolist() == [True, False]
    with pytest.raises(ValueError, match="column when: the date is missing"):
        module_of(strict)["predict"](["NA", 1])


def test_seconds_beyond_the_calendar_are_refused(cc, ort, tmp_path):
    """Milliseconds and nanoseconds are, and what is no number."""
    in_c, in_onnx, in_python = runs(
        model_of(tmp_path, [*DAYS, ""], missing="mean"), cc, ort, tmp_path
    )
    odd = [1.7e12, 1.7e18, -1e11, np.inf, -np.inf, 1e308, 1.7e9]
    table = Table("odd", np.array([[value, 1.0] for value in odd]))
    for run in (in_c, in_onnx):
        with np.errstate(invalid="ignore"):
            assert np.isnan(run(table)).ravel().tolist() == [True] * 6 + [False]
    # Parquet has such years, which no text has.
    later = Table("later", np.array([[4e11, 1.0], [1.7e9, 1.0]]))
    assert np.isnan(in_python(later)).ravel().tolist() == [True, False]


def test_texts_are_read_as_predict_reads_them(run_mlp, tmp_path):
    """In every form that the configuration reads, at once and by the filter."""
    model = model_of(tmp_path, ["31.12.2023", "1.2.1960 12:30", "", "3/4/2024"], missing="mean")
    weights = exported.save_model(tmp_path / "W.npy", model)
    lines = [f"{text},{i}" for i, text in enumerate((*FORMS, "", "n/a"))]
    Path("rows.csv").write_text("\n".join(["when,x", *lines]) + "\n")
    expected = run_mlp("predict", "--weights", weights, "rows.csv")
    assert expected.returncode == 0, expected.stderr
    Path("m.py").write_text(python.render(steps_of(model), "about"), encoding="utf-8")
    command = [sys.executable, "-I", "-S", "m.py"]
    with Path("rows.csv").open("rb") as rows:
        found = subprocess.run(command, stdin=rows, capture_output=True, check=True).stdout
    numbers = [float(line) for line in expected.stdout.split()]
    np.testing.assert_allclose([float(line) for line in found.split()], numbers, rtol=2e-6)
    assert len({*numbers}) == len(numbers)


def test_what_a_module_is_put_together_from_does_not_collide(tmp_path):
    """No name is defined twice, and nothing is imported but what Python has."""
    tree = ast.parse(python.render(steps_of(model_of(tmp_path, [*DAYS])), "about"))
    functions = [node.name for node in tree.body if hasattr(node, "name")]
    targets = [target for node in tree.body for target in getattr(node, "targets", ())]
    names = [node.id for target in targets for node in ast.walk(target) if hasattr(node, "id")]
    defined = functions + names
    assert len(set(defined)) == len(defined)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {getattr(node, "module", node.names[0].name).split(".")[0] for node in imports}
    assert modules <= sys.stdlib_module_names


def test_dates_of_python_are_dates(tmp_path):
    """As `datetime` has them, they are what their texts are."""
    predict = module_of(model_of(tmp_path, ["2024-05-31 12:30", "1969-12-01 09:15"] * 2))["predict"]
    assert predict([datetime(2023, 2, 28, 17, 5), 1]) == predict(["28.2.2023 17:05", 1])
    assert predict([date(2023, 2, 28), 1]) == predict(["2023-02-28", 1])
    assert predict([time(17, 5), 1]) == predict(["5:05 pm", 1])


@pytest.mark.parametrize(
    ("cells", "text", "problem"),
    [
        (["2024-05-31", "2023-01-02"], "soon", "'soon' is no date"),
        (["2024-05-31", "2023-01-02"], "2023-02-29", "'2023-02-29' is no date"),
        (["2024-05-31", "2023-01-02"], "24:00", "'24:00' is no date"),
        (
            ["2024-05-31", "2023-01-02"],
            "3/4/2024",
            "'3/4/2024' may have its day or its month first",
        ),
        (["31/5/2024", "2/1/2023"], "5/31/2024", "'5/31/2024' is no date"),
        (["31/5/2024", "2/1/2023"], 1.5, "'1.5' is no date"),
    ],
)
def test_what_is_no_date_is_refused_by_column(cells, text, problem, tmp_path):
    """In the order in which training had them, which a date alone may tell."""
    predict = module_of(model_of(tmp_path, cells * 2))["predict"]
    with pytest.raises(ValueError, match=f"^column when: {problem}$"):
        predict({"when": text, "x": 1})


def test_both_forms_say_what_a_date_is(tmp_path):
    """The comment of C, and the description of an input of ONNX."""
    onnx = pytest.importorskip("onnx")
    steps = steps_of(model_of(tmp_path, [*DAYS]))
    text = c.render(steps, "m", "about", header=False).text
    assert "    double when; /* a date */" in text
    assert "seconds since 1970-01-01" in text
    when, x = onnx.load_from_string(onnx_model.render(steps, {})).graph.input
    assert "seconds since 1970-01-01" in when.doc_string
    assert (when.type.tensor_type.elem_type, x.doc_string) == (onnx.TensorProto.DOUBLE, "")


def test_a_table_is_exported_from_the_first_command_on(cc, run_mlp):
    """What mlp init writes for a table with dates is exported in every form, and checked."""
    del cc
    pytest.importorskip("onnx")
    rows = [
        f"{1 + i % 28}.{1 + i % 12}.2023 {i % 24}:30,{i % 7},{'ab'[i % 12 > 5]}\n"
        for i in range(400)
    ]
    Path("t.csv").write_text("when,x,y\n" + "".join(rows))
    for command in (["init", "t.csv"], ["train", "t.yaml", "--set", "epochs=2", "--quiet"]):
        assert run_mlp(*command).returncode == 0
    for suffix in ("py", "c", "h", "onnx"):
        run = run_mlp("export", "t.npy", "-o", f"t.{suffix}", "--check", "t.csv")
        assert run.returncode == 0, run.stderr
        assert "--check: 400 rows differ from mlp predict by at most" in run.stdout
        assert float(run.stdout.rsplit(" ", 1)[1]) < 2e-6
