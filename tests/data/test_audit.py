"""Every defect planted in a dataset is found, and nothing else."""

import numpy as np
import pytest
from builders import dataset, examples, experiment

from mlpcli.data import audit
from mlpcli.data.audit import Fact, Finding
from mlpcli.data.dataset import Examples


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
    text = str(audit.duplicates(DEFECTS["duplicate"][0]))
    assert text.startswith(
        "1 of 30 test examples are in the training split, too, the first in row 7"
    )
    train = audit.summarise("train", planted(cell=np.nan), 3)
    assert "1 values of the train split are NaN or infinite, the first in row 3, feature 2" in str(
        audit.not_finite(train)
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_duplicates_across_element_types(dtype):
    """A test example that equals a training example is found whatever type it is stored in."""
    train = Examples(np.arange(240.0).reshape(60, 4), np.arange(60) % 3)
    test = Examples(train.features[10:11].astype(dtype), np.array([0]))
    assert audit.duplicates(dataset(train, test)).problem.startswith("1 of 1 ")


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
