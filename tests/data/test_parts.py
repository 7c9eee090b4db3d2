"""Training data in parts: what is refused, before anything is learned from them."""

from pathlib import Path

import numpy as np
import pytest

from mlpcli.config.load import from_mapping
from mlpcli.data.load import data_paths, load_data, open_split
from mlpcli.data.parts import Parts, part_paths
from mlpcli.data.readers.table import Labels, name_labels
from mlpcli.errors import DataError

FILES = {"train": "x-{rank}.npy", "target": "y-{rank}.npy", "scale": "none"}
KEYS = {"structure": [3, 2], "eta": 0.1, "bt_size": 4, "epochs": 1}


def load(files=(), keys=(), parts=1, widths=(3, 3)):
    """Open what one of two processes has, and what the other would tell it."""
    for rank, width in enumerate(widths):
        np.save(f"x-{rank}.npy", np.zeros((6, width)))
        np.save(f"y-{rank}.npy", np.arange(6) % 2)
    Path("t-0.csv").write_text("a,b,c,y\n1,2,3,p\n1,2,3,q\n", encoding="utf-8")
    found = from_mapping({"data": FILES | dict(files)} | KEYS | dict(keys), {})

    def gather(own):
        return [own, (6, widths[1]) if type(own) is tuple else own]

    return load_data(found, Path(), parts=Parts(0, gather) if parts else None)


@pytest.mark.parametrize(("change", "problem"), [
    ({"keys": {"embeddings": "piecewise_linear"}}, "embeddings: x-{rank}.npy: needs all values"),
    ({"files": {"missing": "mean"}}, "data.missing: x-{rank}.npy: needs all values at once"),
    ({"files": {"test": 0.2}}, "data.test: x-{rank}.npy: is a fraction of parts; name a file"),
    ({"files": {"scale": "robust"}}, "needs a scale that parts have in common; write scale: unit"),
    ({"files": {"train": "t-{rank}.csv", "target": "y"}}, "t-0.csv: is a table, and parts are"),
    ({"widths": (3, 4)}, "the parts have 3, 4 features; give all as many"),
    ({"parts": 0}, "is the name of parts; start a rank for each: mpiexec, and --mpi"),
])  # fmt: skip
def test_what_parts_do_not_allow_is_refused(change, problem):
    """A line names the key and what to write instead."""
    with pytest.raises(DataError) as error:
        load(**change)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("other", "kinds"),
    [(["p", "q"], "numbers, words"), ([[0, 1], [1, 0]], "numbers, 2 columns"), ([1, 2.5], "")],
)
def test_labels_of_another_kind_are_refused(other, kinds):
    """A part with a wrong file of labels would make other classes of the same ones."""
    labels = name_labels(np.array(other * 3))
    found = from_mapping({"data": FILES} | KEYS | {"structure": [3, 3]}, {})
    load()
    parts = Parts(0, lambda own: [own, labels if isinstance(own, Labels) else own])
    if not kinds:
        assert len(load_data(found, Path(), parts=parts).encoding.class_names) == 3
        return
    with pytest.raises(DataError, match=f"the labels of the parts are {kinds}; give all"):
        load_data(found, Path(), parts=parts)


def test_a_part_that_no_process_reads_is_named():
    """Who starts too few of them is told; the next part stands for all that follow."""
    assert load().notes == ()
    load(widths=(3, 3, 3))
    assert load().notes == ("x-2.npy is not learned from, since there are 2 ranks",)


def test_labels_of_all_and_features_of_one():
    """A process knows which examples are its own, and all classes."""
    dataset = load()
    assert dataset.train.features.shape == (6, 3)
    assert len(dataset.train.labels) == 12
    assert dataset.part.rows == range(6)


def test_all_parts_are_no_file_to_evaluate():
    """What reads the training examples again says to name a part."""
    encoding = load().encoding
    experiment = from_mapping({"data": FILES} | KEYS, {})
    with pytest.raises(DataError) as error:
        open_split(experiment, encoding, "", Path(), "train")
    assert str(error.value) == (
        "x-{rank}.npy: is the name of parts; give one of them with --data FILE"
    )


def test_no_output_may_be_a_part():
    """All parts are among what is read, and no other file, such as a model of their name."""
    load()
    Path("x-.npy").touch()
    Path("x-model.npy").touch()
    experiment = from_mapping({"data": FILES} | KEYS, {})
    names = {path.name for path in data_paths(experiment, Path())}
    assert names == {"x-0.npy", "x-1.npy", "y-0.npy", "y-1.npy"}


def test_a_folder_of_each_rank_has_its_part():
    """The number may be that of a folder, beside characters that mean something in a pattern."""
    paths = [Path(f"[a]-{rank}/x.npy") for rank in (0, 12)]
    for path in paths:
        path.parent.mkdir()
        path.touch()
    Path("a-1").mkdir()
    Path("a-1/x.npy").touch()
    assert sorted(part_paths(Path("[a]-{rank}/x.npy"))) == paths
