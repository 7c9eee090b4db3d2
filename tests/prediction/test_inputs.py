"""Predicting from inputs of every kind."""

import io
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ordeals import MLP

from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Preparation
from mlpcli.data.encoding import Encoding
from mlpcli.data.files import load_files
from mlpcli.errors import DataError
from mlpcli.prediction.inputs import read_input

TABLE = "colour,age,y\nred,1,no\nblue,2,yes\nred,6,no\nred,7,yes\n"
ENCODED = [[0, 1, 1], [1, 0, 2]]
PIXELS = Encoding(6, "unit", ("a", "b"), image_shape=(2, 3))
IMAGE = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40


@pytest.fixture
def trained():
    """Return a function that reads an input for a network trained on a table."""
    Path("train.csv").write_text(TABLE)
    files = Files("train.csv", missing="mean")
    dataset = load_files(files, Preparation("none"))
    return lambda name: np.vstack(
        [part.features for part in read_input(name, dataset.encoding, files)]
    )


INPUTS = {
    "in.csv": "colour,age\nred,1\nblue,2\n",
    "order.csv": "age;y;colour\n1;;red\n2;?;blue\n",
    "rows.tsv": "red\t1\nblue\t2\n",
    "all.csv": "red,1,no\nblue,2,whatever\n",
}


@pytest.mark.parametrize("name", INPUTS)
def test_tables(trained, name):
    """Columns are found by name or position, and classes are ignored, whatever they say."""
    Path(name).write_text(INPUTS[name])
    np.testing.assert_array_equal(trained(name), ENCODED)


@pytest.fixture
def pipe(run_mlp):
    """Return a function that runs `mlp predict` on a table's network with a standard input."""
    return lambda text, *args: run_mlp("predict", "--weights", "w.npy", "-", *args, input=text)


@pytest.fixture
def weights(run_mlp):
    """Train a network that tells red and blue apart."""
    rows = "".join(
        f"{'red' if i % 2 else 'blue'},{i},{'no' if i % 2 else 'yes'}\n" for i in range(9)
    )
    Path("t.csv").write_text("colour,age,y\n" + rows)
    Path("w.yaml").write_text(
        "{data: {train: t.csv, missing: mean}, structure: [3, 2], eta: 5, bt_size: 2, epochs: 30}"
    )
    run = run_mlp("train", "w.yaml")
    assert run.returncode == 0, run.stderr
    assert "t.csv: column colour is text: 2 categories, one-hot" in run.stderr


STREAMS = {
    "header": "age,colour\n5,red\n5,blue\n,red\n",
    "no header": "red,5\nblue,5\n\nred,\n",
    "objects": '{"age": 5, "colour": "red"}\n{"colour": "blue", "age": "5"}\n'
               '{"age": null, "colour": "red"}\n',
    "arrays": '["red", 5]\n\n["blue", 5.0]\n["red", null]\n',
    "labelled objects": '{"y": 1, "age": 5, "colour": "red"}\n'
                        '{"y": "x", "age": 5, "colour": "blue"}\n'
                        '{"y": null, "age": 5, "colour": "red"}\n',
}  # fmt: skip


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("text", STREAMS.values(), ids=STREAMS)
def test_standard_input(pipe, text):
    """CSV with or without a header, and JSON lines of objects or arrays, are told apart."""
    run = pipe(text)
    assert (run.stdout, run.stderr) == ("no\nyes\nno\n", "")
    rows = [json.loads(line) for line in pipe(text, "--json").stdout.splitlines()]
    assert [(row["input"], row["row"]) for row in rows] == [("-", 0), ("-", 1), ("-", 2)]


@pytest.mark.parametrize("text", ["red,dog\nblue,cat\n", '["red", "dog"]\n["blue", "cat"]\n'])
def test_words_are_no_header_where_none_is_declared(run_mlp, pipe, text):
    """With `header: false`, the first line on standard input is an example, whatever it holds."""
    Path("t.csv").write_text("red,dog,no\nblue,cat,yes\n" * 8)
    Path("w.yaml").write_text(
        "{data: {train: t.csv, header: false}, structure: [4, 2], eta: 5, bt_size: 2, epochs: 30}"
    )
    assert run_mlp("train", "w.yaml").returncode == 0
    assert pipe(text).stdout == "no\nyes\n"


