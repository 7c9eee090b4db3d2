"""What stands above a table, and between its cells: left out, read, or named in an error."""

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.data.readers.csv_dialect import CsvOptions
from mlpcli.data.readers.csv_sniff import looks_like_names, sniff
from mlpcli.data.readers.csv_start import find_start
from mlpcli.data.readers.lines import decode_lines, join_quoted
from mlpcli.errors import DataError

HEAD = ["size", "colour", "weight", "kind"]
ROWS = [[f"{i % 7}.5", ["red", "blue"][i % 2], str(i % 5), "ab"[i % 3 == 0]] for i in range(24)]


def looks_like_a_header(row):
    """Return whether a row has no number."""
    return looks_like_names(tuple(row), ())


def table(delimiter, header=True):
    """Return the lines of a table."""
    rows = [HEAD, *ROWS] if header else ROWS
    return "".join(delimiter.join(row) + "\n" for row in rows)


def aligned():
    """Return a table whose columns are aligned with spaces, as programs print them."""
    return "".join(" ".join(cell.rjust(8) for cell in row) + " \n" for row in [HEAD, *ROWS])


# What stands above, the table, and what `init` says.
WRITTEN = {
    "excel": ("sep=;\n", table(";"), "left out: the line above the table ('sep=;')"),
    "excel, quoted": ('"sep=,"\r\n', table(","), "left out: the line above"),
    "excel, tab": ("sep=\t\n", table("\t"), "left out: the line above"),
    "a byte order mark": ("\ufeffsep=;\n", table(";"), "left out: the line above"),
    "comments": ("# by me, on Monday\n# m, kg\n", table(","), "left out: the 2 lines above"),
    "comments as wide": ("# a,b,c\n", table(","), "left out: the line above"),
    "a title": ("Sales report 2023\n\n", table(";"), "('Sales report 2023')"),
    "a title with commas": ("Sales, net, in 2023\n", table(";"), "('Sales, net, in 2023')"),
    "titles": ("Sales report 2023\nAll numbers net\n", table("\t"), "left out: the 2 lines"),
    "padded titles": ("Sales 2023,,,\n,,,\n", table(","), "left out: the 2 lines above"),
    "names and values": ("Account;123\nFrom;2020\n\n", table(";"), "left out: the 2 lines above"),
    "both": ("sep=;\nSales\n# net\n", table(";"), "left out: the 3 lines above"),
    "bars": ("", table("|"), "between cells: | (delimiter"),
    "a space": ("", table(" "), "between cells: spaces (delimiter"),
    "spaces": ("", aligned(), "between cells: spaces (delimiter"),
    "comments and spaces": ("# aligned\n", aligned(), "between cells: spaces (delimiter"),
}


@pytest.fixture
def plain(run_mlp):
    """Train on the table written plainly; return what predicts of a file, or of standard input."""
    Path("plain.csv").write_text(table(","))
    keys = "hidden: [4]\neta: 0.1\nbt_size: 8\nepochs: 1\n"
    Path("plain.yaml").write_text(f"data: {{train: plain.csv, test: 0.25}}\n{keys}")
    assert run_mlp("train", "plain.yaml", "-q").returncode == 0
    words = ("--weights", "plain.npy")

    def shown(*args, **options):
        run = run_mlp(*args[:1], *words, *args[1:], **options)
        assert run.returncode == 0, run.stderr
        return run.stdout.replace("odd.csv", "plain.csv")

    return shown


@pytest.mark.parametrize(("above", "text", "said"), WRITTEN.values(), ids=WRITTEN)
def test_read_as_if_written_plainly(run_mlp, plain, above, text, said):
    """`init` says what it left out; then all commands read what they read of the plain table."""
    Path("odd.csv").write_bytes((above + text).encode())
    found = run_mlp("init", "odd.csv", "--target", "kind")
    assert (found.returncode, found.stderr) == (0, "")
    assert said in found.stdout
    trained = Path("plain.yaml").read_text().replace("plain.csv", "odd.csv")
    Path("c.yaml").write_text(trained)
    assert run_mlp("train", "c.yaml", "-q").returncode == 0
    assert np.load("c.npy")["W2"].tobytes() == np.load("plain.npy")["W2"].tobytes()
    expected = plain("predict", "--proba", "plain.csv")
    assert plain("predict", "--proba", "odd.csv") == expected
    assert plain("evaluate", "--data", "odd.csv") == plain("evaluate", "--data", "plain.csv")
    assert plain("predict", "--proba", "-", input=above + text) == expected


