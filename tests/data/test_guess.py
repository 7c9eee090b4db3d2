"""`mlp init` on tables as people have them: what it chooses is said, and trains."""

import re
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpcli.config.load import load_experiment
from mlpcli.data import dates
from mlpcli.data.guess.header import names_columns
from mlpcli.data.guess.record import Wishes
from mlpcli.data.readers.csv_sniff import looks_like_names
from mlpcli.data.suggest import suggest
from mlpcli.errors import DataError


def rows(n, cells):
    """Return n lines of a table, their cells made by a function of the row."""
    return "".join(",".join(map(str, cells(i))) + "\n" for i in range(n))


def guessed(text, *args, run_mlp=None):
    """Write a table, let `mlp init` look at it, train on that; return data and findings."""
    Path("t.csv").write_text(text, encoding="utf-8")
    Path("t.yaml").unlink(missing_ok=True)
    run = run_mlp("init", "t.csv", *args)
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    trained = run_mlp("train", "t.yaml", "-q", "--set", "epochs=1", "--overwrite")
    assert trained.returncode == 0, trained.stderr
    comments = Path("t.yaml").read_text(encoding="utf-8")
    for finding in run.stdout.splitlines()[:-1]:
        assert f"# {finding}" in comments
    return load_experiment(Path("t.yaml")).data.files, run.stdout


@pytest.fixture
def guess(run_mlp):
    """Return `guessed`, which runs `mlp` in this process."""
    return lambda text, *args: guessed(text, *args, run_mlp=run_mlp)


def test_numbers_and_texts_in_one_column(guess):
    """Few texts are categories, a word among numbers is missing, a mess is ignored: as is said."""
    messy = [f"t{i}" if i % 2 else i for i in range(90)]
    files, said = guess(
        "drive,age,note,y\n"
        + rows(90, lambda i: ("4fr"[i % 3], "-" if i % 9 == 0 else i % 31, messy[i], "ab"[i % 2]))
    )
    assert (files.categorical, files.ignore) == (("drive",), ("note",))
    assert files.missing_values.given == ("-",)
    assert "column drive has numbers, and texts such as 'f' in 30 rows, 'r' in 30 rows: 3" in said
    assert "column age has numbers, and '-' in 10 rows, which count as missing; or list it" in said
    assert "ignored: column note has numbers, and texts such as 't1' in 1 row, " in said


def test_none_is_one_of_the_classes_where_it_is_common(guess):
    """There is none of something: of a class or category; among numbers it is missing."""
    cells = lambda i: ("None" if i % 4 == 0 else i % 7, ("None", "grvl", "NA")[i % 3])  # noqa: E731
    disorder = lambda i: ("apnea", "None")[i % 2]  # noqa: E731
    files, said = guess("n,alley,disorder\n" + rows(120, lambda i: (*cells(i), disorder(i))))
    assert said.startswith("120 examples, 3 features, 2 classes: None, apnea\n")
    assert "text like the others in alley, disorder; without missing_values it is missing" in said
    assert (files.missing_target, files.categorical) == (None, ())
    ended = lambda i: (f"2024-01-{1 + i % 28:02}", "none")[i % 3 == 0]  # noqa: E731
    files, _ = guess("end,alley,y\n" + rows(90, lambda i: (ended(i), cells(i)[1], "ab"[i % 2])))
    assert (files.dates, files.missing_values.only) == (("end",), False)
    table = "x,n,y\n" + rows(90, lambda i: ("None" if i == 7 else "pq"[i % 2], i % 7, "ab"[i % 2]))
    assert not guess(table)[0].missing_values.only


@pytest.mark.parametrize("zero", ["0000-00-00", "00.00.0000"])
def test_a_date_of_zeros_is_missing(guess, zero):
    """Databases write one where there is none."""
    cells = lambda i: (zero if i % 5 == 0 else f"2024-01-{1 + i % 28:02}", i % 7, "ab"[i % 2])  # noqa: E731
    files, said = guess("day,n,y\n" + rows(90, cells))
    assert (files.dates, files.missing_values.given) == (("day",), (zero,))
    assert f"column day has dates, and '{zero}', which counts as missing" in said


@pytest.mark.parametrize(("where", "code"), [("below", 0), ("amid", 1)])
def test_notes_below_a_table(run_mlp, where, code):
    """However many they are, they are left out; amid a small table as many are an error."""
    table, notes = rows(40, lambda i: (i % 7, i % 3, "ab"[i % 2])), "\nSource: us\n* estimated\n"
    text = table + notes if where == "below" else rows(20, lambda i: (i, 2, "a")) + notes + table
    Path("t.csv").write_text(f"x,n,y\n{text}", encoding="utf-8")
    run = run_mlp("init", "t.csv")
    assert run.returncode == code, run.stderr
    if code == 0:
        assert run.stdout.startswith("40 examples")
        assert load_experiment(Path("t.yaml")).data.files.bad_lines == "skip"


