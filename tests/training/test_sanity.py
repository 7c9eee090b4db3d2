"""Short trials: a wrong gradient and a rate that cannot learn are found."""

import numpy as np
import pytest
from builders import dataset, examples, experiment

from mlpcli.data.audit import Fact, Finding
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.encoding import Encoding
from mlpcli.errors import MlpError
from mlpcli.nn.periodic_backprop import backward_pass
from mlpcli.training import sanity


def trials(data=None, **keys):
    """Return facts and findings by name."""
    parts = list(sanity.sanity_checks(experiment(**keys), data or dataset()))
    facts = {part.name: part for part in parts if isinstance(part, Fact)}
    return facts, {part.name: part for part in parts if isinstance(part, Finding)}


def test_a_sound_experiment():
    """All trials are reported, and none complains."""
    facts, findings = trials()
    assert (list(facts), findings) == (["gradient", "one_batch"], {})


@pytest.mark.parametrize("structure", [(4, 3), (4, 5, 3), (4, 5, 6, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_right_gradient_agrees(structure, dtype):
    """The engine's own gradient agrees far better than a wrong one could."""
    error = sanity.gradient_check(experiment(structure=structure, dtype=dtype), dataset())
    # A slope near 0 counts as 1e-3, and errors near 1 are known to 1e-16, steps being 1e-6.
    assert error < 1e-7


@pytest.mark.parametrize("size", [1e-3, 1, 255, 1e5])
def test_the_gradient_is_checked_at_any_input_size(size):
    """Large inputs do not saturate the check, in which every gradient would agree."""
    features, labels = dataset().train
    data = dataset(Examples(features * size, labels))
    assert 0 < sanity.gradient_check(experiment(), data) < 1e-7


def broken_by(spoil):
    """Return `backward_pass` with a change of what it leaves in the workspace."""

    def broken_pass(network):
        make_workspace, backprop = backward_pass(network)

        def broken(loss, x, y, ws, factor):
            error = backprop(loss, x, y, ws, factor)
            spoil(ws)
            return error

        return make_workspace, broken

    return broken_pass


@pytest.mark.parametrize("size", [1e-2, 1, 255])
@pytest.mark.parametrize("part", ["weights", "biases"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_broken_backward_pass_is_found(monkeypatch, layer, part, size):
    """One per cent too much in any layer's weights or biases is a finding."""

    def spoil(ws):
        ws.d_layers[layer][slice(-1) if part == "weights" else -1] *= 1.01

    features, labels = dataset().train
    data = dataset(Examples(features * size, labels))
    monkeypatch.setattr(sanity, "backward_pass", broken_by(spoil))
    facts, findings = trials(data, structure=(4, 5, 6, 3))
    assert facts["gradient"].value > 1e-3
    assert "report this" in findings["gradient"].remedy


@pytest.mark.parametrize("part", ["d_heads", "d_scales"])
def test_a_broken_backward_pass_of_members_is_found(monkeypatch, part):
    """The members' scales and output layers are checked as every layer is."""
    keys = {"structure": (4, 5, 3), "members": 3}
    assert sanity.gradient_check(experiment(**keys), dataset()) < 1e-7

    def spoil(ws):
        getattr(ws, part)[...] *= 1.01

    monkeypatch.setattr(sanity, "backward_pass", broken_by(spoil))
    assert sanity.gradient_check(experiment(**keys), dataset()) > 1e-3


@pytest.mark.parametrize("eta", [1e-9, 1e6])
def test_a_rate_that_cannot_learn_is_found(eta):
    """Too small or too large a rate cannot even overfit sixteen examples."""
    _, findings = trials(eta=eta)
    assert list(findings) == ["one-batch"]
    assert findings["one-batch"].problem.startswith("could not overfit one mini-batch in ")
    assert f"try another eta (now {eta:g})" in findings["one-batch"].remedy


def test_training_that_fails_is_reported(monkeypatch):
    """An error of training itself is the finding's reason."""

    def fails(*_):
        raise MlpError("eta", "it diverged", "lower it")

    monkeypatch.setattr(sanity, "train_part", fails)
    facts, findings = trials()
    assert list(facts) == ["gradient", "one_batch"]
    assert "it diverged" in findings["one-batch"].problem


@pytest.mark.parametrize("n", [8, 16, 45])
def test_examples_are_drawn_from_all_classes(n):
    """Of data sorted by class, or of classes of other sizes, all have as many as they can."""
    features, labels = examples(60, 1)
    labels = np.where(np.arange(60) < 5, 0, 1 + np.arange(60) % 2)
    drawn = sanity.draw_examples(Examples(features, labels), n, seed=0)
    counts = np.bincount(drawn.labels, minlength=3)
    assert counts.sum() == n
    assert min(5, n // 3) <= counts[0] <= 5
    assert abs(counts[1] - counts[2]) <= 1
    # Each with its own features, none twice.
    rows = [features.tolist().index(row) for row in drawn.features.tolist()]
    assert len(set(rows)) == n
    np.testing.assert_array_equal(labels[rows], drawn.labels)


def test_drawing_more_than_there_are():
    """All examples are drawn where there are no more."""
    assert len(sanity.draw_examples(examples(7, 1), 100, seed=0).labels) == 7


def xor(n):
    """Return n points of the plane, sorted by class as data that are split by fraction are."""
    features = np.random.default_rng(0).uniform(-1, 1, (n, 2))
    labels = (features[:, 0] * features[:, 1] > 0).astype(np.uint8)
    order = np.argsort(labels, kind="stable")
    return Dataset(
        "xor", Encoding(2, "none", ("no", "yes")), Examples(features[order], labels[order]), None
    )


@pytest.mark.parametrize(("eta", "found"), [(3.0, []), (1000.0, ["one-batch"])])
def test_data_sorted_by_class(eta, found):
    """A mini-batch of sorted data has all classes: always saying one of them is not enough."""
    _, findings = trials(xor(400), structure=(2, 8, 2), eta=eta)
    assert list(findings) == found


@pytest.mark.parametrize(
    ("structure", "steps"), [((4, 5, 3), 2000), ((4, 10**5, 3), 624), ((4, 10**7, 3), 100)]
)
def test_trials_are_bounded_by_steps(monkeypatch, structure, steps):
    """How long a mini-batch is tried depends on the network's size, and on no clock."""
    tried = []
    monkeypatch.setattr(sanity, "new_network", lambda alone, _: tried.append(alone.epochs) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sanity.overfit_batch(experiment(structure=structure), dataset())
    assert tried == [steps]  # 5e8 parameters, at most 2000 times and at least 100
