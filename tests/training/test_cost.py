"""What training costs: networks too large are found, and the estimate is of all examples."""

from types import SimpleNamespace

import numpy as np
from builders import dataset, experiment

from mlpcli.data.audit import Fact, Finding
from mlpcli.data.dataset import Examples
from mlpcli.errors import MlpError
from mlpcli.training import cost


def test_a_network_too_large_is_found():
    """What cannot fit into memory is found without trying."""
    found = cost.too_large(experiment(structure=(4, 10**7, 10**7, 3)), 60)
    assert "needs more than 120000" in found.problem  # 3 · 4 bytes · 1e14, in GB
    assert cost.too_large(experiment(), 60) is None


def test_training_that_fails_is_a_finding(monkeypatch):
    """An error of training itself is reported with its remedy, and there is no estimate."""

    def fails(*_):
        raise MlpError("eta", "it diverged", "lower it")

    monkeypatch.setattr(cost, "train_part", fails)
    (found,) = cost.estimate_cost(experiment(), dataset())
    assert isinstance(found, Finding)
    assert str(found) == "training fails: it diverged; lower it"


def many_examples(n):
    """Return a dataset of n training examples in float32, labels in int64."""
    rng = np.random.default_rng(0)
    return dataset(Examples(rng.normal(size=(n, 4)).astype(np.float32), np.arange(n) % 3))


def estimate(data, **keys):
    """Return the facts by name."""
    facts = list(cost.estimate_cost(experiment(**keys), data))
    assert all(isinstance(fact, Fact) for fact in facts)
    return {fact.name: fact for fact in facts}


def test_memory_covers_data_and_mini_batches():
    """The estimate holds the data, and what a mini-batch of all of them needs."""
    n = 50_000
    small, large = (estimate(many_examples(n), bt_size=m)["memory"].value for m in (100, n))
    data = n * (4 * 4 + 8)
    # x, y, z, a and delta in float32, and x as gathered; each layer has one column of ones.
    batch = n * 4 * ((4 + 1) + 3 + (5 + 3) + (5 + 1 + 3) + (5 + 3) + 4)
    assert data < small < 2 * data
    assert 0.9 < large / (data + batch) < 1.6


def test_cost_is_of_all_examples(monkeypatch):
    """Time per epoch counts every example, though few are tried."""
    report = SimpleNamespace(seconds=0.5, examples=1000)
    monkeypatch.setattr(cost, "train_part", lambda *_: iter([report] * 3))
    facts = estimate(many_examples(50_000))
    assert facts["seconds_per_epoch"].value == 25.0
    assert facts["seconds_per_epoch"].text == "about 25 s per epoch, 25 s for 1"


def test_the_part_has_all_classes(monkeypatch):
    """Of examples sorted by class, as those split by fraction are, the part tried has all."""
    parts = []
    monkeypatch.setattr(cost, "_measure", lambda *given: parts.append(given[2]) or (0, 1.0))
    features, labels = many_examples(50_000).train
    list(cost.estimate_cost(experiment(), dataset(Examples(features, np.sort(labels)))))
    counts = np.bincount(parts[0].labels)
    assert (len(counts), counts.max() - counts.min() <= 1) == (3, True)


def test_how_much_is_tried_depends_on_no_clock(monkeypatch):
    """A trial has two to ten epochs, as the network's size allows."""
    epochs = []
    monkeypatch.setattr(cost, "_measure", lambda *given: epochs.append(given[0].epochs) or (0, 1.0))
    for hidden in (5, 10**5, 10**7):
        list(cost.estimate_cost(experiment(structure=(4, hidden, 3)), many_examples(50_000)))
    # 2e10 multiplications at most, 6 for each of 800,003 parameters and of 16 + 416 examples: 9.6.
    assert epochs == [10, 9, 2]