BAD = {
    '{"age": 5, "colour": "green"}': "-:1: column colour: 'green' is no category seen in training",
    '{"age": 5}': "-:1: column colour is missing",
    '{"age": 5, "colour": "red"}\n[1, 2]': "-:2: is another kind of value",
    '{"age": 5, "colour": "red"}\nred,5': "-:2: is not JSON",
    '{"age": [5], "colour": "red"}': "-:1: column age holds an array, not of texts without |",
    '{"age": 1e400, "colour": "red"}': "-:1: column age: 'inf' is not a finite number",
    "colour,age\nred,x": "-:2: column age: 'x' is not a finite number; correct it\n",
    "colour,years\nred,5": "-:1: column age is missing",
    'red,5\n"red': "-:2: a quote is not closed",
    "red,5\nred": "-:2: has 1 values; the first line has 2",
}


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("text", BAD)
def test_bad_lines(pipe, text):
    """A line that does not fit is named; those before it have been answered."""
    run = pipe(text)
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert run.stderr.startswith(f"mlp: error: {BAD[text]}")


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("line", [b"red,5\n", b'{"age": 5, "colour": "red"}\n'])
def test_answers_come_line_by_line(line):
    """In a pipe, a line is answered before the next one is written."""
    with subprocess.Popen(
        [MLP, "predict", "--weights", "w.npy", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
    ) as process:  # fmt: skip
        for _ in range(3):
            process.stdin.write(line)
            # It would wait for ever if the answer waited for more lines.
            assert os.read(process.stdout.fileno(), 100) == b"no\n"
        process.stdin.close()
        assert process.wait(timeout=120) == 0


def test_a_pipe_is_no_file(run_mlp, parity_weights):
    """A named pipe, which cannot be looked at first, is refused with what to do instead."""
    os.mkfifo("pipe")
    with open(os.open("pipe", os.O_RDWR), "wb", buffering=0) as writer:
        writer.write(b"0,0,0,0,0,0,0,0,0,1\n")
        run = run_mlp("predict", "--weights", parity_weights, "pipe")
    assert run.returncode == 1
    assert run.stderr.startswith("mlp: error: pipe: is a pipe, and it must be read more than once")


def test_arrays():
    """Arrays are rows, images, or one example; a column of classes, as in training, is ignored."""
    rows = IMAGE.reshape(1, 6)
    for array in (rows, IMAGE[None], IMAGE.ravel(), np.concatenate([rows, rows])):
        np.save("in.npy", array)
        for _, features in read_input("in.npy", PIXELS):
            np.testing.assert_array_equal(features, np.tile(rows, (len(features), 1)))
    np.save("in.npy", np.concatenate([rows, [[7]]], axis=1))
    files = Files("train.npy", target=-1)
    np.testing.assert_array_equal(next(read_input("in.npy", PIXELS, files)).features, rows)
    np.savez("in.npz", x=rows, y=[1])
    np.testing.assert_array_equal(next(read_input("in.npz", PIXELS)).features, rows)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 7)), r"has shape \(3, 7\), and the network takes 6 features"),
        (np.zeros((3, 8)), r"has shape \(3, 8\), and the network takes 6 features"),
        (np.zeros((6, 3)), r"has shape \(6, 3\), and the network takes 6 features"),
        (np.full((2, 6), np.nan), "holds nan in row 0, feature 0"),
    ],
)
def test_bad_arrays(array, message):
    """An array of another width, or of other than numbers, is refused."""
    np.save("in.npy", array)
    with pytest.raises(DataError, match=f"^in.npy: {message}"):
        list(read_input("in.npy", PIXELS))


