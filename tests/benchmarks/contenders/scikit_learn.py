"""scikit-learn's MLPClassifier.

Its loss is always the log-loss. One-hot labels make it a network with sigmoid outputs of the same
structure as ours, where plain labels would make it softmax, or one output for two classes.
"""

import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.contenders import Trainer
from benchmarks.problem import first_weights, inputs, one_hot
from benchmarks.workloads import ADAM, Workload
from mlpcli.data.dataset import Dataset

LIBRARIES = ("scikit-learn", "numpy")


def prepare(workload: Workload, dataset: Dataset) -> Trainer:
    """Make a classifier that trains on from our first weights, without regularisation."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    sklearn.set_config(assume_finite=True)  # spare it the search for NaN in every turn
    x, labels = inputs(dataset.train, dataset.encoding), dataset.train.labels
    y = labels if workload.relu else one_hot(dataset.train, dataset.encoding).astype(int)
    classifier = MLPClassifier(
        workload.structure[1:-1],
        "relu" if workload.relu else "logistic",
        solver="adam" if workload.adam else "sgd",
        alpha=0,
        batch_size=workload.bt_size,
        learning_rate_init=workload.eta,
        max_iter=1,
        tol=0,
        n_iter_no_change=10**9,
        momentum=0,
        nesterovs_momentum=False,
        beta_1=ADAM["beta1"],
        beta_2=ADAM["beta2"],
        epsilon=ADAM["epsilon"],
        warm_start=True,
        random_state=0,
    )
    classifier.fit(x, y)  # makes the arrays
    parameters = zip(
        classifier.coefs_, classifier.intercepts_, first_weights(workload), strict=True
    )
    for coef, intercept, (W, b) in parameters:
        coef[:], intercept[:] = W, b

    def run(epochs: int) -> float:
        # fit once per turn and not once per epoch: what it does besides epochs is shared.
        classifier.max_iter = epochs
        classifier.fit(x, y)
        return float(classifier.loss_)

    def accuracy() -> float:
        test = inputs(dataset.test, dataset.encoding)
        predicted = np.argmax(classifier.predict_proba(test), axis=1)
        return float((predicted == dataset.test.labels).mean())

    return Trainer(run, accuracy)