@pytest.mark.parametrize(("word", "number"), [("..", 7), ("unknown", 99)])
def test_most_numbers_of_a_column_may_be_missing(guess, word, number):
    """A mark in most rows is no category, nor a word amid ever different numbers."""
    table = "a,gdp,y\n"
    table += rows(120, lambda i: (i % 7, i % number + 0.5 if i % 3 == 0 else word, "ab"[i % 2]))
    files, said = guess(table)
    assert (files.categorical, files.ignore) == ((), ())
    assert f"column gdp has numbers, and '{word}' in 80 rows, which count as missing" in said


def test_a_number_that_stands_for_a_missing_one(guess):
    """-999, far below the others, counts as missing, of the target, too; a value does not."""
    cells = lambda i: (-999 if i % 9 == 0 else i % 31, i % 7, -999 if i % 20 == 0 else i / 2)  # noqa: E731
    files, said = guess("a,b,price\n" + rows(90, cells))
    assert (files.missing_values.given, files.missing_target) == ((-999,), "drop")
    assert "-999 is far below all others, and counts as missing: column a in 10 rows, " in said
    others = [
        lambda i: (-999 if i == 5 else i % 31, i % 7),  # once
        lambda i: (-999 if i % 9 == 0 else i % 31, -999 + 30 * (i % 50)),  # elsewhere a value
        lambda i: (-99 if i % 9 == 0 else i % 131 - 60, i % 7),  # not far below
        lambda i: (-998 if i % 9 == 0 else i % 31, i % 7),  # no nines
    ]
    for cells in others:
        files, _ = guess("a,b,y\n" + rows(90, lambda i, of=cells: (*of(i), "uv"[i % 2])))
        assert files.missing_values.given == ()


def test_a_word_that_is_a_class_is_not_missing(guess):
    """What would take examples their class makes categories."""
    cells = lambda i: ("no" if i % 9 == 0 else i % 7, "no" if i % 2 else "yes")  # noqa: E731
    files, _ = guess("a,y\n" + rows(60, cells))
    assert (files.categorical, files.missing_values.given) == (("a",), ())


def test_target_with_gaps(guess):
    """Rows without a target are left out, features keep the mean; a word may be such a gap."""
    files, said = guess(
        "a,b,price\n"
        + rows(90, lambda i: (i % 7, "" if i % 2 else i, "ask" if i % 9 == 0 else i * 1.5))
    )
    assert (files.missing, files.missing_target, files.target) == ("mean", "drop", "price")
    assert "rows without column price are left out: 10" in said
    files, said = guess("a,y\n" + rows(40, lambda i: (i % 7, "" if i % 9 == 0 else "uv"[i % 2])))
    assert (files.missing, files.missing_target) == ("error", "drop")


def test_a_mark_amid_classes(guess):
    """A point, as SAS and Stata write it, is a missing target; marks alone are classes."""
    table = "a,b,union\n" + rows(60, lambda i: (i % 7, i % 5, ("yes", "no", ".")[i % 3]))
    files, said = guess(table)
    assert (files.missing_values.given, files.missing_target) == ((".",), "drop")
    assert "column union has '.', which counts as missing; --task classification makes" in said
    assert guess(table, "--task", "classification")[0].missing_values.given == ()
    signs = "a,b,sign\n" + rows(60, lambda i: (i % 7, i % 5, ("+", "-", "0")[i % 3]))
    assert guess(signs)[0].missing_values.given == ()


def test_the_last_column_may_teach_nothing(guess):
    """Empty columns at the end, as spreadsheets leave them, and notes are no targets."""
    files, said = guess(
        "a,kind,note,,\n" + rows(40, lambda i: (i % 7, "uv"[i % 2], f"n{i}", "", ""))
    )
    assert files.target == "kind"
    assert "target: kind (the last that can be learned; --target names another)" in said
    assert set(files.ignore) == {"note", 3, "unnamed.1"}


