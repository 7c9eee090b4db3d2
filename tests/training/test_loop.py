"""Training: the article's tables, what an epoch is, and what each option does to it."""

import numpy as np
import pytest
from conftest import CONFIGS

from mlpcli.checkpoint import store
from mlpcli.config import compat
from mlpcli.config.load import from_mapping, load_experiment
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.encoding import Encoding
from mlpcli.data.load import load_data
from mlpcli.errors import ConfigError, DivergedError
from mlpcli.model import new_model
from mlpcli.training import batches, loop
from mlpcli.training import run as runs

ARTICLE = {
    **dict(enumerate((
        "0.48236", "0.3234", "0.16235", "0.075001", "0.040232",
        "0.025256", "0.017793", "0.013523", "0.010801", "0.0089463",
    ))),
    998: "4.031e-05",
    999: "4.0268e-05",
}  # fmt: skip


class Trained:
    """An experiment, trained in memory."""

    def __init__(self, experiment, dataset=None, on_step=None, start=None):
        self.dataset = dataset or load_data(experiment, None)
        self.model = new_model(experiment, self.dataset)
        self.run = runs.start_run(experiment, self.model.network, start)
        self.reports = list(loop.train(experiment, self.run, self.dataset, on_step))
        self.errors = [row["error"] for row in self.run.history]

    def content(self):
        """Return the bytes of the checkpoint."""
        return store.serialise(self.model, self.run)


def experiment(**keys):
    """Return the parity experiment without `compat`, as the equations have it, in float64."""
    base = {
        "data": "parity", "structure": [10, 3, 2], "eta": 0.3, "bt_size": 8, "epochs": 2,
        "dtype": "float64", "init": "normal",
    }  # fmt: skip
    return from_mapping(base | keys, {})


def modern(**keys):
    """Return an experiment that uses most options at once."""
    options = {
        "structure": [10, 16, 8, 2], "activation": ["relu", "tanh"], "output": "softmax",
        "loss": "cross_entropy", "optimizer": "adam", "eta": 0.01, "schedule": "cosine",
        "dropout": [0.1, 0.2, 0.2], "validation": 0.1, "class_weight": "balanced",
        "label_smoothing": 0.1, "weight_decay": 1e-4, "clip_norm": 5.0, "warmup": 0.5,
        "dtype": "float32", "init": "he",
    }  # fmt: skip
    return experiment(**options | keys)


def test_parity_prints_the_articles_table(parity):
    """§7.1's errors appear to the last printed digit, and all test numbers are classified right."""
    trained = store.load(parity.weights)
    errors = {row["epoch"]: f"{row['error']:.5g}" for row in trained.history}
    assert {epoch: errors[epoch] for epoch in ARTICLE} == ARTICLE
    assert trained.evaluate(load_data(trained.experiment, None).test).accuracy == 1.0


def test_parity_looks_at_the_last_bit(parity):
    """The article's figure 5: the largest column of W2 belongs to the least significant bit."""
    W2 = store.load(parity.weights).network.weights[0]
    assert np.abs(W2).sum(axis=0).argmax() == 9


def test_error_and_step_of_the_equation(monkeypatch):
    """The article's random numbers, with divisors as in the equation, give the corrected errors.

    Article page, §7.1: "With (d) corrected to the equation the first errors are ...". There the
    last mini-batch still has 12 examples, is divided by 12, and errors are means over steps.
    """
    sizes, _, _ = compat.batch_sizes(700, 8)
    monkeypatch.setattr(runs, "KeyedStreams", compat.ArticleStream)
    monkeypatch.setattr(batches, "batch_sizes", lambda n, _: batches.BatchSizes(sizes, sizes, n))
    steps = []
    Trained(experiment(epochs=5), on_step=steps.append)
    errors = np.reshape([step.error for step in steps], (5, 87)).mean(axis=1)
    assert [f"{error:.5g}" for error in errors] == [
        "0.48011", "0.32292", "0.16331", "0.07568", "0.040523",
    ]  # fmt: skip


def examples(n):
    """Return a dataset of n random ten-bit examples of two classes."""
    rng = np.random.default_rng(0)
    train = Examples(rng.integers(2, size=(n, 10)).astype(np.uint8), np.arange(n) % 2)
    return Dataset("examples", Encoding(10, "none", ("odd", "even")), train, None)


