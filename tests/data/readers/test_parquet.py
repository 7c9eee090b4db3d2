"""Parquet tables, read like CSV."""

import csv
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Preparation
from mlpcli.data.files import load_files
from mlpcli.errors import DataError

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

COLUMNS = {
    "id": ["a1", "a2", "a3", "a4"],
    "colour": ["red", "blue", "red", "blue"],
    "size": [1, 2, 3, 4],
    "weight": [0.1, 0.2, 0.3, 0.5],
    "kind": ["x", "y", "x", "y"],
}


def write(name="t.parquet", **columns):
    """Write a Parquet table."""
    parquet.write_table(pa.table(columns), name)


def opened(name="t.parquet", **keys):
    """Open a table as training data."""
    return load_files(Files(name, **keys), Preparation())


def test_same_as_csv():
    """The same table as CSV and as Parquet gives the same examples and the same encoding."""
    write(**COLUMNS)
    with open("t.csv", "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([COLUMNS, *zip(*COLUMNS.values(), strict=True)])
    one, other = opened(ignore=("id",)), opened("t.csv", ignore=("id",))
    assert one.encoding == other.encoding
    np.testing.assert_array_equal(one.train.features, other.train.features)
    np.testing.assert_array_equal(one.train.labels, other.train.labels)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2, 3, 4], pa.int8()),
        pa.array([1.0, 2.0, 3.0, 4.0], pa.float32()),
        pa.array([1, 2, 3, 4], pa.decimal128(5, 2)),
    ],
)
def test_numbers_of_any_type(column):
    """Whole numbers, floats and decimals are numbers, and truths 0 and 1; the order is kept."""
    write(b=[True, False, True, False], a=column, y=[1, 2, 1, 2])
    dataset = load_files(Files("t.parquet"), Preparation("none"))
    np.testing.assert_array_equal(dataset.train.features, [[1, 1], [0, 2], [1, 3], [0, 4]])
    assert dataset.encoding.class_names == ("1", "2")


def test_categories_of_a_dictionary():
    """A column that is stored as a dictionary, or declared, is one of categories."""
    write(
        c=pa.array(["u", "v", "u", "v"]).dictionary_encode(), zip=[10, 10, 20, 20], y=list("abab")
    )
    dataset = opened(categorical=("zip",))
    np.testing.assert_array_equal(
        dataset.train.features, [[1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1]]
    )


def test_missing():
    """A null is refused with its row and column, or treated as `missing` says."""
    write(a=[1.0, None, 3.0, 2.0], y=["x", "y", None, "y"])
    with pytest.raises(DataError, match=r"t.parquet: holds nan in row 1, column a"):
        opened()
    write(a=[1.0, None, 3.0, 2.0, 4.0], y=["x", "y", None, "y", "x"])
    assert len(opened(missing="drop").train.labels) == 3


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"t": [datetime(2020, 1, 1, tzinfo=UTC)] * 2, "y": ["a", "b"]},
            "column t holds timestamp",
        ),
        ({"t": [[1], [2]], "y": ["a", "b"]}, "column t holds list"),
        ({"a": [1.0, float("inf")], "y": ["a", "b"]}, "holds inf in row 1, column a"),
        ({"a": [], "y": []}, "has no rows"),
        ({"y": ["a", "b"]}, "has no column but the target"),
        ({"a": [1, 2], "y": ["a", "a"]}, "all 2 examples are of class a"),
    ],
)
def test_bad_tables(columns, message):
    """What cannot be learned from is refused by its column and row."""
    write(**columns)
    with pytest.raises(DataError, match=rf"^t.parquet.*{message}"):
        opened()


@pytest.mark.parametrize("keep", [10, -20, 200])
def test_damaged(keep):
    """A file that is cut off is damaged."""
    write(**COLUMNS)
    Path("t.parquet").write_bytes(Path("t.parquet").read_bytes()[:keep])
    with pytest.raises(DataError, match=r"^t.parquet: is damaged: "):
        opened()


def test_without_pyarrow(monkeypatch):
    """Without the extra, the error says what to install."""
    write(**COLUMNS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"pip install 'mlpcli\[tables\]'"):
        opened()


def test_no_row_group():
    """Rows that are announced and are in no row group are damage."""
    write(**COLUMNS)
    metadata = parquet.read_metadata("t.parquet")
    empty = pa.schema([("a", pa.int64()), ("kind", pa.string())])
    with parquet.ParquetWriter("t.parquet", empty):
        pass
    content = Path("t.parquet").read_bytes()
    # The number of rows stands before the list of row groups, as a zigzag number in Thrift.
    assert metadata.num_rows == 4
    at = content.rindex(b"\x16\x00\x19")
    Path("t.parquet").write_bytes(content[: at + 1] + b"\x08" + content[at + 2 :])
    with pytest.raises(DataError, match=r"^t.parquet: is damaged: it announces 4 rows, and"):
        opened()


def test_names_that_are_no_text():
    """A column whose name is not UTF-8 is damage."""
    write(ab=[1, 2], kind=["a", "b"])
    content = Path("t.parquet").read_bytes()
    Path("t.parquet").write_bytes(content.replace(b"\x02ab", b"\x02\xff\xff"))
    with pytest.raises(DataError, match=r"^t.parquet: is damaged: .*utf-8"):
        opened()


def test_a_text_beyond_those_that_are_there():
    """A code for which a file has no text is damage."""
    write(a=[1.0, 2, 3, 4], y=["u", "v", "w", "u"])
    content = Path("t.parquet").read_bytes()
    # Two bits each, from the lowest on: 0, 1, 2, 0.
    codes, beyond = b"\x02\x03\x24", b"\x02\x03\xff"
    assert content.count(codes) == 1
    Path("t.parquet").write_bytes(content.replace(codes, beyond))
    with pytest.raises(DataError, match=r"^t.parquet: is damaged: a text is beyond"):
        opened()


def test_a_schema_that_contradicts_the_sizes(mlp_process):
    """A column said to be required, with counts of what is missing, is damage, not a crash."""
    write("x.parquet", a=[1.0, 2, 3, 4], y=["u", "v", "u", "v"])
    content = Path("x.parquet").read_bytes()
    optional, required = b"%\x02\x18\x01a", b"%\x00\x18\x01a"
    assert content.count(optional) == 1
    Path("x.parquet").write_bytes(content.replace(optional, required))
    run = mlp_process("init", "x.parquet", "--target", "y")
    assert run.returncode == 1, run.stderr
    assert re.fullmatch(r"mlp: error: x\.parquet: is damaged: .*\n", run.stderr)
