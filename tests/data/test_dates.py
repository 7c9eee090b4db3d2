"""Dates and times: read in every usual form, and made into features that a network can use."""

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Preparation
from mlpcli.data.dates import date_features, date_text, fit_parts
from mlpcli.data.encoding import Encoding
from mlpcli.data.files import load_files
from mlpcli.data.labelled import open_labelled
from mlpcli.data.readers.dates import read_date
from mlpcli.errors import AmbiguousDateError, DataError
from mlpcli.prediction.inputs import read_input

DAY = 86_400
NEW_YEARS_EVE = 19_722 * DAY  # 2023-12-31: 53 years of 365 days, 13 leap days, 364 days


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-12-31", NEW_YEARS_EVE),
        ("2023/12/31", NEW_YEARS_EVE),
        ("20231231", NEW_YEARS_EVE),
        ("31.12.2023", NEW_YEARS_EVE),
        ("31.12.23", NEW_YEARS_EVE),
        ("12/31/2023", NEW_YEARS_EVE),
        ("31-12-2023", NEW_YEARS_EVE),
        ("31-Dec-2023", NEW_YEARS_EVE),
        ("31. Dezember 2023", NEW_YEARS_EVE),
        ("31DEC2023", NEW_YEARS_EVE),
        ("31DEC23:10:30:00", NEW_YEARS_EVE + 37_800),
        ("31/Dec/2023:10:30:00 -0700", NEW_YEARS_EVE + 37_800),
        ("31 déc. 2023", NEW_YEARS_EVE),
        ("Sun, Dec 31, 2023", NEW_YEARS_EVE),
        ("2023-12", NEW_YEARS_EVE - 30 * DAY),
        ("2023M12", NEW_YEARS_EVE - 30 * DAY),
        ("12/2023", NEW_YEARS_EVE - 30 * DAY),
        ("Dec 2023", NEW_YEARS_EVE - 30 * DAY),
        ("Dezember 2023", NEW_YEARS_EVE - 30 * DAY),
        ("Dec-23", NEW_YEARS_EVE - 30 * DAY),
        ("2023-Q4", NEW_YEARS_EVE - 91 * DAY),
        ("2023Q4", NEW_YEARS_EVE - 91 * DAY),
        ("Q4 2023", NEW_YEARS_EVE - 91 * DAY),
        ("Q4/2023", NEW_YEARS_EVE - 91 * DAY),
        ("2023-W52", NEW_YEARS_EVE - 6 * DAY),
        ("2023W52", NEW_YEARS_EVE - 6 * DAY),
        ("2023-W52-7", NEW_YEARS_EVE),
        ("Sun Dec 31 10:30:00 UTC 2023", NEW_YEARS_EVE + 37_800),
        ("Sun Dec 31 10:30:00 +0000 2023", NEW_YEARS_EVE + 37_800),
        ("Sun Dec  3 10:30:00 2023", NEW_YEARS_EVE - 28 * DAY + 37_800),
        ("2023-12-31T10:30:00Z", NEW_YEARS_EVE + 37_800),
        ("2023-12-31 10:30:00.5+02:00", NEW_YEARS_EVE + 37_800.5),
        ("20231231T103000Z", NEW_YEARS_EVE + 37_800),
        ("20231231T1030", NEW_YEARS_EVE + 37_800),
        ("12/31/2023 10:30 PM", NEW_YEARS_EVE + 81_000),
        ("2023/12/31 10:30:00 PM GMT+1", NEW_YEARS_EVE + 81_000),
        ("31.12.2023 10:30 MEZ", NEW_YEARS_EVE + 37_800),
        ("2023-12-31 10:30 CEST", NEW_YEARS_EVE + 37_800),
        ("10:30", 37_800),
        ("12:05 a.m.", 300),
    ],
)
def test_what_is_a_date(text, seconds):
    """Each form is the date that it means, by the clock on the wall."""
    assert read_date(text).seconds() == seconds


@pytest.mark.parametrize(
    "text",
    [
        "30.02.2023",
        "2023",
        "1.2.3",
        "10.1",
        "25:00",
        "13:30 pm",
        "10:30 LHR",
        "10:30+1",
        "192.168.1.1",
        "23-04-05",
        "31FEB2023",
        "2023-13",
        "13/2023",
        "202312",
        "2023-Q5",
        "2023-W53",
        "Dec 23",
        "Oak 2023",
        "12CAR2023",
        "20231231:103",
        "x",
        "",
    ],
)
def test_what_is_none(text):
    """What the calendar does not have, and what is no date, is none."""
    assert read_date(text) is None


