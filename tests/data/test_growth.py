"""Time grows with the number of columns, and not with its square: comparisons are counted."""

import numpy as np
import pytest

from mlpcli.config.data_files import Files
from mlpcli.data.columns import select_for_training
from mlpcli.data.encoding import Column, Encoding
from mlpcli.data.fit import fit_encoding
from mlpcli.data.known_columns import select_known
from mlpcli.data.readers import csv_sniff
from mlpcli.data.readers.csv_dialect import CsvOptions
from mlpcli.data.readers.csv_sniff import sniff
from mlpcli.data.readers.lines import Line
from mlpcli.data.readers.table import ColumnSelection, Labels, Table

COLUMNS = 2000


class Counted:
    """Mixed into text or numbers, counts how often one is compared with another."""

    compared = 0

    def __eq__(self, other):
        Counted.compared += 1
        return super().__eq__(other)

    __hash__ = None

    def strip(self):
        """Stay what it is, as a header's names are stripped."""
        return self


class Name(Counted, str):
    """A column's name."""

    __hash__ = str.__hash__


class Position(Counted, int):
    """A column's position."""

    __hash__ = int.__hash__


@pytest.fixture(autouse=True)
def counted():
    """Count from 0 in each test, and allow a few comparisons for each column afterwards."""
    Counted.compared = 0
    yield
    assert Counted.compared < 20 * COLUMNS


def names():
    """Return names none of which is another one's object."""
    return tuple(Name(f"c{i}") for i in range(COLUMNS))


def test_header(monkeypatch):
    """A header's names are compared a few times each to find two alike."""
    monkeypatch.setattr(csv_sniff, "split_cells", lambda *_: list(names()))
    dialect, _ = sniff(iter([Line(1, "")]), "t.csv", CsvOptions(header=True))
    assert len(dialect.names) == COLUMNS


def test_known_columns():
    """Columns of a trained network are found by name without looking through all of them."""
    columns = tuple(Column(name, "number") for name in names()[:-1])
    encoding = Encoding(COLUMNS - 1, "none", ("x", "y"), columns=(*columns, Column("k", "target")))
    found = select_known(encoding, labelled=False)(names()[:-1], COLUMNS - 1, "t.csv")
    assert found.features == tuple(range(COLUMNS - 1))


def test_columns_of_a_configuration():
    """Columns under ignore and categorical are found by name without looking through all."""
    files = Files("t.csv", ignore=names()[: COLUMNS // 2], categorical=names()[COLUMNS // 2 :])
    found = select_for_training(files)(names(), COLUMNS, "t.csv")
    assert len(found.features) == COLUMNS // 2 - 1


def test_fitting():
    """Fitting goes through the columns once."""
    selection = ColumnSelection(
        COLUMNS, tuple(map(Position, range(COLUMNS - 1))), target=Position(COLUMNS - 1)
    )
    table = Table(
        "t.csv", np.ones((4, COLUMNS - 1)), Labels(np.arange(4) % 2, ("x", "y")), names(), selection
    )
    assert fit_encoding(table, "error").features == COLUMNS - 1
