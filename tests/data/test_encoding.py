"""What is learned from training data, and applied to all other data."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlpcli.config.data_files import Files
from mlpcli.data.dataset import Preparation
from mlpcli.data.encode import encode
from mlpcli.data.encoding import Column, Encoding
from mlpcli.data.files import load_files
from mlpcli.data.labelled import open_labelled
from mlpcli.data.readers.table import Labels, Table, name_labels
from mlpcli.data.scaling import fit_scaling
from mlpcli.data.targets import encode_labels, fit_classes
from mlpcli.errors import DataError, NotClassesError

TRAIN = "colour,age,y\nred,1,no\nblue,2,yes\nred,6,no\nred,7,yes\n"


def opened(text=TRAIN, scale="none", **keys):
    """Write a training table and open it."""
    Path("train.csv").write_text(text)
    files = Files("train.csv", **keys)
    return load_files(files, Preparation(scale)), files


def apply(dataset, files, text):
    """Write another table and open it with what was learned."""
    Path("other.csv").write_text(text)
    return open_labelled(Path("other.csv"), dataset.encoding, files).examples


def test_categories_are_one_hot():
    """A column of text becomes one feature per category, in their order, and is announced."""
    dataset, _ = opened()
    np.testing.assert_array_equal(
        dataset.train.features, [[0, 1, 1], [1, 0, 2], [0, 1, 6], [0, 1, 7]]
    )
    np.testing.assert_array_equal(dataset.train.labels, [0, 1, 0, 1])
    assert dataset.encoding.class_names == ("no", "yes")
    assert dataset.encoding.columns == (
        Column("colour", "category", ("blue", "red")), Column("age", "number"),
        Column("y", "target"),
    )  # fmt: skip
    assert dataset.notes == ("column colour is text: 2 categories, one-hot",)


@pytest.mark.parametrize("scale", ["none", "unit"])
def test_categories_count_one_whatever_the_scale(scale):
    """What the network's arithmetic sees of a category is 1 or 0."""
    from mlpcli.data.encoding import SCALES

    dataset, _ = opened(scale=scale)
    seen = dataset.train.features[:, :2] * SCALES[scale]
    np.testing.assert_allclose(seen, [[0, 1], [1, 0], [0, 1], [0, 1]])


@pytest.mark.parametrize("scale", ["standardize", "robust"])
@pytest.mark.parametrize(
    ("rows", "colours", "numbers"),
    [
        ("colour,age,y\nred,1,no\nblue,2,yes\ngreen,7,no\n", 3, 1),
        ("colour,y\nred,no\nblue,yes\ngreen,no\n", 3, 0),
        ("age,y\n1,no\n2,yes\n7,no\n", 0, 1),
    ],
)
def test_categories_are_not_scaled(scale, rows, colours, numbers):
    """Numbers beside them are as they are without them, to the bit."""
    encoding = opened(rows, scale)[0].encoding
    alone = opened("age,y\n1,no\n2,yes\n7,no\n", scale)[0].encoding
    assert encoding.means == (0,) * colours + alone.means[:numbers]
    assert encoding.deviations == (1,) * colours + alone.deviations[:numbers]


