"""A model: a network that knows the data it is for."""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpcli.config.data_files import Files
from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset, Examples
from mlpcli.data.encoding import SCALES, TARGETS_CALLED, Encoding
from mlpcli.data.known_columns import select_known
from mlpcli.data.quantities import decode_quantities
from mlpcli.data.readers.csv_dialect import csv_options
from mlpcli.data.readers.rows import WHERE, are_numbers, read_rows
from mlpcli.data.readers.table import Table, channels_last
from mlpcli.data.unlabelled import encode_table
from mlpcli.errors import DataError, join_names
from mlpcli.nn import inference, metrics
from mlpcli.nn.layout import Layout
from mlpcli.nn.losses import Loss, make_loss
from mlpcli.nn.members import MemberNetwork
from mlpcli.nn.multilabel import LabelEvaluation, compare_labels
from mlpcli.nn.network import Network
from mlpcli.nn.periodic import PeriodicNetwork
from mlpcli.nn.residuals import QuantityEvaluation

Weights = metrics.Weights
Evaluation = inference.Evaluation | QuantityEvaluation | LabelEvaluation
# From this output on an example has a label.
THRESHOLD = 0.5


@dataclass(repr=False)
class Model:
    """A network with its experiment and data encoding.

    Attributes:
        network: the engine's network, with the parameters to use.
        experiment: what was trained.
        encoding: what features and classes mean.
        fingerprint: of the training data.
        history: of a loaded model, one mapping per epoch, from `epoch` and `error` on.
        validation_fingerprint: of validation examples from a file; "" if there are none.
    """

    network: Network
    experiment: Experiment
    encoding: Encoding
    fingerprint: str
    history: list[dict[str, Any]] = field(default_factory=list)
    validation_fingerprint: str = ""

    def __repr__(self) -> str:
        """Return a line that says what was trained on what, and for how long."""
        structure, name = list(self.network.structure), self.experiment.data.name
        names, epochs = join_names(self.encoding.class_names), len(self.history)
        called = TARGETS_CALLED[self.encoding.task]
        return " ".join(f"Model({name} {structure}, {called} {names}, {epochs} epochs)".split())

    def predict_batches(self, features: NDArray[np.generic]) -> Iterator[NDArray[np.floating]]:
        """Yield the outputs a^(L) for successive chunks of examples.

        Args:
            features: (n, n_1) in the units of the training data.

        Yields:
            (m, n_L) arrays, each valid until the next is asked for.

        Raises:
            DataError: if an output is not a number, for the sake of a value too large.
        """
        for _, a in inference.predict_batches(self.network, features):
            if not np.isfinite(a).all():
                raise self._too_large("input")
            yield a

    def predict_proba(self, features: Any) -> NDArray[np.floating]:
        """Return the outputs a^(L) for examples, one column per class.

        Args:
            features: a data frame, a mapping of columns by name, or a sequence of mappings, a cell
                by the name of its column; else, by position, rows of cells, (n, n_1), images
                (n, rows, columns), or one example; in the units of the training data.

        Returns:
            (n, n_L), in the order of `encoding.class_names`; rows of a sigmoid output need not
            add up to 1.

        Raises:
            DataError: if something does not fit what the network was trained on, as in a file for
                mlp predict; or if outputs are no probabilities.
        """
        if self.encoding.task == "regression":
            raise DataError("model", "predicts quantities, not probabilities", "use predict")
        return self._outputs(features)

    def _outputs(self, features: Any) -> NDArray[np.floating]:
        encoding, files = self.encoding, self.experiment.data.files or Files()
        dtype = self.experiment.dtype
        empty = np.empty((0, self.network.structure[-1]), self.network.dtype)
        chunks = [
            outputs.copy()
            for batch in encode_table(self._table(features, files), encoding, files, dtype)
            for outputs in self.predict_batches(batch.features)
        ]
        return np.concatenate([empty, *chunks])

    def _table(self, features: Any, files: Files) -> Table:
        """Return examples as a table: by name where they have names, else by position."""
        encoding = self.encoding
        numeric = all(column.role == "number" for column in encoding.input_columns)
        if not numeric or not are_numbers(features):
            select = select_known(encoding, labelled=False)
            return read_rows(features, select, csv_options(files, ()))
        array = np.asarray(features)
        if shape := encoding.image_shape:
            array = channels_last(array, shape)
        width = len(encoding.input_columns) or encoding.features
        return Table(WHERE, as_rows(array, width, WHERE))

    def evaluate(
        self, examples: Examples, where: str = "examples", weights: Weights = None
    ) -> Evaluation:
        """Compare the model's predictions with the targets of one or more examples.

        Args:
            examples: with features in the model's encoding.
            where: what they are called in an error.
            weights: (n,) how much each counts; None where all count the same.

        Raises:
            DataError: if the error is not a number, for the sake of a value too large.
        """
        found = evaluate(self.network, self.experiment, self.encoding, examples, weights)
        if not math.isfinite(found.error):
            raise self._too_large(where)
        return found

    def _too_large(self, where: str) -> DataError:
        problem = f"holds values too large for the network's {self.network.dtype} arithmetic"
        return DataError(where, problem, "give them in the units of the training data")

    def quantities(self, outputs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the outputs of a regression in the targets' own units, (n, n_L)."""
        return decode_quantities(self.encoding, outputs, bool(self.experiment.clamp))

    def labels(self, outputs: NDArray[np.floating]) -> NDArray[np.bool]:
        """Return which labels the outputs of a multi-label network stand for, (n, n_L)."""
        return has_label(self.experiment, outputs)

    def predict(self, features: Any) -> NDArray[Any]:
        """Return what each example is predicted to be.

        Args:
            features: as for `predict_proba`.

        Returns:
            The name of each example's class, the one with the largest output, (n,); of a regression
            its quantity, (n,), or quantities, (n, n_L); of a multi-label network 1 for every label
            that it has and 0 for the others, (n, n_L).

        Raises:
            DataError: as `predict_proba` does.
        """
        outputs = self._outputs(features)
        if self.encoding.task == "regression":
            found = self.quantities(outputs)
            return found[:, 0] if found.shape[1] == 1 else found
        if self.encoding.task == "multilabel":
            return self.labels(outputs).astype(np.uint8)
        names = [self.encoding.class_names[i] for i in outputs.argmax(axis=1)]
        return np.array(names, np.str_)


def loss_of(experiment: Experiment) -> Loss:
    """Return the error that an experiment names."""
    return make_loss(experiment.loss, experiment.output, experiment.huber_delta)


def has_label(experiment: Experiment, outputs: NDArray[np.floating]) -> NDArray[np.bool]:
    """Return which labels outputs stand for, (n, n_L): those from the threshold on."""
    return np.asarray(outputs >= label_threshold(experiment))


def label_threshold(experiment: Experiment) -> float:
    """Return the output from which on an example has a label."""
    return THRESHOLD if experiment.threshold is None else experiment.threshold


def evaluate(
    network: Network,
    experiment: Experiment,
    encoding: Encoding,
    examples: Examples,
    weights: Weights = None,
) -> Evaluation:
    """Compare a network's predictions with the targets of one or more examples, (n,) weighted."""
    loss = loss_of(experiment)
    # Where all weigh nothing, all count the same.
    weights = weights if weights is not None and weights.any() else None
    if encoding.task == "classification":
        return inference.evaluate(network, loss, *examples, weights)
    outputs, error = inference.outputs_and_error(network, loss, *examples, weights)
    if encoding.task == "multilabel":
        return compare_labels(examples.labels, has_label(experiment, outputs), error, weights)
    truth = decode_quantities(encoding, examples.labels)
    predicted = decode_quantities(encoding, outputs, bool(experiment.clamp))
    return QuantityEvaluation(truth, predicted, error, weights)


def new_network(experiment: Experiment, encoding: Encoding) -> Network:
    """Make the network an experiment describes, its parameters all zero."""
    # NumPy has a ValueError for what no address space could hold.
    layout = layout_of(experiment, encoding)
    if layout.parameters * np.dtype(experiment.dtype).itemsize > sys.maxsize:
        raise MemoryError
    activations = [*experiment.hidden_activations, experiment.output]
    scale = SCALES[encoding.scale]
    structure, dtype = experiment.structure, experiment.dtype
    if layout.numbers:
        return PeriodicNetwork(layout, activations, encoding.is_number, dtype, scale)
    if experiment.members:
        return MemberNetwork(structure, activations, experiment.members, dtype, scale)
    return Network(structure, activations, dtype, scale)


def layout_of(experiment: Experiment, encoding: Encoding | None = None) -> Layout:
    """Return what the parameters of the network that an experiment describes consist of.

    Args:
        experiment: what is trained.
        encoding: of its data; without it, all features are taken for numbers.
    """
    structure = tuple(experiment.structure)
    if experiment.embeddings != "periodic":
        return Layout(structure, experiment.members)
    numbers = int(encoding.is_number.sum()) if encoding else structure[0]
    return Layout(structure, experiment.members, numbers)


def count_parameters(experiment: Experiment, encoding: Encoding | None = None) -> int:
    """Return the number of parameters of that network; without an encoding, the most there are."""
    return layout_of(experiment, encoding).parameters


def new_model(experiment: Experiment, dataset: Dataset) -> Model:
    """Make an untrained model for a dataset that `load_data` found to fit."""
    network = new_network(experiment, dataset.encoding)
    return Model(
        network,
        experiment,
        dataset.encoding,
        dataset.fingerprint(),
        validation_fingerprint=dataset.validation_fingerprint(),
    )


def as_rows(array: NDArray[np.generic], features: int, where: object) -> NDArray[np.generic]:
    """View an array as examples of so many features: (n, n_1), (n, rows, columns) or one example.

    Raises:
        DataError: if its shape does not allow that.
    """
    if math.prod(array.shape[1:]) == features and array.ndim > 1:
        return array.reshape(len(array), features)
    if array.size == features:
        return array.reshape(1, features)
    raise DataError(
        where,
        f"has shape {array.shape}, and the network takes {features} features",
        f"give an array of shape (n, {features})",
    )
