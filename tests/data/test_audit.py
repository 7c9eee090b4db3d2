"""Every defect planted in a dataset is found, and nothing else."""

import numpy as np
import pytest
from builders import NAMES, dataset, examples, experiment

from mlpcli.config.data_files import Files
from mlpcli.config.values import DataSource
from mlpcli.data import audit
from mlpcli.data.audit import Fact, Finding
from mlpcli.data.dataset import Examples
from mlpcli.data.encoding import Column, Encoding


def found(data, **keys):
    """Return the names of all findings about a dataset."""
    parts = audit.inspect(experiment(**keys), data)
    return [part.name for part in parts if isinstance(part, Finding)]


def planted(seed=1, **changes):
    """Return sixty examples with a row, a column, a cell or labels set to something."""
    features, labels = examples(60, seed)
    for where, value in changes.items():
        if where == "labels":
            labels = value(labels)
        else:
            features[{"row": (3,), "cell": (3, 2), "column": (slice(None), 2)}[where]] = value
    return Examples(features, labels)


DEFECTS = {
    "nan": (dataset(planted(cell=np.nan)), ["not-finite"]),
    "inf": (dataset(planted(cell=-np.inf)), ["not-finite"]),
    "nan in test": (dataset(test=planted(2, cell=np.nan)), ["not-finite"]),
    "all nan": (dataset(planted(column=np.nan)), ["not-finite"]),
    "missing": (dataset(planted(labels=lambda y: y % 2)), ["missing-classes"]),
    "missing in test": (dataset(test=planted(2, labels=lambda y: y * 0)), ["missing-classes"]),
    "rare": (dataset(planted(labels=lambda y: y * (np.arange(60) < 9))), ["imbalance"]),
    "constant": (dataset(planted(column=5)), ["constant-features"]),
    "constant zero": (dataset(planted(column=0)), ["constant-features"]),
    "large": (dataset(planted(cell=255)), ["large-inputs"]),
    "large negative": (dataset(planted(cell=-1e9)), ["large-inputs"]),
    "duplicate": (dataset(planted(row=examples(30, 2).features[7])), ["duplicates"]),
}


@pytest.mark.parametrize(("data", "expected"), DEFECTS.values(), ids=DEFECTS)
def test_each_defect_is_found_alone(data, expected):
    """A dataset with one defect has one finding: one line, with what to do."""
    (finding,) = [part for part in audit.inspect(experiment(), data) if type(part) is Finding]
    assert [finding.name] == expected
    assert "\n" not in str(finding)
    assert len(finding.remedy) > 15


SOUND = {
    "own": dataset(),
    "no test split": dataset()._replace(test=None),
    "bytes to be scaled": dataset(planted(cell=255), scale="unit"),
    "an image's margin": dataset(planted(column=0), image_shape=(2, 2)),
    "ten to one at most": dataset(planted(labels=lambda y: y * (np.arange(60) < 20))),
}


@pytest.mark.parametrize("data", SOUND.values(), ids=SOUND)
def test_sound_data_have_no_finding(data):
    """What is as it should be is not complained about."""
    assert found(data) == []


def test_large_inputs_are_the_articles():
    """With `compat: article` raw bytes are meant."""
    assert found(dataset(planted(cell=255)), compat="article") == []


def test_findings_name_what_they_are_about():
    """A finding says how many, and which."""
    text = str(audit.duplicates(experiment(), DEFECTS["duplicate"][0]))
    assert text.startswith(
        "1 of 30 test examples are in the training split, too, the first in row 7"
    )
    train = audit.summarise("train", planted(cell=np.nan), 3)
    assert "1 values of the train split are NaN or infinite, the first in row 3, feature 2" in str(
        audit.not_finite(train, dataset().encoding)
    )


COLUMNS = (
    Column("name", "ignored"),
    Column("size", "number"),
    Column("colour", "category", ("blue", "red")),
    Column("kind", "target"),
    Column("", "number"),
)


