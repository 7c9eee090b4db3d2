"""What the keys of an experiment may not be together."""

from collections.abc import Iterator
from typing import NamedTuple

from mlpcli.config.schema import LINEAR_LOSSES, Experiment
from mlpcli.errors import ConfigError


class Contradiction(NamedTuple):
    """A value that makes no sense beside another, and what to do about it."""

    key: str
    problem: str
    remedy: str


# Settings that only some optimizers have.
OPTIMIZER_SETTINGS = {
    "momentum": ("sgd",),
    "beta1": ("adam", "adamw"),
    "beta2": ("adam", "adamw", "rmsprop"),
    "epsilon": ("adam", "adamw", "rmsprop"),
}


def check_combinations(e: Experiment) -> None:
    """Refuse values that are right alone but make no sense together.

    Raises:
        ConfigError: naming the first of them.
    """
    for check in (
        _check_layers,
        _check_task,
        _check_files,
        _check_parametrization,
        _check_optimizer,
        _check_validation,
        _check_warmup,
    ):
        for found in check(e):
            raise ConfigError(e.where(found.key), found.problem, found.remedy)


def _check_layers(e: Experiment) -> Iterator[Contradiction]:
    hidden, activations, rates = e.hidden_layers, e.hidden_activations, e.dropout_rates
    if e.structure and e.structure[-1] == 1 and e.learns == "classification":
        yield Contradiction(
            "structure",
            "the output layer has one neuron, but there must be one per class",
            "use two for a yes-or-no question: end the list with 2",
        )
    if len(activations) != hidden:
        yield Contradiction(
            "activation",
            f"names {len(activations)} activations, but there are {hidden} hidden layers",
            "give one for all, or one for each",
        )
    if len(rates) != hidden + 1:
        yield Contradiction(
            "dropout",
            f"gives {len(rates)} rates, but there are an input layer and {hidden} hidden ones",
            f"give one rate for the hidden layers, or a list of {hidden + 1}",
        )
    if e.members and not hidden:
        yield Contradiction(
            "members",
            "share their hidden layers, but there is none",
            "remove it, or add a hidden layer",
        )


# Keys that are about classes or their probabilities, or about quantities, with the tasks they fit.
TASK_SETTINGS = {
    "label_smoothing": ("classification",),
    "class_weight": ("classification",),
    "calibrate": ("classification", "multilabel"),
    "threshold": ("multilabel",),
    "clamp": ("regression",),
}


def _check_task(e: Experiment) -> Iterator[Contradiction]:
    if e.learns != "classification" and not e.data.files:
        yield Contradiction("task", f"is {e.learns}, but {e.data.name} has classes", "remove it")
    outputs = {"regression": ("linear",), "multilabel": ("sigmoid",)}
    allowed = outputs.get(e.learns, ("sigmoid", "softmax"))
    if e.output not in allowed:
        remedy = f"write output: {allowed[0]}"
        yield Contradiction("output", f"is {e.output}, but task is {e.learns}", remedy)
    if e.loss != "mse" and (e.loss in LINEAR_LOSSES) != (e.output == "linear"):
        fitting = "mse, mae or huber" if e.output == "linear" else "mse or cross_entropy"
        yield Contradiction(
            "loss", f"is {e.loss}, but {e.stated('output')}", f"write loss: {fitting}"
        )
    if e.huber_delta is not None and e.loss != "huber":
        problem = f"is a setting of huber, but {e.stated('loss')}"
        yield Contradiction("huber_delta", problem, "remove it, or write loss: huber")
    for name, tasks in TASK_SETTINGS.items():
        if getattr(e, name) and e.learns not in tasks:
            problem = f"is of task {' and '.join(tasks)}, but task is {e.learns}"
            yield Contradiction(name, problem, e.removal(name))
    if e.monitor == "accuracy" and e.learns == "regression":
        yield Contradiction("monitor", "quantities have no accuracy", "write monitor: error")
    if e.data.files and e.data.files.label_separator is not None and e.learns != "multilabel":
        problem = f"is of labels, but task is {e.learns}"
        yield Contradiction("data.label_separator", problem, "write task: multilabel, or remove it")
    target = e.data.files.target if e.data.files else None
    if isinstance(target, tuple) and e.learns == "classification":
        problem = "names several columns, but classes are in one"
        yield Contradiction("data.target", problem, "write task: multilabel, or task: regression")


def _check_files(e: Experiment) -> Iterator[Contradiction]:
    files = e.data.files
    if files and files.group is not None and files.time is not None:
        problem = "splits by time, and data.group by groups"
        yield Contradiction("data.time", problem, "remove one of the two")
    if files and files.weight is not None and e.compat:
        problem = "weighs examples, but compat: article knows no weights"
        yield Contradiction("data.weight", problem, "remove one of the two")


def _check_parametrization(e: Experiment) -> Iterator[Contradiction]:
    if e.embeddings and not e.data.files:
        problem = f"is of a table's numbers, but {e.data.name} has none"
        yield Contradiction("embeddings", problem, "remove it")
    if e.parametrization == "ntk" and e.init != "normal":
        problem = f"is {e.init}, but parametrization: ntk draws from N(0, 1)"
        yield Contradiction("init", problem, "remove one of the two")


def _check_optimizer(e: Experiment) -> Iterator[Contradiction]:
    if e.nesterov and not e.momentum:
        yield Contradiction("nesterov", "needs momentum", "add a line such as momentum: 0.9")
    for name, optimizers in OPTIMIZER_SETTINGS.items():
        if getattr(e, name) is not None and e.optimizer not in optimizers:
            yield Contradiction(
                name,
                f"is a setting of {' and '.join(optimizers)}, but {e.stated('optimizer')}",
                f"{e.removal(name)}, or write optimizer: {optimizers[0]}",
            )


def _check_validation(e: Experiment) -> Iterator[Contradiction]:
    if e.validation:
        return
    remedy = "add a line such as validation: 0.1"
    for name in ("monitor", "patience", "min_delta", "calibrate"):
        if getattr(e, name):
            instead = e.removal(name) if e.is_filled(name) else remedy
            yield Contradiction(name, "needs validation data", instead)
    if e.schedule.name == "plateau":
        yield Contradiction("schedule", "plateau needs validation data", remedy)


def _check_warmup(e: Experiment) -> Iterator[Contradiction]:
    if e.warmup > e.epochs:
        problem = f"lasts {e.warmup:g} epochs, but there are {e.epochs}"
        yield Contradiction("warmup", problem, "make it shorter")