@pytest.mark.parametrize("bt_size", [1, 3, 7, 20, 1000])
def test_any_mini_batch_size_is_ordinary(bt_size):
    """One example, a remainder, all of them and more than all take ceil(n / bt_size) steps."""
    steps = []
    trained = Trained(experiment(bt_size=bt_size, epochs=1), examples(20), steps.append)
    assert len(steps) == -(-20 // bt_size)
    sizes = [min(bt_size, 20 - bt_size * i) for i in range(len(steps))]
    total = sum(step.error * size for step, size in zip(steps, sizes, strict=True))
    assert trained.errors == [pytest.approx(total / 20)]


def test_no_error_is_negative():
    """The cross-entropy of saturated sigmoids is at or above 0 in every epoch, in float32."""
    keys = {"output": "sigmoid", "loss": "cross_entropy", "activation": "tanh", "init": "glorot"}
    adam = {"structure": [10, 8, 2], "optimizer": "adam", "eta": 0.02, "epochs": 150}
    trained = Trained(experiment(**keys, **adam, dtype="float32"))
    assert min(trained.errors) >= 0


def test_whole_batch_is_plain_gradient_descent():
    """With bt_size = n the examples' order does not matter: seeds differ by rounding alone."""
    start = Trained(experiment(seed=5)).model.network
    theta, other = (
        Trained(experiment(bt_size=700, epochs=3, seed=seed), start=start).model.network.theta
        for seed in (1, 2)
    )
    np.testing.assert_allclose(theta, other, rtol=1e-10)


def test_eta_is_the_step():
    """The first step is eta times the mean gradient: twice the eta, twice the step (erratum 5)."""
    still, once, twice = (
        Trained(experiment(bt_size=700, epochs=1, eta=eta)).model.network.theta
        for eta in (1e-300, 0.1, 0.2)
    )
    np.testing.assert_allclose(twice - still, 2 * (once - still), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("make", [experiment, modern])
def test_same_seed_same_file_other_seed_another(make):
    """Weights, order, dropout and validation all come from the seed, and from nothing else."""
    first, again, other = (Trained(make(seed=seed)).content() for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_augmentation_comes_from_the_seed(data_dir):
    """Shifted images repeat with the seed, change with it, and change what is learned."""
    keys = {"data": "mnist", "structure": [784, 8, 10], "bt_size": 500, "epochs": 1}
    opened = load_data(experiment(**keys), data_dir)
    few = opened._replace(train=Examples(*(array[:2000] for array in opened.train)))
    moved, again, other, still = (
        Trained(experiment(**keys, **options), few).errors
        for options in ({"augment": {"shift": 1}}, {"augment": {"shift": 1}},
                        {"augment": {"shift": 2}}, {})
    )  # fmt: skip
    assert moved == again != other != still


def test_features_are_never_changed_or_copied_whole():
    """Training reads the examples in place: a read-only array serves."""
    dataset = load_data(modern(), None)
    dataset.train.features.flags.writeable = False
    assert Trained(modern(), dataset).errors


def test_nothing_sees_the_test_split():
    """Validation, patience and plateau are the same whatever the test split holds."""
    keys = {"schedule": {"name": "plateau", "patience": 1}, "patience": 2, "epochs": 6}
    dataset = load_data(modern(**keys), None)
    poisoned = dataset._replace(test=Examples(dataset.test.features * 99, 1 - dataset.test.labels))
    assert Trained(modern(**keys), dataset).content() == Trained(modern(**keys), poisoned).content()


def test_validation_examples_are_not_trained_on():
    """Training sees exactly the examples that validation does not hold."""
    dataset = load_data(modern(), None)
    together = [*map(bytes, dataset.train.features[dataset.train_rows]),
                *map(bytes, dataset.validation.features)]  # fmt: skip
    assert sorted(together) == sorted(map(bytes, dataset.train.features))
    assert len(dataset.validation.labels) == 70
    assert Trained(modern(), dataset).reports[0].examples == 630


@pytest.mark.parametrize(("monitor", "best"), [("error", min), ("accuracy", max)])
def test_the_best_epoch_is_kept(monitor, best):
    """The weights to use are those of the best epoch; the current ones travel beside them."""
    trained = Trained(modern(epochs=12, eta=0.1, monitor=monitor))
    values = [row[f"validation_{monitor}"] for row in trained.run.history]
    assert trained.run.best_epoch == values.index(best(values)) < 11
    found = trained.model.evaluate(trained.dataset.validation)
    assert getattr(found, monitor) == pytest.approx(best(values))
    assert (trained.run.network.theta != trained.model.network.theta).any()


def test_patience_ends_a_run():
    """Training stops when `patience` epochs have brought nothing better by `min_delta`."""
    trained = Trained(modern(epochs=50, patience=3, min_delta=0.5))
    assert len(trained.errors) == trained.run.best_epoch + 4 < 50
    assert trained.run.finished


def test_eta_in_force_is_reported():
    """The history says which eta each epoch ended with: here halved every two epochs."""
    keys = {"schedule": {"name": "step", "every": 2, "factor": 0.5}, "epochs": 5}
    assert [row["eta"] for row in Trained(experiment(**keys)).run.history] == [
        0.3, 0.3, 0.15, 0.15, 0.075,
    ]  # fmt: skip


def test_plateau_follows_validation():
    """Without progress on the validation data, eta falls."""
    keys = {"schedule": {"name": "plateau", "patience": 1, "factor": 0.5}, "eta": 1e-12}
    history = Trained(modern(**keys, epochs=4, warmup=0)).run.history
    assert history[-1]["eta"] < 1e-12


def test_class_weights_weigh_the_error():
    """A class of weight 3 counts three times; `balanced` weighs classes to the same total."""
    labels = np.array([0] * 15 + [1] * 5)
    dataset = examples(20)
    dataset = dataset._replace(train=dataset.train._replace(labels=labels))
    keys = {"eta": 1e-300, "bt_size": 20, "epochs": 1}
    plain = Trained(experiment(**keys), dataset)
    counts, _ = np.histogram(labels, 2)
    per_class = [
        plain.model.evaluate(Examples(dataset.train.features[labels == c], labels[labels == c]))
        for c in (0, 1)
    ]
    sums = [found.error * count for found, count in zip(per_class, counts, strict=True)]
    weighed = Trained(experiment(**keys, class_weight={"even": 3}), dataset)
    assert weighed.errors == [pytest.approx((sums[0] + 3 * sums[1]) / 20)]
    balanced = Trained(experiment(**keys, class_weight="balanced"), dataset)
    assert balanced.errors == [pytest.approx((sums[0] * 20 / 30 + sums[1] * 20 / 10) / 20)]


def test_divergence_names_its_step_and_keeps_the_last_good_epoch():
    """A non-finite error stops at its mini-batch; the run is left as its last epoch ended."""
    dataset = examples(20)
    keys = {"optimizer": "sgd", "momentum": 0.9, "bt_size": 5, "epochs": 3, "activation": "relu",
            "output": "softmax", "loss": "cross_entropy"}  # fmt: skip
    bad = experiment(**keys)
    model = new_model(bad, dataset)
    run = runs.start_run(bad, model.network)
    reports = loop.train(bad, run, dataset)
    next(reports)
    after_one = run.network.theta.copy(), run.optimizer_state.copy()

    def poison(report):
        if report.step == 1:
            run.network.theta[:] = np.inf

    poisoned = loop.train(bad, run, dataset, poison)
    with pytest.raises(DivergedError, match=r"epoch 1, step 2: .* lower eta"):
        next(poisoned)
    np.testing.assert_array_equal(run.network.theta, after_one[0])
    np.testing.assert_array_equal(run.optimizer_state, after_one[1])
    assert len(run.history) == 1


def test_weights_to_start_from_must_fit():
    """`--from` weights of another structure are refused with both structures."""
    other = Trained(experiment(structure=[10, 4, 2])).model.network
    with pytest.raises(ConfigError, match=r"\[10, 3, 2\].*\[10, 4, 2\]"):
        Trained(experiment(), start=other)


def test_mnist_as_the_article_begins(data_dir):
    """§7.2 with raw bytes: the first epoch's error lies in the article page's band."""
    article = load_experiment(CONFIGS / "mnist-article.yaml", ["epochs=1"])
    trained = Trained(article, load_data(article, data_dir))
    assert 1.10 <= trained.errors[0] <= 1.25


def test_ema_is_the_moving_average_of_the_parameters():
    """After mini-batch t, ema <- d ema + (1 - d) theta, d = min(0.9, (1 + t) / (10 + t))."""
    keys = {"eta": 0.3, "epochs": 2, "bt_size": 100, "ema": 0.9}
    seen = []
    averaged = Trained(experiment(**keys))
    initial = new_model(experiment(**keys), averaged.dataset)
    expected = runs.start_run(experiment(**keys), initial.network).network.theta.copy()
    plain = experiment(eta=0.3, epochs=2, bt_size=100)
    dataset = load_data(plain, None)
    model = new_model(plain, dataset)
    run = runs.start_run(plain, model.network)
    for _ in loop.train(plain, run, dataset, lambda _: seen.append(run.network.theta.copy())):
        pass
    for t, theta in enumerate(seen, 1):
        d = min(0.9, (1 + t) / (10 + t))
        expected = d * expected + (1 - d) * theta
    np.testing.assert_allclose(averaged.model.network.theta, expected, rtol=1e-12)


def test_a_calibrated_model_is_used_at_its_temperature(tmp_path):
    """The checkpoint keeps W and T apart; a loaded model has both in its outputs."""
    keys = {"output": "softmax", "loss": "cross_entropy", "validation": 0.2, "epochs": 3}
    trained = Trained(experiment(**keys, calibrate=True, init="glorot"))
    path = tmp_path / "w.npy"
    store.save(path, trained.model, trained.run)
    loaded, meta = store.load_with_meta(path)
    T = meta.temperature
    assert T == trained.run.temperature != 1
    np.testing.assert_allclose(
        loaded.network.weights[-1] * T, trained.model.network.weights[-1], rtol=1e-14
    )
    x = trained.dataset.test.features
    assert (loaded.predict(x) == trained.model.predict(x)).all()
