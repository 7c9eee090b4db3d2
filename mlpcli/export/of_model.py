"""The steps of a trained model."""

from collections.abc import Iterator
from math import prod, tau

from mlpcli.config.schema import Experiment
from mlpcli.data.dates import PERIODS
from mlpcli.data.encoding import ROBUST_LIMIT, SCALES, Encoding
from mlpcli.data.encoding import Column as FittedColumn
from mlpcli.errors import ConfigError
from mlpcli.export.steps import (
    Activate,
    Affine,
    Category,
    Classes,
    Column,
    Date,
    Labels,
    Members,
    Missing,
    Number,
    Periodic,
    Quantities,
    Steps,
    Table,
)
from mlpcli.export.supported import unsupported
from mlpcli.model import Model, label_threshold
from mlpcli.nn.members import MemberNetwork
from mlpcli.nn.network import Network
from mlpcli.nn.periodic import PeriodicNetwork


def steps_of(model: Model) -> Steps:
    """Return the steps of a model.

    Raises:
        ConfigError: if it has anything that they cannot say.
    """
    for unknown in unsupported(model):
        raise ConfigError(
            "model", f"{unknown}, which cannot be exported", "use mlp predict, or train without it"
        )
    experiment, encoding = model.experiment, model.encoding
    shape: tuple[int, ...] | None = encoding.image_shape
    if shape and encoding.features != prod(shape):
        shape = (*shape, 3)
    return Steps(
        tuple(_columns(experiment, encoding)),
        _missing(experiment),
        _all_layers(model.network),
        _answer(experiment, encoding),
        experiment.dtype,
        shape,
        _table(experiment, encoding),
    )


def _columns(experiment: Experiment, encoding: Encoding) -> Iterator[Column]:
    files = experiment.data.files
    fills = bool(files and files.missing == "mean")
    means = encoding.means or (0.0,) * encoding.features
    stds = encoding.deviations or (1.0,) * encoding.features
    columns = encoding.input_columns or [FittedColumn("", "number")] * encoding.features
    start = 0
    for column in columns:
        fill = column.filling if fills and column.filling else None
        part, name = slice(start, start + column.width), column.name
        limit = ROBUST_LIMIT if encoding.scale == "robust" and column.is_number else None
        if column.role == "category":
            yield _category(encoding, column, means[part], stds[part], fill)
        elif column.role == "date":
            periods = tuple(PERIODS.get(of_date, 0) for of_date in column.parts)
            scaling = means[part], stds[part], limit
            yield Date(name, column.parts, periods, *scaling, fill, column.day_first)
        else:
            fill_value, bins = fill[0] if fill else None, column.bins
            spread = SCALES[encoding.scale] if bins else stds[start]
            yield Number(name, fill_value, means[start], spread, limit, bins)
        start += column.width


def _category(
    encoding: Encoding,
    column: FittedColumn,
    means: tuple[float, ...],
    stds: tuple[float, ...],
    fill: tuple[float, ...] | None,
) -> Category:
    if column.signed:
        share = fill and (fill[1] - fill[0],)
        ignores = encoding.unknown == "ignore"
        return Category(column.name, column.categories, (-1.0, 1.0), (), share, ignores)
    # Under `unit` the network's arithmetic multiplies these, too, by the factor of pixels.
    hot = 1 / SCALES[encoding.scale]

    def features(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(
            (hot * value - mean) / std for value, mean, std in zip(values, means, stds, strict=True)
        )

    return Category(
        column.name,
        column.categories,
        features((1.0,) * column.width),
        features((0.0,) * column.width),
        fill and features(fill),
        encoding.unknown == "ignore",
    )


def _table(experiment: Experiment, encoding: Encoding) -> Table | None:
    names = tuple(column.name for column in encoding.columns)
    inputs = (i for i, column in enumerate(encoding.columns) if column.width)
    header = experiment.data.files.header if experiment.data.files else None
    return Table(names, tuple(inputs), header) if names else None


def _missing(experiment: Experiment) -> Missing:
    if not experiment.data.files:
        return Missing((), (), ())
    given = experiment.data.files.missing_values
    of_text, of_numbers = (
        tuple(sorted(words - {""})) for words in (given.text_words, given.number_words)
    )
    return Missing(of_text, of_numbers, tuple(map(float, given.numbers)))


def _all_layers(network: Network) -> tuple[Affine | Activate | Members | Periodic, ...]:
    if isinstance(network, PeriodicNetwork):
        factor = network.input_scale
        # As the network computes them, to the last digit.
        frequencies = tau * factor * network.frequencies
        periodic = Periodic(tuple(network.is_number.tolist()), frequencies, factor)
        return (periodic, *_all_layers(network.above))
    layers = tuple(_layers(network))
    if not isinstance(network, MemberNetwork):
        return layers
    output = network.activation_names[-1]
    shared = layers if output == "linear" else layers[:-1]
    return (Members(network.scales, shared, output, network.temperature),)


def _layers(network: Network) -> Iterator[Affine | Activate]:
    factor = network.input_scale
    for Wb, name in zip(network.layers, network.activation_names, strict=True):
        yield Affine(Wb[:-1], Wb[-1], factor)
        factor = 1.0
        if name != "linear":
            yield Activate(name)


def _answer(experiment: Experiment, encoding: Encoding) -> Classes | Labels | Quantities:
    names, quantities = encoding.class_names, encoding.quantities
    if encoding.task == "classification":
        return Classes(names)
    if encoding.task == "multilabel":
        files = experiment.data.files
        return Labels(names, label_threshold(experiment), files and files.label_separator)
    ranges = tuple((q.low, q.high) for q in quantities) if experiment.clamp else None
    means, stds = (tuple(getattr(q, name) for q in quantities) for name in ("mean", "std"))
    return Quantities(names, means, stds, ranges)