@pytest.mark.parametrize(
    ("name", "cells", "ignored"),
    [
        *((name, lambda i: 3 * i + 7, True) for name in (
            "rownames", "Unnamed: 0", "Kundennr", "Kunden-Nr.", "id", "PassengerId", "index",
            "Record No", "Auftragsnummer", "#", "row.names", "Lfd. Nr.", "key")),
        *((name, lambda i: 3 * i + 7, False) for name in (
            "grid", "humid", "income", "piano", "monkey", "paid")),
        ("v1", lambda i: i + 1, True),
        ("v1", lambda i: 5000 - i, True),
        ("v1", lambda i: i + 0.5, False),
        ("v1", lambda i: 3 * i, False),
        ("year", lambda i: 1950 + i, False),
        ("id", lambda i: i // 2, False),
        ("code", lambda i: f"K-{i:03}", True),
        ("code", lambda i: f"K-{i // 9}", False),
    ],
)  # fmt: skip
def test_what_numbers_the_rows(name, cells, ignored):
    """By the name if all is different; without it, a first column that counts is one."""
    Path("t.csv").write_text(
        f"{name},x,y\n" + rows(60, lambda i: (cells(i), i % 7, "ab"[i % 2])), encoding="utf-8"
    )
    text = suggest(Path("t.csv"), Wishes(), Path()).text
    assert ("ignore:" in text) == ignored
    assert ("different in every row" in text) == ignored


@pytest.mark.parametrize(
    "form",
    ["€ {}.5 Lakh", "€{}M", "{0}h {0}m", "{}:16:05", "{},61% a.m.", "{}/67", '="00{}"', "5'{}"],
)
def test_numbers_in_a_form_that_is_not_read_are_never_ignored_without_a_word(guess, form):
    """It is said that they are numbers, with one of them, whether ignored or made categories."""
    written = lambda i: form.format(30 + i % 60).replace('"', '""')  # noqa: E731
    files, said = guess("x,n,y\n" + rows(90, lambda i: (f'"{written(i)}"', i % 7, "ab"[i % 2])))
    assert files.ignore == ("x",)
    assert f"ignored: x (numbers such as {form.format(30)!r} in a form that is not read; " in said
    often = rows(180, lambda i: (f'"{written(i)}"', i % 7, "ab"[i % 2]))
    assert f"one-hot (numbers such as {form.format(30)!r} in a f" in guess(f"x,n,y\n{often}")[1]


@pytest.mark.parametrize("form", ["P{:03}", "{} {:c}{:c}", "{:08x}"])
def test_names_are_no_numbers(guess, form):
    """Codes that begin with a letter, or are of many shapes, are names of the examples."""
    cell = lambda i: form.format(i**5 + 10, 65 + i % 25, 97 + i % 7)  # noqa: E731
    table = "x,n,y\n" + rows(90, lambda i: (cell(i), i % 7, "ab"[i % 2]))
    assert "numbers such as" not in guess(table)[1]


def test_why_no_column_is_left(run_mlp):
    """What was ignored, and why, is in the error."""
    table = "share,y\n" + rows(40, lambda i: (f"{i}.5%" if i % 2 else i / 50, "ab"[i % 2]))
    Path("t.csv").write_text(table, encoding="utf-8")
    run = run_mlp("init", "t.csv")
    assert run.returncode == 1
    assert "no column to learn from (read as text: column share: '0.04' is in no" in run.stderr
    assert "ignored: share (numbers such as '1.5%' in a form that is not read" in run.stderr


def test_different_in_every_row_is_said_where_it_is_true(guess):
    """Otherwise it is said how many are, by the count that training has, without gaps."""
    files, said = guess(
        "a,ticket,y\n" + rows(60, lambda i: (i % 7, f"t{max(i, 9)}" if i % 5 else "", "ab"[i % 2]))
    )
    assert files.ignore == ("ticket",)
    assert "ignored: ticket (41 different texts in 48 rows)" in said


@pytest.mark.parametrize(("most", "ignored"), [(4 * 60 * 12 - 1, ("zip",)), (4 * 60 * 12, ())])
def test_categories_that_would_take_too_much_memory(guess, monkeypatch, most, ignored):
    """They are left out and it is said what they take, unless they are asked for."""
    monkeypatch.setattr("mlpcli.data.guess.table.MOST_BYTES", most)
    table = "zip,x,y\n" + rows(60, lambda i: (f"z{i % 12}", i % 7, "ab"[i % 2]))
    files, said = guess(table)
    assert files.ignore == ignored
    assert ("ignored: zip (12 categories, features of 0.0 GB in all" in said) == bool(ignored)
    assert guess(table, "--categorical", "zip")[0].ignore == ()


def test_numbers_of_the_rows_are_better_than_nothing(guess):
    """A table of one feature keeps it."""
    assert guess("id,price\n" + rows(60, lambda i: (i, i * 0.7)))[0].ignore == ()


def test_ages_are_asked_about(guess):
    """A number of many values is said to be one, how it was taken, and how to change that."""
    few = "age,x\n" + rows(360, lambda i: (i % 30, i % 7))
    _, said = guess(few, "--target", "age")
    why = "the target is a number with 30 different values in 360 examples; --task "
    assert f"task: regression ({why}classification makes them classes)" in said
    _, said = guess(few, "--target", "age", "--task", "classification")
    assert "task: classification (as --task says)" in said
    _, said = guess("age,x\n" + rows(1500, lambda i: (i % 30, i % 7)), "--target", "age")
    why = "the target is a number with 30 different values in 1500 examples; --task "
    assert f"task: classification ({why}regression makes them quantities)" in said
    _, said = guess("age,x\n" + rows(300, lambda i: (i % 10, i % 7)), "--target", "age")
    assert "task:" not in said


def test_a_few_numbers_that_all_differ_are_quantities(guess):
    """Measurements of some five rows are no classes, with a point in them or none."""
    for numbers in ((0.086, 0.269, 0.446, 0.538, 0.626, 0.782), (3, 9, 12, 17, 25, 40)):
        _, said = guess("x,y\n" + rows(6, lambda i, y=numbers: (i % 5, y[i])))
        assert "task: regression" in said


def test_a_table_of_words_without_a_header(guess):
    """Words that come back are examples; a line of words with two equal ones says what to write."""
    text = rows(60, lambda i: ("xy"[i % 2], "xyz"[i % 3], ("yes", "no")[i % 2]))
    files, said = guess(text)
    assert files.header is False
    assert "header: none, the first line is an example (--header says otherwise)" in said
    assert said.startswith("60 examples")
    files, said = guess(text, "--header")
    assert (files.header, files.target) == (True, "yes")
    assert said.startswith("59 examples")
    assert "which are numbered where two have one name" in said
    files, said = guess(
        "x,x,y\n" + rows(60, lambda i: (i % 7, i % 3, "ab"[i % 2])), "--ignore", "x.1"
    )
    assert (files.header, files.ignore) == (True, ("x.1",))
    assert "which are numbered where two have one name" in said


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["a,b", "1,2", "3,4"], True),
        (["1,2", "3,4", "5,6"], False),
        (["2019,name", "1,u", "2,v"], False),
        (["2019,2020,name,y", "1,2,u,3", "2,3,v,4"], True),
        (["geo,2019,2020", "u,1,2", "v,3,4", "w,5,"], True),
        (["geo,2019,2020,kind", "u,1.5,2,a", "v,3,4,b"], True),
        (["u,2019,2020", "u,1,2", "v,3,4"], False),
        (["u,2019,2020", "v,2018,2021", "w,2012,2014"], False),
        (["u,2019,2019", "v,1,2", "w,3,4"], False),
        (["u,v", "u,v", "w,v"], False),
        (["kind,size", "u,big", "u,big", "u,big", "u,small", "u,big", "u,big"], True),
        (["n/a,b", "1,u", "2,v"], True),
        (["?,1", "u,1", "v,2"], False),
        (["only,header"], True),
    ],
)
def test_header_by_content(lines, named):
    """A word above numbers is a name; a word that comes back below is an example."""
    cells = [line.split(",") for line in lines]
    assert names_columns(cells, looks_like_names(tuple(cells[0]), ("label",))) == named


