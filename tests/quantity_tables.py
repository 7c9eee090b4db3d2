"""Hold `mlp init` to its promises on tables of quantities that scikit-learn has or makes.

Usage: python tests/quantity_tables.py [--seeds 5] [--only NAME ...] [--set KEY=VALUE ...], or with
more, `make acceptance`; as `tests/tables.py`. Exits with 1 if a promise of `main` is not kept.

The root mean squared error in standard deviations of the target among the training examples, the
mean over the targets, and R², of that variance; see `contest`. Every fifth has its share of small
and of large quantities.
"""

import sys
from collections.abc import Callable

from contest import OURS, Array, Contest, Scores, Table, hold  # first: it sets the threads

# isort: split
import numpy as np
from sklearn import datasets
from sklearn.base import RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LINEAR, NETWORK, STOPPED, BOOSTING = (
    *("RidgeCV", "MLPRegressor", "with early stopping", "HistGradientBoosting"),
)
# By how much R² may be below boosting's.
BELOW_BOOSTING = 0.01


def network(seed: int, early_stopping: bool) -> RegressorMixin:
    """Return scikit-learn's network with standardised inputs; targets are so already."""
    layers = MLPRegressor(early_stopping=early_stopping, random_state=seed)
    return make_pipeline(StandardScaler(), layers)


def linear(n: int, features: int, seed: int) -> Table:
    """Return quantities that are linear in five of the features, half of them noise."""
    x, y = datasets.make_regression(n, features, n_informative=5, random_state=seed)
    return x, y + y.std() * np.random.default_rng(seed).standard_normal(n)


def smooth(n: int, features: int, seed: int) -> Table:
    """Return quantities with a wave, a product and a bend, and noise."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, features))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + np.abs(x[:, 3])
    return x, y + 0.3 * rng.standard_normal(n)


TABLES: dict[str, Callable[[], Table]] = {
    "diabetes": lambda: datasets.load_diabetes(return_X_y=True),
    "linnerud": lambda: datasets.load_linnerud(return_X_y=True),
    "linear_200": lambda: linear(200, 20, 1),
    "friedman1_300": lambda: datasets.make_friedman1(300, noise=1.0, random_state=2),
    "smooth_500": lambda: smooth(500, 8, 3),
    "sparse_1000": lambda: datasets.make_sparse_uncorrelated(1000, random_state=4),
    "swiss_roll_1500": lambda: datasets.make_swiss_roll(1500, noise=0.5, random_state=5),
    "friedman1": lambda: datasets.make_friedman1(5000, noise=1.0, random_state=0),
    "friedman2": lambda: datasets.make_friedman2(5000, noise=100.0, random_state=0),
    "friedman3": lambda: datasets.make_friedman3(5000, noise=0.1, random_state=0),
}


def score(outputs: Array, labels: Array) -> Scores:
    """Return R² and the RMSE of standardised quantities, (n, n_L)."""
    errors = np.square(labels - outputs.reshape(labels.shape)).mean(axis=0)
    return float(1 - errors.mean()), float(np.sqrt(errors).mean())


CONTEST = Contest(
    TABLES,
    {
        LINEAR: lambda _: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))),
        NETWORK: lambda seed: network(seed, early_stopping=False),
        STOPPED: lambda seed: network(seed, early_stopping=True),
        BOOSTING: lambda seed: MultiOutputRegressor(
            HistGradientBoostingRegressor(random_state=seed)
        ),
    },
    lambda fitted, features: fitted.predict(features),
    score,
    ("R2", "RMSE"),
)


def main() -> None:
    """Measure, print, and say by the exit code whether the promises are kept."""
    results = hold(CONTEST, __doc__)
    if results is None:
        return
    r2 = {contender: scores[0] for contender, scores in results.means.items()}
    others = (LINEAR, NETWORK, STOPPED)
    few = len(TABLES) // 2
    kept = (
        all(r2[OURS] > r2[c] and len(results.below(c)) < few for c in others)
        and r2[OURS] >= r2[BOOSTING] - BELOW_BOOSTING
    )
    sys.exit(not kept)


if __name__ == "__main__":
    main()