@pytest.mark.parametrize("feature", range(4))
def test_features_are_called_what_the_user_calls_them(feature):
    """A finding names the column, and the category, that a feature comes from."""
    name = ["column size", "column colour=blue", "column colour=red", "column 4"][feature]
    named = dataset()._replace(encoding=Encoding(4, "none", NAMES, columns=COLUMNS))
    unnamed = dataset()
    for data, expected in ((named, name), (unnamed, f"feature {feature}")):
        features, labels = examples(60, 1)
        features[:, feature] = 7
        constant = str(audit.constant_features(statistics(features, labels), data.encoding))
        assert constant.startswith(f"1 features never change: {expected}")
        features[3, feature] = np.nan
        broken = str(audit.not_finite(statistics(features, labels), data.encoding))
        assert f"the first in row 3, {expected};" in broken
        features[3, feature] = -1e9
        large = audit.large_inputs(statistics(features, labels), experiment(), data.encoding)
        assert large.problem.startswith("inputs reach 1e+09")
        assert (expected in large.problem) == (data is named)


def statistics(features, labels):
    """Return what one pass over training examples saw."""
    return audit.summarise("train", Examples(features, labels), 3)


def split_file(rows, labels):
    """Return an experiment on a file split by fraction, and a dataset of some of these rows."""
    files = Files("own.csv", test=0.2)
    own = experiment(data=DataSource("own.csv", None, files))
    train = Examples(rows[20:], labels[20:])
    return own, dataset(train, Examples(rows[:20], labels[:20]))


def test_equal_rows_of_a_file_that_is_split():
    """Copies in a split file are said to be the file's; rows of categories alone are not copies."""
    rows, labels = examples(100, 1)
    rows[99] = rows[0]
    found = audit.duplicates(*split_file(rows, labels))
    assert found.problem == (
        "1 of 20 test examples are in the training split, too: own.csv has equal rows"
    )
    categories = np.random.default_rng(0).integers(2, size=(100, 4)).astype(float)
    assert audit.duplicates(*split_file(categories, labels)) is None
    assert audit.duplicates(experiment(), split_file(categories, labels)[1]) is not None


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_duplicates_across_element_types(dtype):
    """A test example that equals a training example is found whatever type it is stored in."""
    train = Examples(np.arange(240.0).reshape(60, 4), np.arange(60) % 3)
    test = Examples(train.features[10:11].astype(dtype), np.array([0]))
    assert audit.duplicates(experiment(), dataset(train, test)).problem.startswith("1 of 1 ")


def test_facts():
    """Sizes, types, ranges, counts and the baseline are those of the arrays."""
    data = dataset()
    facts = {p.name: p for p in audit.inspect(experiment(), data) if isinstance(p, Fact)}
    assert list(facts) == ["train", "test", "scale", "classes", "majority"]
    assert facts["train"].value == {
        "examples": 60, "features": 4, "dtype": "float64", "class_counts": [20, 20, 20],
        "low": data.train.features.min(), "high": data.train.features.max(),
    }  # fmt: skip
    assert facts["majority"].value == {"class": "a", "accuracy": 1 / 3}


def test_many_rows_are_seen(monkeypatch):
    """What is split into pieces is seen as a whole."""
    whole = audit.summarise("train", planted(cell=np.nan), 3)
    monkeypatch.setattr(audit, "ROWS_AT_A_TIME", 7)
    pieces = audit.summarise("train", planted(cell=np.nan), 3)
    np.testing.assert_array_equal(pieces.low, whole.low)
    np.testing.assert_array_equal(pieces.high, whole.high)
    assert (pieces.first, pieces.not_finite) == ((3, 2), 1)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (lambda y: y, "3, 20 training examples of each"),
        (lambda y: np.minimum(y, 1), "3, from 0 training examples (c) to 40 (b)"),
    ],
)
def test_how_many_examples_classes_have(labels, text):
    """The smallest and the largest class are named, unless all are alike."""
    parts = audit.inspect(experiment(), dataset(planted(labels=labels)))
    assert text in [part.text for part in parts if isinstance(part, Fact)]