def test_standardize_uses_the_training_examples():
    """Numbers get mean 0 and deviation 1 in training; other files, the same arithmetic."""
    dataset, files = opened(scale="standardize")
    # age: mean 4, squared deviations 9, 4, 4, 9.
    np.testing.assert_allclose(
        dataset.train.features[:, 2], (np.array([1, 2, 6, 7]) - 4) / np.sqrt(26 / 4), rtol=1e-6
    )
    np.testing.assert_array_equal(dataset.train.features[:, :2], opened()[0].train.features[:, :2])
    other = apply(dataset, files, "y,age,colour\nyes,4,blue\n")
    np.testing.assert_array_equal(other.features, [[1, 0, 0]])
    np.testing.assert_array_equal(other.labels, [1])


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(2, 9), st.integers(1, 4)),
               elements=st.integers(-(10**6), 10**6).map(lambda n: n / 64)),
    st.sampled_from([0.0, 1e9]),
)  # fmt: skip
def test_standardize_is_the_textbooks(values, offset):
    """Means and deviations are NumPy's, however far from 0; a constant becomes 0."""
    table = Table("t", values + offset)
    bare = Encoding(values.shape[1], "none", ("a", "b"))
    encoding = fit_scaling(bare, table, "standardize")
    deviations = table.values.std(axis=0)
    constant = np.ptp(table.values, axis=0) == 0
    np.testing.assert_allclose(encoding.means, table.values.mean(axis=0), rtol=1e-9, atol=1e-9)
    expected = np.where(constant, 1, deviations)
    np.testing.assert_allclose(encoding.deviations, expected, rtol=1e-6, atol=1e-7)
    assert (encode(encoding, table, "float32")[:, constant] == 0).all()


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.full((2, 64), 255, np.uint8), "unit"),
        (np.linspace(0, 255.0, 128).reshape(2, 64), "unit"),
        (np.full((2, 64), 16, np.uint8), "standardize"),
        (np.linspace(0, 1, 128).reshape(2, 64), "none"),
        (np.linspace(-1, 1, 128).reshape(2, 64), "standardize"),
        (np.full((2, 64), 256.0), "standardize"),
        (np.full((2, 63), 255, np.uint8), "standardize"),
    ],
)
def test_default_scale(values, scale):
    """What looks like pixels is scaled as pixels, of any type; anything else is standardised."""
    bare = Encoding(values.shape[1], "none", ("a", "b"))
    assert fit_scaling(bare, Table("t", values), None).scale == scale


def test_robust_is_the_papers():
    """Numbers are (x - median) / IQR, bent by 1 / sqrt(1 + (x/3)²), yes and no one input, -1 or 1.

    Ages 1, 2, 6, 7 have median 4 and quartiles 1.75 and 6.25, so an IQR of 4.5.
    """
    dataset, files = opened(scale="robust")
    x = (np.array([1, 2, 6, 7]) - 4) / 4.5
    expected = np.column_stack([[1, -1, 1, 1], x / np.sqrt(1 + (x / 3) ** 2)])
    np.testing.assert_allclose(dataset.train.features, expected, rtol=1e-6)
    assert dataset.notes == ("column colour is text: 2 categories, -1 and 1",)
    far = apply(dataset, files, "colour,age,y\nred,1e9,no\nred,-1e9,no\n").features[:, 1]
    np.testing.assert_allclose(far, [3, -3], rtol=1e-6)


def test_a_missing_sign_is_between():
    """Of a column that is -1 and 1, what is missing has the mean; three categories stay one-hot."""
    text = "smoker,colour,y\nyes,red,a\nyes,blue,b\nno,green,a\nyes,red,b\n,,a\n"
    dataset, files = opened(text, scale="robust", missing="mean")
    signs, *colours = dataset.train.features.T
    np.testing.assert_allclose(signs, [1, 1, -1, 1, 0.5])
    np.testing.assert_allclose(np.array(colours).T[:2], [[0, 0, 1], [1, 0, 0]])
    alone = apply(dataset, files, "smoker,colour,y\nno,blue,a\n")
    np.testing.assert_allclose(alone.features, [[-1, 1, 0, 0]])


def test_only_two_categories_have_a_sign():
    """An encoding says which columns are signed, and one that gives three a sign is none."""
    dataset, _ = opened(scale="robust")
    mapping = json.loads(json.dumps(dataset.encoding.to_mapping()))
    assert mapping["columns"][0]["signed"] is True
    assert Encoding.from_mapping(mapping, ("no", "yes")) == dataset.encoding
    three = mapping["columns"][0] | {"categories": ["blue", "green", "red"]}
    with pytest.raises(ValueError, match="contradicts itself"):
        Encoding.from_mapping(mapping | {"columns": [three, *mapping["columns"][1:]]}, ("n", "y"))


@pytest.mark.parametrize(
    ("values", "spread"), [([5, 5, 5, 5, 9], 2.0), ([5, 5, 5, 5, 5], 1.0)], ids=["half", "all"]
)
def test_robust_where_many_are_equal(values, spread):
    """Without an IQR half of the whole range stands for it; a constant becomes 0."""
    rows = "".join(f"{value},{'ab'[i % 2]}\n" for i, value in enumerate(values))
    dataset, _ = opened("x,y\n" + rows, scale="robust")
    x = (np.array(values) - 5) / spread
    np.testing.assert_allclose(
        dataset.train.features[:, 0], x / np.sqrt(1 + (x / 3) ** 2), rtol=1e-6
    )