def test_images():
    """Images one by one, or by the folder, are made what the network was trained on."""
    image = pytest.importorskip("PIL.Image")
    Path("d/a").mkdir(parents=True)
    image.fromarray(IMAGE).save("d/a/0.png")
    image.fromarray(IMAGE).convert("RGB").save("d/a/1.bmp")
    image.fromarray(IMAGE.repeat(4, 0).repeat(4, 1)).save("d/a/2.png")
    for name, n in (("d/a/0.png", 1), ("d/a/1.bmp", 1), ("d/a/2.png", 1), ("d/a", 3), ("d", 3)):
        ((_, features),) = read_input(name, PIXELS)
        np.testing.assert_array_equal(features, np.tile(IMAGE.reshape(1, 6), (n, 1)))
        ((_, inverted),) = read_input(name, PIXELS, invert=True)
        np.testing.assert_array_equal(inverted, 255 - features)
    with pytest.raises(DataError, match="is an image, and the network was not trained on images"):
        list(read_input("d", Encoding(6, "unit", ("a", "b"))))


def test_columns_of_classes_beside_pixels():
    """A table for a network of pixels may have a column of classes, if its header says so."""
    Path("in.csv").write_text("label,a,b,c,d,e,f\n7,0,40,80,120,160,200\n")
    np.testing.assert_array_equal(next(read_input("in.csv", PIXELS)).features, IMAGE.reshape(1, 6))
    Path("in.csv").write_text("7,0,40,80,120,160,200\n")
    with pytest.raises(DataError, match=r"in.csv:1: has 7 values; .* 6: leave out the cl"):
        list(read_input("in.csv", PIXELS))


def test_large_arrays_are_read_in_pieces():
    """An array is encoded a little at a time, standardised or not."""
    n = 100_000
    np.save("in.npy", np.tile(np.arange(6.0), (n, 1)))
    standard = Encoding(6, "standardize", ("a", "b"), means=(1.0,) * 6, deviations=(2.0,) * 6)
    for encoding, expected in ((PIXELS, np.arange(6)), (standard, (np.arange(6) - 1) / 2)):
        sizes = []
        for _, features in read_input("in.npy", encoding):
            np.testing.assert_array_equal(features[[0, -1]], [expected, expected])
            sizes.append(len(features))
        assert (sum(sizes), max(sizes) < n) == (n, True)


def test_images_without_a_suffix():
    """What an image is called does not matter, where its beginning tells."""
    image = pytest.importorskip("PIL.Image")
    image.fromarray(IMAGE).save("photo", "PNG")
    ((_, features),) = read_input("photo", PIXELS)
    np.testing.assert_array_equal(features, IMAGE.reshape(1, 6))


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"\x93NUMPY\x01\0", b"PK\3\4"])
def test_no_text_on_standard_input(monkeypatch, content):
    """An image or an array on standard input is refused as what it is."""
    stream = io.BufferedReader(io.BytesIO(content + bytes(90)))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
    with pytest.raises(DataError, match=r"^-: is no text, but an image or an array"):
        list(read_input("-", PIXELS))


TRUTHS = {"csv": "on,age\ntrue,FALSE\nFalse,1\n", "jsonl": '{"on": true, "age": false}\n'
          '{"on": "FALSE", "age": true}\n'}  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("spelled", [("true", "false"), ("True", "False")])
def test_true_and_false_are_the_same_in_every_form(kind, spelled):
    """Truths are categories of whatever case those of the training have, and 1 and 0 as numbers."""
    on, off = spelled
    Path("train.csv").write_text(f"on,age,y\n{on},1,no\n{off},0,yes\n{on},1,no\n{off},0,yes\n")
    files = Files("train.csv")
    encoding = load_files(files, Preparation("none")).encoding
    if kind == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        table = pyarrow.table({"on": [True, False], "age": [False, True]})
        parquet.write_table(table, "in.parquet")
    else:
        Path(f"in.{kind}").write_text(TRUTHS[kind])
    (batch,) = read_input(f"in.{kind}", encoding, files)
    is_on = encoding.input_columns[0].categories.index(on)
    expected = [[is_on == 0, is_on == 1, 0], [is_on == 1, is_on == 0, 1]]
    np.testing.assert_array_equal(batch.features, np.array(expected, float))


def test_a_truth_among_numbers_to_train_on_is_refused():
    """In training, `true` in a column of numbers is an error as any other word."""
    Path("train.csv").write_text("age,y\n1,no\ntrue,yes\n3,no\n4,yes\n")
    with pytest.raises(DataError, match="'true' is not a finite number"):
        load_files(Files("train.csv"), Preparation("none"))