@pytest.mark.parametrize("more", [[], ["{Q0},{Q1},{Q2},{Q3}"]])
def test_questions_below_the_names(guess, more):
    """Lines that tell more of the columns, as surveys export them, are no examples or classes."""
    table = "\n".join(
        ["id,agree,age,again", '"An id, of yours",Is it good?,Your age?,Again?', *more]
    )
    cells = lambda i: (f"r{i}", ("yes", "no", "may be")[i % 3], 20 + i % 50, "YN"[i % 2])  # noqa: E731
    files, said = guess(f"{table}\n{rows(80, cells)}")
    assert said.startswith("80 examples, 4 features, 2 classes: N, Y\n")
    assert (files.ignore, files.missing_target) == (("id",), "drop")
    count = "2 lines below the names are" if more else "the line below the names is"
    assert f"{count} no example" in said


@pytest.mark.parametrize("first", ["u,2,odd,Y", "u,odd,N,new", "new,2,N,new", "new,odd,,Y"])
def test_an_odd_first_example_is_one(guess, first):
    """A line below the names is an example if a cell is a number, or comes back below."""
    cells = lambda i: ("uvw"[i % 3], i % 7, "MN"[i % 2], "XY"[i % 2])  # noqa: E731
    assert "below the names" not in guess(f"a,b,c,y\n{first}\n{rows(80, cells)}")[1]


def test_options_are_columns_by_name_or_position(guess):
    """`--ignore` and `--categorical` take lists, and what is asked for is not decided again."""
    text = "a,b,c,d,y\n" + rows(60, lambda i: (i % 5, i % 3, i % 4, i % 7, "uv"[i % 2]))
    files, said = guess(text, "--ignore", "a,1", "--categorical", "c", "--categorical", "3")
    assert (files.ignore, files.categorical) == (("a", 1), ("c", 3))
    assert "60 examples, 11 features" in said


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--ignore", "z"], "t.csv:1: there is no column 'z'"),
        (["--ignore", "y", "--target", "y"], "t.csv:1: column y is to be ignored, but it is a"),
        (["--ignore", "x"], "t.csv:1: has no column but the target"),
        (["--no-header"], "t.csv: has no column to learn from"),
    ],
)
def test_only_what_cannot_be_trained_is_refused(run_mlp, args, message):
    """A wish that makes no sense, or a table without anything to learn, is one line."""
    Path("t.csv").write_text("x,y\n" + rows(30, lambda i: (f"n{i}", i % 2)), encoding="utf-8")
    run = run_mlp("init", "t.csv", *args)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"mlp: error: {message}")