def test_missing_mean():
    """A missing number is the training mean, a missing text the share of every category."""
    text = "colour,age,y\nred,1,no\n,,yes\nblue,3,no\nred,5,yes\n"
    dataset, files = opened(text, missing="mean")
    np.testing.assert_allclose(dataset.train.features[1], [1 / 3, 2 / 3, 3])
    other = apply(dataset, files, "colour,age,y\n,NA,yes\n")
    np.testing.assert_allclose(other.features, [[1 / 3, 2 / 3, 3]])


def test_a_box_that_is_ticked_or_not():
    """Where a column has one value and gaps, these are 0; without gaps in training, as it."""
    text = "tick,sum,kept,y\nx,5,7,no\n,,7,yes\nx,,7,no\n,5,7,yes\n"
    dataset, files = opened(text, missing="mean")
    expected = [[1, 5, 7], [0, 0, 7], [1, 0, 7], [0, 5, 7]]
    np.testing.assert_array_equal(dataset.train.features, expected)
    other = apply(dataset, files, "tick,sum,kept,y\n,NA,,yes\n")
    np.testing.assert_array_equal(other.features, [[0, 0, 7]])
    assert "column tick is text: there or not, 1 or 0" in dataset.notes


def test_missing_drop():
    """Examples that lack a value or a class are dropped, and counted."""
    text = TRAIN + "red,,no\n,3,yes\nred,4,\n"
    dataset, files = opened(text, missing="drop")
    np.testing.assert_array_equal(dataset.train.features, opened()[0].train.features)
    assert "3 of 7 examples lack a value and were dropped" in dataset.notes
    assert len(apply(dataset, files, text).labels) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age,y\n1,no\n", "other.csv:1: column colour is missing; the columns are colour, age"),
        ("Colour,age,y\nred,1,no\n",
         "other.csv:1: column colour is missing; rename column Colour, since case counts"),
        ("colour,age,y\nred,1,no\ngreen,1,no\n",
         "other.csv:3: column colour: 'green' is no category seen in training; .* blue, red"),
        ("colour,age,y\nred,old,no\n", "other.csv:2: column age: 'old' is not a finite number"),
        ("colour,age,y\nred,1,no\nred,2,maybe\n",
         "other.csv:3: class 'maybe' was not seen in training; the classes are no, yes"),
        ("colour,age,y\nred,1,\n", "other.csv:2: column y: the target is missing"),
        ("colour,age,y\n,1,no\n", "other.csv:2: column colour: the category is missing"),
        ("colour,age\nred,1\n", "other.csv:1: has no classes"),
        ("red\n", "other.csv"),
    ],
)  # fmt: skip
def test_other_files_must_fit(text, message):
    """Another table without a column, or with values of another kind, is refused."""
    dataset, files = opened()
    with pytest.raises(DataError, match=message):
        apply(dataset, files, text)


def test_columns_may_be_in_any_order_or_without_names():
    """By name where there are names; else by position, as in the training table."""
    dataset, files = opened()
    for text in ("y,colour,age\nyes,blue,3\n", "blue,3,yes\n"):
        other = apply(dataset, files, text)
        np.testing.assert_array_equal(other.features, [[1, 0, 3]])
        np.testing.assert_array_equal(other.labels, [1])


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (["a"] * 4, "all 4 examples are of class a"),
        (list("abcd"), "each of the 4 examples has a class of its own"),
        (np.arange(30) // 2, None),
        (np.repeat(np.arange(30), 3), "a number with 30 different values in 90 examples"),
        (np.repeat(np.arange(30), 10), None),
        (np.arange(40) / 8 % 1.5, "a number with 12 different values in 40 examples"),
    ],
)
def test_classes_must_be_classes(labels, problem):
    """One class, a class per example, and quantities, which are told apart, are no classes."""
    if problem is None:
        assert len(fit_classes(name_labels(labels), "f")) in (15, 30)
        return
    with pytest.raises(DataError, match=f"^f: .*{problem}") as caught:
        fit_classes(name_labels(labels), "f")
    assert isinstance(caught.value, NotClassesError) == problem.startswith("a number")


