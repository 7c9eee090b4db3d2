"""Saving a run while it trains: at an interval, at its end, and before it is left."""

import time
from collections.abc import Callable

from mlpcli.config.schema import Experiment
from mlpcli.data.dataset import Dataset
from mlpcli.errors import DivergedError, Interrupted, Killed, MlpError, OutputError
from mlpcli.training import loop
from mlpcli.training.run import EpochReport, Run, StepReport

# The least time between checkpoints: each waits for the disk, and an epoch may take a millisecond.
SAVE_SECONDS = 1.0


def train(
    experiment: Experiment,
    run: Run,
    dataset: Dataset,
    save: Callable[[], None],
    on_epoch: Callable[[EpochReport], None],
    on_step: Callable[[StepReport], None],
) -> None:
    """Train to the end, and save on the way.

    A run is saved every `checkpoint_every` epochs, or when an epoch ends `SAVE_SECONDS` after the
    last save; when it is finished; when it has diverged after its first epoch, as the last good one
    left it; and when `on_epoch` or `on_step` raise an MlpError, an OSError or Interrupted.

    Args:
        experiment: how to train.
        run: from `start_run` or `load_run`; changed in place.
        dataset: as `loop.train` takes it.
        save: writes the run as it is.
        on_epoch: told of every epoch, which is saved before if it is due.
        on_step: told of every mini-batch.

    Raises:
        OutputError: if it cannot be saved.
        DivergedError: as `loop.train` does.
        Exception: what `on_epoch` and `on_step` raise.
    """
    every = experiment.checkpoint_every
    saved = time.perf_counter()

    def after_step(report: StepReport) -> None:
        on_step(report)
        done = report.epoch * report.steps + report.step + 1
        # An epoch's end is saved below, when validation has had its say.
        if every and report.step + 1 < report.steps and _is_due(done, every, report.steps):
            save()

    try:
        for report in loop.train(experiment, run, dataset, after_step if every else on_step):
            due = time.perf_counter() - saved > SAVE_SECONDS
            if every:
                due = _is_due(report.row["epoch"] + 1, every, 1)
            if run.finished or due:
                save()
                saved = time.perf_counter()
            on_epoch(report)
    except (OutputError, Killed):
        raise
    except DivergedError:
        if run.history:
            save()
        raise
    except (MlpError, OSError, Interrupted):
        # A signal, or a history or progress that cannot be written any more.
        save()
        raise


def _is_due(done: int, every: float, steps: int) -> bool:
    """Return whether a multiple of `every` epochs of so many steps was passed with this step."""
    period = max(1.0, every * steps)
    return int(done / period) > int((done - 1) / period)
