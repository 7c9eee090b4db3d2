"""What stands for a missing value: the same in features, categories and classes."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlpcli.config.data_files import Files, MissingValues
from mlpcli.config.data_parts import parse_files
from mlpcli.data.dataset import Preparation
from mlpcli.data.files import load_files
from mlpcli.data.guess.record import Wishes
from mlpcli.data.labelled import open_labelled
from mlpcli.data.suggest import suggest
from mlpcli.errors import DataError, NotClassesError
from mlpcli.prediction.inputs import read_input

USUAL = ["NA", "n/a", "NaN", "null", "None", "?", "nan", "#N/A", "<NA>"]
TABLE = "age,colour,y\n1,red,a\n2,blue,b\n3,red,a\n4,green,b\n"


def opened(text=TABLE, name="t.csv", **keys):
    """Write a training table and open it."""
    Path(name).write_text(text)
    return load_files(Files(name, **keys), Preparation("none"))


@pytest.mark.parametrize("word", ["", *USUAL])
def test_the_usual_words_are_missing_everywhere(word):
    """A word in a number, a category or a class does what an empty cell does."""
    spoilt = TABLE + f"{word},red,a\n5,{word},b\n"
    dataset = opened(spoilt, missing="mean")
    np.testing.assert_allclose(
        dataset.train.features[4:], [[3, 0, 0, 1], [5, 0.2, 0.2, 0.6]], rtol=1e-6
    )
    assert dataset.encoding.columns[1].categories == ("blue", "green", "red")
    dropped = opened(spoilt + f"6,red,{word}\n", missing="drop")
    assert len(dropped.train.labels) == 4
    assert dropped.encoding.class_names == ("a", "b")
    for row in (f"5,{word},b\n", f"5,red,{word}\n"):
        with pytest.raises(DataError, match=r"t\.csv:6: column (colour|y): the .* is missing"):
            opened(TABLE + row)


def test_a_class_that_is_missing_does_not_hide_a_quantity():
    """A target of numbers with one NA is refused as a quantity, as without it."""
    text = "x,y\n" + "".join(f"{i % 3},{i}.5\n" for i in range(40)) + "1,NA\n"
    with pytest.raises(NotClassesError, match="is a number with"):
        opened(text, missing="drop")


def test_words_that_count_as_missing_are_announced(run_mlp):
    """A note, or the error, names the words, how often they are there, and the key to write."""
    spoilt = TABLE + "5,NA,b\n6,NA,\n7,null,?\n"
    assert [note for note in opened(spoilt, missing="drop").notes if "counts" in note] == [
        "column colour: 'NA' in 2 rows, 'null' in 1 row counts as missing; if it is a category, "
        "write missing_values: {only: []} under data",
        "column y: '?' in 1 row counts as missing; if it is a class, write missing_values: "
        "{only: []} under data",
    ]
    with pytest.raises(
        DataError, match=r"counts as missing, or write missing_values: {only: \[\]}"
    ):
        opened(spoilt)
    assert not any("counts" in note for note in opened(missing="drop").notes)
    keys = {"data": {"train": "t.csv", "missing": "drop"}, "structure": [4, 2, 2], "eta": 0.1,
            "bt_size": 2, "epochs": 1}  # fmt: skip
    Path("t.csv").write_text(spoilt)
    Path("c.yaml").write_text(json.dumps(keys))
    assert "'NA' in 2 rows" in run_mlp("train", "c.yaml").stderr


def test_a_class_may_be_called_so():
    """Under {only: []} NA is a category and a class, in training and in all that follows."""
    text = "age,land,y\n1,NA,null\n2,DE,b\n3,NA,null\n4,DE,b\nnull,DE,b\n"
    files, _ = parse_files({"train": "t.csv", "missing": "mean", "missing_values": {"only": []}})
    dataset = opened(text, missing="mean", missing_values=files.missing_values)
    assert dataset.encoding.columns[1].categories == ("DE", "NA")
    assert dataset.encoding.class_names == ("b", "null")
    np.testing.assert_array_equal(dataset.train.features[4], [2.5, 1, 0])
    for described in (files, Files("t.csv", missing="mean")):
        again = open_labelled(Path("t.csv"), dataset.encoding, described).examples
        np.testing.assert_array_equal(again.features, dataset.train.features)
        np.testing.assert_array_equal(again.labels, dataset.train.labels)
        rows = np.vstack(
            [part.features for part in read_input("t.csv", dataset.encoding, described)]
        )
        np.testing.assert_array_equal(rows, dataset.train.features)


GIVEN = {"missing_values": MissingValues(("Unknown", "-", -999))}


@pytest.mark.parametrize("word", ["unknown", "Unknown", "-", "-999", "-999.0", "NA"])
def test_given_words_are_missing_beside_the_usual(word):
    """Words and numbers that are given are missing in numbers, categories and classes."""
    spoilt = TABLE + f"{word},red,a\n5,{word},b\n"
    dataset = opened(spoilt, missing="mean", **GIVEN)
    empty = opened(TABLE + ",red,a\n5,,b\n", missing="mean")
    assert dataset.encoding == empty.encoding
    np.testing.assert_array_equal(dataset.train.features, empty.train.features)
    dropped = opened(spoilt + f"6,red,{word}\n", missing="drop", **GIVEN)
    assert len(dropped.train.labels) == 4
    with pytest.raises(DataError):
        opened(TABLE + f"{word},red,a\n", **GIVEN)


def test_numbers_are_missing_in_arrays():
    """A number that stands for a missing value does so in arrays of any type, and in Parquet."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for kind in ("i2", "f4", "f8", "u1"):
        gap = 99 if kind == "u1" else -999
        np.save("x.npy", np.array([[1, gap], [2, 5], [3, 7], [4, 9]], kind))
        np.save("y.npy", np.array(["a", "b", "a", "b"]))
        keys = {"missing": "mean", "missing_values": MissingValues((gap,))}
        dataset = load_files(Files("x.npy", **keys), Preparation("none"))
        np.testing.assert_array_equal(dataset.train.features[0], [1, 7])
        assert np.load("x.npy")[0, 1] == gap
    columns = {"x": [1.0, -999.0, 3.0, None], "c": ["u", "NA", "u", "Unknown"], "y": list("abab")}
    parquet.write_table(pa.table(columns), "t.parquet")
    dataset = load_files(Files("t.parquet", missing="mean", **GIVEN), Preparation("none"))
    np.testing.assert_array_equal(dataset.train.features, [[1, 1], [2, 0], [3, 1], [2, 0]])
    np.save("x.npy", np.array([[1, 0], [2, 1], [3, np.nan], [4, 1], [5, 0]]))
    dataset = load_files(Files("x.npy", target=-1, missing="drop"), Preparation("none"))
    assert dataset.encoding.class_names == ("0", "1")
    assert len(dataset.train.labels) == 4