@pytest.mark.parametrize("others", [[], ["b"]], ids=["alone", "of two"])
def test_endless_names_are_no_classes(others):
    """A name that is a text of thousands of characters is not shown whole, alone or with others."""
    with pytest.raises(DataError, match="more than 1,000 others") as caught:
        fit_classes(name_labels(["1" * 5000, *others]), "f")
    assert len(str(caught.value)) < 300


def test_classes_are_in_order():
    """Classes that are numbers are in their order, others in that of their letters."""
    assert fit_classes(name_labels(["10", "9", "9"]), "f") == ("9", "10")
    assert fit_classes(name_labels(["b", "10", "9", "9"]), "f") == ("10", "9", "b")
    assert fit_classes(name_labels(np.array([2.0, 1.0, 1.0])), "f") == ("1", "2")


def test_classes_are_known_by_name_or_number():
    """1 and 1.0 are one class, unless there are both."""
    table = Table("t", np.zeros((3, 1)), Labels(np.arange(3), ("1.0", "1", "None")))
    labels = encode_labels(Encoding(1, "none", ("1", "2", "None")), table)
    assert labels.tolist() == [0, 0, 2]
    labels = encode_labels(Encoding(1, "none", ("None", "1", "1.0")), table)
    assert labels.tolist() == [2, 1, 0]


def test_names_of_rows_are_no_categories():
    """A column of texts that are nearly all different is refused, with the key that ignores it."""
    rows = "".join(f"n{i},{i},{i % 2}\n" for i in range(30))
    with pytest.raises(DataError, match=r"column name has 30 different .*write ignore: \[name\]"):
        opened("name,x,y\n" + rows)


@pytest.mark.parametrize("scale", ["none", "standardize", "robust"])
def test_the_record_survives_json(scale):
    """An encoding is the same when it comes back from a checkpoint's description."""
    dataset, _ = opened("colour,age,y\nred,0.1,no\n,,yes\nblue,3,no\nred,5,yes\n", scale=scale,
                        missing="mean")  # fmt: skip
    encoding = dataset.encoding
    text = json.dumps(encoding.to_mapping(), allow_nan=False)
    assert Encoding.from_mapping(json.loads(text), encoding.class_names) == encoding


@pytest.mark.parametrize(
    "change",
    [{"scale": "x"}, {"features": 4}, {"means": [0.0]}, {"deviations": []},
     {"columns": [{"name": "a", "role": "number"}]}, {"image_shape": [2, 2]},
     {"pixel_range": [1, 1]}, {"pixel_range": [0]}],
)  # fmt: skip
def test_a_record_that_contradicts_itself(change):
    """A description that makes no sense is refused before it is used."""
    encoding = opened(scale="standardize")[0].encoding
    with pytest.raises((ValueError, KeyError)):
        Encoding.from_mapping(encoding.to_mapping() | change, encoding.class_names)


def test_a_fraction_is_stratified_and_seeded():
    """`test: 0.2` sets aside a fifth of every class, decided by the generator alone."""
    rows = [f"{i},{'ab'[i >= 40]}\n" for i in range(50)]
    text = "x,y\n" + "".join(rows)
    dataset, files = opened(text, test=0.2)
    assert [np.bincount(part.labels).tolist() for part in (dataset.train, dataset.test)] == [
        [32, 8], [8, 2],
    ]  # fmt: skip
    numbers = np.concatenate([dataset.train.features, dataset.test.features]).ravel()
    assert sorted(numbers) == list(range(50))
    shuffled = "x,y\n" + "".join(rows[40:] + rows[:40])
    for again in (opened(text, test=0.2)[0], opened(shuffled, test=0.2)[0]):
        np.testing.assert_array_equal(again.test.features, dataset.test.features)
    other = load_files(files, Preparation("none", 1))
    assert (other.test.features != dataset.test.features).any()


def test_too_few_for_a_fraction():
    """A split that would set nothing aside is refused."""
    with pytest.raises(DataError, match=r"too few examples of each class to set 0.2 of them aside"):
        opened(test=0.2)
