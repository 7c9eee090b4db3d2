"""The formats of `mlp predict`, and that it streams and never leaves half a file."""

import csv
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mlpcli.checkpoint import store
from mlpcli.cli.main import mlp
from mlpcli.data.missing import handle_missing
from mlpcli.data.readers import table as tables
from mlpcli.errors import ConfigError, DataError, MlpError, OutputError

BITS = ((np.arange(2500)[:, np.newaxis] >> np.arange(9, -1, -1)) & 1).astype(np.uint8)
NAMES = ["odd", "even"]


@pytest.fixture
def predict(parity_weights):
    """Return a function that runs `mlp predict` on 2500 numbers, more than a chunk, in `in.npy`."""
    np.save("in.npy", BITS)

    def run(*args, inputs=("in.npy",)):
        words = ["predict", "--weights", parity_weights, *args, *inputs]
        mlp([str(word) for word in words], standalone_mode=False)

    return run


@pytest.fixture
def outputs(parity_weights):
    """Return what the network makes of the 2500 numbers."""
    return store.load(parity_weights).predict_proba(BITS)


def test_text_to_a_file_and_to_standard_output(predict, capfdbinary):
    """A file holds what standard output shows; `-` is standard output."""
    predict("-o", "out.txt")
    predict("-o", "-")
    expected = "".join(f"{NAMES[1 - n % 2]}\n" for n in range(2500))
    assert Path("out.txt").read_text() == expected
    assert capfdbinary.readouterr().out.decode() == expected


@pytest.mark.parametrize(
    ("options", "heads"),
    [
        ([], ["class"]),
        (["--proba"], ["class", "proba[odd]", "proba[even]"]),
        (["--top-k", "2"], ["class", "class_2"]),
        (["--top-k", "2", "--proba"], ["class", "class_2", "proba", "proba_2"]),
        (["--top-k", "1", "--proba"], ["class", "proba"]),
    ],
)
def test_csv(predict, outputs, options, heads):
    """CSV has a heading, then input, row, classes from the most likely on, and exact outputs."""
    predict(*options, "-o", "out.csv")
    with Path("out.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["input", "row", *heads]
    assert [int(row["row"]) for row in rows] == list(range(2500))
    for row, (odd, even) in zip(rows, outputs, strict=True):
        best = "odd" if odd > even else "even"
        assert row["class"] == best
        assert row.get("class_2", "") in ("", *(set(NAMES) - {best}))
        named = {"proba[odd]": odd, "proba[even]": even, "proba": max(odd, even)}
        named["proba_2"] = min(odd, even)
        assert all(float(row[head]) == named[head] for head in heads if head in named)


def test_jsonl(predict, outputs):
    """Every line is an object: where the example was, its class, the best classes, outputs."""
    predict("--top-k", "1", "--proba", "-o", "out.jsonl")
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert rows[2001] == {
        "input": "in.npy", "row": 2001, "class": "odd", "top": ["odd"],
        "proba": {"odd": float(outputs[2001, 0])},
    }  # fmt: skip
    assert len(rows) == 2500


def test_npy(predict, outputs):
    """`.npy` holds names, the best names, or all outputs, of all inputs together."""
    predict("-o", "names.npy")
    predict("--top-k", "2", "-o", "best.npy")
    predict("--proba", "-o", "outputs.npy", inputs=("in.npy", "in.npy"))
    np.testing.assert_array_equal(np.load("outputs.npy"), np.concatenate([outputs, outputs]))
    assert np.load("outputs.npy").dtype == outputs.dtype
    names = np.array(NAMES)[outputs.argmax(axis=1)]
    np.testing.assert_array_equal(np.load("names.npy"), names)
    np.testing.assert_array_equal(np.load("best.npy")[:, 0], names)
    assert (np.load("best.npy")[:, 1] != names).all()


@pytest.mark.parametrize(
    ("form", "content"),
    [("text", b""), ("csv", b"input,row,class\n"), ("jsonl", b""), ("npy", None)],
)
def test_no_examples(predict, form, content):
    """No example is an empty result of the right form."""
    np.save("none.npy", np.zeros((0, 10)))
    predict("--format", form, "-o", "out", inputs=["none.npy"])
    if content is None:
        assert np.load("out").shape == (0,)
    else:
        assert Path("out").read_bytes() == content


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--format", "npy"], "needs a file to go to"),
        (["--format", "npy", "-o", "-"], "needs a file to go to"),
        (["--top-k", "1", "--proba", "-o", "out.npy"], "leave out --proba or --top-k"),
        (["--top-k", "3"], "3 is more than the 2 classes"),
        (["--json", "--format", "csv"], "contradicts --format csv"),
        (["-o", "in.npy"], "is both input and output"),
        (["-o", "out.parquet"], ".parquet is no format that is written; write .csv, .jsonl or"),
    ],
)
def test_contradictions(predict, args, message):
    """Options that make no sense together exit 2, before anything is written."""
    before = Path("in.npy").read_bytes()
    with pytest.raises(ConfigError, match=message):
        predict(*args)
    assert [path.name for path in Path().iterdir()] == ["in.npy"]
    assert Path("in.npy").read_bytes() == before


