"""Hold `mlp init` to its promises on tables of classes that scikit-learn has or makes.

Usage: python tests/tables.py [--seeds 5] [--only NAME ...] [--set KEY=VALUE ...], or with more,
`make acceptance`. Exits with 1 if a promise of the constants below is not kept. With `--set`, `mlp`
alone is measured, with these keys changed: what a part of the recipe is worth.

Accuracy, log loss and expected calibration error (15 bins of confidence); see `contest`.
"""

import sys
from collections.abc import Callable

from contest import OURS, Array, Contest, Scores, Table, hold  # first: it sets the threads

# isort: split
import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

BINS = 15
LINEAR, NETWORK, BOOSTING, MAJORITY = (
    *("LogisticRegression", "MLPClassifier", "HistGradientBoosting", "majority"),
)
# Of the means over all tables and five seeds: the largest log loss, and by how much accuracy may be
# below boosting's.
MOST_LOG_LOSS, BELOW_BOOSTING = 0.35, 0.01


def blobs(
    n: int, features: int, informative: int, classes: int, seed: int, flip: float = 0.01
) -> Table:
    """Return classes that are clusters in some of the features, noise in the others."""
    x, y = datasets.make_classification(
        n,
        features,
        n_informative=informative,
        n_redundant=0,
        n_classes=classes,
        n_clusters_per_class=1 if classes > 2 else 2,
        flip_y=flip,
        class_sep=1.5,
        random_state=seed,
    )
    return x, y


def linear(n: int, features: int, seed: int) -> Table:
    """Return classes that a logistic model of five features drew."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, features))
    return x, (rng.random(n) < 1 / (1 + np.exp(-x[:, :5].sum(axis=1)))).astype(np.int64)


def xor(n: int, features: int, seed: int) -> Table:
    """Return classes that the signs of two features decide together."""
    x = np.random.default_rng(seed).standard_normal((n, features))
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def hastie(n: int, seed: int) -> Table:
    """Return Hastie's classes: inside or outside of a sphere in ten dimensions."""
    x, y = datasets.make_hastie_10_2(n, random_state=seed)
    return x, (y > 0).astype(np.int64)


TABLES: dict[str, Callable[[], Table]] = {
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "breast_cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "blobs_100": lambda: blobs(100, 20, 4, 2, 1),
    "noisy_300": lambda: blobs(300, 30, 6, 3, 2, flip=0.2),
    "linear_400": lambda: linear(400, 20, 3),
    "moons_500": lambda: datasets.make_moons(500, noise=0.3, random_state=4),
    "xor_800": lambda: xor(800, 8, 5),
    "quantiles_1000": lambda: datasets.make_gaussian_quantiles(
        n_samples=1000, n_features=5, n_classes=4, random_state=6
    ),
    "hastie_2000": lambda: hastie(2000, 7),
    "letters_2000": lambda: blobs(2000, 16, 16, 26, 8),
    "noisy_4000": lambda: blobs(4000, 30, 8, 5, 9, flip=0.2),
    "blobs_10000": lambda: blobs(10_000, 30, 10, 2, 10, flip=0.1),
}


def score(probabilities: Array, labels: NDArray[np.integer]) -> Scores:
    """Return accuracy, log loss and calibration error of (n, classes) probabilities."""
    p = np.clip(probabilities.astype(np.float64), 1e-15, 1)
    p /= p.sum(axis=1, keepdims=True)
    confidence, correct = p.max(axis=1), p.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, correct - confidence, BINS)
    log_loss = -np.log(p[np.arange(len(labels)), labels]).mean()
    ece = np.abs(gaps).sum() / len(labels)
    return float(correct.mean()), float(log_loss), float(ece)


CONTEST = Contest(
    TABLES,
    {
        LINEAR: lambda _: make_pipeline(StandardScaler(), LogisticRegression()),
        NETWORK: lambda seed: make_pipeline(
            StandardScaler(), MLPClassifier(early_stopping=True, random_state=seed)
        ),
        BOOSTING: lambda seed: HistGradientBoostingClassifier(random_state=seed),
        MAJORITY: lambda _: DummyClassifier(strategy="prior"),
    },
    lambda fitted, features: fitted.predict_proba(features),
    score,
    ("accuracy", "log loss", "ECE"),
    prefix="c",
)


def main() -> None:
    """Measure, print, and say by the exit code whether the promises are kept."""
    results = hold(CONTEST, __doc__)
    if results is None:
        return
    accuracy, log_loss = ({c: s[i] for c, s in results.means.items()} for i in (0, 1))
    few = len(TABLES) // 2
    kept = (
        all(accuracy[OURS] > accuracy[c] for c in (LINEAR, NETWORK))
        and all(len(results.below(c)) < few for c in (LINEAR, NETWORK))
        and accuracy[OURS] >= accuracy[BOOSTING] - BELOW_BOOSTING
        and log_loss[OURS] <= min(MOST_LOG_LOSS, *(log_loss[c] for c in CONTEST.contenders))
        and not results.below(MAJORITY)
    )
    sys.exit(not kept)


if __name__ == "__main__":
    main()
