"""Training: the article's tables, and what an epoch is."""

import numpy as np
import pytest
from conftest import CONFIGS

from mlpcli import model
from mlpcli.data.dataset import Examples
from mlpcli.experiment import load_experiment
from mlpcli.keys import DataSource, Experiment
from mlpcli.nn.network import Network
from mlpcli.training import train

ARTICLE = {
    **dict(enumerate((
        "0.48236", "0.3234", "0.16235", "0.075001", "0.040232",
        "0.025256", "0.017793", "0.013523", "0.010801", "0.0089463",
    ))),
    998: "4.031e-05",
    999: "4.0268e-05",
}  # fmt: skip


@pytest.fixture(scope="module")
def parity(tmp_path_factory):
    """Return the model of configs/parity.yaml, trained, and its test examples."""
    experiment = load_experiment(CONFIGS / "parity.yaml")
    dataset = model.open_data(experiment, tmp_path_factory.mktemp("unused"))
    trained = model.new_model(experiment, dataset)
    for report in train(experiment, trained.network, dataset.train):
        trained.history.append({"epoch": report.epoch, "error": report.error})
    return trained, dataset.test


def test_parity_prints_the_articles_table(parity):
    """§7.1's errors come out to the last printed digit, and all test numbers are judged right."""
    trained, test = parity
    errors = {row["epoch"]: f"{row['error']:.5g}" for row in trained.history}
    assert {epoch: errors[epoch] for epoch in ARTICLE} == ARTICLE
    assert model.judge(trained, test).accuracy == 1.0


def test_parity_looks_at_the_last_bit(parity):
    """The article's figure 5: the largest column of W2 belongs to the least significant bit."""
    W2 = parity[0].network.weights[0]
    assert np.abs(W2).sum(axis=0).argmax() == 9


def mean_equation(**keys):
    """Return the parity experiment without `compat`, as the equations have it."""
    base = {
        "data": DataSource("parity"), "structure": (10, 3, 2), "eta": 0.3, "bt_size": 8,
        "epochs": 2, "dtype": "float64", "init": "normal",
    }  # fmt: skip
    return Experiment(**base | keys)


def reports(experiment, examples=None, on_step=None):
    """Train on parity, or on given examples; return the reports and the parameters."""
    examples = examples or model.open_data(mean_equation(), None).train
    network = Network(experiment.structure, ["sigmoid"] * 2, experiment.dtype)
    return list(train(experiment, network, examples, on_step)), network.theta


def test_error_and_step_of_the_equation(monkeypatch):
    """The article's random numbers, with divisors as in the equation, give the corrected errors.

    Article page, §7.1: "With (d) corrected to the equation the first errors are ...". There the
    last mini-batch still has 12 examples, is divided by 12, and errors are means over steps.
    """
    from mlpcli import compat, training

    sizes, _, _ = compat.plan(700, 8)
    monkeypatch.setattr(training, "KeyedDraws", compat.ArticleDraws)
    monkeypatch.setattr(training, "plan", lambda n, _: training.Plan(sizes, sizes, n))
    steps = []
    reports(mean_equation(epochs=5), on_step=steps.append)
    errors = np.reshape([step.error for step in steps], (5, 87)).mean(axis=1)
    assert [f"{error:.5g}" for error in errors] == [
        "0.48011", "0.32292", "0.16331", "0.07568", "0.040523",
    ]  # fmt: skip


@pytest.mark.parametrize("bt_size", [1, 3, 7, 20, 1000])
def test_any_mini_batch_size_is_ordinary(bt_size):
    """One example, a remainder, all of them and more than all take ceil(n / bt_size) steps."""
    rng = np.random.default_rng(0)
    examples = Examples(rng.integers(2, size=(20, 10)).astype(np.uint8), rng.integers(2, size=20))
    steps = []
    experiment = mean_equation(bt_size=bt_size, epochs=1)
    network = Network(experiment.structure, ["sigmoid"] * 2, np.float64)
    (report,) = train(experiment, network, examples, steps.append)
    assert len(steps) == -(-20 // bt_size)
    sizes = [min(bt_size, 20 - bt_size * i) for i in range(len(steps))]
    total = sum(step.error * size for step, size in zip(steps, sizes, strict=True))
    assert report.error == pytest.approx(total / 20)


def test_whole_batch_is_plain_gradient_descent():
    """With bt_size = n the examples' order does not matter: seeds differ by rounding alone."""
    from mlpcli.nn.initializers import INITIALIZERS

    def from_same_weights(network, _):
        INITIALIZERS["normal"](network, np.random.default_rng(5))

    with pytest.MonkeyPatch.context() as patch:
        from mlpcli import training

        patch.setattr(training, "INITIALIZERS", {"normal": from_same_weights})
        _, theta = reports(mean_equation(bt_size=700, epochs=3, seed=1))
        _, other = reports(mean_equation(bt_size=700, epochs=3, seed=2))
    np.testing.assert_allclose(theta, other, rtol=1e-10)


def test_same_seed_same_weights_other_seed_others():
    """The seed decides weights and order, and nothing else does."""
    _, first = reports(mean_equation(seed=3))
    _, again = reports(mean_equation(seed=3))
    _, other = reports(mean_equation(seed=4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_features_are_never_changed_or_copied_whole():
    """Training reads the examples in place: a read-only array serves."""
    examples = model.open_data(mean_equation(), None).train
    examples.features.flags.writeable = False
    assert reports(mean_equation(), examples)


def test_mnist_as_the_article_begins(data_dir):
    """§7.2 with raw bytes: the first epoch's error lies in the article page's band."""
    experiment = load_experiment(CONFIGS / "mnist-article.yaml")
    dataset = model.open_data(experiment, data_dir)
    trained = model.new_model(experiment, dataset)
    report = next(train(experiment, trained.network, dataset.train))
    assert 1.10 <= report.error <= 1.25


def test_eta_is_the_step():
    """The first step is eta times the mean gradient: twice the eta, twice the step (erratum 5)."""

    def moved(eta):
        _, after = reports(mean_equation(bt_size=700, epochs=1, eta=eta))
        return after

    still = moved(1e-300)
    np.testing.assert_allclose(moved(0.2) - still, 2 * (moved(0.1) - still), rtol=1e-9, atol=1e-12)