def test_a_name_may_say_less_than_format(predict):
    """`--format` has its way whatever FILE is called; .ndjson is JSON lines by its name."""
    predict("--format", "jsonl", "-o", "out.json")
    predict("-o", "out.ndjson")
    assert Path("out.json").read_bytes() == Path("out.ndjson").read_bytes()


def test_weights_are_not_overwritten(predict, parity_weights):
    """The checkpoint cannot be the output, not even through a link."""
    Path("link").symlink_to(parity_weights)
    with pytest.raises(ConfigError, match="is both input and output"):
        predict("-o", "link")


@pytest.mark.parametrize("suffix", ["txt", "csv", "jsonl", "npy"])
def test_a_failure_leaves_what_was_there(predict, suffix):
    """When a later input is bad, the output is neither replaced nor left half written."""
    Path(f"out.{suffix}").write_text("earlier")
    np.save("bad.npy", np.full((2000, 10), np.nan))
    with pytest.raises(MlpError, match="holds nan"):
        predict("-o", f"out.{suffix}", inputs=["in.npy", "bad.npy"])
    assert Path(f"out.{suffix}").read_text() == "earlier"
    assert sorted(path.name for path in Path().iterdir()) == ["bad.npy", "in.npy", f"out.{suffix}"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("gone/out.csv", "cannot be written: no such file or directory"),
        (".", "is not a regular file"),
    ],
)
def test_unwritable_outputs(predict, place, message):
    """An output that cannot be written is refused before any input is read."""
    with pytest.raises(OutputError, match=message):
        predict("-o", place, inputs=["nothing.npy"])


@pytest.fixture
def peak_memory():
    """Return a function that says how many bytes a call needs at most."""

    def measure(function, *args, **options):
        tracemalloc.start()
        try:
            function(*args, **options)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measure


@pytest.mark.parametrize("form", ["text", "csv", "jsonl", "npy"])
def test_predictions_are_written_as_they_come(monkeypatch, predict, peak_memory, form):
    """Reading a mapped array and writing the result takes less than a third of its 2.9 MB."""
    monkeypatch.setattr(tables, "MAPPED_BYTES", 1 << 21)
    np.save("large.npy", np.zeros((36_000, 10)))
    predict("--format", form, "-o", "warm")
    options = ["--proba", "--format", form, "-o", "out"]
    assert peak_memory(predict, *options, inputs=["large.npy"]) < 0.96e6


def test_large_arrays_are_checked_in_pieces(peak_memory):
    """Looking for NaN in a mapped array of 20 million values does not copy it: 1 MB is enough."""
    rows = np.lib.format.open_memmap("large.npy", "w+", np.float32, (200_000, 100))
    rows[-1, 7] = np.nan

    def look():
        with pytest.raises(DataError, match="holds nan in row 199999, feature 7"):
            handle_missing(tables.Table("large.npy", rows), "error")

    assert peak_memory(look) < 1e6


def test_a_class_name_may_hold_anything(tmp_path):
    """Commas, quotes, line ends and wide characters survive CSV, JSON and arrays."""
    from mlpcli.prediction.layouts import ClassLayout
    from mlpcli.prediction.outputs import FORMATS, PredictedBatch

    names = ('a,"b"\nc', "りんご", "")
    chunk = PredictedBatch("x,y", 0, np.eye(3, dtype=np.float32))
    for form in ("csv", "jsonl", "npy"):
        with (tmp_path / form).open("wb") as stream:
            FORMATS[form](stream, iter([chunk]), ClassLayout(names, None, proba=False))
    with (tmp_path / "csv").open(newline="", encoding="utf-8") as stream:
        assert [row["class"] for row in csv.DictReader(stream)] == list(names)
    lines = (tmp_path / "jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["class"] for line in lines] == list(names)
    assert np.load(tmp_path / "npy").tolist() == list(names)