@pytest.mark.parametrize("missing", ["error", "mean", "drop"])
def test_infinity_is_not_missing(missing):
    """No policy takes it for a missing value, and so the error does not advise one, as of NaN."""
    values = np.array([[1, 2], [np.inf, 3], [4, 5], [6, 7]])
    np.savez("d.npz", x=values, y=[0, 1, 0, 1])
    with pytest.raises(DataError, match="holds inf in row 1") as caught:
        load_files(Files("d.npz", missing=missing), Preparation("none"))
    assert caught.value.remedy == "replace it with a finite number, or with NaN if it is missing"


def test_a_signalling_nan_is_missing():
    """A NaN whose bits the processor would stop at is missing like any other, without a warning."""
    bits = np.arange(8, dtype=np.float32).view(np.uint32)
    bits[2] = 0x7FA00000
    np.save("x.npy", bits.view(np.float32).reshape(4, 2))
    np.save("y.npy", np.arange(4) % 2)
    dataset = load_files(Files("x.npy", target="y.npy", missing="mean"), Preparation("none"))
    assert dataset.train.features[1, 0] == np.mean([0, 4, 6], dtype=np.float32)


def test_labels_of_their_own():
    """NA in a file of labels is a class that is missing."""
    np.save("x.npy", np.arange(8.0).reshape(4, 2))
    Path("y.txt").write_text("a\nNA\nb\na\n")
    with pytest.raises(DataError, match=r"x\.npy: row 1: the target is missing"):
        load_files(Files("x.npy", target="y.txt"), Preparation("none"))
    dataset = load_files(Files("x.npy", target="y.txt", missing="drop"), Preparation("none"))
    np.testing.assert_array_equal(dataset.train.features, [[0, 1], [4, 5], [6, 7]])


def test_init_lets_the_mean_stand(run_mlp):
    """`mlp init` sees the words in text, and what it writes trains."""
    Path("t.csv").write_text(TABLE * 1 + "5,?,a\n6,red,b\n" + TABLE.partition("\n")[2] * 4)
    found = suggest(Path("t.csv"), Wishes(), Path())
    assert "missing: mean" in found.text
    assert any("'?' in 1 row counts as missing" in line for line in found.findings)
    Path("c.yaml").write_text(found.text)
    run = run_mlp("train", "c.yaml", "-q", "--set", "epochs=1")
    assert run.returncode == 0, run.stderr


def test_late_text_under_only():
    """Words that are texts under {only: []} are kept where a column turns out to be text late."""
    text = "u,y\n" + "NA,a\nNA,b\n" * 200_000 + "red,a\n"
    only = {"missing_values": MissingValues((), only=True)}
    dataset = opened(text, missing="mean", **only)
    assert dataset.encoding.columns[0].categories == ("NA", "red")
    assert dataset.train.features[:, 0].sum() == 400_000


@pytest.mark.parametrize(
    "value", [{}, "NA", [True], [None], [float("inf")], {"only": "NA"}, {"also": []}, [[1]]]
)
def test_bad_missing_values(value):
    """Anything but words and finite numbers is refused; what is given is written out again."""
    with pytest.raises(ValueError, match="missing_values"):
        parse_files({"train": "t.csv", "missing_values": value})
    for good in (["Unknown", -999], {"only": ["x"]}, {"only": []}):
        files, _ = parse_files({"train": "t.csv", "missing_values": good})
        assert files.to_mapping()["missing_values"] == good
    assert "missing_values" not in Files("t.csv").to_mapping()