@pytest.mark.parametrize("above", ["sep=;\n", "# net\n", "Sales report 2023\n"])
def test_a_stream_is_answered_line_by_line(plain, above):
    """Of a pipe no more is waited for than the line that begins the table."""
    from mlpcli.checkpoint import store
    from mlpcli.data.known_columns import select_known
    from mlpcli.prediction.inputs import read_stream

    plain("predict", "plain.csv")
    model = store.load("plain.npy")
    text = above + table(";")
    stream = io.BytesIO(text.encode())
    files, select = model.experiment.data.files, select_known(model.encoding, labelled=False)
    first = next(read_stream(stream, model.encoding, 1, files, select))
    assert len(first.values) == 1
    read = stream.tell()
    assert text[:read].count("\n") == 3
    # As many words as columns, without anything but spaces between, are a row at once.
    stream = io.BytesIO(table(" ", header=False).encode())
    next(read_stream(stream, model.encoding, 1, files, select))
    assert stream.tell() == len(" ".join(ROWS[0])) + 1


ABOVE_TWO = {
    "a date": ("Exported;2024-01-05|Device;X1|", "1;20.5|2;21|3;22|"),
    "a number, second": ("Device;X1|Serial;17|", "1;20,5|2;21,5|"),
    "one, above dates": ("Exported;2024-01-05|", "2024-01-05;20.5|2024-01-06;n/a|"),
    "a title, a comment and times": ("Log|Serial;17|# K|", "10:30;20|10:31;21|"),
    "nothing": ("", "1;20.5|2;21|"),
}


@pytest.mark.parametrize(("above", "rows"), ABOVE_TWO.values(), ids=ABOVE_TWO)
def test_names_and_values_above_two_columns(above, rows):
    """They are left out where words stand above first cells that are all numbers or dates."""
    lines = [f"{line}\n" for line in f"{above}time;temperature|{rows}".split("|")[:-1]]
    assert find_start(lines, None, looks_like_a_header) == (above.count("|"), ";")


@pytest.mark.parametrize(
    "text",
    [
        "time;temperature|s;K|1;20.5|2;21",
        "time;temperature|s;K|x;7|1;20.5|2;21",
        "Device;X1|time;temperature|1;20.5|2;21",
        "name;2019|ann;5|bob;6",
        "id;2019|x;5|1;6|2;7",
        "id;2019|NA;NA|1;6|2;7",
        "id;2019|1;6|x;y|2;7",
        "id;2019|a;b;c|x;y|1;6|2;7",
        "id;2019|1;6",
    ],
)
def test_a_header_above_two_columns_stays(text):
    """A line of units, or of anything else that cannot be told for certain, is no header."""
    assert find_start([f"{line}\n" for line in text.split("|")], None, looks_like_a_header)[0] == 0


NOT_READ = {
    "another separator": ("sep=^\n" + table("^"), ":1: says that '^' is between cells; write the "),
    "a comment amid": (
        table(",") + "# total\n",
        ":26: has 1 values, and begins as a comment does; remove it: comments are left out above a",
    ),
    "shorter by one": (
        "red;blue;green\n" + table(";"),
        ":2: has 4 values; the first line has 3: remove it if it stands above the table",
    ),
}


@pytest.mark.parametrize(("text", "message"), NOT_READ.values(), ids=NOT_READ)
def test_what_is_not_read_is_named(run_mlp, text, message):
    """One line says which line is odd, and what to do about it."""
    Path("t.csv").write_text(text)
    Path("c.yaml").write_text(
        "data: {train: t.csv}\nhidden: [4]\neta: 0.1\nbt_size: 8\nepochs: 1\n"
    )
    run = run_mlp("train", "c.yaml")
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert f"mlp: error: t.csv{message}" in run.stderr


STARTS = {
    "a header with #": (["#id,colour,kind", "x1,red,yes", "x2,blue,no"], 0),
    "a comment as wide, of units": (["# units: m, kg", "far name mass", "1 x 3", "2 y 4"], 1),
    "two columns, with #": (["#x,y", "1,2"], 0),
    "one column": (["x", "1", "2"], 0),
    "one column of sentences": (["text", "a red apple", "two blue pears"], 0),
    "one column, a comment": (["# net", "x", "1"], 1),
    "empty columns at the end": (["a,b,,", "1,2,,", "3,4,,"], 0),
    "a first row of gaps": (["5,,,", "1,2,3,4", "1,2,3,4"], 0),
    "a row alone": (["1,2,3"], 0),
    "a comment alone": (["# net"], 0),
    "sep alone": (["sep=;"], 0),
    "names with spaces": (["first name;last name", "Al;Lee", "Bo;Kim"], 0),
    "an index": ([",a,b", "0,1,2", "1,3,4"], 0),
    "of R, with words": (["height,colour", "Al,high,red", "Bo,low,blue"], 0),
    "of R, with numbers": (["height,colour", "Al,1,red", "Bo,2,blue"], 0),
    "of R, with a gap": (["height,colour", "Al,NA,red", "Bo,2,blue", "Cy,3,blue"], 0),
    "names and values": (["Report,sales", "From,2020", "a,b,kind", "1,2,x", "3,4,y"], 2),
    "names and values of words": (["Report,sales", "By,me", "a,b,kind", "x,y,z", "z,x,y"], 0),
}