def test_arrays_have_no_columns_to_name(run_mlp):
    """Options about tables are refused for an array."""
    np.save("x.npy", np.arange(20).reshape(10, 2) % 3)
    run = run_mlp("init", "x.npy", "--ignore", "0")
    assert run.returncode == 2
    assert "leave out --ignore" in run.stderr


def test_labels_that_are_nan(run_mlp):
    """NaN among the labels of an array is a missing target: left out by init, else an error."""
    labels = np.where(np.arange(40) % 9 == 0, np.nan, np.arange(40) % 2)
    np.savez("d.npz", x=np.random.default_rng(0).normal(size=(40, 3)), y=labels)
    assert "rows without a target are left out: 5" in run_mlp("init", "d.npz").stdout
    assert load_experiment(Path("d.yaml")).data.files.missing_target == "drop"
    run = run_mlp("train", "d.yaml", "-q", "--set", "epochs=1")
    assert run.returncode == 0, run.stderr
    run = run_mlp("train", "d.yaml", "-q", "--set", "data.missing_target=error", "-o", "e.npy")
    assert "row 0: the target is missing; fill it in" in run.stderr


def test_archives_with_test_arrays(run_mlp):
    """They are the test, and that is said."""
    rng = np.random.default_rng(0)
    arrays = {f"x_{part}": rng.normal(size=(n, 3)) for part, n in (("train", 60), ("test", 20))}
    labels = {f"y_{part}": np.arange(n) % 2 for part, n in (("train", 60), ("test", 20))}
    np.savez("d.npz", **arrays, **labels)
    assert "test: the test arrays of the archive" in run_mlp("init", "d.npz").stdout
    run = run_mlp("train", "d.yaml", "-q", "--set", "epochs=1")
    assert "of 20)" in run.stdout


