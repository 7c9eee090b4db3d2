"""Tables of cells: whatever way they are written, the same numbers and texts come out."""

import csv
import gzip
import io
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpcli.config.data_files import Files
from mlpcli.data.columns import select_for_training
from mlpcli.data.readers import blocks
from mlpcli.data.readers import csv as csv_reader
from mlpcli.data.readers import table as tables
from mlpcli.data.readers.csv import read_csv
from mlpcli.data.readers.csv_bytes import bytes_of
from mlpcli.data.readers.csv_dialect import CsvOptions
from mlpcli.errors import DataError

FINITE = st.floats(allow_nan=False, allow_infinity=False)
# What is white to its ends, or to a reader that looks for it, and every kind of quoting matter.
TEXT = st.text(
    st.sampled_from("aé€ \"',;\t\n\r|#\\0.\x0b\x1c\u2028"), min_size=1, max_size=6
).filter(str.strip)
QUOTINGS = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])


def read(path, files=None, **options):
    """Read a table as a training file."""
    return read_csv(path, select_for_training(files or Files()), CsvOptions(**options))


def labels_of(table):
    """Return the class of every row."""
    return [table.labels.names[code] for code in table.labels.codes]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return the path of the file that is written again and again."""
    return tmp_path_factory.mktemp("csv") / "file.csv"


@settings(max_examples=300)
@given(data=st.data(), quoting=QUOTINGS, delimiter=st.sampled_from(",;\t"),
       end=st.sampled_from(["\n", "\r\n", "\r"]), width=st.integers(1, 4), bom=st.booleans(),
       pack=st.sampled_from([bytes, gzip.compress]), chunk=st.sampled_from([1, 40, 1 << 20]),
       whole=st.booleans(), compiled=st.booleans())  # fmt: skip
def test_round_trip(path, data, quoting, delimiter, end, width, bom, pack, chunk, whole, compiled):
    """Numbers and classes written by Python's csv come back exactly, however they are quoted."""
    cell = st.integers(0, 300) if whole else FINITE
    # Python's csv leaves ends of lines other than its own unquoted where it may.
    text = TEXT.filter(lambda t: not {"\r", "\n"} & {*t}) if quoting == csv.QUOTE_MINIMAL else TEXT
    rows = data.draw(st.lists(st.tuples(*[cell] * width, text), min_size=1, max_size=6))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([[f"x{i}" for i in range(width)] + ["class"], *rows])
    path.write_bytes(pack((b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", chunk)
        patch.setattr(csv_reader, "HUGE", 0 if compiled else sys.maxsize)
        patch.setattr(csv_reader, "LARGE", 0 if compiled else sys.maxsize)
        table = read(path)
    expected = np.array([row[:-1] for row in rows], np.float64)
    np.testing.assert_array_equal(table.values, expected)
    assert labels_of(table) == [row[-1] for row in rows]
    assert table.names == (*(f"x{i}" for i in range(width)), "class")


@given(
    rows=st.lists(st.lists(st.integers(0, 260), min_size=3, max_size=3), min_size=1, max_size=5),
)
def test_bytes_are_parsed_as_elsewhere(rows):
    """The parser of many cells at a time gives what `int` gives, or declines."""
    parsed = bytes_of("".join("{},{},{}\n".format(*row) for row in rows).encode(), ",", 3)
    if max(map(max, rows)) > 255:
        assert parsed is None
    else:
        np.testing.assert_array_equal(parsed, rows)


@pytest.mark.parametrize(
    "spoilt",
    [
        *("1,,2", ",1,2", "1,2,", "1,00,2", "1,007,2", "1,01,2", "1,-1,2", "1,1.0,2", "1, 1,2"),
        *("1,1000,2", "1,256,2", "1,999,2", "1,x,2", '1,"1",2', "1;1,2", "1,2", "1,2,3,4"),
        *("1,2\n1,2,3,4", "1,2,3,4\n1,2", "1,2\n4", "1,2,3\n", "1,2,3,4,5,6"),
    ],
)
def test_only_bytes_are_parsed_so(spoilt):
    """One line with anything but whole numbers from 0 to 255, in their shortest form, declines."""
    lines = b"0,20,255\n10,100,9\n"
    assert bytes_of(lines, ",", 3) is not None
    spoilt = f"{spoilt}\n".encode()
    assert bytes_of(lines + spoilt, ",", 3) is None
    assert bytes_of(spoilt + lines, ",", 3) is None


def test_small_numbers_stay_small(path):
    """Bytes take a byte each, float32 four, and only what needs it eight; a late one converts."""
    for cells, dtype in ((["7"], "u1"), (["7", "0.5"], "f4"), (["7", "0.1"], "f8"), (["-1"], "f4")):
        path.write_text("".join(f"{cell},a\n" for cell in cells))
        table = read(path)
        assert table.values.dtype == dtype
        np.testing.assert_array_equal(table.values[:, 0], np.array(cells, float))


@pytest.mark.parametrize(
    ("text", "names", "n"),
    [
        ("a,b\n1,x\n", ("a", "b"), 1),
        ("1,x\n2,y\n", None, 2),
        ("colour,kind\nred,x\n", ("colour", "kind"), 1),
        (" a , b\n1,x\n", ("a", "b"), 1),
        ('"a, with comma";b\n1;x\n', ("a, with comma", "b"), 1),
        ("\n\na\tb\n1\tx\n\n", ("a", "b"), 1),
    ],
)
def test_header_and_delimiter_are_seen(path, text, names, n):
    """A first line without a number has names; the delimiter is what the line has most of."""
    path.write_text(text)
    table = read(path)
    assert (table.names, len(table.values)) == (names, n)


def test_header_can_be_declared(path):
    """`header` decides where names are numbers or cells are all text."""
    path.write_text("2019,2020\n1,2\n")
    assert read(path, header=True).names == ("2019", "2020")
    path.write_text("red,x\nblue,y\n")
    assert len(read(path, header=False).values) == 2


def test_target_and_ignored_columns(path):
    """Columns are found by name or by position, from the front or the end; others are features."""
    path.write_text("id,kind,a,b\nC1,x,1,2\nC2,y,3,4\n")
    by_name = read(path, Files(target="kind", ignore=("id",)))
    by_position = read(path, Files(target=1, ignore=(-4,)))
    for table in (by_name, by_position):
        assert labels_of(table) == ["x", "y"]
        np.testing.assert_array_equal(table.values, [[1, 2], [3, 4]])


def test_text_columns_are_detected(path):
    """A column of nothing but text is one of categories; declared, so is a column of numbers."""
    path.write_text("colour,zip,y\nred,10,a\n,20,b\nred,10,b\n")
    table = read(path, Files(categorical=("zip",)), gaps=True)
    assert table.texts == {0: ("red",), 1: ("10", "20")}
    np.testing.assert_array_equal(table.values, [[0, 0], [np.nan, 1], [0, 0]])


@pytest.mark.parametrize("cell", ["", " ", "NA", "n/a", "NaN", "null", "None", "?"])
def test_gaps(path, cell):
    """What stands for a missing number is one where that is allowed, and refused where not."""
    path.write_text(f"a,b,y\n1,2,x\n3,{cell},y\n")
    np.testing.assert_array_equal(read(path, gaps=True).values, [[1, 2], [3, np.nan]])
    with pytest.raises(DataError, match=r"column b: .* is not a finite number; fill it in, or"):
        read(path)


@pytest.mark.parametrize("first", ["", " "])
@pytest.mark.parametrize("chunk", [1, 30, 1 << 20])
def test_late_text(path, monkeypatch, first, chunk):
    """A column without a value among the first lines is text if its first value is one."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", chunk)
    lines = [f"{first},{first},{first},{'xy'[i % 2]}\n" for i in range(40)]
    path.write_text("".join([*lines, "red,7,,x\n", ",8,late,y\n", "blue,9,red,y\n"]))
    table = read(path, gaps=True, header=False)
    assert table.texts == {0: ("red", "blue"), 2: ("late", "red")}
    assert np.isnan(table.values[:40]).all()
    np.testing.assert_array_equal(table.values[40:], [[0, 7, np.nan], [np.nan, 8, 0], [1, 9, 1]])
    assert table.lines.tolist() == list(range(1, 44))


@pytest.mark.parametrize("chunk", [1, 30, 1 << 20])
@pytest.mark.parametrize("gap", [0, 40])
def test_text_after_a_number(path, monkeypatch, chunk, gap):
    """A text in a column of numbers is an error that says where both are."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", chunk)
    path.write_text("a,y\n" + ",x\n" * gap + "5,x\n" + "6,y\n" * 40 + "red,x\n")
    with pytest.raises(DataError) as caught:
        read(path, gaps=True)
    assert str(caught.value) == (
        f"{path}:{gap + 43}: column a: 'red' is not a finite number; correct it, or list the "
        f"column under categorical: line {gap + 2} has a number"
    )


BAD = {
    "ragged": ("a,b,y\n1,2,x\n1,x\n", "{}:3: has 2 values; the first line has 3"),
    "longer": ("a,b,y\n1,2,x\n\n1,2,x,4\n", "{}:4: has 4 values; the first line has 3"),
    "text": ("a,b,y\n1,2,x\n1,two,y\n", "{}:3: column b: 'two' is not a finite number; correct it"),
    "text, no header": ("1,2,x\n1,2!,y\n", "{}:2: column 2: '2!' is not a finite number"),
    "numbers as names": ("a,2024\n1,x\n", "{}:1: column 1: 'a' is not a finite number; correct it, "
                         "or write header: true if this line names the columns"),
    "column without a name": ("a,,y\n1,2,x\n1,z,x\n", "{}:3: column 2: 'z' is not a finite number"),
    "late text": ("a,y\n" + "1,x\n" * 40 + "z,x\n", "{}:42: column a: 'z' is not a finite"),
    "nan": ("a,y\n1,x\nnan,x\n", "{}:3: column a: 'nan' is not a finite number"),
    "inf": ("a,y\n-inf,x\n", "{}:2: column a: '-inf' is not a finite number"),
    "1e400": ("a,y\n1,x\n1e400,x\n", "{}:3: column a: '1e400' is not a finite number"),
    "foreign digits": ("a,y\n1,x\n١,x\n", "{}:3: column a: '١' is not a finite number"),
    "no-break space": ("a,y\n1,x\n\xa01,x\n", r"{}:3: column a: '\xa01' is not a finite number"),
    "hexadecimal": ("a,y\n1,x\n0x10,x\n", "{}:3: column a: '0x10' is not a finite number"),
    "empty cell": ("a,y\n1,x\n,x\n", "{}:3: column a: '' is not a finite number; fill it in"),
    "empty": ("", "{}: is empty"),
    "blank": ("\n \r\n", "{}: is empty"),
    "header only": ("a,b,y\n", "{}: has a header and no rows"),
    "duplicate header": ("a,b,a\n1,2,x\n", "{}:1: two columns are called 'a'; give each a name "
                         "of its own, or write header: false if this line is an example"),
    "one column": ("a\n1\n", "{}:1: has no column but the target"),
    "open quote": ('a,y\n1,x\n2,"y\n3,x\n', "{}:3: a quote is not closed"),
    "stray quotes": ('a,y\n1,x"\n2"3,x\n4,x\n', "{}:2: has a quote in a cell without q"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_tables(path, text, message):
    """What is wrong is named with its file, line and column."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value).startswith(message.replace("{}", str(path)))


@pytest.mark.parametrize("text", ["a,y\n1,é\n", "a,y\n1,x\n2,é\n"])
def test_not_utf8(path, text):
    """Another encoding is named with the first line that shows it."""
    path.write_text(text, encoding="latin1")
    with pytest.raises(DataError, match=rf":{text.count(chr(10))}: is not UTF-8"):
        read(path)


@given(
    lines=st.lists(
        st.tuples(st.sampled_from(["1,x", '2,"a\rb"', '3,"a\n\rb"', "4,y", "", '5,"\r\n\rc"']),
                  st.sampled_from(["\n", "\r\n", "\r"])),
        min_size=1, max_size=12),
    longest=st.integers(16, 60),
    final=st.booleans(),
)  # fmt: skip
def test_lone_carriage_returns_end_lines(path, lines, longest, final):
    """The three ends of lines may be mixed; within quotes they stay; lines are counted alike."""
    text = "9,z\n" + "".join(line + end for line, end in lines)
    path.write_bytes(text.encode() if final else text.rstrip("\r\n").encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlpcli.data.readers.lines.LONGEST_LINE", longest)
        table = read(path)
    kept = [line for line, _ in lines if line]
    assert table.values[:, 0].tolist() == [9, *(int(line[0]) for line in kept)]
    assert labels_of(table) == ["z", *(line[2:].strip('"') for line in kept)]
    before = "9,z\n"
    for number, (line, end) in zip(
        table.lines[1:], [pair for pair in lines if pair[0]], strict=True
    ):
        before = text[: text.index(line, len(before))]
        assert number == len(io.StringIO(before, newline=None).read().split("\n"))
        before += line + end


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_errors_count_lines_of_any_end(path, end):
    """An error names the line as an editor counts it, whatever ends lines."""
    for lines, wrong in ((["a,y", "1,x", "", "two,x"], 4), (['a,"y', 'z"', "1,x", "1,x,2"], 4)):
        path.write_bytes((end.join(lines) + end).encode())
        with pytest.raises(DataError, match=rf":{wrong}: "):
            read(path)
    path.write_bytes(end.join(["a,y", "1,x", "2,\xe9", ""]).encode("latin1"))
    with pytest.raises(DataError, match=":3: is not UTF-8"):
        read(path)


@pytest.mark.parametrize("name", ["target", "ignore", "categorical"])
def test_missing_column(path, name):
    """A column that is not there is refused with those that are."""
    path.write_text("a,y\n1,x\n")
    for column in ("b", 2, -3):
        value = column if name == "target" else (column,)
        with pytest.raises(DataError, match=rf"there is no column {column!r}; .* 'a', 'y'"):
            read(path, Files(**{name: value}))


@pytest.mark.parametrize("keep", [10, 30, -5])
def test_damaged_gzip(path, keep):
    """A compressed table that ends early, or is another file, is damaged."""
    path.write_bytes(gzip.compress(b"a,y\n" + b"1,x\n2,y\n" * 50)[:keep])
    with pytest.raises(DataError, match="is damaged: it cannot be unpacked"):
        read(path)


def test_decompression_bomb(path, monkeypatch):
    """A small file that unpacks to an enormous table is refused before it is read."""
    monkeypatch.setattr(tables, "EXPANDED_BYTES", 10_000)
    path.write_bytes(gzip.compress(b"0,0\n" * 100_000))
    with pytest.raises(DataError, match="as a decompression bomb's do"):
        read(path)


def test_a_quote_is_open_for_long(path):
    """A stray quote is found out as fast as the lines after it are read."""
    # Looking at all that is open again at each line would take minutes.
    path.write_text('a,y\n1,5" pipe\n' + "1,x\n" * 1_000_000)
    with pytest.raises(DataError, match=r":2: a quote is not closed"):
        read(path)


def test_endless_line(path, monkeypatch):
    """A line without an end is refused, not read."""
    monkeypatch.setattr("mlpcli.data.readers.lines.LONGEST_LINE", 1000)
    monkeypatch.setattr(blocks, "LONGEST_LINE", 1000)
    path.write_text("a,y\n" + "1" * 5000)
    with pytest.raises(DataError, match=r":2: goes on for 1000 characters"):
        read(path)


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
def test_compiled_code_parses_large_files_alone(path, monkeypatch):
    """Files that are large enough, with numba loaded or without, are the same table."""
    from mlpcli.data.readers import csv_compiled

    rows = (f"{i % 7}.25,{i},{'' if i % 9 else i},{'ab'[i % 2]},-{i}.{i:04}" for i in range(5000))
    path.write_text("a,b,c,d,e\n" + "\n".join(rows) + "\n", encoding="utf-8")
    parse, parsed = csv_compiled.parse_decimals, []
    monkeypatch.setattr(
        csv_compiled,
        "parse_decimals",
        lambda *arguments, **keys: parsed.append(0) or parse(*arguments, **keys),
    )
    options = {"target": "d", "missing": "mean"}
    expected = read(path, Files(**options), words=frozenset({""}), gaps=True)
    assert not parsed
    monkeypatch.setattr(csv_reader, "LARGE", path.stat().st_size)
    found = read(path, Files(**options), words=frozenset({""}), gaps=True)
    assert parsed
    np.testing.assert_array_equal(found.values, expected.values)
    assert labels_of(found) == labels_of(expected)
    parsed.clear()
    monkeypatch.delitem(sys.modules, "mlpcli.jit")
    read(path, Files(**options), words=frozenset({""}), gaps=True)
    assert not parsed


def test_a_table_whose_lines_grow_shorter_is_whole(path, monkeypatch):
    """All rows are read, of more than the first lines let expect, and of numbers of any type."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    long, short = (
        [f"{i % 2},{'1' * 20}.5" for i in range(50)],
        [f"{i % 2},{i / 7}" for i in range(900)],
    )
    for lines in ([*long, *short], [*short, *long]):
        path.write_text("y,x\n" + "\n".join(lines) + "\n", encoding="utf-8")
        table = read(path, Files(target="y"))
        assert table.values[:, 0].tolist() == [float(line.split(",")[1]) for line in lines]