@pytest.mark.parametrize(("lines", "expected"), STARTS.values(), ids=STARTS)
def test_no_line_of_a_table_is_left_out(lines, expected):
    """What may be a header or a row stays one; what cannot be is left out."""
    header = lambda row: not any(cell.strip(".").isdigit() for cell in row)  # noqa: E731
    assert find_start(lines, None, header)[0] == expected


CELLS = st.text(st.sampled_from("ab1.,;|#\" \t'="), max_size=5)


@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=6),
    st.sampled_from(",;|\t "),
)
def test_any_lines_have_a_start(rows, delimiter):
    """Whatever stands in a file, it has a first line, all above are before it, and no more."""
    text = "\n".join(delimiter.join(row) for row in rows)
    with suppress(DataError):
        lines = list(join_quoted(decode_lines(io.BytesIO(text.encode()), "t.csv"), "t.csv"))
        dialect, left = sniff(iter(lines), "t.csv", CsvOptions(header=False))
        numbers = [line.number for line in (*dialect.above, *left)]
        assert numbers == [line.number for line in lines]
        assert dialect.first == lines[len(dialect.above)].number


@pytest.mark.parametrize("delimiter", [" ", "\t", ",", ";"])
@pytest.mark.usefixtures("plain")
def test_names_of_rows_as_r_writes_them(run_mlp, delimiter):
    """Where the header is one name short, the first column has none; quoted or not."""
    quoted = [
        '"size" "colour" "weight" "kind"',
        *(f'"{i + 1}" ' + " ".join(row) for i, row in enumerate(ROWS)),
    ]
    Path("r.txt").write_text("\n".join(quoted).replace(" ", delimiter) + "\n")
    said = run_mlp("init", "r.txt", "-o", "r.yaml")
    assert (said.returncode, said.stderr) == (0, "")
    assert "names the columns, but for the first, which has no name (" in said.stdout
    assert "ignored: column 0 (from 0) (different in every row" in said.stdout
    same = ("--set", "hidden=[4]", "--set", "structure=none", "--set", "epochs=1", "-q")
    assert run_mlp("train", "r.yaml", *same).returncode == 0
    expected = run_mlp("predict", "--weights", "plain.npy", "--keep", "size", "plain.csv").stdout
    assert (
        run_mlp("predict", "--weights", "plain.npy", "--keep", "size", "r.txt").stdout == expected
    )


@pytest.mark.usefixtures("plain")
def test_delimiters_at_the_ends_of_rows_alone(run_mlp):
    """It is the last column that has no name then."""
    Path("d.csv").write_text(table(",").replace("\n", ",\n").replace(",\n", "\n", 1))
    expected = run_mlp("predict", "--weights", "plain.npy", "plain.csv").stdout
    assert run_mlp("predict", "--weights", "plain.npy", "d.csv").stdout == expected


def test_numbers_without_quotes_are_no_names_of_rows(run_mlp):
    """Of decimal commas amid commas each row has one cell more, and no column may move for it."""
    Path("s.csv").write_text("x,y\n" + "".join(f"{i + 2},5,{i % 2}\n" for i in range(20)))
    said = run_mlp("init", "s.csv")
    assert said.returncode == 1
    assert "s.csv:2: has 3 values" in said.stderr
    Path("s.csv").write_text("city,y\n" + "".join(f"town{i},5,{i % 2}\n" for i in range(20)))
    assert "s.csv:2: has 3 values" in run_mlp("init", "s.csv").stderr
    Path("s.csv").write_text("x,y\n" + "".join(f"{i + 1},{i}.5,{'ab'[i % 2]}\n" for i in range(20)))
    assert "1 features" in run_mlp("init", "s.csv").stdout.replace(" 1 feature,", " 1 features,")


def test_a_short_first_line_of_numbers_is_an_error(run_mlp):
    """It is an example that lacks a value, and no header."""
    Path("s.csv").write_text("1,2\n1,2,3\n4,5,6\n")
    said = run_mlp("init", "s.csv")
    assert said.returncode == 1
    assert "s.csv:2: has 3 values" in said.stderr