@given(
    moment=st.datetimes(min_value=datetime(1000, 1, 1)),
    form=st.sampled_from(["%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]),
)
def test_every_moment_comes_back(moment, form):
    """NumPy's calendar agrees, over all the years that there are."""
    moment = moment.replace(microsecond=0)
    expected = np.datetime64(moment, "s").astype(np.int64)
    assert read_date(moment.strftime(form)).seconds() == expected


def test_features():
    """The year is a number; month, weekday and time are angles; what does not vary is left out."""
    seconds = np.array([read_date(t).seconds() for t in ("2023-01-02 06:00", "2024-04-09 12:00")])
    assert fit_parts(seconds) == ("year", "month", "weekday", "time")
    expected = [
        [2023, 0, 1, 0, 1, 1, 0],
        [2024, 1, 0, np.sin(2 * np.pi / 7), np.cos(2 * np.pi / 7), 0, -1],
    ]
    parts = ("year", "month", "weekday", "time")
    np.testing.assert_allclose(date_features(seconds, parts), expected, atol=1e-12)
    noon = date_features(np.array([0, 43_200.0]), ("time",))
    assert noon.tolist() == [[0, 1], [0, -1]]
    assert fit_parts(np.array([3600.0, 7200.0])) == ("time",)
    months = np.array([read_date(f"2023-{m:02}").seconds() for m in (1, 2, 5)])
    assert fit_parts(months) == ("month",)
    assert fit_parts(months[:1]) == ("year",)


def opened(dates, **keys):
    """Open a table whose first column has these dates."""
    rows = [f"{date};{i};{'ab'[i % 2]}\n" for i, date in enumerate([*dates, *dates])]
    Path("t.csv").write_text("signup;n;y\n" + "".join(rows))
    return load_files(Files("t.csv", dates=("signup",), **keys), Preparation("none"))


@pytest.mark.parametrize(
    ("dates", "keys", "first"),
    [
        (["03/04/2023", "13/05/2023"], {}, 4),
        (["03/04/2023", "04/13/2023"], {}, 3),
        (["03/04/2023", "04/05/2023"], {"decimal": ","}, 4),
        (["03/04/2023", "04/05/2023"], {"day_first": False}, 3),
        (["03.04.2023", "04.05.2023"], {}, 4),
        (["03.04.2023", "04.05.2023"], {"day_first": False}, 3),
        (["04/04/2023", "05/05/2023"], {}, 4),
    ],
)
def test_day_or_month_first(dates, keys, first):
    """The order is what the dates tell, else what the configuration or a decimal comma does."""
    dataset = opened(dates, **keys)
    column = dataset.encoding.columns[0]
    month = np.arctan2(*dataset.train.features[0, :2])
    assert column.parts[0] == "month"
    assert round(month / (2 * np.pi) * 12) % 12 + 1 == first


def test_dates_that_tell_nothing_or_too_much():
    """Where no date tells the order, or two contradict, the error names line, column and key."""
    with pytest.raises(AmbiguousDateError, match=r"t\.csv:2: column signup: '03/04.*day_first: tr"):
        opened(["03/04/2023", "05/04/2023"])
    with pytest.raises(DataError, match=r"t\.csv:3: .* month first, as others have it; .* true"):
        opened(["04/13/2023", "13/04/2023"])
    with pytest.raises(DataError, match=r"t\.csv:3: column signup: 'soon' is no date; correct it"):
        opened(["04/13/2023", "soon"])


@pytest.mark.parametrize("name", ["y", "z"])
def test_what_is_no_column_of_dates(name):
    """A target, and a column that is not there, are refused, naming the key."""
    Path("t.csv").write_text("x,y\n2023-01-05,a\n2023-01-06,b\n")
    with pytest.raises(DataError, match=r"t\.csv:1: .*column") as caught:
        load_files(Files("t.csv", dates=(name,)), Preparation())
    assert caught.value.key == "data.dates"


def test_a_missing_date_is_the_mean():
    """Each feature of a missing date is the mean of that of the others; or the row is dropped."""
    dates = ["2023-01-01", "", "2024-01-01"]
    dataset = opened(dates, missing="mean")
    first, missing, last = dataset.train.features[:3, :-1]
    np.testing.assert_allclose(missing, (first + last) / 2, rtol=1e-6)
    assert len(opened(dates, missing="drop").train.labels) == 4
    with pytest.raises(DataError, match=r"t\.csv:3: column signup: the date is missing"):
        opened(dates)


def test_dates_of_every_input():
    """CSV, JSON lines in another order, Parquet and the checkpoint give the same features."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    dates = ["2023-01-05 10:00:00", "2024-02-07 11:30:00", "2025-03-09 12:00:00"]
    dataset = opened(dates)
    mapping = json.loads(json.dumps(dataset.encoding.to_mapping()))
    encoding = Encoding.from_mapping(mapping, dataset.encoding.class_names)
    assert encoding == dataset.encoding
    expected = dataset.train.features
    for unit in ("s", "ms", "us", "ns"):
        moments = pa.array(np.array(dates, "datetime64[s]")).cast(pa.timestamp(unit))
        moments = pa.concat_arrays([moments, moments])
        table = pa.table({"y": list("ababab"), "n": range(6), "signup": moments})
        parquet.write_table(table, "t.parquet")
        found = open_labelled(Path("t.parquet"), encoding, Files("t.csv", dates=("signup",)))
        np.testing.assert_array_equal(found.examples.features, expected)
    trained = load_files(Files("t.parquet", target="y", dates=("signup",)), Preparation("none"))
    assert {c.name: c.parts for c in trained.encoding.columns if c.parts} == {
        "signup": ("year", "month", "weekday", "time")
    }
    rows = np.vstack([batch.features for batch in read_input("t.csv", encoding)])
    np.testing.assert_array_equal(rows, expected)
    np.save("x.npy", np.zeros((2, 2)))
    with pytest.raises(DataError, match="is an array, and has no dates"):
        list(read_input("x.npy", encoding))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (NEW_YEARS_EVE, "2023-12-31"),
        (NEW_YEARS_EVE + 37_800, "2023-12-31 10:30:00"),
        (37_800, "10:30:00"),
        (-DAY, "1969-12-31"),
    ],
)
def test_a_date_to_read(seconds, text):
    """A moment is shown as a date, a time or both."""
    assert date_text(seconds) == text
    assert read_date(text).seconds() == seconds