def test_validation_folders(run_mlp):
    """`val` beside `train` chooses the weights, and that is said."""
    image = pytest.importorskip("PIL.Image")
    for part in ("train", "val"):
        for i in range(20):
            path = Path("d", part, "ab"[i % 2], f"{i}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            image.fromarray(np.full((4, 4), 200 * (i % 2) + i, np.uint8)).save(path)
    said = run_mlp("init", "d").stdout
    assert "validation: the folder val, which chooses the weights" in said
    experiment = load_experiment(Path("d.yaml"))
    assert (experiment.data.files[:2], experiment.validation) == (("d/train", 0.2), "d/val")
    run = run_mlp("train", "d.yaml", "-q", "--set", "epochs=2")
    assert run.returncode == 0, run.stderr


CELLS = st.one_of(
    st.integers(-5, 40).map(str),
    st.sampled_from(["", "NA", "?", "-", "a", "b", "yes", "inf", "1e300", "nan", " x ", "12,5",
                     "2024-02-30", "é", "#", "a: b", "'", "0x10", "-0", "1.0"]),
)  # fmt: skip
NAMES = st.sampled_from(
    ["a", "b", "x", "y", "id", "", "class", "2019", "größe", "a b", "null", "~", "a#", "- x", "0"]
)


@st.composite
def tables(draw):
    """Draw the lines of a small table, each column from its own few cells."""
    width, n = draw(st.integers(1, 5)), draw(st.integers(1, 24))
    pools = [draw(st.lists(CELLS, min_size=1, max_size=30)) for _ in range(width)]
    orders = [draw(st.sampled_from([1, 3, 7])) for _ in range(width)]
    lines = [
        [pool[i * order % len(pool)] for pool, order in zip(pools, orders, strict=True)]
        for i in range(n)
    ]
    header = [[draw(NAMES) for _ in range(width)]] if draw(st.booleans()) else []
    return header + lines


@contextmanager
def folder_with(lines):
    """Make a folder with a table, to be in for a while."""
    from contextlib import chdir

    with TemporaryDirectory() as folder, chdir(folder):
        text = "\n".join(";".join(line) for line in lines) + "\n"
        Path("t.csv").write_text(text, encoding="utf-8")
        yield


@settings(max_examples=60)
@given(lines=tables())
def test_what_init_accepts_trains(run_mlp, lines):
    """Whatever a table is like, a configuration that init writes trains, or init says why none."""
    with folder_with(lines):
        run = run_mlp("init", "t.csv")
        if run.returncode:
            assert (run.returncode, run.stdout) == (1, "")
            assert run.stderr.count("\n") == 1
            assert "internal" not in run.stderr
            return
        trained = run_mlp("train", "t.yaml", "-q", "--set", "epochs=1")
        assert trained.returncode == 0, trained.stderr + Path("t.yaml").read_text()
        # Of noise there is nothing to learn.
        warnings = [line for line in trained.stderr.splitlines() if "is no better than" not in line]
        assert warnings == []


def test_a_line_of_units_below_the_header(guess):
    """It is left out where the target has one, too; what else it lacks is no error."""
    table = "kg,cm,sex,price\n(kg),(cm),,(EUR)\n"
    table += rows(40, lambda i: (60 + i % 9, 170 + i % 7, "mf"[i % 2], i + 0.5))
    files, findings = guess(table)
    assert files.ignore == ()
    assert set(files.missing_values.given) == {"(kg)", "(cm)", "(EUR)"}
    assert "rows without column price are left out: 1" in findings


@pytest.mark.parametrize("target", ["north", ""])
def test_a_sum_below_dates(guess, target):
    """Its word counts as a missing date, and its empty cells cost no column its numbers."""
    table = "day,units,price,region\n"
    table += rows(60, lambda i: (f"2024-01-{1 + i % 28:02d}", i % 9, i + 0.5, "nesw"[i % 4]))
    files, said = guess(f"{table}Total,99,,{target}\n".replace("n\n", "north\n"))
    assert (files.dates, files.ignore) == (("day",), ())
    assert files.missing_values.given == ("Total",)
    assert "column day has dates, and 'Total', which counts as missing" in said


def test_dates_are_read_once_to_look_at_them(monkeypatch):
    """Reading a date takes a while: init does it once to find out what it is, and once to train."""
    read, calls = dates.read_date, []
    monkeypatch.setattr(dates, "read_date", lambda text: calls.append(text) or read(text))
    table = rows(90, lambda i: (f"2024-{1 + i // 28:02}-{1 + i % 28:02}", i % 7, "ab"[i % 2]))
    Path("t.csv").write_text("day,n,y\n" + table, encoding="utf-8")
    suggest(Path("t.csv"), Wishes(), Path())
    assert len(calls) == 2 * 90


def test_dates_that_contradict_one_another_beside_others(guess):
    """A column of them is none of dates; one that tells no order is, and it is said which."""
    cells = lambda i: (f"{1 + i % 9}/{1 + i % 8}/2024", ("30/1/2024", "1/30/2024")[i % 2], i % 7)  # noqa: E731
    files, said = guess("a,b,n,y\n" + rows(90, lambda i: (*cells(i), "uv"[i % 3 == 0])))
    assert (files.dates, files.day_first) == (("a",), False)
    assert "the month is taken to be first" in said
    assert "column b: '1/30/2024' is no date with the day first, as others have it" in said


@pytest.mark.parametrize(
    ("prices", "between", "thousands", "said"),
    [
        (
            ("15.711 EUR", "500 EUR", "1.250.000 EUR"),
            ",",
            ".",
            "numbers: '1.210.000 EUR' is 1210000",
        ),
        (("15.711 EUR", "500 EUR"), ",", ".", 'is 11711; if it is 11.711, write decimal: "." inst'),
        (
            ("15.711 km", "23.500 km"),
            ";",
            ".",
            'is 11711; if it is 11.711, write decimal: "." inst',
        ),
        (("15.711 km", "23.500 km"), ",", None, "is 11.711; if it is 11711, write decimal"),
        (("1.599 EUR", "1.6 EUR"), ";", None, "is 1.199\n"),
        (("0.599 EUR", "1.605 EUR"), ";", None, "is 0.199\n"),
    ],
)
def test_points_before_three_digits(guess, prices, between, thousands, said):
    """Always before three digits, beside whole numbers or semicolons, they are of thousands."""
    cells = [price.replace("5", str(i % 9 + 1)) for i in range(30) for price in prices]
    table = "".join(f"{cell}{between}{'ab'[i % 7 > 3]}\n" for i, cell in enumerate(cells))
    files, findings = guess(f"price{between}kind\n{table}")
    assert files.thousands == thousands
    assert said in findings


@pytest.mark.parametrize(
    ("odd", "plain", "between", "keys", "said"),
    [
        ('"4,{:03}.50"', "{}.25", ",", (".", ","), "'4,000.50' is 4000.5\n"),
        ('"4,{:03}"', "{}", ",", (".", ","), "'4,000' is 4000; if it is 4, write decimal"),
        ("{},5", "{}", ";", (",", None), "'100,5' is 100.5\n"),
        ("\u2212{}", "{}", ",", (".", None), "'\u2212100' is -100\n"),
        ("{}+", "{}", ",", (".", None), "'100+' is 100\n"),
        ("$1{:02}", "{}", ",", (".", None), "'$1100' is 1100\n"),
        ("4.{:03}", "{}", ";", (",", "."), "'4.000' is 4000; if it is 4, write decimal"),
        ("4.{:03}", "{}", ",", (",", "."), "'4.000' is 4000; if it is 4, write decimal"),
        ("4.{:03}", "{}.5", ",", (None, None), ""),
        ("{}%", "{}", ",", (None, None), "which count as missing"),
    ],
)
def test_few_numbers_are_written_otherwise(guess, odd, plain, between, keys, said):
    """A column of plain numbers tells by a few of them how all are written."""
    cells = [(odd if i % 20 == 0 else plain).format(i) for i in range(200)]
    table = "".join(f"{cell}{between}{'ab'[i % 7 > 3]}\n" for i, cell in enumerate(cells))
    files, findings = guess(f"price{between}kind\n{table}")
    assert (files.decimal, files.thousands, files.ignore) == (*keys, ())
    assert said in findings


@pytest.mark.parametrize("word", ["Total", "Summe:"])
def test_a_sum_below_the_table_is_pointed_out(guess, word):
    """A last row that says that it is one is named; a category of that name is not."""
    table = "city,a,b\n" + rows(40, lambda i: ("york" if i % 2 else "rome", i % 7, i + 0.5))
    assert f"the last row (column city: '{word}') looks like" in guess(f"{table}{word},,780\n")[1]
    assert "the last row" not in guess(f"{table}{word},1,2\n{word},1,2\n")[1]


def test_y_beside_x_is_a_place(guess):
    """Of coordinates none is the target, unless y is what comes last."""
    points = rows(40, lambda i: (i % 9, i % 7 + 0.5, "ab"[i % 2]))
    assert guess("x,y,kind\n" + points)[0].target == "kind"
    assert guess("y,size,kind\n" + points)[0].target == "y"
    assert guess("x,kind,y\n" + rows(40, lambda i: (i % 9, "ab"[i % 2], i + 0.5)))[0].target == "y"


def test_none_is_set_aside_where_that_is_none(guess):
    """With few examples of each class, or few groups, all are learned from, and that is said."""
    many = "a,b,kind\n" + rows(900, lambda i: (i % 11, i % 13, f"c{i % 300}"))
    assert "too few examples of each class to set 0.1 of them aside" in guess(many)[1]
    sites = "site,a,b,c\n" + rows(900, lambda i: ("xyz"[i % 3], i % 11, i % 7, i % 5 > 2))
    files, findings = guess(sites, "--group", "site")
    assert files.group == "site"
    assert "too few examples of different groups to set 0.1 of them aside" in findings


def test_several_labels_in_one_cell_are_no_class_without_a_word(run_mlp, guess):
    """Classes and categories that are others put together are said to be such, in training, too."""
    tags = ("red", "big", "red|big", "odd", "big|odd", "red|odd")
    table = "langs,x,tags\n" + rows(
        90, lambda i: (('"R, C"', "R", "C", '"C, D"', "D", '"R, D"')[i % 6], i % 7, tags[i % 6])
    )
    said = guess(table, "--task", "classification")[1]
    assert "classes such as 'big|odd' look like several labels in one cell" in said
    assert "6 categories, one-hot ('C, D' may be several, but is one)" in said
    trained = run_mlp("train", "t.yaml", "--set", "epochs=1", "--overwrite")
    assert "look like several labels in one cell" in trained.stderr
    blood = "x,type\n" + rows(90, lambda i: (i % 7, f"{('A', 'B', 'O')[i % 3]}{'+-'[i % 2]}"))
    assert "several" not in guess(blood)[1]
    grades = "x,grade\n" + rows(90, lambda i: (i % 7, ("A", "A+", "B", "B+", "C", "C+")[i % 6]))
    assert "several" not in guess(grades)[1]
    plain = "x,place\n" + rows(90, lambda i: (i % 7, f"{'abc'[i % 3]}/{i % 5}"))
    assert "several" not in guess(plain)[1]


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (np.eye(3), "classification"),
        (np.eye(3) == 1, "classification"),
        (np.eye(3) == 0, "multilabel"),
        (1 - np.eye(3), "multilabel"),
        (2 * np.eye(3), "regression"),
    ],
)
def test_one_hot_arrays_are_classes(labels, task):
    """Several targets of an array are classes where they are one-hot, else labels or numbers."""
    numbers = np.random.default_rng(0).normal(size=(60, 4))
    np.savez("d.npz", x=numbers, y=labels[np.arange(60) % 3])
    text = suggest(Path("d.npz"), Wishes(), Path()).text
    found = re.search(r"(?m)^# task: (\w+) \(", text)
    assert found[1] == task


