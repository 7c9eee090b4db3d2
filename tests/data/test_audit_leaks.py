"""What gives the target away is found, and what does not is left alone."""

import numpy as np
import pytest
from builders import NAMES, experiment

from mlpcli.config.data_files import Files
from mlpcli.config.values import DataSource
from mlpcli.data.audit_leaks import inspect_leaks
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.encoding import Column, Encoding, Quantity

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(90, 4)), np.arange(90) % 3
COLUMNS = (
    Column("a", "number"), Column("b", "number"), Column("c", "number"), Column("d", "number")
)  # fmt: skip


def found(features=X, labels=Y, test=None, **parts):
    """Return the findings about a user's table, as one text."""
    encoding = Encoding(features.shape[1], "none", NAMES, columns=COLUMNS)._replace(**parts)
    own = experiment(data=DataSource("t.csv", None, Files("t.csv", test=0.2)))
    held_out = None if test is None else Examples(test, np.zeros(len(test), int))
    dataset = Dataset("t.csv", encoding, Examples(features, labels), held_out)
    return "\n".join(f"{finding.name}: {finding}" for finding in inspect_leaks(own, dataset))


def with_column(values, features=X):
    """Return features with their second column set to something."""
    changed = features.copy()
    changed[:, 1] = values
    return changed


def test_nothing_is_found_in_noise():
    """Ordinary data have no finding, nor has a column that tells most of the classes apart."""
    assert found(test=RNG.normal(size=(20, 4))) == ""
    mostly = Y * 10.0
    mostly[3] = 20
    assert found(with_column(mostly)) == ""
    assert found(X[:9], Y[:9]) == ""


LEAKS = {
    "the class": (Y, "tells the class: each of its 3 values has examples of one class only"),
    "a multiple": (-5.0 * Y, "tells the class: each of its 3 values has"),
    "codes of it": (Y + 3 * (np.arange(90) % 2), "tells the class: each of its 6 values has"),
    "row numbers": (np.argsort(np.argsort(Y, kind="stable")), "numbers rows that are sorted by"),
    "standardised": (
        np.float32((np.argsort(np.argsort(Y, kind="stable")) - 44.5) / 26),
        "numbers rows that are sorted by class",
    ),
}


@pytest.mark.parametrize(("values", "said"), LEAKS.values(), ids=LEAKS)
def test_numbers_that_are_known_with_the_class(values, said):
    """A number that is the class, or a code of it, or the row's number in sorted rows, is named."""
    assert found(with_column(values)).startswith(f"gives-away: column b alone {said}")


HONEST = {
    "a measurement": Y * 100 + RNG.random(90),
    "to a decimal": np.round(Y * 2 + RNG.random(90), 1),
    "to one of two steps": 2 * Y + (np.arange(90) // 3 % 2),
}


@pytest.mark.parametrize("values", HONEST.values(), ids=HONEST)
def test_a_number_that_separates_honestly(values):
    """A number with a range of values for each class is a good feature, and no leak."""
    assert found(with_column(values)) == ""


def test_categories_that_tell_the_class():
    """A category that has one class only is named, if there are not as many as rows."""
    columns = (Column("kind", "category", ("u", "v", "w", "x")), *COLUMNS[:1])
    hot = np.eye(4)[np.where(Y == 1, np.arange(90) % 2 * 3, Y)]
    features = np.column_stack([hot, X[:, 0]])
    hot_classes = np.where(hot.argmax(axis=1) == 0, 0, Y)
    assert "gives-away: column kind alone tells the class" in found(
        features, hot_classes, columns=columns
    )
    assert found(features, np.roll(Y, 1) * (np.arange(90) % 2), columns=columns) == ""


def test_a_sign_that_tells_the_class():
    """Two categories that are one feature are categories all the same."""
    columns = (Column("kind", "category", ("u", "v"), signed=True), *COLUMNS[:1])
    classes = np.arange(90) // 2 % 2
    features = np.column_stack([2 * classes - 1, X[:, 0]])
    said = "gives-away: column kind alone tells the class: each of its categories has examples of"
    assert said in found(features, classes, columns=columns)
    assert found(features, np.arange(90) % 2, columns=columns) == ""


def test_quantities_that_are_given():
    """A column that is a multiple of the target is named; one that resembles it is not."""
    price = 3 * X[:, 1:2] + 7
    parts = {
        "task": "regression", "class_names": ("price",), "quantities": (Quantity(0, 1, -1, 1),)
    }  # fmt: skip
    assert "column b alone is the target" in found(X, price, **parts)
    assert found(X, price + 0.1 * RNG.normal(size=price.shape), **parts) == ""


def test_only_columns_that_tell_are_named(monkeypatch):
    """To name one, all before it are looked at: of thousands of columns that takes minutes."""
    named = []
    monkeypatch.setattr(
        "mlpcli.data.audit_leaks.feature_name", lambda _, i: named.append(i) or f"column {i}"
    )
    features = np.random.default_rng(0).normal(size=(len(Y), 50))
    features[:, 7] = Y
    assert "column 7 alone tells the class" in found(features, columns=())
    assert named == [7]


def test_similar_class_names():
    """Names that differ in case and outer spaces are shown with their quotes."""
    assert "differ in case or spaces only: 'Yes' and 'yes '; write" in found(
        class_names=("Yes", "no", "yes ")
    )


def test_near_duplicates():
    """Test rows with a little noise are found; equal ones, and chance in one feature, are not."""
    noisy = X[:20] + 1e-5 * RNG.normal(size=(20, 4))
    assert "near-duplicates: 20 of 20 test examples" in found(test=noisy)
    assert "near-duplicates" not in found(test=X[:20])
    coarse = np.round(X)
    coarse[:, 0] = X[:, 0]
    assert found(coarse, test=coarse[:20] + np.array([1e-5, 0, 0, 0])) == ""


def test_data_known_by_name_are_as_they_are():
    """The last bit of the article's numbers tells whether they are even."""
    dataset = Dataset("parity", Encoding(4, "none", NAMES), Examples(with_column(Y), Y), None)
    assert list(inspect_leaks(experiment(), dataset)) == []


def test_check_shows_it(run_mlp):
    """`mlp check --strict` ends with 1 where a column numbers rows that are sorted by class."""
    with open("t.csv", "w", encoding="utf-8") as stream:
        stream.write("nr,x,y\n")
        stream.writelines(f"{i},{RNG.random()},{'ab'[i >= 30]}\n" for i in range(60))
    with open("t.yaml", "w", encoding="utf-8") as stream:
        stream.write(
            "data: {train: t.csv}\nstructure: [2, 4, 2]\neta: 0.1\nbt_size: 8\nepochs: 1\n"
        )
    run = run_mlp("check", "t.yaml", "--strict")
    assert run.returncode == 1
    assert "gives-away: column nr alone numbers rows that are sorted by class" in run.stdout
