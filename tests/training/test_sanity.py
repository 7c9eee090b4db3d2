"""Short trials: a wrong gradient, a rate that cannot learn and a network too large are found."""

from types import SimpleNamespace

import numpy as np
import pytest
from builders import dataset, experiment

from mlpcli.data.audit import Fact, Finding
from mlpcli.data.dataset import Examples
from mlpcli.training import sanity


def rehearsed(data=None, **keys):
    """Return facts and findings by name."""
    parts = list(sanity.sanity_checks(experiment(**keys), data or dataset()))
    facts = {part.name: part for part in parts if isinstance(part, Fact)}
    return facts, {part.name: part for part in parts if isinstance(part, Finding)}


def test_a_sound_experiment():
    """All trials are reported, and none complains."""
    facts, findings = rehearsed()
    names = ["parameters", "gradient", "one_batch", "memory", "seconds_per_epoch"]
    assert (list(facts), findings) == (names, {})
    assert facts["parameters"].value == 5 * 5 + 6 * 3


@pytest.mark.parametrize("structure", [(4, 3), (4, 5, 3), (4, 5, 6, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_right_gradient_agrees(structure, dtype):
    """The engine's own gradient agrees far better than a wrong one could."""
    error = sanity.gradient_check(experiment(structure=structure, dtype=dtype), dataset())
    assert error < 1e-8


@pytest.mark.parametrize("size", [1e-3, 1, 255, 1e5])
def test_the_gradient_is_checked_at_any_input_size(size):
    """Large inputs do not saturate the check, in which every gradient would agree."""
    features, labels = dataset().train
    data = dataset(Examples(features * size, labels))
    assert 0 < sanity.gradient_check(experiment(), data) < 1e-7


@pytest.mark.parametrize("size", [1e-2, 1, 255])
@pytest.mark.parametrize("part", ["weights", "biases"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_broken_backward_pass_is_found(monkeypatch, layer, part, size):
    """One per cent too much in any layer's weights or biases is a finding."""
    correct = sanity.backprop

    def broken(loss, x, y, ws, factor):
        error = correct(loss, x, y, ws, factor)
        ws.d_layers[layer][slice(-1) if part == "weights" else -1] *= 1.01
        return error

    features, labels = dataset().train
    data = dataset(Examples(features * size, labels))
    monkeypatch.setattr(sanity, "backprop", broken)
    facts, findings = rehearsed(data, structure=(4, 5, 6, 3))
    assert facts["gradient"].value > 1e-3
    assert "report this" in findings["gradient"].remedy


@pytest.mark.parametrize("eta", [1e-9, 1e6])
def test_a_rate_that_cannot_learn_is_found(eta):
    """Too small or too large a rate does not even learn sixteen examples."""
    _, findings = rehearsed(eta=eta)
    assert list(findings) == ["one-batch"]
    assert f"try another eta (now {eta:g})" in findings["one-batch"].remedy


def test_time_running_out_is_no_finding(monkeypatch):
    """A network too slow to learn in seconds is not called unable to."""
    monkeypatch.setattr(sanity, "BATCH_SECONDS", 0)
    _, findings = rehearsed(eta=1e-9)
    assert findings == {}


def test_training_that_fails_is_reported(monkeypatch):
    """An error of training itself is the finding's reason."""
    from mlpcli.errors import MlpError

    def fails(*_):
        raise MlpError("eta", "it diverged", "lower it")

    monkeypatch.setattr(sanity, "_train", fails)
    facts, findings = rehearsed()
    assert list(facts) == ["parameters", "gradient", "one_batch"]
    assert "it diverged" in findings["one-batch"].problem
    assert str(findings["training"]) == "training fails: it diverged; lower it"


def test_a_network_too_large_is_not_made(monkeypatch):
    """What cannot fit into memory is found without trying."""
    monkeypatch.setattr(sanity, "_gradient", lambda *_: pytest.fail("it was tried"))
    facts, findings = rehearsed(structure=(4, 10**7, 10**7, 3))
    assert (list(facts), list(findings)) == (["parameters"], ["memory"])
    assert "needs more than 120000" in findings["memory"].problem  # 3 · 4 bytes · 1e14, in GB


def many_examples(n):
    """Return a dataset of n training examples in float32, labels in int64."""
    rng = np.random.default_rng(0)
    return dataset(Examples(rng.normal(size=(n, 4)).astype(np.float32), np.arange(n) % 3))


def test_memory_covers_data_and_mini_batches():
    """The estimate holds the data, and what a mini-batch of all of them needs."""
    n = 50_000
    small, large = (rehearsed(many_examples(n), bt_size=m)[0]["memory"].value for m in (100, n))
    data = n * (4 * 4 + 8)
    # x, y, z, a and delta in float32, and x as gathered; each layer has one column of ones.
    batch = n * 4 * ((4 + 1) + 3 + (5 + 3) + (5 + 1 + 3) + (5 + 3) + 4)
    assert data < small < 2 * data
    assert 0.9 < large / (data + batch) < 1.6


def test_cost_is_of_all_examples(monkeypatch):
    """Time per epoch counts every example, though few are tried."""
    report = SimpleNamespace(seconds=0.5, examples=1000)
    monkeypatch.setattr(sanity, "_train", lambda *_: iter([report] * 3))
    facts = {fact.name: fact for fact in sanity._cost(experiment(), many_examples(50_000))}
    assert facts["seconds_per_epoch"].value == 25.0
    assert facts["seconds_per_epoch"].text == "about 25 s per epoch, 25 s for 1"
