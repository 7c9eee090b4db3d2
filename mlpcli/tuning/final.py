"""The end of a search: the best configuration as a file, and the checkpoint that it trains."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mlpcli import atomic
from mlpcli.checkpoint import autosave, store
from mlpcli.checkpoint.limits import check_size
from mlpcli.checkpoint.resume import resume_run
from mlpcli.config.load import load_experiment
from mlpcli.data.dataset import Dataset
from mlpcli.data.load import fit_structure, load_data
from mlpcli.errors import ConfigError, MlpError
from mlpcli.model import Model, new_model
from mlpcli.training.engine import choose_engine
from mlpcli.training.run import start_run
from mlpcli.tuning.results import Result
from mlpcli.tuning.template import Template

WRITTEN = "# Written by mlp tune"


def check_ours(config: Path, weights: Path) -> None:
    """Refuse to replace files that no search wrote.

    Raises:
        ConfigError: naming one.
    """
    if config.is_file():
        with config.open(encoding="utf-8", errors="replace") as stream:
            if stream.read(len(WRITTEN)) == WRITTEN:
                return
    for path in (config, weights):
        if path.exists():
            raise ConfigError(path, "exists, not written by mlp tune", "choose another -o")


def write_config(path: Path, template: Template, best: Result, metric: str) -> None:
    """Write the configuration of the best trial."""
    head = f"{WRITTEN}: {metric} {best.value:.5g} on validation examples in trial {best.number}.\n"
    atomic.write(path, (head + template.yaml(best.chosen, path.parent)).encode())


def train_config(
    config: Path, weights: Path, data_dir: Path, engine: str, check: Callable[[], None]
) -> tuple[Model, Dataset]:
    """Train a configuration as `mlp train` does, or go on with its checkpoint if there is one.

    Args:
        config: the configuration.
        weights: the checkpoint.
        data_dir: the folder that has one sub-folder per downloaded dataset.
        engine: what computes, as `--engine` names it.
        check: called after every mini-batch; may raise.

    Returns:
        The model, and what it was trained on.

    Raises:
        MlpError: as `mlp train` does.
    """
    experiment = load_experiment(config)
    # Another process that shares the study may be training it.
    with atomic.locked(weights, waiting=lambda: None):
        dataset = load_data(experiment, data_dir)
        experiment = fit_structure(experiment, dataset.encoding)
        check_size(experiment)
        try:
            model, run = resume_run(weights, experiment, dataset)
        except (MlpError, OSError):
            # There is none, or it is another trial's, from before the search went on.
            model = new_model(experiment, dataset)
            run = start_run(experiment, model.network)
        run.engine = choose_engine(engine, experiment, lambda _: None)
        save = partial(store.save, weights, model, run)
        if not run.finished:
            autosave.train(experiment, run, dataset, save, lambda _: check(), lambda _: check())
    return model, dataset