def test_archives_with_validation_arrays(run_mlp):
    """Of an archive as MedMNIST has it, the arrays of validation choose the weights."""
    pixels = np.random.default_rng(0).integers(256, size=(60, 8, 8)).astype(np.uint8)
    labels = np.arange(60)[:, np.newaxis] % 3
    parts = {"train": slice(0, 30), "val": slice(30, 45), "test": slice(45, 60)}
    arrays = {f"{part}_images": pixels[rows] for part, rows in parts.items()}
    np.savez("d.npz", **arrays, **{f"{part}_labels": labels[rows] for part, rows in parts.items()})
    said = run_mlp("init", "d.npz").stdout
    assert "validation: the validation arrays of the archive, which choose the weights" in said
    trained = run_mlp("train", "d.yaml", "--set", "epochs=2", "-q").stdout
    assert "of 30)" in trained
    assert "of 15)" in trained


def test_folders_in_one_folder():
    """Of a folder in a folder, the inner one is taken; one class alone is an error."""
    image = pytest.importorskip("PIL.Image")
    for k in range(24):
        path = Path("d", "inner", f"class{k % 2}", f"{k}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        image.new("L", (4, 4), 100 * (k % 2) + k).save(path)
    text = suggest(Path("d"), Wishes(), Path()).text
    assert 'train: "d/inner"' in text
    assert "# train: the folder d/inner, which has the others" in text
    Path("e").mkdir()
    Path("d/inner/class0").rename("e/class0")
    with pytest.raises(DataError, match=r"^e: has one folder alone, class0; make one folder of im"):
        suggest(Path("e"), Wishes(), Path())


@pytest.mark.parametrize("names", [("train", "test", "val"), ("Training", "Testing", "Valid")])
def test_folders_of_parts(names):
    """Folders whose names say what is trained on, and what judges, are taken for that."""
    image = pytest.importorskip("PIL.Image")
    for part in names:
        for k, level in enumerate((0, 99, 200)):
            for i in range(12):
                path = Path("d", part, f"class{k}", f"{i}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                image.new("L", (4, 4), level + i).save(path)
    text = suggest(Path("d"), Wishes(), Path()).text
    assert all(f"the folder {part}" in text for part in names)


@pytest.mark.parametrize(
    ("targets", "task"),
    [
        # Sizes, prices, counts, changes and years.
        ([54 + i * 7 % 15 for i in range(24)], "regression"),
        ([0.75, 0.79, 0.89, 0.95] * 50, "regression"),
        ([0] * 900 + [1] * 60 + [*range(2, 30)] * 2, "regression"),
        ([4 * (i % 16) - 40 for i in range(200)], "regression"),
        ([2000 + i % 11 for i in range(550)], "regression"),
        ([100, 200, 400] * 3, "regression"),
        # Codes: of three kinds, of six glasses, of digits, of letters, of states of a server.
        ([0, 1, 2] * 4, "classification"),
        ([1, 2, 3, 5, 6, 7] * 9, "classification"),
        ([*range(10)] * 3, "classification"),
        ([*range(1, 27)] * 60, "classification"),
        ([200, 404, 500] * 40, "classification"),
        ([-1, 0, 1] * 20, "classification"),
        ([0.5, 1] * 20, "classification"),
    ],
)
def test_numbers_are_quantities_unless_they_are_codes(targets, task, guess):
    """Few different numbers are classes where they are counted, or are whole and many of each."""
    lines = rows(len(targets), lambda i: (i * i % 91, i % 7, targets[i]))
    _, said = guess("a,b,y\n" + lines)
    regression = "makes them classes" in said
    assert ("regression" if regression else "classification") == task, said


@pytest.mark.parametrize(("numbers", "thousands"), [((0.134, 0.5), None), ((1.134, 7), ".")])
def test_a_point_that_is_one_elsewhere_is_none_between_thousands(guess, numbers, thousands):
    """Three digits after it say little, but 0.134 is no number with groups of three digits."""
    lines = rows(
        200, lambda i: (numbers[i % 2], (f"{i + 1}.{i:03}", i)[i % 3 > 1], "ab"[i % 5 > 2])
    )
    files, said = guess("x,w,y\n" + lines)
    assert files.thousands == thousands
    assert "ignored" not in said


def test_plain_numbers_may_be_categories(guess):
    """Codes that are all numbers, and many, are no numbers in a form that is not read."""
    files, said = guess(
        "zip,y\n" + rows(600, lambda i: (10_000 + 37 * (i % 150), i % 2)), "--categorical", "zip"
    )
    assert files.categorical == ("zip",)
    assert "form that is not read" not in said
